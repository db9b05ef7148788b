"""The manager beside the engine's own calls and `docker compose up`, on the same services."""

import http.client
import json
import shutil
import socket
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from figures import Row, cpu_seconds, median, memory_bytes
from harness import eventually
from harness.engine import LABEL_PROJECT, find_engine
from harness.manager import LABEL_NODE, Manager
from harness.mqtt import MqttClient
from process import Floor

ROUNDS = {1: 18, 10: 9, 50: 6}  # by the number of services: what is short varies more
MOST = max(ROUNDS)
REPAIRS = 3
WORKERS = 8  # as many as the manager has under way
IDLE_S = 30
IMAGE = "bellbuoy-bench/idle:1"


class Connection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def __init__(self, path):
        super().__init__("localhost")
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def call(self, method, path, body=None):
        self.request(method, path, json.dumps(body) if body is not None else None,
                     {"Content-Type": "application/json"})
        answer = self.getresponse()
        text = answer.read()
        assert answer.status < 300, (path, answer.status, text)
        return json.loads(text) if text else {}


class Starts:
    """The engine's word on when containers of a label started."""

    def __init__(self, engine, label):
        self._child = subprocess.Popen(
            ["docker", "--host", engine.host, "events", "--filter", "event=start", "--filter",
             f"label={label}", "--format", "{{.TimeNano}}"], stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)  # docker tells nobody when it has subscribed

    def last_ns(self, count):
        return max(int(self._child.stdout.readline()) for _ in range(count))

    def close(self):
        self._child.terminate()
        self._child.wait()


def services(count):
    return {f"s{i}": {"image": IMAGE, "restart": "unless-stopped", "x-bellbuoy": {"minUptime": "0s"}}
            for i in range(count)}


def engine_alone(engine, count):
    """Milliseconds for a network, and so many containers created and started."""
    label = f"bench={uuid.uuid4().hex}"
    key, value = label.split("=")
    starts = Starts(engine, label)

    def make(i):
        api = Connection(engine.socket)
        made = api.call("POST", f"/containers/create?name={value}-{i}", {
            "Image": IMAGE, "Labels": {key: value},
            "HostConfig": {"NetworkMode": value, "RestartPolicy": {"Name": "unless-stopped"}}})
        api.call("POST", f"/containers/{made['Id']}/start")
        return made["Id"]

    begun = time.time_ns()
    Connection(engine.socket).call("POST", "/networks/create", {"Name": value})
    with ThreadPoolExecutor(WORKERS) as pool:
        made = list(pool.map(make, range(count)))
    taken = (starts.last_ns(count) - begun) / 1e6
    starts.close()
    engine.rm(*made)
    engine.docker("network", "rm", value)
    return taken


def compose(engine, folder, count):
    """Milliseconds until `docker compose up -d` has started them."""
    project = f"bench{uuid.uuid4().hex[:8]}"
    file = folder / f"{project}.json"
    file.write_text(json.dumps({"services": {
        name: {k: v for k, v in service.items() if not k.startswith("x-")}
        for name, service in services(count).items()}}))
    starts = Starts(engine, f"com.docker.compose.project={project}")
    command = ("compose", "--project-name", project, "--file", file)
    begun = time.time_ns()
    engine.docker(*command, "up", "--detach", timeout_s=300)
    taken = (starts.last_ns(count) - begun) / 1e6
    starts.close()
    engine.docker(*command, "down", "--timeout", "0", timeout_s=300)
    return taken


