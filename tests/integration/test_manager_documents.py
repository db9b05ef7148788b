"""A node's containers follow what is published: made, changed, removed, left alone."""

import re

import pytest

from harness import HOST, free_port

MIB = 1 << 20


def kinds(node):
    """The writes since the last forget(), as "start web": the verb and the container that it is about."""
    by_id = {c["Id"]: name for name, c in node.containers().items()}
    found = []
    for write in node.proxy.writes:
        parts = write.path.split("/")
        if write.path == "/containers/create":
            found.append("create")
        elif parts[1] == "containers" and write.method == "POST":
            found.append(f"{parts[3]} {'old' if parts[2] not in by_id else 'new'}")
    return found


def addresses(node, name, service="web"):
    """What a container is told when it asks for a name."""
    done = node.engine.docker("exec", node.name(service), "nslookup", name, check=False)
    return re.findall(rb"^Address: (\d+\.\d+\.\d+\.\d+)$", done.stdout, re.MULTILINE)


# ---- one service


def test_a_service_is_made_changed_and_removed(node):
    node.apply({"web": node.service(environment={"A": "1"}), "db": node.service()})
    node.assert_runs_only("web", "db")
    web, db = node.id("web"), node.id("db")

    node.apply({"web": node.service(environment={"A": "2"}), "db": node.service()})
    assert node.id("web") != web
    assert node.id("db") == db
    assert "A=2" in node.container("web")["Config"]["Env"]
    node.assert_runs_only("web", "db")

    node.apply({"db": node.service()})
    node.assert_runs_only("db")
    assert node.id("db") == db


def test_all_are_started_before_the_first_gets_its_limits(node):
    """Its restart policy too: no one waits for it, and it costs the engine half as much as a start."""
    node.proxy.delay(rf"^POST /containers/create\?name={node.name('late')}", 0.5)
    node.apply({name: node.service(restart="unless-stopped") for name in ("db", "late", "web")})
    verbs = [write.path.rpartition("/")[2] for write in node.proxy.writes]
    assert verbs.count("start") == verbs.count("update") == 3
    assert "start" not in verbs[verbs.index("update"):]


def test_a_republished_document_writes_nothing(node):
    document = node.offer({"web": node.service(networks={"front": None}, restart="unless-stopped",
                                               volumes=[{"type": "volume", "source": "data",
                                                         "target": "/data"}])},
                          networks={"front": None}, volumes={"data": None})
    node.wait_converged(1)
    node.proxy.forget()
    node.publish(document)
    node.publish({**document, "revision": 2})
    node.wait_converged(2)
    node.restart()
    node.wait_converged(2)
    assert node.proxy.writes == []


def test_limits_change_in_place(node):
    node.apply({"web": node.service(mem_limit="64M")})
    before = node.id("web")
    node.apply({"web": node.service(mem_limit="48M", deploy={"resources": {"limits": {"pids": 40}}})})
    node.apply({"web": node.service(mem_limit="96M", cpus=0.5, pids_limit=50)})
    after = node.container("web")
    assert after["HostConfig"]["Memory"] == 96 * MIB
    assert after["HostConfig"]["NanoCpus"] == 500_000_000
    assert after["HostConfig"]["PidsLimit"] == 50
    assert node.names() == {node.name("web")}
    node.proxy.forget()
    node.apply({"web": node.service(mem_limit="32M", cpus=0.25, pids_limit=60)})
    assert [write.path.rpartition("/")[2] for write in node.proxy.writes] == ["update"]
    assert node.id("web") == after["Id"] != before


def test_a_restart_policy_changes_in_place(node):
    def policy():
        return node.container("web")["HostConfig"]["RestartPolicy"]

    node.apply({"web": node.service(restart="unless-stopped")})
    before = node.id("web")
    assert policy() == {"Name": "unless-stopped", "MaximumRetryCount": 0}
    node.apply({"web": node.service(restart="on-failure:3")})
    assert policy() == {"Name": "on-failure", "MaximumRetryCount": 3}
    node.apply({"web": node.service()})
    assert policy()["Name"] == "no"
    assert node.id("web") == before


