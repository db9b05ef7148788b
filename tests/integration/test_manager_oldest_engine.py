"""A smoke test of all that a manager does, on the oldest engine that it works with: Docker 20.10."""

from types import SimpleNamespace

import pytest

from harness.old_engine import API, old_dockerds
from harness.waiting import eventually


@pytest.fixture(scope="module")
def dockerd():
    with old_dockerds(1) as (dockerd,):
        yield dockerd


@pytest.fixture(scope="module")
def docker(dockerd):
    """In place of the machine's engine."""
    return dockerd.engine


@pytest.fixture(scope="module")
def images(docker):
    """An import takes no STOPSIGNAL yet: services have a stop_signal."""
    docker.tiny_image("bellbuoy-test/one:1", text="one")
    docker.tiny_image("bellbuoy-test/two:1", text="two")
    return SimpleNamespace(one="bellbuoy-test/one:1", two="bellbuoy-test/two:1")


def service(node, **members):
    return node.service(stop_signal="SIGKILL", **members)


def test_what_a_document_asks_for_is_there(node):
    report = node.apply({
        "web": service(
            node, command="echo hello; exec sleep 1000", environment={"A": "1"}, mem_limit="64M",
            cpus=0.5, pids_limit=50, restart="unless-stopped", ports=[{"target": 80, "published": "18080"}],
            networks={"front": {"aliases": ["www"]}, "back": None}, tmpfs=["/tmp"],
            volumes=[{"type": "volume", "source": "data", "target": "/data"}],
            healthcheck={"test": ["CMD", "true"], "interval": "100ms", "start_interval": "100ms"}),
        "db": service(node, networks={"back": None}, depends_on={"web": {"condition": "service_healthy"}}),
    }, networks={"front": None, "back": {"internal": True}}, volumes={"data": None})
    assert node.report["engine"]["version"].startswith("20.10")
    assert node.report["engine"]["api"] == API
    assert report["services"]["web"]["health"] == "healthy"
    web = node.container("web")
    host, networks = web["HostConfig"], web["NetworkSettings"]["Networks"]
    assert "A=1" in web["Config"]["Env"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (64 << 20, 500_000_000, 50)
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "18080"}]}
    assert networks.keys() == node.networks() == {f"{node.project}_front", f"{node.project}_back"}
    assert "www" in networks[f"{node.project}_front"]["Aliases"]
    (mount,) = web["Mounts"]
    assert {mount["Name"]} == node.volumes() == {f"{node.project}_data"}
    assert [line["text"] for line in node.call("logs", service="web")["lines"]] == ["hello"]
    assert node.plan() == []


def test_limits_change_in_place(node):
    node.apply({"web": service(node, mem_limit="64M")})
    before = node.id("web")
    node.apply({"web": service(node, mem_limit="96M", restart="always")})
    assert node.id("web") == before
    assert node.container("web")["HostConfig"]["Memory"] == 96 << 20


@pytest.mark.parametrize("strategy", ["create-stop-start", "stop-create-start", "handover"])
def test_a_good_update_is_taken_and_a_bad_one_rolled_back(node, images, strategy):
    def web(**members):
        return {"web": service(node, policy={"strategy": strategy}, **members)}

    node.apply(web())
    node.apply(web(image=images.two))
    assert node.container("web")["Image"] == node.engine.image_id(images.two)
    node.offer(web(image=images.two, command="exit 3", uptime="60s"))
    assert "code 3" in node.wait_rolled_back(2, "exited")["reason"]["message"]
    node.assert_runs_only("web")


def test_it_mends_what_drifts(node):
    node.apply({"web": service(node, networks={"front": None}, mem_limit="64M", restart="always")},
               networks={"front": None})
    before = node.id("web")
    node.engine.rm(node.name("web"))
    eventually(lambda: node.id("web") != before and node.running(), message="another one runs")
    node.engine.docker("update", "--memory", "32m", "--memory-swap", "64m", node.name("web"))
    eventually(lambda: node.container("web")["HostConfig"]["Memory"] == 64 << 20,
               message="it has its limit")
    network = f"{node.project}_front"
    node.engine.docker("network", "disconnect", "--force", network, node.name("web"))
    node.engine.docker("network", "rm", network)
    eventually(lambda: list(node.engine.inspect(network)[0]["Containers"]) == [node.id("web")],
               message="it is in its network")
    node.wait_converged()
    node.assert_runs_only("web")


def test_it_removes(node):
    node.apply({"web": service(node, networks={"front": None}), "db": service(node)},
               networks={"front": None})
    node.apply({"db": service(node)})
    node.assert_runs_only("db")
    node.apply({}, policy={"allowEmpty": True})
    assert node.names() == node.networks() == set()


def test_its_engine_is_restarted(node, dockerd):
    node.apply({"web": service(node, restart="unless-stopped"), "db": service(node, restart="always")})
    before = {node.id("web"), node.id("db")}
    dockerd.terminate()
    eventually(lambda: node.report["engine"]["state"] == "down", message="it is told")
    assert not node.project_report()["converged"]
    dockerd.launch()
    dockerd.wait_answers()
    eventually(lambda: node.running() == {node.name("web"), node.name("db")}, message="both run")
    node.wait_converged(1)
    assert {node.id("web"), node.id("db")} == before
    assert node.plan() == []
