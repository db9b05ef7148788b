"""What a node does not take, and what it never touches."""

import json

import pytest

from harness.manager import Node
from harness.waiting import eventually


@pytest.fixture(scope="module")
def running(module_lab, docker, images):
    """A node with one service, whose documents are all refused."""
    # The broker that is shipped would not take what is larger than a document may be.
    broker = module_lab.broker(settings=["message_size_limit 0"])
    node = Node(module_lab, broker, docker, images)
    node.good = node.offer({"web": node.service()})
    node.wait_converged(1)
    yield node
    node.close()


def web(node, **members):
    return {"web": node.service(**members)}


def cycle(node):
    return {"web": node.service(depends_on={"db": {}}), "db": node.service(depends_on={"web": {}})}


BAD_TEXTS = {
    "garbage": ("\x7fELF is no JSON", "schema"),
    "not UTF-8": (b'{"apiVersion": "\xff\xfe"}', "schema"),
    "null": ("null", "schema"),
    "a list": ("[]", "schema"),
    "no envelope": ("{}", "schema"),
    "2 MB": (json.dumps({"apiVersion": "bellbuoy/v1", "x-fill": "x" * (2 << 20)}), "schema"),
    "deep nesting": ("[" * 100_000 + "]" * 100_000, "schema"),
    "a NUL": ("{\"apiVersion\": \"bellbuoy\\u0000/v1\"}", "schema"),
}


def without(document, key):
    return {name: value for name, value in document.items() if name != key}


def is_refused(node, payload, code, says=""):
    """The reason is told, the process lives, what ran before runs on."""
    node.publish(node.good)
    node.wait(lambda p: p["reason"] is None and p["desired"]["accepted"], "no reason any more")
    before = node.id("web")
    node.proxy.forget()
    node.publish(payload)
    report = node.wait(lambda p: p["reason"] and p["reason"]["code"] == code and
                       says in p["reason"]["message"], f"the reason {code}: {says}")
    assert report["applied"]["revision"] == 1
    assert report["reason"]["message"] and report["reason"]["advice"]
    assert node.id("web") == before
    assert node.running() == {node.name("web")}
    assert node.proxy.writes == []
    return report


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_what_is_no_document_is_refused(running, name):
    payload, code = BAD_TEXTS[name]
    report = is_refused(running, payload, code)
    assert report["phase"] == "REJECTED" and not report["desired"]["accepted"]


