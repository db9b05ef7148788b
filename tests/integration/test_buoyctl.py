"""buoyctl against a real broker and nodes that say what a test tells them to."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest
import yaml

from harness import BUOYCTL, ROOT, MqttClient, eventually, free_port, run_once
from harness.fake_manager import FakeManager, service
from harness.process import service_environment
from harness.services import login_flags, flags
from harness.waiting import scaled

CONVERGED, FAILED, USAGE, REJECTED, TIMEOUT, PARTIAL, ROLLED_BACK, ABSENT = range(8)
REASON = {"code": "pull-notfound", "service": "web", "message": "web: there is no image x:1",
          "advice": "Push it first.", "engine": None}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No context file of the user's gets in."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def broker(lab):
    return lab.broker()


@pytest.fixture
def nodes(broker):
    """nodes("press-7", ...): fake managers, closed at the end."""
    made = []

    def make(name, **options):
        made.append(FakeManager(broker, name, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ctl(broker):
    """ctl("status", ...): its result."""

    def run(command, *args, connected=True, env=None, timeout_s=30):
        login = flags(**login_flags(broker)) if connected else []
        return run_once(BUOYCTL, command, *args, *login, timeout_s=timeout_s, env=env)

    return run


@pytest.fixture
def document(tmp_path):
    """document(...): a file with a document of those services."""

    def write(services=None, project="line3", **members):
        path = tmp_path / f"{project}.json"
        path.write_text(json.dumps({
            "apiVersion": "bellbuoy/v1", "revision": 1, "project": project,
            "services": {"web": {"image": "registry/app:1"}} if services is None else services,
            **members}))
        return path

    return write


def tree(done):
    return json.loads(done.stdout)


# ---- apply ----


def test_apply_publishes_and_waits(ctl, nodes, document, broker):
    node = nodes("press-7").complete_all()
    done = ctl("apply", document(), "--node", "press-7")
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout == "press-7: converged\n"
    sent = node.wait_for_document()
    assert sent["revision"] == 1 and sent["project"] == "line3"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", sent["id"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", sent["issued"])
    with MqttClient(broker) as late:
        late.subscribe("bellbuoy/nodes/+/desired/+")
        kept = eventually(lambda: late.messages and late.messages[0])
        assert kept.retain and json.loads(kept.payload) == sent


def test_each_apply_has_a_new_revision(ctl, nodes, document):
    node = nodes("press-7").complete_all()
    for _ in range(3):
        assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED
    assert [one["revision"] for one in node.documents] == [1, 2, 3]


def test_a_revision_is_above_what_a_node_reports(ctl, nodes, document):
    """A broker that lost its messages knows none; the node still does."""
    node = nodes("press-7").complete_all().set_project("line3", 41)
    node.report()
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED
    assert node.wait_for_document()["revision"] == 42


def test_a_given_revision(ctl, nodes, document):
    node = nodes("press-7").complete_all()
    assert ctl("apply", document(), "-n", "press-7", "--revision", 9).returncode == CONVERGED
    stale = ctl("apply", document(), "-n", "press-7", "--revision", 8)
    assert stale.returncode == REJECTED
    assert "stale: --revision 8 is below revision 9" in stale.stderr
    assert [one["revision"] for one in node.documents] == [9]


@pytest.mark.parametrize("phase, members, status, word", [
    ("COMPLETED", {}, CONVERGED, "converged"),
    ("REJECTED", {"accepted": False, "reason": REASON}, REJECTED, "rejected"),
    ("ROLLED_BACK", {"reason": REASON}, ROLLED_BACK, "rolled back"),
    ("STALLED", {"reason": REASON}, PARTIAL, "stalled"),
    ("INCOMPLETE", {"reason": REASON}, TIMEOUT, "timed out"),
])
def test_exit_status(ctl, nodes, document, phase, members, status, word):
    nodes("press-7").end_with(phase, **members)
    done = ctl("apply", document(), "-n", "press-7", "--timeout", "1s" if status == TIMEOUT else "20s")
    assert done.returncode == status, done.stderr
    assert done.stdout.startswith(f"press-7: {word}")
    if "reason" in members:
        assert REASON["message"] in done.stdout and REASON["advice"] in done.stdout


def test_absent_nodes_are_named_and_not_waited_for(ctl, nodes, document):
    nodes("press-7").complete_all()
    nodes("press-8", online=False)
    begin = time.monotonic()
    done = ctl("apply", document(), "--node", "press-7,press-8", "--node", "press-77")
    assert done.returncode == ABSENT
    assert time.monotonic() - begin < scaled(10)
    assert done.stdout.splitlines() == [
        "press-7: converged",
        "press-8: absent: offline; it takes the document when it is back",
        "press-77: absent: no manager of that name was ever seen; did you mean press-7?"]


def test_some_of_several(ctl, nodes, document):
    nodes("press-7").complete_all()
    nodes("press-8").end_with("ROLLED_BACK", reason=REASON)
    done = ctl("apply", document(), "-n", "press-7,press-8", "-o", "json")
    assert done.returncode == PARTIAL
    outcomes = {one["node"]: one for one in tree(done)["nodes"]}
    assert outcomes["press-7"]["outcome"] == "converged"
    assert outcomes["press-8"]["outcome"] == "rolled back"
    assert outcomes["press-8"]["reason"] == REASON


def test_a_group(ctl, nodes, document):
    members = [nodes(name, groups=[("presses", 10)]).complete_all() for name in ("press-7", "press-8")]
    other = nodes("saw-1").complete_all()
    done = ctl("apply", document(), "--group", "presses")
    assert done.returncode == CONVERGED, done.stderr
    assert sorted(done.stdout.splitlines()) == ["press-7: converged", "press-8: converged"]
    assert all(one.wait_for_document() for one in members) and not other.documents


def test_a_node_with_a_document_of_its_own_is_told(ctl, nodes, document):
    node = nodes("press-7", groups=[("presses", 10)]).set_project("line3", 4, source="node")
    node.report()
    done = ctl("apply", document(), "--group", "presses")
    assert done.returncode == PARTIAL
    assert "press-7: has its own document" in done.stdout


def test_a_group_that_nobody_is_in(ctl, nodes, document):
    nodes("press-7")
    done = ctl("apply", document(), "--group", "presses")
    assert done.returncode == ABSENT
    assert "no node of group presses is known" in done.stderr


def test_a_node_that_goes_and_comes_back_is_waited_for(ctl, nodes, document):
    node = nodes("press-7")

    def restart(sent, source):
        node.presence(False)
        node.presence(True, session=13)
        node.set_project("line3", sent["revision"], id=sent["id"])
        node.report()

    node.on_document(restart)
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED


def test_a_late_will_is_not_believed(ctl, nodes, document):
    node = nodes("press-7", session=5).complete_all()
    node.presence(False, session=4)
    assert tree(ctl("status", "-o", "json"))["nodes"][0]["presence"] == "unknown"
    node.presence(True)
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED


def test_without_waiting(ctl, nodes, document):
    node = nodes("press-7")
    done = ctl("apply", document(), "-n", "press-7", "--no-wait")
    assert done.returncode == CONVERGED and done.stdout == ""
    assert node.wait_for_document()


def test_wait_healthy_is_wait(ctl, nodes, document):
    nodes("press-7").complete_all()
    assert ctl("apply", document(), "-n", "press-7", "--wait", "healthy").returncode == CONVERGED
    assert ctl("apply", "--wait", document(), "-n", "press-7").returncode == CONVERGED


def test_policy(ctl, nodes, document):
    """Flags win over the file."""
    node = nodes("press-7").complete_all()
    path = document(policy={"drift": "report", "onFailure": "hold"})
    done = ctl("apply", path, "-n", "press-7", "--on-failure", "keep-partial", "--max-pull-parallel", 3)
    assert done.returncode == CONVERGED, done.stderr
    assert node.wait_for_document()["policy"] == {
        "drift": "report", "onFailure": "keep-partial", "maxPullParallel": 3}


def test_nothing_wrong_is_published(ctl, nodes, document):
    node = nodes("press-7").complete_all()
    done = ctl("apply", document({"web": {"imag": "x"}}), "-n", "press-7")
    assert done.returncode == REJECTED
    assert "/services/web/imag" in done.stderr and 'did you mean "image"' in done.stderr
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED
    assert len(node.documents) == 1


def test_an_empty_document_needs_to_be_meant(ctl, nodes, document):
    nodes("press-7").complete_all()
    assert ctl("apply", document({}), "-n", "press-7").returncode == REJECTED
    assert ctl("apply", document({}), "-n", "press-7", "--allow-empty").returncode == CONVERGED


def working(node, revision=1):
    """What is seen, and what the node then does: the steps of an apply with a pull."""
    def pull(current):
        node.progress("line3", revision, "DOWNLOADING", 1, 3, "pulling x:1",
                      [{"image": "x:1", "state": "pulling", "current": current, "total": 4000000}])

    def complete():
        node.set_project("line3", revision, id=node.documents[-1]["id"])
        node.report()

    return [
        ("waiting for the node", lambda: pull(1000000)),
        ("DOWNLOADING", lambda: pull(2000000)),
        ("DOWNLOADING", lambda: node.progress("line3", revision, "UPDATING", 2, 3, "creating line3-web-1")),
        ("UPDATING", lambda: node.progress("line3", revision, "UPDATING", 3, 3, "creating line3-web-1")),
        ("UPDATING", complete),
    ]


def test_lines_where_there_is_no_terminal(nodes, document, broker, tmp_path):
    node = nodes("press-7")
    log = tmp_path / "stderr"
    with log.open("w") as err:
        process = subprocess.Popen([BUOYCTL, "apply", document(), "-n", "press-7", "--broker-url", broker.url],
                                   stdout=subprocess.PIPE, stderr=err, env=service_environment())
    for seen, act in working(node):
        eventually(lambda seen=seen: seen in log.read_text())
        act()
    assert process.wait(30) == CONVERGED
    assert process.stdout.read() == b"press-7: converged\n"
    assert log.read_text().splitlines() == [
        "published line3 revision 1 at bellbuoy/nodes/press-7/desired/line3",
        "press-7  waiting for the node", "press-7  DOWNLOADING  pulling x:1",
        "press-7  UPDATING  creating line3-web-1"]


# ---- commands to nodes ----


def test_plan(ctl, nodes, document):
    node = nodes("press-7").set_project("line3", 7).answer("plan", {"operations": [
        {"text": "create line3-web-1", "reason": "it is new", "kind": "create", "service": "web"}]})
    node.report()
    nodes("press-8").answer("plan", {"operations": []})
    done = ctl("plan", document(), "-n", "press-7,press-8")
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout == ("press-7: 1 operations\n   1. create line3-web-1  it is new\n"
                           "press-8: nothing to do\n")
    command = node.commands[0]
    assert command["jsonrpc"] == "2.0" and command["id"] == command["correlation_id"]
    assert re.fullmatch(r"bellbuoy/reply/buoyctl-[0-9a-f]{16}", command["reply_to"])
    assert command["params"]["document"]["services"] == {"web": {"image": "registry/app:1"}}
    assert command["params"]["document"]["revision"] == 8, "the next"
    assert not node.documents, "plan publishes nothing"


def test_diff(ctl, nodes, document):
    nodes("press-7").answer("document", {
        "apiVersion": "bellbuoy/v1", "revision": 7, "project": "line3",
        "services": {"web": {"image": "registry/app:0"}, "db": {"image": "y"}}})
    done = ctl("diff", document(), "-n", "press-7")
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout.splitlines() == [
        "press-7:", '~ /services/web/image: "registry/app:0" -> "registry/app:1"',
        '- /services/db: {"image":"y"}']
    found = tree(ctl("diff", document(), "-n", "press-7", "-o", "json"))["nodes"][0]["changes"]
    assert found[0] == {"path": "/services/web/image", "from": "registry/app:0", "to": "registry/app:1"}


def test_diff_with_a_node_that_has_nothing(ctl, nodes, document):
    nodes("press-7").answer("document", error={"code": -32000, "message": "this node knows no such project"})
    done = ctl("diff", document(), "-n", "press-7")
    assert done.returncode == CONVERGED, done.stderr
    assert '+ /services: {"web":{"image":"registry/app:1"}}' in done.stdout


def test_history(ctl, nodes):
    node = nodes("press-7").set_project("line3", 7).answer("history", {"revisions": [
        {"revision": 7, "digest": "9f2c" * 16, "taken": "2026-11-20T21:38:01Z", "state": "good"}]})
    node.report()
    done = ctl("history", "-n", "press-7")
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout.splitlines()[1].split() == [
        "press-7", "7", "9f2c9f2c9f2c", "2026-11-20T21:38:01Z", "good"]
    assert node.commands[0]["params"] == {"project": "line3"}, "the only project there is"


@pytest.mark.parametrize("command, params, words", [
    (["retry"], {}, "tries again"),
    (["pause"], {}, "paused"),
    (["resume"], {}, "goes on"),
    (["rollback"], {}, "goes back"),
    (["rollback", "--revision", "3"], {"revision": 3}, "goes back"),
])
def test_steering(ctl, nodes, command, params, words):
    node = nodes("press-7").answer(command[0], {})
    done = ctl(*command, "-n", "press-7", "-p", "line3")
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout == f"press-7: {words}\n"
    assert node.commands[0]["params"] == {"project": "line3", **params}


def test_logs(ctl, nodes):
    node = nodes("press-7").answer("logs", {"truncated": True, "lines": [
        {"container": "line3-web-1", "stream": "stdout", "text": "hello"},
        {"container": "line3-web-1", "stream": "stderr", "text": "clears \x1b[2J the screen"}]})
    done = ctl("logs", "-n", "press-7", "-p", "line3", "-s", "web", "--tail", 5)
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout.splitlines() == ["line3-web-1 | hello", "line3-web-1 | clears ?[2J the screen"]
    assert "older lines were left out" in done.stderr
    assert node.commands[0]["params"] == {
        "project": "line3", "service": "web", "tail": 5, "timestamps": False}


def test_what_a_node_refuses(ctl, nodes):
    nodes("press-7").answer("retry", error={"code": -32000, "message": "there is no project line4",
                                            "data": {"reason": "schema"}})
    done = ctl("retry", "-n", "press-7", "-p", "line4")
    assert done.returncode == REJECTED
    assert "press-7: schema: there is no project line4" in done.stderr


def test_a_node_that_does_not_answer(ctl, nodes):
    nodes("press-7")
    done = ctl("retry", "-n", "press-7", "-p", "line3", "--timeout", "300ms")
    assert done.returncode == TIMEOUT
    assert "press-7: no answer within 0.3 s" in done.stderr


def test_nodes_that_are_not_there_are_not_asked(ctl, nodes):
    offline = nodes("press-7", online=False)
    begin = time.monotonic()
    done = ctl("retry", "-n", "press-7,press-8", "-p", "line3")
    assert done.returncode == ABSENT
    assert "press-7 is offline" in done.stderr and "no node 'press-8' was ever seen" in done.stderr
    assert time.monotonic() - begin < scaled(10) and not offline.commands


def test_which_project(ctl, nodes):
    nodes("press-7").set_project("a").set_project("b").report()
    done = ctl("retry", "-n", "press-7")
    assert done.returncode != CONVERGED
    assert "press-7: which project? --project names it; there is a" in done.stderr


# ---- status ----


@pytest.fixture
def fleet(nodes):
    """A node that is well, one that is away, one of which only a report is known."""
    well = nodes("press-7").set_project("line3", 7)
    well.report()
    nodes("press-8", online=False)
    unknown = nodes("press.9", online=None).set_project(
        "line3", 8, "STALLED", applied=7, reason=REASON,
        services={"web": service(state="exited", health="none", running=0)})
    unknown.report()
    return well


def test_status(ctl, fleet):
    done = ctl("status")
    assert done.returncode == CONVERGED, done.stderr
    lines = [re.split(r"\s{2,}", line) for line in done.stdout.splitlines()]
    assert ["press-7", "online", "up 28.5.2", "line3", "7", "COMPLETED", "yes"] in lines
    assert ["press-8", "offline", "up 28.5.2", "-"] in lines
    assert ["press.9", "unknown", "up 28.5.2", "line3", "7 of 8", "STALLED", "no",
            "pull-notfound: web: there is no image x:1"] in lines
    assert ["press-7", "line3/web", "running", "healthy", "1/1", "0", "registry/app:1"] in lines
    assert ["press.9", "line3/web", "exited", "none", "0/1", "0", "registry/app:1"] in lines
    assert not any(line != line.rstrip() for line in done.stdout.splitlines())


def test_status_tells_of_ghosts(ctl, nodes):
    node = nodes("press-7").set_project("line3", 7, ghosts=[
        {"service": "web", "object": "line3-web-1", "cause": "the engine kept the name"}])
    node.report()
    assert "yes, ghost: line3-web-1" in ctl("status").stdout


def test_status_as_data(ctl, fleet):
    as_json, as_yaml = ctl("status", "-o", "json"), ctl("status", "-o", "yaml")
    assert tree(as_json) == yaml.safe_load(as_yaml.stdout)
    found = {one["node"]: one["presence"] for one in tree(as_json)["nodes"]}
    assert found == {"press-7": "online", "press-8": "offline", "press.9": "unknown"}
    assert tree(as_json)["nodes"][0]["report"]["projects"]["line3"]["applied"]["revision"] == 7


def test_status_of_some(ctl, fleet):
    assert "press-8" not in ctl("status", "press-7").stdout
    assert ctl("status", "press.9").returncode == CONVERGED
    done = ctl("status", "press-77")
    assert done.returncode == ABSENT
    assert "no node 'press-77' was ever seen; did you mean press-7?" in done.stderr


def test_nobody(ctl):
    done = ctl("status")
    assert done.returncode == CONVERGED
    assert "no node was ever seen" in done.stderr


def test_more_nodes_than_a_broker_sends_at_once(ctl, broker):
    """Retained messages that come in several goes are waited for, without a time to guess."""
    with MqttClient(broker) as client:
        for i in range(300):
            client.publish_all([
                (f"bellbuoy/nodes/n{i}/presence", {"node": f"n{i}", "online": True, "session": 1}),
                (f"bellbuoy/nodes/n{i}/reported", {"node": f"n{i}", "session": 1, "projects": {}}),
            ], retain=True)
    found = tree(ctl("status", "-o", "json"))["nodes"]
    assert len(found) == 300 and all(one["report"] for one in found)


def test_watch(broker, fleet, lab, tmp_path):
    with (tmp_path / "out").open("w+") as out:
        process = subprocess.Popen([BUOYCTL, "status", "--watch", *map(str, flags(**login_flags(broker)))],
                                   stdout=out, env=service_environment())
        try:
            path = tmp_path / "out"
            eventually(lambda: "COMPLETED" in path.read_text())
            fleet.set_project("line3", 8, "UPDATING", applied=7)
            fleet.report()
            eventually(lambda: "7 of 8    UPDATING" in path.read_text())
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == -signal.SIGINT


# ---- lint, config ----


def test_lint(ctl, document):
    done = ctl("lint", document(), connected=False)
    assert done.returncode == CONVERGED
    assert done.stdout == "line3: fit for a node (services: 1, networks: 0, volumes: 0)\n"


def test_lint_finds(ctl, document):
    done = ctl("lint", document({"web": {"image": "x", "depends_on": {"web": {"condition": "service_started"}}}}),
               connected=False)
    assert done.returncode == REJECTED
    assert done.stderr.startswith("buoyctl: cycle: /services/web")


def test_config(ctl, document):
    as_json = tree(ctl("config", document(), "--revision", 5, connected=False))
    as_yaml = yaml.safe_load(ctl("config", document(), "--revision", 5, "-o", "yaml", connected=False).stdout)
    for one in (as_json, as_yaml):
        del one["id"], one["issued"]
    assert as_json == as_yaml
    assert as_json["revision"] == 5 and as_json["services"] == {"web": {"image": "registry/app:1"}}


# ---- connection ----


def test_the_broker_is_away(ctl, tmp_path):
    begin = time.monotonic()
    done = ctl("status", "--broker-url", f"mqtt://127.0.0.1:{free_port()}", connected=False)
    assert done.returncode == FAILED
    assert "no connection to mqtt://127.0.0.1" in done.stderr and "refused" in done.stderr
    assert time.monotonic() - begin < scaled(10)


def test_a_broker_that_says_nothing(ctl):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = ctl("status", "--broker-url", f"mqtt://127.0.0.1:{silent.getsockname()[1]}",
                   "--connect-timeout", "500ms", connected=False)
    assert done.returncode == FAILED
    assert "within 0.5 s (--connect-timeout)" in done.stderr


def test_tls_and_a_wrong_authority(lab, tmp_path):
    broker = lab.broker(tls=True)
    good = run_once(BUOYCTL, "doctor", *flags(**login_flags(broker)))
    assert "✓ tls: encrypted" in good.stdout
    other = lab.broker(tls=True, start=False).certificates.ca
    bad = run_once(BUOYCTL, "status", "--broker-url", broker.url, "--ca-file", other)
    assert bad.returncode == FAILED and "certificate" in bad.stderr


def test_passwords(lab, tmp_path):
    broker = lab.broker(users={"operator": "secret"})
    assert run_once(BUOYCTL, "status", *flags(**login_flags(broker))).returncode == CONVERGED
    assert run_once(BUOYCTL, "status", "--broker-url", broker.url).returncode == FAILED


def test_a_context(ctl, broker, tmp_path):
    path = tmp_path / "config" / "bellbuoy" / "context.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"current": "here", "contexts": {
        "here": {"broker_url": broker.url}, "there": {"broker_url": f"mqtt://127.0.0.1:{free_port()}"},
        "wrong": {"broker": "x"}}}))
    assert ctl("status", connected=False).returncode == CONVERGED
    assert ctl("status", "--context", "there", connected=False).returncode == FAILED
    assert ctl("status", "--context", "there").returncode == CONVERGED, "a flag wins"
    path.write_text(path.read_text().replace('"broker_url": "' + broker.url, '"ca_file": "x", "broker_url": "x'))
    assert ctl("status").returncode == CONVERGED, "another broker's certificates are left out"
    path.write_text(path.read_text().replace('"ca_file": "x", "broker_url": "x', '"broker_url": "' + broker.url))
    assert ctl("status", connected=False, env={"BELLBUOY_CONTEXT": "there"}).returncode == FAILED
    for name, words in (("nowhere", "there is no context 'nowhere'"), ("wrong", "/broker is not known")):
        done = ctl("status", "--context", name, connected=False)
        assert done.returncode == USAGE and words in done.stderr
    path.write_text("{")
    assert ctl("status", connected=False).returncode == USAGE


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """kubectl(SCRIPT): stands in for kubectl; its arguments and its end are noted."""

    def write(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "kubectl").write_text(f"""#!/bin/bash
