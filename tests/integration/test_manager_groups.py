"""Which of several documents a node follows: its own, then its groups' by their priority."""

import pytest

from harness import run_once
from harness.manager import MANAGER


@pytest.fixture
def node(make_node):
    node = make_node(group="presses:10,all:1")
    node.low, node.high = "all", "presses"
    yield node
    # Retained for other tests' nodes, too.
    for group in (node.low, node.high):
        node.publish("", group=group)


def web(node, value):
    return {"web": node.service(environment={"A": value})}


def value_of(node):
    (value,) = [one for one in node.container("web")["Config"]["Env"] if one.startswith("A=")]
    return value[2:]


def follows(node, source, revision, value):
    report = node.wait(lambda p: p["converged"] and p["source"] == source and
                       p["applied"]["revision"] == revision, f"{source} {revision}")
    assert value_of(node) == value
    return report


def test_the_nodes_own_beats_its_groups(node):
    node.publish(node.document(web(node, "low"), revision=7), group=node.low)
    follows(node, "group:all", 7, "low")
    node.publish(node.document(web(node, "high"), revision=3), group=node.high)
    follows(node, "group:presses", 3, "high")
    node.publish(node.document(web(node, "own"), revision=1))
    follows(node, "node", 1, "own")
    assert node.report["groups"] == [{"name": "presses", "priority": 10}, {"name": "all", "priority": 1}]


def test_a_weaker_origin_changes_nothing(node):
    node.publish(node.document(web(node, "own"), revision=1))
    follows(node, "node", 1, "own")
    node.proxy.forget()
    node.publish(node.document(web(node, "high"), revision=9), group=node.high)
    node.publish(node.document(web(node, "low"), revision=9), group=node.low)
    node.call("status")
    node.restart()
    follows(node, "node", 1, "own")
    assert node.proxy.writes == []


def test_the_next_origin_follows_when_one_is_withdrawn(node):
    node.publish(node.document(web(node, "low"), revision=5), group=node.low)
    node.publish(node.document(web(node, "high"), revision=6), group=node.high)
    node.publish(node.document(web(node, "own"), revision=7))
    follows(node, "node", 7, "own")
    node.publish("")
    follows(node, "group:presses", 6, "high")
    node.publish("", group=node.high)
    follows(node, "group:all", 5, "low")
    node.restart()
    follows(node, "group:all", 5, "low")
    node.publish(node.document(web(node, "own again"), revision=8))
    follows(node, "node", 8, "own again")


def test_revisions_are_each_origins_own(node):
    node.publish(node.document(web(node, "high"), revision=100), group=node.high)
    follows(node, "group:presses", 100, "high")
    node.publish(node.document(web(node, "own"), revision=2))
    follows(node, "node", 2, "own")
    node.publish(node.document(web(node, "older"), revision=99), group=node.high)
    node.wait_reason("stale")
    node.publish("")
    follows(node, "group:presses", 100, "high")


@pytest.mark.parametrize("group", ["a:1,b:1", "a:1,a:2", "a", "a:x", "a/b:1"])
def test_a_tie_is_refused(group, tmp_path):
    done = run_once(MANAGER, "--node", "n", "--state-dir", tmp_path, "--group", group)
    assert done.returncode == 2
    assert "--group" in done.stderr