def test_a_truncated_document_is_refused(running):
    text = json.dumps(running.document(web(running)))
    is_refused(running, text[:len(text) // 2], "schema")


def test_a_key_given_twice_is_refused(running):
    text = json.dumps(running.document(web(running)))
    is_refused(running, text[:-1] + ', "project": "other"}', "schema", "project")


@pytest.mark.parametrize("change, code, says", [
    (lambda n: {"services": {"web": {**n.service(), "imagee": "x"}}}, "unsupported-key", "image"),
    (lambda n: {"services": web(n, build=".")}, "unsupported-key", "/services/web/build"),
    (lambda n: {"services": web(n, environment=7)}, "schema", "/services/web/environment"),
    (lambda n: {"services": web(n, scale="many")}, "schema", "/services/web/scale"),
    (lambda n: {"services": []}, "schema", "/services"),
    (lambda n: {"services": cycle(n)}, "cycle", "web"),
    (lambda n: {"services": web(n, ports=[{"target": 70000}])}, "schema", "/services/web/ports/0"),
    (lambda n: {"services": web(n, ports=[{"target": 80, "published": "99999"}])}, "schema",
     "/services/web/ports/0"),
    (lambda n: {"services": web(n, depends_on={"none": {}})}, "schema", "none"),
    (lambda n: {"apiVersion": "bellbuoy/v9"}, "schema", "/apiVersion"),
    (lambda n: {"revision": -1}, "schema", "/revision"),
    (lambda n: {"revision": 1.5}, "schema", "/revision"),
    (lambda n: {"project": "another"}, "schema", "/project"),
    (lambda n: {"polcy": {}}, "unsupported-key", "policy"),
    (lambda n: {"expires": "2001-01-01T00:00:00Z"}, "expired", "/expires"),
    (lambda n: {"services": {}}, "empty", ""),
])
def test_a_wrong_document_is_refused_by_name(running, change, code, says):
    document = {**running.document(web(running)), **change(running)}
    is_refused(running, document, code, says)


@pytest.mark.parametrize("members, says", [
    ({"privileged": True}, "/services/web/privileged"),
    ({"network_mode": "host"}, "/services/web/network_mode"),
    ({"cap_add": ["SYS_ADMIN"]}, "/services/web/cap_add"),
    ({"devices": [{"source": "/dev/null", "target": "/dev/x", "permissions": "rwm"}]},
     "/services/web/devices"),
    ({"security_opt": ["seccomp=unconfined"]}, "/services/web/security_opt"),
    ({"volumes": [{"type": "bind", "source": "/etc", "target": "/host"}]}, "/services/web/volumes/0"),
    ({"volumes": [{"type": "bind", "source": "/var/run/docker.sock", "target": "/run/docker.sock"}]},
     "/services/web/volumes/0"),
    ({"container_name": "k8s_web"}, "/services/web/container_name"),
    ({"labels": {"io.bellbuoy.node": "another"}}, "/services/web/labels"),
    ({"labels": {"io.kubernetes.pod.name": "x"}}, "/services/web/labels"),
])
def test_what_would_give_the_node_away_is_refused(running, members, says):
    is_refused(running, running.document(web(running, **members)), "not-allowed", says)


def test_a_lower_revision_is_stale(node):
    first = node.document(web(node))
    node.apply(web(node, environment={"A": "1"}))
    node.proxy.forget()
    node.publish(first)
    report = node.wait_reason("stale")
    assert report["applied"]["revision"] == 2 and report["converged"]
    assert node.proxy.writes == []
    node.restart()
    node.wait_converged(2)
    assert node.proxy.writes == []


def test_other_content_of_the_same_revision_is_a_conflict(node):
    node.apply(web(node))
    before = node.id("web")
    node.publish(node.document(web(node, environment={"A": "1"}), revision=1))
    report = node.wait_reason("conflict")
    assert not report["desired"]["accepted"] and report["converged"]
    assert node.id("web") == before
    node.apply(web(node, environment={"A": "1"}))
    assert node.id("web") != before


def test_a_good_document_ends_a_refusal(node):
    node.apply(web(node))
    node.publish("garbage")
    node.wait_reason("schema")
    report = node.apply(web(node))
    assert report["reason"] is None and report["desired"]["accepted"]


def test_a_refused_first_document_is_told(node):
    node.publish("garbage")
    report = node.wait_phase("REJECTED")
    assert report["applied"] is None and report["reason"]["code"] == "schema"


def test_a_thousand_services_are_taken_or_refused_soon(node):
    node.offer({f"s{i}": node.service(scale=0) for i in range(1000)})
    node.wait_converged(1)
    assert node.names() == set()


# ---- what is allowed by options


def test_a_bind_mount_is_taken_where_it_is_allowed(make_node, tmp_path):
    (tmp_path / "sub").mkdir()
    node = make_node(allow_bind=str(tmp_path))
    node.apply(web(node, volumes=[{"type": "bind", "source": str(tmp_path / "sub"), "target": "/host"}]))
    (mount,) = node.container("web")["Mounts"]
    assert (mount["Type"], mount["Source"], mount["Destination"]) == (
        "bind", str(tmp_path / "sub"), "/host")
    node.offer(web(node, volumes=[{"type": "bind", "source": f"{tmp_path}/../..", "target": "/host"}]))
    node.wait_reason("not-allowed")


def test_what_is_allowed_is_taken(make_node):
    node = make_node(allow="privileged")
    node.apply(web(node, privileged=True))
    assert node.container("web")["HostConfig"]["Privileged"] is True


# ---- what is not ours


@pytest.fixture
def stranger(docker, images, node):
    """stranger(name, *options): a container that is not ours."""
    made = []

    def make(name, *options):
        made.append(docker.run(images.one, options=["--name", name, *options]))
        return made[-1]

    yield make
    docker.rm(*made)


@pytest.mark.parametrize("options", [
    [], ["--label", "io.bellbuoy.project={project}"],
    ["--label", "io.bellbuoy.project={project}", "--label", "io.bellbuoy.node=another"],
    ["--label", "io.kubernetes.pod.name=web"],
])
def test_a_strangers_container_is_left_alone(node, stranger, options):
    name = node.name("web")
    other = stranger(name, *[option.format(project=node.project) for option in options])
    node.offer(web(node))
    node.wait_reason("name-conflict")
    found = node.engine.inspect(name)[0]
    assert found["Id"] == other and found["State"]["Running"]
    node.apply({"db": node.service()})
    node.apply({}, policy={"allowEmpty": True})
    found = node.engine.inspect(name)[0]
    assert found["Id"] == other and found["State"]["Running"]


def test_a_strangers_network_and_volume_are_left_alone(node):
    network, volume = f"{node.project}_front", f"{node.project}_data"
    node.engine.docker("network", "create", network)
    node.engine.docker("volume", "create", volume)
    try:
        node.offer(web(node, networks={"front": None}), networks={"front": None})
        node.wait_reason("name-conflict")
        mount = {"type": "volume", "source": "data", "target": "/data"}
        node.offer(web(node, volumes=[mount]), volumes={"data": None})
        node.wait(lambda p: p["desired"]["revision"] == 2 and p["reason"] and
                  p["reason"]["code"] == "name-conflict", "name-conflict")
        node.apply(web(node, networks={"front": None}, volumes=[mount]),
                   networks={"front": {"external": True, "name": network}},
                   volumes={"data": {"external": True, "name": volume}})
        node.apply({}, policy={"allowEmpty": True})
        assert node.engine.inspect(network) and node.engine.inspect(volume)
    finally:
        node.engine.docker("network", "rm", network)
        node.engine.docker("volume", "rm", volume)


def test_two_managers_on_one_engine_leave_each_others_alone(make_node):
    first, second = make_node(), make_node()
    first.apply(web(first))
    second.project = f"{first.project}-2"
    second.apply(web(second))
    first.apply({}, policy={"allowEmpty": True})
    assert first.names() == set()
    second.assert_runs_only("web")
    second.restart()
    second.wait_converged(1)
    second.assert_runs_only("web")


def test_the_managers_own_container_is_not_removed_by_a_document(make_node):
    """It has none of our labels: a document that names it meets a stranger's name."""
    node = make_node()
    name = f"{node.project}-manager"
    own = node.engine.run(node.images.one, options=["--name", name])
    try:
        node.offer(web(node, container_name=name))
        node.wait_reason("name-conflict")
        eventually(lambda: node.engine.inspect(name)[0]["Id"] == own)
        assert node.engine.inspect(name)[0]["State"]["Running"]
    finally:
        node.engine.rm(own)
