"""Commands to a node: what a person may ask of it, and who is answered."""

import pytest

from harness import MqttClient
from harness.waiting import eventually


def web(node, value="1", **members):
    return {"web": node.service(environment={"A": value}, **members)}


def value_of(node):
    (value,) = [one for one in node.container("web")["Config"]["Env"] if one.startswith("A=")]
    return value[2:]


def test_status_is_the_report(node):
    node.apply(web(node))
    status = node.call("status")
    assert status["node"] == node.node and status["session"] == node.report["session"]
    assert status["projects"][node.project]["applied"]["revision"] == 1


def test_a_plan_changes_nothing(node):
    node.apply(web(node))
    node.proxy.forget()
    assert node.plan() == []
    changed = node.document({**web(node, "2"), "db": node.service(networks={"back": None})},
                            networks={"back": None})
    result = node.call("plan", document=changed)
    assert {("create", "web"), ("create", "db"), ("create network", None)} <= {
        (op["kind"], op.get("service")) for op in result["operations"]}
    assert any("configuration changed" in op["reason"] for op in result["operations"])
    assert all(op["text"] and op["object"] for op in result["operations"])
    assert node.proxy.writes == []
    assert value_of(node) == "1"
    assert node.project_report()["desired"]["revision"] == 1
    # What was planned is what is done.
    node.publish(changed)
    node.wait_converged(2)
    assert node.plan() == []


def test_a_plan_tells_what_stands_in_its_way(node):
    node.apply(web(node))
    document = node.document(web(node, image=f"bellbuoy-test/none:{node.project}", pull_policy="never"))
    result = node.call("plan", document=document)
    assert result["obstacle"]["code"] == "pull-notfound"
    bad = {**document, "services": {"web": {"image": "x", "build": "."}}}
    error = node.call_error("plan", document=bad)
    assert error["data"]["reason"] == "unsupported-key"
    assert "/services/web/build" in error["message"]


def test_paused_changes_nothing_until_resumed(node):
    node.apply(web(node))
    node.call("pause")
    node.wait(lambda p: p["paused"], "paused")
    node.proxy.forget()
    node.offer(web(node, "2"))
    node.engine.docker("stop", node.name("web"))
    node.wait(lambda p: p["desired"]["revision"] == 2 and not p["converged"], "the new revision")
    node.restart()
    node.wait(lambda p: p["paused"] and not p["converged"], "paused after a restart, too")
    assert node.proxy.writes == []
    node.call("resume")
    report = node.wait_converged(2)
    assert not report["paused"]
    assert value_of(node) == "2"
    node.assert_runs_only("web")


def test_a_rollback_takes_an_earlier_revision(node):
    for value in ("1", "2", "3"):
        node.apply(web(node, value))
    node.call("rollback")
    node.wait_converged(2)
    assert value_of(node) == "2"
    node.restart()
    report = node.wait_converged(2)
    assert report["source"] == "rollback"
    assert value_of(node) == "2"
    node.call("rollback", revision=1)
    node.wait_converged(1)
    assert value_of(node) == "1"
    assert node.call_error("rollback", revision=99)["message"]
    node.apply(web(node, "4"))
    assert value_of(node) == "4"


def test_the_history_tells_what_was_taken(node):
    documents = [node.offer(web(node, "1"))]
    node.wait_converged(1)
    documents.append(node.offer(web(node, "2")))
    node.wait_converged(2)
    documents.append(node.offer({"web": node.service("exit 3", uptime="60s")}))
    node.wait_rolled_back(2)
    revisions = node.call("history")["revisions"]
    assert [entry["revision"] for entry in revisions] == [3, 2, 1]
    assert [entry["state"] for entry in revisions][:2] == ["ROLLED_BACK", "applied"]
    assert all(entry["digest"] and entry["taken"] for entry in revisions)
    assert node.call("document") == documents[1]
    assert node.call("document", revision=1) == documents[0]
    assert node.call("document", revision=3) == documents[2]


def test_logs_are_those_of_the_containers(node):
    node.apply({"web": node.service("echo one; echo two >&2; exec sleep 1000", scale=2),
                "db": node.service("seq 1 500; exec sleep 1000")})

    def logs(service, **params):
        return [(line["container"], line["stream"], line["text"])
                for line in node.call("logs", service=service, **params)["lines"]]

    wanted = {(node.name("web", number), *line) for number in (1, 2)
              for line in (("stdout", "one"), ("stderr", "two"))}
    eventually(lambda: set(logs("web")) == wanted, message="both containers' lines")
    assert logs("db", tail=2) == [(node.name("db"), "stdout", "499"), (node.name("db"), "stdout", "500")]
    assert len(logs("db")) == 100
    (line,) = node.call("logs", service="db", tail=1, timestamps=True)["lines"]
    assert line["text"].startswith("20") and line["text"].endswith(" 500")
    assert node.call_error("logs", service="none")["message"]


@pytest.mark.parametrize("method, params", [
    ("explode", {}), ("retry", {"project": "none"}), ("retry", {"project": 7}), ("logs", {"tail": -1}),
    ("rollback", {"revision": "x"}), ("document", {"revision": 77}),
])
def test_a_wrong_command_is_answered_with_an_error(node, method, params):
    node.apply(web(node))
    error = node.call_error(method, **params)
    assert error["code"] < 0 and error["message"]


def test_garbage_is_no_command(node):
    node.apply(web(node))
    topic = f"bellbuoy/nodes/{node.level}/command"
    for text in ("", "garbage", "[]", "7", '{"jsonrpc": "2.0"}', '{"reply_to": 7}', "[" * 10_000):
        node._client.publish(topic, text)
    assert node.call("status")["node"] == node.node
    node.assert_runs_only("web")


@pytest.mark.parametrize("elsewhere", [
    "bellbuoy/nodes/another/command", "bellbuoy/events/x/hello", "bellbuoy/reply", "bellbuoy/reply/",
    "bellbuoy/reply/a/b", "bellbuoy/reply/+", "bellbuoy/reply/#",
])
def test_nobody_makes_it_publish_elsewhere(node, elsewhere):
    node.apply(web(node))
    with MqttClient(node.broker) as everything:
        everything.subscribe("#")
        one = node.send("history", {"project": node.project}, reply_to=elsewhere)
        node.call("status")  # commands are answered in their order
        assert not [m for m in everything.messages
                    if one.encode() in m.payload and not m.topic.endswith("/command")]
    assert node.manager.running
