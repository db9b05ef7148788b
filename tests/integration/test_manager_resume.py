"""kill -9 of the manager before and after each of its writes to the engine: the next one goes on from
what is there, and nothing is left over.

Each test finds the number of writes by itself: it kills at the first, the second, ... until an apply
comes to its end without having been killed.
"""

import pytest

from harness.manager import LEFTOVER, KillAtWrite
from harness.waiting import eventually

MOMENTS = pytest.mark.parametrize("moment", ["before", "after"])
FAILS = "exit 3"


class Kills:
    """One node that is killed at each write of what `act` publishes, and started anew."""

    def __init__(self, node, moment):
        self.node, self.moment = node, moment
        self.count = 0

    def each(self, prepare, publish, check, at_least):
        """`prepare` brings the node to where it begins, `publish` publishes, `check` sees that all is
        as it should be after the restart."""
        for number in range(1, 100):
            prepare(number)
            kill = KillAtWrite(self.node, number, self.moment == "before")
            publish(number)
            killed = self._killed_or_ended(kill)
            kill.clear()
            if killed:
                self.node.forget_session()
                self.node.start()
            try:
                check(number)
                self.nothing_is_left()
            except AssertionError as error:
                writes = "\n".join(f"{write.number} {write}" for write in self.node.proxy.writes)
                raise AssertionError(f"killed {self.moment} write {number} of\n{writes}") from error
            if not killed:
                break
            self.count += 1
        assert self.count >= at_least, f"only {self.count} writes were seen"

    def _killed_or_ended(self, kill):
        def ended():
            found = self.node.project_report()
            return (found and found["desired"]["revision"] == self.node.revision and found["converged"]
                    and found["phase"] in ("COMPLETED", "ROLLED_BACK"))

        eventually(lambda: kill.done.is_set() or ended(), message="killed, or at the end")
        return kill.done.is_set()

    def nothing_is_left(self):
        assert not [name for name in self.node.names() if LEFTOVER.search(name)]


@MOMENTS
def test_killed_in_the_first_apply(node, moment):
    def prepare(_):
        node.apply({}, policy={"allowEmpty": True})
        node.engine.docker("volume", "rm", *node.volumes(), check=False)

    def publish(_):
        mount = {"type": "volume", "source": "data", "target": "/data"}
        node.offer({"db": node.service(networks={"back": None}, volumes=[mount]),
                    "web": node.service(depends_on={"db": {}}, restart="unless-stopped")},
                   networks={"back": None}, volumes={"data": None})

    def check(_):
        node.wait_converged(node.revision)
        node.assert_runs_only("db", "web")
        assert node.networks() == {f"{node.project}_back"}
        assert node.volumes() == {f"{node.project}_data"}

    # A network, a volume, two containers made and started, a restart policy.
    Kills(node, moment).each(prepare, publish, check, at_least=7)


@MOMENTS
@pytest.mark.parametrize("strategy", ["create-stop-start", "stop-create-start", "handover"])
def test_killed_in_an_update(node, moment, strategy):
    def services(number):
        return {"db": node.service(),
                "web": node.service(policy={"strategy": strategy}, environment={"N": str(number)})}

    def prepare(number):
        if number == 1:
            node.apply(services(0))

    def check(number):
        node.wait_converged(node.revision)
        node.assert_runs_only("db", "web")
        assert f"N={number}" in node.container("web")["Config"]["Env"]

    # Made, stopped, renamed, (renamed,) started, removed.
    Kills(node, moment).each(prepare, lambda number: node.offer(services(number)), check, at_least=5)


@MOMENTS
def test_killed_in_a_failed_update(node, moment):
    good = {"db": node.service(), "web": node.service()}
    ids = {}

    def prepare(number):
        if number == 1:
            node.apply(good)
            ids["db"] = node.id("db")

    def publish(number):
        node.offer({"db": node.service(),
                    "web": node.service(f"sleep 0.0{number}; {FAILS}", uptime="60s")})

    def check(_):
        report = node.wait_rolled_back(1)
        assert report["reason"]["code"] == "exited"
        assert report["desired"]["revision"] == node.revision
        node.assert_runs_only("db", "web")
        assert node.id("db") == ids["db"]
        assert node.container("web")["Config"]["Cmd"] == ["sleep", "86400"]

    # Made, stopped, renamed twice, started; the new one removed, the old one renamed and started.
    Kills(node, moment).each(prepare, publish, check, at_least=8)


@MOMENTS
def test_killed_in_a_removal(node, moment):
    def prepare(_):
        node.apply({"web": node.service(), "db": node.service(networks={"back": None})},
                   networks={"back": None})

    def check(_):
        node.wait_converged(node.revision)
        node.assert_runs_only("web")
        assert node.networks() == set()

    # Stopped, removed, and the network with it.
    Kills(node, moment).each(prepare, lambda _: node.offer({"web": node.service()}), check, at_least=3)
