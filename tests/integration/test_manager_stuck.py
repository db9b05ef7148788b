"""What the engine does not let go of: a name that it keeps for a container that is not there.

The engine cannot be made to show these when a test wants it: the proxy says what it would say.
"""

import re
import uuid

import pytest

from harness.manager import KillAtWrite
from harness.waiting import eventually

STRATEGIES = pytest.mark.parametrize("strategy", ["create-stop-start", "stop-create-start", "handover"])


def web(node, value="1", **policy):
    return {"web": node.service(environment={"A": value}, policy=policy)}


def value_of(node, name):
    (container,) = node.engine.inspect(name)
    (value,) = [one for one in container["Config"]["Env"] if one.startswith("A=")]
    return value[2:]


def haunt(node, name, times=None):
    """Nobody has the name, and nobody gets it."""
    nobody = uuid.uuid4().hex * 2
    return node.proxy.answer(
        rf"^POST /containers/(create|\w+/rename)\?name={re.escape(name)}(&|$)", 409,
        f"Conflict. The container name \"/{name}\" is already in use by container \"{nobody}\". You "
        "have to remove (or rename) that container to be able to reuse that name.", times)


@STRATEGIES
def test_a_name_that_nobody_has_is_gone_around(node, strategy):
    """Another name will do, for as long as it is needed, over updates and restarts."""
    name = node.name("web")
    node.apply(web(node, "1", strategy=strategy))
    ghost = haunt(node, name)
    node.engine.rm(name)
    eventually(lambda: node.running() == {f"{name}.2"}, message="it has another name")
    report = node.wait_converged(1)
    assert report["reason"] is None
    assert [(one["service"], one["object"]) for one in report["ghosts"]] == [("web", name)]
    assert f"{name}.2" in report["ghosts"][0]["cause"]
    assert node.plan() == []

    node.apply(web(node, "2", strategy=strategy))
    assert value_of(node, f"{name}.2") == "2"
    assert node.names() == node.running() == {f"{name}.2"}
    node.proxy.forget()
    node.restart()
    assert node.wait_converged(2)["ghosts"][0]["object"] == name
    assert node.plan() == []
    assert node.proxy.writes == []

    ghost.release()
    assert node.apply(web(node, "3", strategy=strategy))["ghosts"] == []
    node.assert_runs_only("web")
    assert value_of(node, name) == "3"


def test_a_first_revision_goes_around_several(node):
    services = {service: node.service() for service in ("a", "b", "c", "d", "e")}
    for service in services:
        haunt(node, node.name(service))
    haunt(node, node.name("a") + ".2")
    report = node.apply(services)
    assert report["reason"] is None
    assert {one["object"] for one in report["ghosts"]} == {node.name(service) for service in services}
    assert node.running() == {node.name("a") + ".3", *(node.name(one) + ".2" for one in "bcde")}
    assert node.plan() == []


def test_a_failed_revision_goes_back_around_it(node):
    name = node.name("web")
    node.apply(web(node))
    haunt(node, name)
    node.offer({"web": node.service("exit 3", uptime="60s")})
    node.wait_rolled_back(1, "exited")
    assert node.running() == {f"{name}.2"}
    assert value_of(node, f"{name}.2") == "1"
    assert node.plan() == []


def test_a_name_that_was_let_go_meanwhile_is_taken(node):
    conflict = haunt(node, node.name("web"), times=1)
    assert node.apply(web(node))["ghosts"] == []
    assert conflict.hits == 1
    node.assert_runs_only("web")


@pytest.mark.parametrize("number", range(1, 8))
def test_killed_on_the_way_around(node, number):
    name = node.name("web")
    node.apply(web(node))
    haunt(node, name)
    kill = KillAtWrite(node, number, before=True)
    node.offer(web(node, "2"))
    eventually(lambda: kill.done.is_set() or node.running() == {f"{name}.2"},
               message="killed, or at the end")
    kill.clear()
    if kill.done.is_set():
        node.forget_session()
        node.start()
    node.wait_converged(2)
    assert node.names() == node.running() == {f"{name}.2"}
    assert value_of(node, f"{name}.2") == "2"
    assert node.plan() == []
