"""Random documents, drifts and faults against a simple model: whatever happens in whatever order, at the
end the node is as the last good document says, a stranger's container is untouched, nothing is to be
done.

A sequence is drawn from its seed; a failure names the seed and what was done. --model-sequences N runs
N of them, --model-seed S begins with another one than 0.
"""

import random

import pytest

from harness.engine import LABEL_PROJECT
from harness.manager import LEFTOVER, Node
from harness.waiting import eventually

SERVICES = ("a", "b", "c")
NETWORKS = ("x", "y")
STRATEGIES = ("create-stop-start", "stop-create-start", "handover")
#: The requests of which one may go wrong.
REQUESTS = ("POST /containers/create", "POST /containers/.*/start", "POST /containers/.*/stop",
            "POST /containers/.*/rename", "DELETE /containers/", "POST /networks/create",
            "GET /containers/json", "GET /containers/.*/json")


class Sequence:
    """What is done to a node, drawn from a seed, and what must be so afterwards."""

    def __init__(self, node, seed):
        self.node = node
        self.seed = seed
        self.random = random.Random(seed)
        self.done = []
        #: By revision; before the first there is nothing.
        self.documents = {0: {"services": {}, "networks": {}}}
        self.bad = set()
        #: Somebody has laid hands on containers that may have been in the middle of showing that they
        #: are good: that they did not is a failure like another.
        self.disturbed = False

    # ---- documents

    def draw_service(self, name, others):
        draw = self.random
        service = self.node.service(
            environment={"VALUE": str(draw.randrange(3))}, restart="unless-stopped",
            scale=draw.choice((0, 1, 1, 1, 2)), mem_limit=draw.choice(("32M", "64M")),
            policy={"strategy": draw.choice(STRATEGIES)},
            depends_on={other: {} for other in others if draw.random() < 0.3})
        if draw.random() < 0.3:
            del service["network_mode"]
            service["networks"] = {network: None for network in NETWORKS
                                   if draw.random() < 0.6} or {"x": None}
        return service

    def publish(self):
        names = [name for name in SERVICES if self.random.random() < 0.7] or ["a"]
        services = {name: self.draw_service(name, names[:index]) for index, name in enumerate(names)}
        bad = self.random.random() < 0.15
        if bad:
            services["bad"] = self.node.service("exit 3", uptime="60s")
        used = {network for service in services.values() for network in service.get("networks", {})}
        document = self.node.offer(services, networks={network: None for network in used})
        self.documents[document["revision"]] = document
        self.disturbed = False
        if bad:
            self.bad.add(document["revision"])
        self.note(f"publish {document['revision']}{' (bad)' if bad else ''}: "
                  + ", ".join(f"{name} {service}" for name, service in services.items()))

    # ---- what goes wrong

    def drift(self):
        names = sorted(self.node.names())
        if not names:
            return
        name = self.random.choice(names)
        harm = self.random.choice((
            ["rm", "--force", name], ["stop", name], ["kill", name],
            ["update", "--memory", "48m", "--memory-swap", "96m", name],
            ["network", "disconnect", "--force",
             f"{self.node.project}_{self.random.choice(NETWORKS)}", name]))
        self.disturbed |= harm[0] != "update"
        self.note(" ".join(harm))
        self.node.engine.docker(*harm, check=False)

    def kill(self):
        self.note("kill -9, start")
        self.node.restart(kill=True)

    def fault(self):
        fault = self.random.choice(("lose_reply", "refuse"))
        request = self.random.choice(REQUESTS)
        self.note(f"{fault} {request}")
        getattr(self.node.proxy, fault)(request)

    def cut(self):
        what = self.random.choice(("GET /events", ""))
        self.note(f"cut all connections {what}")
        self.node.proxy.cut_all(what)

    def engine_away(self):
        self.note("the engine's socket goes and comes back")
        self.node.proxy.stop()
        self.node.proxy.start()

    def settle(self):
        self.note("wait until it has converged")
        self.node.wait(lambda p: p["converged"] and p["desired"]["revision"] == self.node.revision,
                       "converged")
        # What was given up for a hand that was laid on it stays so.
        self.disturbed &= self.node.project_report()["phase"] == "ROLLED_BACK"

    def note(self, what):
        self.done.append(what)

    def run(self):
        self.publish()
        steps = (self.publish, self.drift, self.drift, self.kill, self.fault, self.fault, self.cut,
                 self.engine_away, self.settle)
        for _ in range(self.random.randint(3, 7)):
            self.random.choice(steps)()
        self.node.proxy.clear()

    # ---- what must be so

    def check(self):
        report = self.node.project_report()
        assert report and report["converged"], report
        assert report["desired"]["revision"] == self.node.revision, report
        applied = report["applied"]["revision"] if report["applied"] else 0
        if applied == self.node.revision:
            assert report["phase"] == "COMPLETED", report
        else:
            assert self.node.revision in self.bad or self.disturbed, report
            assert report["phase"] == "ROLLED_BACK", report
        assert applied not in self.bad
        # Of an earlier sequence's revision nothing is known any more.
        if applied in self.documents:
            self.check_engine(self.documents[applied], {ghost["object"] for ghost in report["ghosts"]})

    def check_engine(self, document, ghosts):
        """Docker keeps a name for good when its container was renamed while it was removed; another
        stands in for it then. Labels tell what a container is."""
        there = self.node.containers()
        found = {}
        for own, container in there.items():
            labels = container["Config"]["Labels"]
            name = self.node.name(labels["io.bellbuoy.service"], labels["io.bellbuoy.number"])
            assert own == name or (name in ghosts and own.startswith(f"{name}.")), (own, ghosts)
            found[name] = container
        assert len(found) == len(there)
        wanted = {self.node.name(name, number): service
                  for name, service in document["services"].items()
                  for number in range(1, service["scale"] + 1)}
        assert set(found) == set(wanted)
        assert self.node.networks() == {f"{self.node.project}_{name}" for name in document["networks"]}
        for name, service in wanted.items():
            container = found[name]
            assert container["State"]["Running"], name
            assert f"VALUE={service['environment']['VALUE']}" in container["Config"]["Env"]
            assert container["HostConfig"]["Memory"] == int(service["mem_limit"][:-1]) << 20
            assert container["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
            attached = set(container["NetworkSettings"]["Networks"])
            assert attached == ({f"{self.node.project}_{network}" for network in service["networks"]}
                                if "networks" in service else {"none"})
        assert not [name for name in there if LEFTOVER.search(name)]


class World:
    """A node, and beside it a container that is not its own although it looks so."""

    def __init__(self, lab, broker, docker, images):
        self.node = Node(lab, broker, docker, images)
        self.stranger = docker.run(images.one, options=[
            "--label", f"{LABEL_PROJECT}={self.node.project}", "--label", "io.bellbuoy.service=a"])

    def close(self):
        self.node.engine.rm(self.stranger)
        self.node.close()

    def run(self, seed):
        sequence = Sequence(self.node, seed)

        def holds():
            sequence.check()
            assert self.node.plan() == []
            sequence.check()
            return True

        try:
            sequence.run()
            eventually(holds, 60, message="the node is as the last good document says")
            (found,) = self.node.engine.inspect(self.stranger)
            assert found["State"]["Running"] and found["RestartCount"] == 0
        except AssertionError as error:
            steps = "\n".join(sequence.done)
            log = self.node.manager.log_tail()
            raise AssertionError(f"--model-seed {seed}:\n{steps}\n{error}\n{log}") from error


@pytest.mark.timeout(600)
def test_it_converges_whatever_happens(module_lab, docker, images, model_seeds):
    world = World(module_lab, module_lab.broker(), docker, images)
    try:
        for seed in model_seeds:
            world.run(seed)
    finally:
        world.close()
