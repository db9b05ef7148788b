"""buoyctl's commands to nodes, and those that look: plan, diff, history, status, lint, doctor ..."""

import re
import signal
import subprocess
import time

import pytest
import yaml

from harness import BUOYCTL, MqttClient, eventually, free_port
from harness.ctl import ABSENT, CONVERGED, FAILED, REJECTED, TIMEOUT, tree
from harness.process import service_environment
from harness.services import flags, login_flags
from harness.waiting import scaled


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
