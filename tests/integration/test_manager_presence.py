"""Whether a node is there, and which manager speaks for it."""

import json
import signal

import pytest

from harness import MqttClient
from harness.waiting import eventually


def last(node):
    return node.presences[-1]


def retained(broker, topic):
    with MqttClient(broker) as client:
        client.subscribe(topic)
        return json.loads(eventually(lambda: client.messages)[0].payload)


def test_sessions_go_up(node):
    first = last(node)
    assert first["online"] and first["node"] == node.node and first["since"] and first["version"]
    sessions = [first["session"]]
    for kill in (False, True, False):
        node.restart(kill=kill)
        sessions.append(last(node)["session"])
    assert sessions == [first["session"] + number for number in range(4)]


def test_it_says_goodbye(node):
    session = last(node)["session"]
    node.stop()
    eventually(lambda: not last(node)["online"], message="offline")
    assert last(node)["session"] == session
    assert not retained(node.broker, f"bellbuoy/nodes/{node.level}/presence")["online"]


def test_its_will_tells_of_a_crash(node):
    session = last(node)["session"]
    node.stop(kill=True)
    eventually(lambda: not last(node)["online"], message="offline")
    assert last(node)["session"] == session
    assert not retained(node.broker, f"bellbuoy/nodes/{node.level}/presence")["online"]


def test_a_late_will_of_an_earlier_session_is_answered(node):
    node.restart()
    now = last(node)
    late = {**now, "online": False, "session": now["session"] - 1}
    with MqttClient(node.broker) as broker:
        broker.publish(f"bellbuoy/nodes/{node.level}/presence", late, retain=True)
    eventually(lambda: last(node)["online"], message="online again")
    assert last(node)["session"] == now["session"]
    assert retained(node.broker, f"bellbuoy/nodes/{node.level}/presence")["online"]


def test_the_broker_comes_back(make_node, lab):
    node = make_node(broker=lab.broker(persistence=False))
    node.apply({"web": node.service()})
    before = node.id("web")
    node.broker.kill()
    node.engine.rm(node.name("web"))
    eventually(lambda: node.id("web") != before, message="it is kept up without the broker")
    node.presences.clear()
    node.reports.clear()
    node.broker.start()
    node.connect()
    eventually(lambda: node.presences and last(node)["online"], message="online again")
    # The broker has lost the document: the node has not.
    assert node.wait_converged(1)["applied"]["revision"] == 1
    node.apply({"web": node.service(environment={"A": "1"})})
    node.assert_runs_only("web")


def test_a_name_with_dots_is_a_level_with_underscores(make_node):
    node = make_node(node=f"press.{id(make_node):x}.example")
    node.apply({"web": node.service()})
    assert node.report["node"] == node.node
    assert last(node)["node"] == node.node


@pytest.mark.parametrize("moment", ["create", "start", "verify", "stop", "rollback", "idle", "no engine"])
def test_it_ends_well_in_the_middle_of_anything(node, moment):
    """SIGTERM within 5 s and without a leak; the next one goes on."""
    if moment != "no engine":
        node.apply({"web": node.service(), "db": node.service()})
    changed = {"web": node.service(environment={"A": "1"}, uptime="700ms" if moment == "verify" else "0s"),
               "db": node.service()}
    hung = None
    if moment in ("create", "start", "stop"):
        hung = node.proxy.hang(f"POST /containers/.*{moment}")
        node.offer(changed)
        eventually(lambda: hung.hits, message=f"{moment} is under way")
    elif moment == "verify":
        node.offer(changed)
        node.wait_phase("VERIFYING", 2)
    elif moment == "rollback":
        hung = node.proxy.hang("DELETE /containers/")
        node.offer({**changed, "web": node.service("exit 3", uptime="60s")})
        node.wait_phase("ROLLING_BACK", 2)
    elif moment == "no engine":
        node.proxy.stop()
        node.offer(changed)
        node.wait(lambda p: p["desired"]["revision"] == 1, "the document")
    node.manager.signal(signal.SIGTERM)
    node.manager.expect_exit(0, timeout_s=5)
    if hung:
        hung.release()
    if moment == "no engine":
        node.proxy.start()
    node.forget_session()
    node.start()
    report = node.wait(lambda p: p["converged"], "converged")
    assert report["phase"] == ("ROLLED_BACK" if moment == "rollback" else "COMPLETED")
    node.assert_runs_only("web", "db")
