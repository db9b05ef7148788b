"""Rollouts by shares: nodes first, the group last, and a buoyctl that may be killed anywhere."""

import json
import re
import subprocess
import threading

import pytest

from harness import BUOYCTL, MqttClient, eventually, run_once
from harness.ctl import ABSENT, CONVERGED, PARTIAL, ROLLED_BACK, USAGE
from harness.fake_manager import FakeManager
from harness.process import service_environment
from harness.services import flags, login_flags

REASON = {"code": "unhealthy", "service": "web", "message": "web: never got healthy", "advice": "",
          "engine": None}
GROUP = [("presses", 10)]


class FollowingManager(FakeManager):
    """As a real one does: its own document beats the group's, and without one it follows the group's
    again. `ends` tells the phase that a document ends in."""

    def __init__(self, broker, node, **options):
        self.own = self.groups_document = None
        self.ends = "COMPLETED"
        self.lock = threading.Lock()
        super().__init__(broker, node, groups=GROUP, **options)

    def _take(self, message):
        super()._take(message)
        if "/desired/" not in message.topic:
            return
        with self.lock:
            document = json.loads(message.payload) if message.payload else None
            if message.topic.startswith("bellbuoy/nodes/"):
                self.own = document
            else:
                self.groups_document = document
            self.follow()

    def follow(self):
        document = self.own or self.groups_document
        if not document:
            return
        self.set_project(document["project"], document["revision"], self.ends, id=document["id"],
                         source="node" if self.own else "group:presses",
                         reason=None if self.ends == "COMPLETED" else REASON)
        self.report()


@pytest.fixture
def fleet(broker):
    """Eight nodes of a group, n1 to n8."""
    made = {f"n{i}": FollowingManager(broker, f"n{i}") for i in range(1, 9)}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture
def argv(broker, tmp_path):
    path = tmp_path / "line3.json"
    path.write_text(json.dumps({"apiVersion": "bellbuoy/v1", "project": "line3",
                                "services": {"web": {"image": "registry/app:1"}}}))

    def make(*args):
        return [str(BUOYCTL), *map(str, args), *map(str, flags(**login_flags(broker)))]

    make.document = path
    return make


@pytest.fixture
def ctl(argv):
    return lambda *args, timeout_s=60: run_once(*argv(*args), timeout_s=timeout_s)


@pytest.fixture
def start(argv):
    """The arguments of a rollout by shares."""
    return ["apply", argv.document, "--group", "presses", "--canary", "1", "--then", "25%", "--then", "all",
            "--wait", "healthy", "--timeout", "20s"]


@pytest.fixture
def retained(broker):
    """What stands at the broker, by topic."""
    with MqttClient(broker) as client:
        client.subscribe("bellbuoy/nodes/+/desired/+").subscribe("bellbuoy/groups/+/desired/+")
        client.subscribe("bellbuoy/rollouts/+")

        def look():
            found = {}
            for message in client.messages:
                found.pop(message.topic, None)
                if message.payload:
                    found[message.topic] = json.loads(message.payload)
            return found

        yield look


def only_the_group(retained):
    return lambda: list(retained()) == ["bellbuoy/groups/presses/desired/line3"]


def test_by_shares(ctl, start, fleet, retained):
    order = []
    for name, node in fleet.items():
        node.on_document(lambda document, source, name=name: order.append((name, source)))
    done = ctl(*start)
    assert done.returncode == CONVERGED, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"n{i}: converged" for i in range(1, 9)]
    own = [name for name, source in order if source == "node"]
    assert own == ["n1", "n2"], "one, then a quarter"
    assert sum(source == "group:presses" for _, source in order) == 8
    assert order.index(("n2", "node")) < min(i for i, (_, source) in enumerate(order) if source != "node")
    eventually(only_the_group(retained))
    assert all(one.projects["line3"]["source"] == "group:presses" for one in fleet.values())
    assert len(re.findall(r"^stage \d of 3 of rollout line3-[0-9a-f]{8}: (?:1|25%|all)$", done.stderr, re.M)) == 3
    assert json.loads(ctl("rollouts", "-o", "json").stdout) == []


def test_a_canary_that_rolls_back_halts_it(ctl, start, fleet, retained):
    fleet["n1"].ends = "ROLLED_BACK"
    done = ctl(*start)
    assert done.returncode == ROLLED_BACK
    assert "n1: rolled back: unhealthy: web: never got healthy" in done.stdout
    assert "halted at stage 1 of 3, n1: rolled back; all other nodes are as they were" in done.stderr
    assert not any(fleet[name].documents for name in list(fleet)[1:])
    assert "bellbuoy/groups/presses/desired/line3" not in retained()
    identity = re.search(r"--resume (\S+);", done.stderr)[1]

    listed = ctl("rollouts").stdout.splitlines()[1].split()
    assert listed[:2] == [identity, "presses"] and "halted" in listed

    # It does not help to go on without mending it.
    assert ctl("apply", "--resume", identity, "--timeout", "5s").returncode == ROLLED_BACK

    fleet["n1"].ends = "COMPLETED"
    fleet["n1"].follow()
    eventually(lambda: "COMPLETED" in ctl("status", "n1", "--output", "json").stdout)
    done = ctl("apply", "--resume", identity, "--timeout", "20s")
    assert done.returncode == CONVERGED, done.stderr
    eventually(only_the_group(retained))