class Bench:
    """A manager on the engine itself, and what it is told."""

    def __init__(self, lab, engine):
        self.engine = engine
        self.broker = lab.broker()
        self.node = f"bench-{uuid.uuid4().hex[:8]}"
        self.project = f"p{uuid.uuid4().hex[:8]}"
        self.revision = 0
        self.report = {}
        self.manager = Manager(lab.folder, self.broker, self.node, engine.socket, log_level="info")
        lab.processes.append(self.manager)
        self.client = MqttClient(self.broker, f"bench-{uuid.uuid4().hex[:8]}")
        self.client.subscribe(f"bellbuoy/nodes/{self.node}/reported")
        self.manager.start()
        eventually(lambda: self.state().get("node"), 20)

    def state(self):
        if self.client.messages:
            self.report = json.loads(self.client.messages[-1].payload)
        return self.report

    def publish(self, wanted):
        self.revision += 1
        document = {"apiVersion": "bellbuoy/v1", "revision": self.revision, "project": self.project,
                    "policy": {"allowEmpty": True}, "services": wanted}
        self.client.publish(f"bellbuoy/nodes/{self.node}/desired/{self.project}",
                            document, retain=True)

    def converged(self):
        project = self.state().get("projects", {}).get(self.project, {})
        return (project.get("phase") == "COMPLETED" and project.get("converged")
                and (project.get("applied") or {}).get("revision") == self.revision)

    def settle(self):
        eventually(self.converged, 120)

    def apply(self, count):
        """Milliseconds from the publish to the last start."""
        starts = Starts(self.engine, f"{LABEL_PROJECT}={self.project}")
        begun = time.time_ns()
        self.publish(services(count))
        taken = (starts.last_ns(count) - begun) / 1e6
        starts.close()
        self.settle()
        return taken

    def clear(self):
        self.publish({})
        self.settle()

    def repair(self):
        """Milliseconds from a container's removal to the start of its successor."""
        starts = Starts(self.engine, f"{LABEL_NODE}={self.node}")
        begun = time.time_ns()
        self.engine.rm(f"{self.project}-s0-1")
        taken = (starts.last_ns(1) - begun) / 1e6
        starts.close()
        eventually(lambda: self.state()["projects"][self.project]["converged"], 30)
        return taken

    def remove_alone(self):
        """The engine's own time for the same: remove, create, start."""
        label = f"bench={uuid.uuid4().hex}"
        name = label.split("=")[1]
        self.engine.run(IMAGE, options=("--name", name))
        starts = Starts(self.engine, label)
        begun = time.time_ns()
        self.engine.rm(name)
        self.engine.run(IMAGE, options=("--name", name, "--label", label))
        taken = (starts.last_ns(1) - begun) / 1e6
        starts.close()
        self.engine.rm(name)
        return taken

    def writes(self):
        return self.state()["counters"]["engineWrites"]


def has_compose(engine):
    return shutil.which("docker") and engine.docker("compose", "version", check=False).returncode == 0


def apply_and_clear(bench, count):
    taken = bench.apply(count)
    bench.clear()
    return taken


def measure_applies(bench, folder, quick):
    ways = {"ours": lambda count: apply_and_clear(bench, count),
            "alone": lambda count: engine_alone(bench.engine, count)}
    if has_compose(bench.engine):
        ways["compose"] = lambda count: compose(bench.engine, folder, count)
    rows = []
    for count, rounds in ROUNDS.items():
        times = {way: [] for way in ways}
        for turn in range(1 if quick else rounds):
            # The kernel is still busy with the networks of the one before: each goes first as often.
            order = list(ways)[turn % len(ways):] + list(ways)[:turn % len(ways)]
            for way in order:
                times[way].append(ways[way](count))
        name, ours = f"desired state to {count} running", median(times["ours"])
        rows.append(Row(name, ours, "ms", "the engine's own create and start", median(times["alone"]),
                        "1.1"))
        if "compose" in times:
            rows.append(Row(name, ours, "ms", "docker compose up -d", median(times["compose"]), "faster"))
    return rows


def measure_steady(bench, quick):
    """With containers running: a republish, a removal, memory, CPU."""
    bench.apply(MOST)
    before = bench.writes()
    bench.publish(services(MOST))
    bench.settle()
    rows = [Row("engine writes of a republish", bench.writes() - before, "", budget="0")]
    repairs = [bench.repair() for _ in range(1 if quick else REPAIRS)]
    alone = [bench.remove_alone() for _ in repairs]
    rows.append(Row("docker rm -f to running again", median(repairs), "ms", "the engine's own",
                    median(alone), "+1,000 ms"))
    bench.settle()
    pid = bench.manager.pid
    cpu = cpu_seconds(pid)
    seconds = 3 if quick else IDLE_S
    time.sleep(seconds)
    cpu = (cpu_seconds(pid) - cpu) / seconds * 100
    rows.append(Row(f"idle CPU, {MOST} containers", cpu, "%", budget="0.1 %"))
    rows.append(Row(f"idle Pss, {MOST} containers", memory_bytes(pid) / 1e6, "MB"))
    return rows


def measure(lab, quick):
    engine = find_engine()
    if not engine:
        print("manager: skipped, no Docker engine answers")
        return []
    engine.tiny_image(IMAGE, ["STOPSIGNAL SIGKILL"])
    bench = Bench(lab, engine)
    try:
        # The floor stays to the end: what it shares with the manager counts half for each.
        with Floor("manager") as floor:
            idle = Row("idle Pss of the manager", memory_bytes(bench.manager.pid) / 1e6, "MB",
                       "its libraries alone", memory_bytes(floor) / 1e6, "1.3")
            rows = [idle, *measure_applies(bench, lab.folder, quick)]
            rows += measure_steady(bench, quick)
        rows[-1].peer, rows[-1].peer_value, rows[-1].budget = "without", idle.value, "+3 MB"
        return rows
    finally:
        bench.manager.terminate()
        engine.remove_project(bench.project)
        engine.remove_image(IMAGE)
