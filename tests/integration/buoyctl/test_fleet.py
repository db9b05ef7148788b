"""A fleet of real managers, each on an engine of its own: the machine's and, twice, Docker 20.10."""

import json
import re
import subprocess
import uuid

import pytest

from harness import BUOYCTL, eventually, run_once
from harness.ctl import ABSENT, CONVERGED, ROLLED_BACK, tree
from harness.manager import Node
from harness.old_engine import old_dockerds
from harness.process import service_environment
from harness.services import flags, login_flags

GROUP = "presses"
IMAGE = "bellbuoy-test/fleet:1"
NAMES = ("n1", "n2", "n3")


@pytest.fixture(scope="module")
def engines(docker):
    with old_dockerds(2) as others:
        all_ = [docker, *(dockerd.engine for dockerd in others)]
        for engine in all_:
            engine.tiny_image(IMAGE)
        yield all_
        docker.remove_image(IMAGE)


@pytest.fixture
def nodes(broker, lab, engines, images):
    """n1 to n3, all of one group."""
    made = [Node(lab, broker, engine, images, node=name, group=f"{GROUP}:10")
            for name, engine in zip(NAMES, engines)]
    project = f"p{uuid.uuid4().hex[:8]}"
    for node in made:
        node.project = project
    yield made
    for node in made:
        node.close()


@pytest.fixture
def argv(broker):
    return lambda *args: [str(one) for one in (BUOYCTL, *args, *flags(**login_flags(broker)))]


@pytest.fixture
def apply(argv, nodes, tmp_path):
    """apply(value, ...): the arguments that apply a service with it to the group."""

    def make(value, *args, command="exec sleep 1000", uptime="1s"):
        path = tmp_path / f"{value}.yaml"
        path.write_text(json.dumps({"name": nodes[0].project, "services": {"web": {
            "image": IMAGE, "command": ["sh", "-c", command], "environment": {"VALUE": value},
            "network_mode": "none", "stop_signal": "SIGKILL", "x-bellbuoy": {"minUptime": uptime}}}}))
        return argv("apply", path, "--group", GROUP, "--timeout", "60s", *args)

    return make


def value_of(node):
    """What its only container was made with, and that it runs; None: it has none."""
    found = list(node.containers().values())
    if not found:
        return None
    (container,) = found
    assert container["State"]["Running"]
    return next(one[6:] for one in container["Config"]["Env"] if one.startswith("VALUE="))


def values(nodes):
    return [value_of(node) for node in nodes]


def test_a_group_by_shares(apply, nodes):
    done = run_once(*apply("one", "--canary", "1", "--then", "all"), timeout_s=90)
    assert done.returncode == CONVERGED, done.stderr
    assert values(nodes) == ["one"] * 3
    versions = [node.report["engine"]["version"].split(".")[0] for node in nodes]
    assert versions[1:] == ["20", "20"] and int(versions[0]) > 20


def test_a_canary_that_fails_keeps_the_others_as_they_are(apply, nodes):
    assert run_once(*apply("one"), timeout_s=90).returncode == CONVERGED
    before = [node.id("web") for node in nodes[1:]]
    done = run_once(*apply("bad", "--canary", "1", "--then", "all", command="exit 3"), timeout_s=90)
    assert done.returncode == ROLLED_BACK, done.stderr
    assert "n1: rolled back: exited: " in done.stdout
    assert values(nodes) == ["one"] * 3
    assert [node.id("web") for node in nodes[1:]] == before


def test_a_rollout_goes_on_after_its_buoyctl_was_killed(apply, argv, nodes):
    argv_of_first = apply("one", "--canary", "1", "--then", "2", "--then", "all", uptime="3s")
    first = subprocess.Popen(argv_of_first, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, env=service_environment())
    identity = next(re.search(r"of rollout (\S+):", line)[1] for line in first.stderr if "rollout" in line)
    eventually(lambda: value_of(nodes[0]) == "one")
    first.kill()
    first.wait()
    first.stderr.close()
    assert None in values(nodes), "it was killed amid its shares"
    done = run_once(*argv("apply", "--resume", identity, "--timeout", "60s"), timeout_s=90)
    assert done.returncode == CONVERGED, done.stderr
    assert values(nodes) == ["one"] * 3
    assert tree(run_once(*argv("rollouts", "-o", "json"))) == []


def test_a_node_that_is_away_takes_it_when_it_is_back(apply, argv, nodes):
    nodes[2].stop(kill=True)
    eventually(lambda: re.search(r"^n3 +offline", run_once(*argv("status")).stdout, re.M))
    done = run_once(*apply("one", "--wait"), timeout_s=90)
    assert done.returncode == ABSENT and "n3: absent: offline" in done.stdout
    assert values(nodes) == ["one", "one", None]
    nodes[2].start()
    nodes[2].wait_converged(1)
    assert values(nodes) == ["one"] * 3