def test_a_later_stage_halts_it_too(ctl, start, fleet, retained):
    fleet["n2"].ends = "ROLLED_BACK"
    done = ctl(*start)
    assert done.returncode == ROLLED_BACK, "that is why it halts, though another is good"
    assert "halted at stage 2 of 3, n2: rolled back" in done.stderr
    assert not any(fleet[name].documents for name in list(fleet)[2:])


def test_a_canary_that_goes_away_halts_it(ctl, start, fleet):
    fleet["n1"].follow = lambda: fleet["n1"].presence(False)
    done = ctl(*start)
    assert done.returncode == ABSENT
    assert "halted at stage 1 of 3, n1: absent" in done.stderr


def test_giving_up(ctl, start, fleet, retained):
    fleet["n1"].ends = "ROLLED_BACK"
    identity = re.search(r"--resume (\S+);", ctl(*start).stderr)[1]
    assert ctl("rollouts", identity, "--abort").returncode == CONVERGED
    eventually(lambda: retained() == {})
    assert ctl("rollouts", identity).returncode == USAGE
    assert ctl("apply", "--resume", identity).returncode == USAGE


@pytest.fixture
def waiting(argv, ctl, start, fleet):
    """Starts a rollout that waits for the named node: its process, its id, and what the node waits for."""
    processes = []

    def begin(slow):
        node = fleet[slow]
        follow, node.follow = node.follow, lambda: None

        def go_on():
            node.follow = follow
            with node.lock:
                node.follow()

        process = subprocess.Popen(argv(*start), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env=service_environment())
        processes.append(process)
        node.wait_for_document()
        return process, json.loads(ctl("rollouts", "-o", "json").stdout)[0]["id"], go_on

    yield begin
    for one in processes:
        one.kill()
        one.communicate()


@pytest.mark.parametrize("slow", ["n1", "n2", "n8"])
def test_killed_and_resumed(ctl, waiting, fleet, retained, slow):
    """kill -9 while it waits for a node of the first, the second and the last stage."""
    process, identity, go_on = waiting(slow)
    process.kill()
    go_on()
    done = ctl("apply", "--resume", identity, "--timeout", "20s")
    assert done.returncode == CONVERGED, done.stderr
    eventually(only_the_group(retained))
    revisions = {one.projects["line3"]["desired"]["revision"] for one in fleet.values()}
    assert revisions == {1}, "what was published before is not published anew"


def test_given_up_while_it_runs(ctl, waiting, retained):
    process, identity, go_on = waiting("n2")
    assert ctl("rollouts", identity, "--abort").returncode == CONVERGED
    assert process.wait(timeout=15) == PARTIAL
    assert re.search(rf"rollout {identity} was (taken over or )?given up", process.stderr.read())
    go_on()
    eventually(lambda: retained() == {})


def test_who_resumes_takes_it_over(argv, waiting, retained):
    """Two never drive one rollout: the one before stops, and changes nothing any more."""
    first, identity, go_on = waiting("n2")
    second = subprocess.Popen(argv("apply", "--resume", identity, "--timeout", "20s"),
                              stdout=subprocess.DEVNULL, env=service_environment())
    try:
        assert first.wait(timeout=15) == PARTIAL
        assert re.search(rf"rollout {identity} was taken over .* \(\S+_[0-9a-f]{{8}}\)", first.stderr.read())
        go_on()
        assert second.wait(timeout=30) == CONVERGED
    finally:
        second.kill()
        second.wait()
    eventually(only_the_group(retained))


def test_who_is_left_out(ctl, start, fleet, broker, retained):
    """A node with a document of its own keeps it; one that is away takes it with its group."""
    own = {"project": "line3", "revision": 4, "id": "its-own"}
    with MqttClient(broker) as client:
        client.publish("bellbuoy/nodes/n1/desired/line3", own, retain=True)
    fleet["n1"].wait_for_document()
    fleet["n2"].follow = lambda: None
    fleet["n2"].presence(False)
    done = ctl(*start)
    assert done.returncode == PARTIAL
    assert "n1: has its own document" in done.stdout and "n2: absent: offline" in done.stdout
    assert "n1 has a document of its own, and keeps it" in done.stderr
    assert "n2 is offline: it takes the document with its group" in done.stderr
    assert eventually(lambda: retained().get("bellbuoy/nodes/n1/desired/line3")) == own
    assert not any(name in topic for topic in retained() for name in ("n2", "n3", "n4"))


@pytest.mark.parametrize("args, words", [
    (["--canary", "x"], "'x' is no share of nodes"),
    (["--canary", "1", "--then", "0%"], "'0%' is no share of nodes"),
    (["--canary", "1", "--no-wait"], "--canary needs --group NAME, and it waits"),
])
def test_wrong_usage(ctl, argv, fleet, args, words):
    done = ctl("apply", argv.document, "--group", "presses", *args)
    assert done.returncode == USAGE and words in done.stderr
    assert not any(one.documents for one in fleet.values())


def test_nobody_to_begin_with(ctl, argv, broker):
    done = ctl("apply", argv.document, "--group", "nobody", "--canary", "1")
    assert done.returncode == ABSENT


def test_an_id_that_is_none(ctl):
    assert ctl("apply", "--resume", "a/b").returncode == USAGE
    assert "there is no rollout 'x'" in ctl("apply", "--resume", "x").stderr
    assert ctl("rollouts", "--abort").returncode == USAGE