echo "$@" > {tmp_path}/arguments; echo $$ > {tmp_path}/pid
{script}
""")
        (folder / "kubectl").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return write


def test_a_broker_in_a_cluster(ctl, broker, kubectl, tmp_path):
    kubectl(f"echo 'Forwarding from 127.0.0.1:{broker.port} -> 8883'; exec sleep 100")
    done = ctl("status", "--kube-service", "bellbuoy/bellbuoy-broker", "--kube-context", "minikube",
               "--broker-url", "mqtt://localhost:8883", connected=False)
    assert done.returncode == CONVERGED, done.stderr
    assert (tmp_path / "arguments").read_text().split() == [
        "port-forward", "--namespace=bellbuoy", "service/bellbuoy-broker", ":8883", "--context=minikube"]
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}"), "it ends with buoyctl"


@pytest.mark.parametrize("script, service, status, words", [
    ("echo 'error: services \"x\" not found' >&2; exit 1", "a/x", FAILED, 'error: services "x" not found'),
    ("exit 127", "a/x", FAILED, "is kubectl installed?"),
    ("exec sleep 100", "a/x", FAILED, "does not begin within 1 s"),
    ("exit 1", "x", USAGE, "'x' must be NAMESPACE/SERVICE"),
])
def test_a_cluster_that_does_not_forward(ctl, kubectl, script, service, status, words):
    kubectl(script)
    done = ctl("status", "--kube-service", service, "--connect-timeout", "1s", connected=False)
    assert done.returncode == status and words in done.stderr, done.stderr


def test_a_users_rights(lab, document):
    """What a broker denies it acknowledges: only what comes back was let through."""
    acl = lab.folder / "acl"
    acl.write_text("topic readwrite bellbuoy/reply/+\ntopic read bellbuoy/nodes/#\n")
    broker = lab.broker(settings=[f"acl_file {acl}"])
    doctor = run_once(BUOYCTL, "doctor", "--connect-timeout", "1s", "--broker-url", broker.url)
    assert doctor.returncode == FAILED
    assert "✗ publishing: we may not write" in doctor.stdout
    apply = run_once(BUOYCTL, "apply", document(), "-n", "press-7", "--broker-url", broker.url)
    assert apply.returncode == FAILED
    assert "acknowledged bellbuoy/nodes/press-7/desired/line3 and did not pass it on" in apply.stderr


def test_rights_as_they_are_shipped(lab):
    broker = lab.broker(tls=True, client_certificates=True,
                        settings=("use_identity_as_username true", f"acl_file {ROOT}/broker/acl"))

    def doctor(user):
        certificate, key = broker.certificates.client(user)
        return run_once(BUOYCTL, "doctor", "--connect-timeout", "1s", "--cert-file", certificate,
                        "--key-file", key, *flags(**login_flags(broker)), timeout_s=60)

    operator = doctor("operator")
    assert operator.returncode == CONVERGED, operator.stdout
    assert re.search(r"✓ tls: encrypted; our certificate is valid for \d+ more days|! tls", operator.stdout)
    other = doctor("receiver")
    assert other.returncode == FAILED
    assert "✗ answers: the broker" in other.stdout and "bellbuoy/reply/+" in other.stdout


def test_a_broker_that_is_restarted_meanwhile(broker, nodes, document):
    """The wait goes on where it was: connected and subscribed again."""
    node = nodes("press-7")
    process = subprocess.Popen([BUOYCTL, "apply", document(), "-n", "press-7", *map(str, flags(**login_flags(broker)))],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=service_environment())
    sent = node.wait_for_document()
    broker.restart(kill=False)
    eventually(lambda: node._client.connected)
    node.presence(True)
    node.set_project("line3", sent["revision"], id=sent["id"]).report()
    out, err = process.communicate(timeout=scaled(30))
    assert process.returncode == CONVERGED, err
    assert out == "press-7: converged\n"


# ---- doctor ----


def test_doctor(ctl, nodes):
    nodes("press-7").set_project("line3").report()
    nodes("press-8", online=False)
    done = ctl("doctor")
    assert done.returncode == CONVERGED, done.stdout
    for line in ("✓ broker: mqtt://127.0.0.1:", "✓ answers: ", "✓ publishing: ",
                 "✓ press-7: Docker 28.5.2 is up", "✓ press-7: line3 is as its document says",
                 "! press-8: offline"):
        assert line in done.stdout


def test_doctor_finds_an_engine_that_is_down(ctl, nodes):
    nodes("press-7").report(engine={"state": "down", "reason": "connection refused"})
    done = ctl("doctor", "-o", "json")
    assert done.returncode == FAILED
    bad = [one for one in tree(done) if one["state"] == "bad"]
    assert len(bad) == 1 and "its engine is down: connection refused" in bad[0]["text"] and bad[0]["advice"]


def test_doctor_without_a_broker(ctl):
    done = ctl("doctor", "--broker-url", f"mqtt://127.0.0.1:{free_port()}", connected=False)
    assert done.returncode == FAILED
    assert done.stdout.startswith("✗ broker: ") and "--broker-url" in done.stdout


# ---- wrong usage ----


@pytest.mark.parametrize("args, words", [
    ([], "which command?"),
    (["aply"], "unknown command 'aply'; did you mean apply?"),
    (["qwertz"], "unknown command 'qwertz'; see buoyctl --help"),
    (["help", "stauts"], "did you mean status?"),
    (["apply", "--nod", "x"], "unknown option --nod; did you mean --node?"),
    (["apply", "-x"], "unknown option -x"),
    (["apply", "x.json"], "--node NAME or --group NAME"),
    (["apply", "x.json", "-n", "a", "-g", "b"], "--node NAME or --group NAME"),
    (["apply", "-n"], "-n needs a value: -n NAME"),
    (["apply", "--drift", "enforced", "-n", "a"], "did you mean enforce?"),
    (["apply", "--timeout", "soon"], "--timeout cannot be"),
    (["apply", "/nowhere/x.json", "-n", "a"], "/nowhere/x.json"),
    (["history", "x", "-n", "a"], 'unexpected argument "x"'),
    (["retry"], "whom to ask?"),
    (["completion"], "completion needs SHELL"),
    (["completion", "fish"], "bash and zsh"),
    (["status", "-o", "xml"], "one of table, json, yaml"),
    (["status", "--broker-url", "http://x"], "must begin with mqtt://"),
])
def test_wrong_usage(args, words):
    done = run_once(BUOYCTL, *args)
    assert done.returncode == USAGE
    assert words in done.stderr and done.stderr.startswith("buoyctl") and done.stdout == ""


def test_help():
    first = run_once(BUOYCTL, "--help").stdout
    commands = re.findall(r"^  (\w+) ", first, re.M)
    assert {"apply", "plan", "diff", "status", "history", "rollback", "retry", "pause", "resume", "logs",
            "lint", "doctor", "config", "completion", "version", "help"} <= set(commands)
    for command in set(commands) - {"version", "help"}:
        by_flag, by_name = run_once(BUOYCTL, command, "--help"), run_once(BUOYCTL, "help", command)
        assert by_flag.returncode == by_name.returncode == CONVERGED
        assert by_flag.stdout == by_name.stdout
        assert by_flag.stdout.startswith(f"Usage: buoyctl {command} [OPTION]...")
        assert max(map(len, by_flag.stdout.splitlines())) <= 100
    assert run_once(BUOYCTL, "version").stdout == run_once(BUOYCTL, "--version").stdout


def test_the_man_page_has_every_command_and_option_and_no_other():
    page = (ROOT / "docs" / "man" / "buoyctl.1").read_text()
    commands = set(re.findall(r"^  (\w+) ", run_once(BUOYCTL, "--help").stdout, re.M))
    options = set()
    for command in commands - {"version", "help"}:
        for negative, name in re.findall(r"--(\[no-\])?([a-z][a-z-]*)",
                                         run_once(BUOYCTL, command, "--help").stdout):
            options.add(name)
    assert {name for name in commands if f"Cm {name}" in page} == commands
    written = {name.removeprefix("no-") for name in re.findall(r"(?:Fl|,) -([a-z][a-z-]*)", page)}
    assert written == options


def test_from_stdin(tmp_path):
    done = subprocess.run([BUOYCTL, "lint", "-"], input="name: line3\nservices: {web: {image: x}}\n",
                          capture_output=True, text=True, env=service_environment(), timeout=30)
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout.startswith("line3: fit for a node (services: 1, networks: 1")


# ---- a terminal ----


def on_terminal(argv, env=None, size=(24, 80), timeout_s=30, steps=()):
    """Runs it with stdout and stderr on a terminal; the status and all that it wrote. Each of `steps`
    is what must be seen after the step before, and then done."""
    main, side = pty.openpty()
    import fcntl
    import struct
    import termios
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen(list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=side, stderr=side,
                               env=service_environment({"TERM": "xterm", **(env or {})}))
    os.close(side)
    written = b""
    steps, begin = list(steps), 0
    deadline = time.monotonic() + scaled(timeout_s)
    while time.monotonic() < deadline:
        if not select.select([main], [], [], 1)[0]:
            continue
        try:
            more = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        written += more
        while steps and steps[0][0].encode() in written[begin:]:
            begin = len(written)
            steps.pop(0)[1]()
    os.close(main)
    return process.wait(10), written.decode()


def test_colour_and_bars_on_a_terminal(broker, nodes, document):
    node = nodes("press-7")
    status, written = on_terminal([BUOYCTL, "apply", document(), "-n", "press-7", "--broker-url", broker.url],
                                  steps=working(node))
    assert status == CONVERGED
    assert "DOWNLOADING  1/3  pulling x:1" in written
    assert "x:1  [======>                 ]  25%  1.0 MB / 4.0 MB" in written
    assert "x:1  [============>           ]  50%  2.0 MB / 4.0 MB" in written
    assert "\x1b[2A" in written, "it is drawn again in place"
    assert "UPDATING  2/3  creating" in written and "UPDATING  3/3  creating" in written
    assert "\x1b[32mconverged\x1b[0m" in written


@pytest.mark.parametrize("args, env, colored", [
    ([], {}, True), ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True),
    ([], {"TERM": "dumb"}, False), (["--color", "never"], {}, False),
    (["--color", "always"], {"NO_COLOR": "1"}, True),
])
def test_colour(broker, fleet, args, env, colored):
    status, written = on_terminal([BUOYCTL, "status", *args, "--broker-url", broker.url], env)
    assert status == CONVERGED
    assert ("\x1b[32monline" in written) == colored
    assert ANSI.sub("", written).startswith("NODE     PRESENCE")


def test_no_colour_in_a_pipe(ctl, fleet):
    assert "\x1b" not in ctl("status").stdout
    assert "\x1b[32monline" in ctl("status", "--color", "always").stdout


def test_more_nodes_than_lines(broker, nodes, document):
    """What does not fit the screen is cut, so that drawing again does not scroll."""
    for i in range(12):
        nodes(f"n{i:02}", groups=[("all", 1)]).complete_all()
    slow = nodes("n12", groups=[("all", 1)])
    slow.on_document(lambda sent, source: None)
    status, written = on_terminal([BUOYCTL, "apply", document(), "-g", "all", "--timeout", "2s",
                                   "--broker-url", broker.url], size=(8, 40))
    assert status == PARTIAL
    drawn = [part.count("\n") for part in re.findall(r"\x1b\[\?7l(.*?)\x1b\[\?7h", written, re.S)]
    assert drawn and max(drawn) == 7


# ---- completion ----


def bash_completes(line):
    words = line.split(" ")
    script = (f"source <({BUOYCTL} completion bash)\n"
              "compopt() { :; }\n"
              f"COMP_WORDS=({' '.join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}\n"
              '_buoyctl\nprintf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30,
                          env=service_environment(), cwd="/")
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("line, expected", [
    ("buoyctl ap", ["apply"]),
    ("buoyctl re", ["retry", "resume"]),
    ("buoyctl apply --dr", ["--drift"]),
    ("buoyctl apply --drift ", ["file", "enforce", "report"]),
    ("buoyctl status -o j", ["json"]),
    ("buoyctl apply /et", ["/etc"]),
    ("buoyctl apply -f /et", ["/etc"]),
    ("buoyctl apply --node /et", []),
    ("buoyctl lint --broker", []),
    ("buoyctl completion z", ["zsh"]),
    ("buoyctl help do", ["doctor"]),
])
def test_bash_completion(line, expected):
    assert sorted(bash_completes(line)) == sorted(expected)


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.parametrize("typed, shown", [
    ("buoyctl appl\t", "buoyctl apply "),
    ("buoyctl apply --drif\t", "buoyctl apply --drift "),
    ("buoyctl status --output js\t", "buoyctl status --output json "),
])
def test_zsh_completion(typed, shown, tmp_path):
    """In a real zsh on a terminal, with the keys that a person presses."""
    (tmp_path / ".zshrc").write_text(
        f"autoload -Uz compinit && compinit -u -D\nsource <({BUOYCTL} completion zsh)\nPS1='ready> '\n"
        "unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste\n")
    main, side = pty.openpty()
    process = subprocess.Popen(["zsh", "-i"], stdin=side, stdout=side, stderr=side, start_new_session=True,
                               env={"PATH": f"{BUOYCTL.parent}:{os.environ['PATH']}", "TERM": "dumb",
                                    "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}, cwd=tmp_path)
    os.close(side)
    written = ""

    def read():
        nonlocal written
        if select.select([main], [], [], 0.1)[0]:
            written += ANSI.sub("", os.read(main, 65536).decode(errors="replace"))
        return written

    try:
        eventually(lambda: "ready> " in read())
        os.write(main, typed.encode())
        eventually(lambda: shown in read().replace("\r", ""))
    finally:
        process.kill()
        process.wait()
        os.close(main)