def test_replicas_go_up_and_down(node):
    node.apply({"web": node.service()})
    first = node.id("web")
    report = node.apply({"web": node.service(scale=3)})
    assert report["services"]["web"]["replicas"] == {"desired": 3, "running": 3}
    node.assert_runs_only(("web", 1), ("web", 2), ("web", 3))
    node.apply({"web": node.service(scale=2)})
    node.assert_runs_only(("web", 1), ("web", 2))
    assert node.id("web") == first
    node.apply({"web": node.service(scale=0)})
    assert node.names() == set()


def test_a_name_of_ones_own(node):
    name = f"{node.project}-of-my-own"
    node.apply({"web": node.service(container_name=name)})
    assert node.running() == {name}
    node.apply({"web": node.service(container_name=name, environment={"A": "1"})})
    assert node.names() == {name}
    node.apply({"web": node.service()})
    node.assert_runs_only("web")


def test_a_report_tells_of_each_container(node):
    report = node.apply({"web": node.service(healthcheck={"test": ["CMD", "true"], "interval": "100ms"})},
                        id="activity-1")
    (container,) = report["services"]["web"].pop("containers")
    inspected = node.container("web")
    assert report["services"]["web"] == {
        "image": node.images.one, "state": "running", "health": "healthy", "restarts": 0,
        "replicas": {"desired": 1, "running": 1}}
    assert container["name"] == node.name("web")
    assert container["id"] == inspected["Id"]
    assert container["imageId"] == inspected["Image"] == node.engine.image_id(node.images.one)
    assert container["startedAt"][:19] == inspected["State"]["StartedAt"][:19]
    assert report["desired"]["id"] == "activity-1"
    assert report["desired"]["digest"] == report["applied"]["digest"] == report["lastGood"]["digest"]
    assert report["reason"] is None and report["drift"] == [] and report["source"] == "node"
    assert node.report["engine"]["state"] == "up"
    assert node.report["engine"]["version"] == node.engine.version


# ---- order


def test_who_depends_waits_for_health(node):
    db = node.service("sleep 0.5; touch /tmp/ready; sleep 1000",
                      healthcheck={"test": ["CMD", "test", "-e", "/tmp/ready"], "interval": "100ms",
                                   "retries": 100})
    node.apply({"db": db, "web": node.service(depends_on={"db": {"condition": "service_healthy"}})})
    good = [check for check in node.container("db")["State"]["Health"]["Log"] if not check["ExitCode"]]
    assert good[0]["Start"] < node.container("web")["State"]["StartedAt"]


def test_who_depends_waits_for_completion(node):
    done = node.service("sleep 0.4")
    web = node.service(depends_on={"setup": {"condition": "service_completed_successfully"}})
    node.apply({"setup": done, "web": web})
    setup = node.container("setup")["State"]
    assert (setup["Status"], setup["ExitCode"]) == ("exited", 0)
    assert setup["FinishedAt"] < node.container("web")["State"]["StartedAt"]
    # What has done its work is not started again.
    node.proxy.forget()
    node.restart()
    node.wait_converged(1)
    assert node.proxy.writes == []


def test_a_dependency_that_fails_keeps_others_from_starting(node):
    node.offer({"setup": node.service("exit 3"), "web": node.service(
        depends_on={"setup": {"condition": "service_completed_successfully"}})},
        policy={"onFailure": "hold"})
    report = node.wait_phase("STALLED")
    assert report["reason"]["code"] == "exited"
    assert report["reason"]["service"] == "setup"
    assert node.running() == set()


# ---- networks, volumes, ports


def test_services_find_each_other_by_name_and_alias(node):
    api = node.service(networks={"front": {"aliases": ["the-api"]}, "back": None})
    node.apply({"api": api, "web": node.service(networks={"front": None})},
               networks={"front": None, "back": {"internal": True}})
    assert node.networks() == {f"{node.project}_front", f"{node.project}_back"}
    assert set(node.container("api")["NetworkSettings"]["Networks"]) == node.networks()
    address = node.container("api")["NetworkSettings"]["Networks"][f"{node.project}_front"]["IPAddress"]
    for name in ("api", "the-api", node.name("api")):
        assert addresses(node, name) == [address.encode()]
    node.apply({"web": node.service()})
    assert node.networks() == set()


