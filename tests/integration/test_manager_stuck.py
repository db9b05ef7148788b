"""What the engine does not let go of: a name that it keeps for a container that is not there, a
container that it neither stops nor removes.

The engine cannot be made to show these when a test wants it: the proxy says what it would say.
"""

import re
import uuid

import pytest

from harness import HOST, free_port
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


# ---- containers


#: What is said by an engine that does not get rid of a container.
NOT_STOPPED = "cannot stop container: tried to kill container, but did not receive an exit event"
NOT_REMOVED = "cannot remove container: could not kill: tried to kill container, but did not receive an exit event"
REMOVING = "removal of container is already in progress"


def stick(node, which=r"\w+", removal=(500, NOT_REMOVED), times=None):
    """The engine neither stops nor removes the container of that id, or any."""
    return [node.proxy.answer(rf"^POST /containers/{which}/(stop|kill)", 500, NOT_STOPPED, times),
            node.proxy.answer(rf"^DELETE /containers/{which}\?", *removal, times)]


def release(*faults):
    for fault in faults:
        fault.release()


def ghosts(report):
    return {one["object"] for one in report["ghosts"]}


@STRATEGIES
def test_a_container_that_is_not_stopped_is_left_behind(node, strategy):
    """Its successor has its name, its port and its network; later it goes all the same."""
    ports = [{"target": 80, "published": str(free_port()), "host_ip": HOST}]
    members = {} if strategy == "handover" else {"ports": ports}

    def web(value):
        return {"web": node.service(environment={"A": value}, policy={"strategy": strategy},
                                    networks={"x": None}, **members)}

    name, networks = node.name("web"), {"x": None}
    node.apply(web("1"), networks=networks)
    stuck = node.id("web")
    faults = stick(node, stuck)
    report = node.apply(web("2"), networks=networks)
    assert report["reason"] is None
    ghost = f"{name}.ghost-1"
    assert ghosts(report) == {ghost}
    assert report["services"]["web"]["replicas"] == {"desired": 1, "running": 1}
    assert node.running() == {name, ghost}
    (left,) = node.engine.inspect(ghost)
    assert left["Id"] == stuck and not left["NetworkSettings"]["Networks"]
    assert value_of(node, name) == "2"
    assert node.plan() == []

    node.restart()
    assert ghosts(node.wait_converged(2)) == {ghost}
    release(*faults)
    node.call("retry")
    node.wait(lambda p: p["converged"] and not p["ghosts"], "no ghost any more")
    node.assert_runs_only("web")


@pytest.mark.parametrize("removal", [(500, NOT_REMOVED), (409, REMOVING)])
def test_a_container_that_is_not_removed_is_left_behind(node, removal):
    node.apply(web(node))
    fault = node.proxy.answer(rf"^DELETE /containers/{node.id('web')}\?", *removal, None)
    node.apply(web(node, "2"))
    report = node.wait(lambda p: p["converged"] and p["ghosts"], "a ghost")
    assert ghosts(report) == {f"{node.name('web')}.old-1.ghost-1"}
    assert report["reason"] is None
    assert node.running() == {node.name("web")}
    fault.release()
    node.call("retry")
    node.wait(lambda p: p["converged"] and not p["ghosts"], "no ghost any more")
    node.assert_runs_only("web")


def test_a_service_that_is_taken_away_may_be_stuck(node):
    node.apply({**web(node), "db": node.service()})
    faults = stick(node, node.id("db"))
    report = node.apply(web(node))
    assert ghosts(report) == {f"{node.name('db')}.ghost-1"}
    release(*faults)
    node.restart()
    node.wait(lambda p: p["converged"] and not p["ghosts"], "no ghost any more")
    node.assert_runs_only("web")


def test_a_rollback_leaves_behind_what_is_stuck(node):
    node.apply(web(node))
    before = node.id("web")
    node.offer({"web": node.service(uptime="1h")})
    node.wait_phase("VERIFYING", 2)
    eventually(lambda: node.id("web") != before and node.running() == {node.name("web")})
    faults = stick(node, node.id("web"))
    node.engine.docker("kill", node.name("web"))
    report = node.wait_rolled_back(1, "exited")
    assert ghosts(report) == {f"{node.name('web')}.ghost-2"}
    assert node.running() == {node.name("web")}
    assert node.id("web") == before
    release(*faults)


def test_what_does_not_stop_is_killed(node):
    """It is kept as one that stopped: a rollback has it again."""
    node.apply(web(node))
    before = node.id("web")
    fault = node.proxy.answer(f"^POST /containers/{before}/stop", 500, NOT_STOPPED, None)
    node.proxy.forget()
    node.offer({"web": node.service("exit 3", uptime="60s")})
    assert node.wait_rolled_back(1, "exited")["ghosts"] == []
    assert fault.hits == 1
    assert [write.path for write in node.proxy.writes].count(f"/containers/{before}/kill") == 1
    assert node.id("web") == before
    node.assert_runs_only("web")


def test_an_engine_without_its_containerd_makes_no_ghosts(node):
    node.apply(web(node))
    before = node.id("web")
    node.proxy.answer(f"^POST /containers/{before}/stop", 500,
                      "cannot stop container: error reading from server: EOF: unavailable", None)
    node.offer(web(node, "2"))
    assert node.wait_rolled_back(1)["ghosts"] == []
    assert node.id("web") == before
    node.assert_runs_only("web")


def test_what_fails_once_is_no_ghost(node):
    node.apply(web(node))
    before = node.id("web")
    faults = stick(node, before, times=1)
    report = node.apply(web(node, "2"))
    assert faults[0].hits == 1
    node.wait(lambda p: p["converged"] and node.names() == {node.name("web")}, "converged")
    assert report["ghosts"] == []
    node.assert_runs_only("web")


@pytest.mark.parametrize("number", range(1, 12))
def test_killed_while_one_is_left_behind(node, number):
    name, networks = node.name("web"), {"x": None}

    def web(value):
        return {"web": node.service(environment={"A": value}, networks=networks)}

    node.apply(web("1"), networks=networks)
    faults = stick(node, node.id("web"))
    kill = KillAtWrite(node, number, before=False)
    node.offer(web("2"), networks=networks)
    eventually(lambda: kill.done.is_set() or node.project_report()["applied"]["revision"] == 2,
               message="killed, or at the end")
    kill.clear()
    if kill.done.is_set():
        node.forget_session()
        node.start()
    report = node.wait(lambda p: p["converged"] and p["applied"]["revision"] == 2 and p["ghosts"], "the end")
    assert len(report["ghosts"]) == 1
    assert value_of(node, name) == "2"
    assert node.running() == {name, *ghosts(report)}
    assert node.plan() == []
    release(*faults)
    node.call("retry")
    node.wait(lambda p: p["converged"] and not p["ghosts"], "no ghost any more")
    node.assert_runs_only("web")