def test_a_networks_options_change(node):
    services = {"web": node.service(networks={"front": None})}
    node.apply(services, networks={"front": None})
    before = node.id("web")
    node.apply(services, networks={"front": {"internal": True}})
    (network,) = node.engine.inspect(f"{node.project}_front")
    assert network["Internal"] is True
    assert list(network["Containers"]) == [node.id("web")] != [before]
    node.assert_runs_only("web")


def test_a_service_changes_its_network(node):
    node.apply({"web": node.service(networks={"front": None})}, networks={"front": None})
    node.apply({"web": node.service(networks={"back": None})}, networks={"back": None})
    assert node.networks() == {f"{node.project}_back"}
    assert set(node.container("web")["NetworkSettings"]["Networks"]) == node.networks()


def test_volumes_outlive_containers(node):
    def web(**members):
        return {"web": node.service(volumes=[{"type": "volume", "source": "data", "target": "/data"}],
                                    **members)}

    node.apply(web(), volumes={"data": None})
    node.engine.docker("exec", node.name("web"), "sh", "-c", "echo kept > /data/file")
    node.apply(web(environment={"A": "1"}), volumes={"data": None})
    assert node.engine.docker("exec", node.name("web"), "cat", "/data/file") == "kept"
    node.apply({}, policy={"allowEmpty": True})
    assert node.names() == set()
    assert node.volumes() == {f"{node.project}_data"}
    node.apply(web(), volumes={"data": None})
    assert node.engine.docker("exec", node.name("web"), "cat", "/data/file") == "kept"


def test_ports_go_from_one_service_to_another(node):
    ports = [free_port(), free_port()]

    def services(first, second):
        def one(port):
            return node.service(ports=[{"target": 80, "published": str(port), "host_ip": HOST}])

        return {"a": one(first), "b": one(second)}

    node.apply(services(*ports))
    node.apply(services(*reversed(ports)))
    node.assert_runs_only("a", "b")
    bound = node.container("a")["HostConfig"]["PortBindings"]["80/tcp"]
    assert bound == [{"HostIp": HOST, "HostPort": str(ports[1])}]


# ---- strategies


@pytest.mark.parametrize("strategy, order", [
    ("create-stop-start", ["create", "stop old", "rename old", "rename new", "start new"]),
    ("stop-create-start", ["stop old", "rename old", "create", "start new"]),
    ("handover", ["create", "start new", "stop old", "rename old", "rename new"]),
])
def test_a_strategy_is_followed(node, strategy, order):
    policy = {"strategy": strategy}
    node.apply({"web": node.service(policy=policy)})
    node.proxy.forget()
    node.apply({"web": node.service(policy=policy, environment={"A": "1"})})
    assert kinds(node) == order
    assert str(node.proxy.writes[-1]).startswith("DELETE /containers/")
    node.assert_runs_only("web")


# ---- what the document no longer names


def test_orphans_are_kept_where_the_policy_says_so(node):
    node.apply({"web": node.service(), "db": node.service(networks={"back": None})},
               networks={"back": None})
    node.apply({"web": node.service()}, policy={"orphans": "keep"})
    node.assert_runs_only("web", "db")
    assert node.networks() == {f"{node.project}_back"}
    node.apply({"web": node.service()}, policy={"orphans": "remove"})
    node.assert_runs_only("web")
    assert node.networks() == set()


def test_nothing_is_run_only_on_purpose(node):
    node.apply({"web": node.service()})
    node.offer({})
    report = node.wait_reason("empty")
    assert report["phase"] == "REJECTED" and report["applied"]["revision"] == 1
    assert not report["desired"]["accepted"]
    node.assert_runs_only("web")
    node.apply({}, policy={"allowEmpty": True})
    assert node.names() == set()


def test_projects_do_not_touch_each_other(node):
    other = f"{node.project}x"
    node.apply({"web": node.service()})
    node.publish({**node.document({"web": node.service()}, revision=1), "project": other}, project=other)
    node.wait_converged(1, project=other)
    assert node.running() == {node.name("web"), node.name("web", project=other)}
    node.revision = 1
    node.apply({}, policy={"allowEmpty": True})
    assert node.running() == {node.name("web", project=other)}
