"""The manager on a real engine, with what publishes its documents and reads its reports.

    def test_a_service_runs(node):
        node.apply({"web": node.service()})
        assert node.running() == {node.name("web")}
"""

import copy
import json
import re
import tempfile
import threading
import uuid
from pathlib import Path

from .engine import LABEL_PROJECT
from .engine_proxy import EngineProxy
from .mqtt import MqttClient
from .paths import BUILD_DIR
from .process import Process
from .services import flags, login_flags
from .waiting import PATIENCE_S, eventually

MANAGER = BUILD_DIR / "manager" / "manager"
LABEL_NODE = "io.bellbuoy.node"
LEFTOVER = re.compile(r"\.(new|old)-\d+")

#: What ends at SIGTERM at once: as its container's first process a shell would not hear it.
AT_ONCE = "STOPSIGNAL SIGKILL"


class Manager(Process):
    """One manager; what it is told stays in its state directory over restarts."""

    def __init__(self, folder, broker, node, socket, name="manager", env=None, **options):
        self.node = node
        self.state_dir = folder / name / "state"
        self.state_dir.parent.mkdir(parents=True, exist_ok=True)
        self._options = {**login_flags(broker), "node": node, "state_dir": self.state_dir,
                         "docker_socket": socket, "admin_address": "", "log_level": "debug",
                         **options}
        super().__init__(name, [], folder, env)

    def set_options(self, **options):
        """Changes flags for the next start."""
        self._options.update(options)
        return self

    def start(self):
        self.argv = [str(MANAGER), *flags(**self._options)]
        return self.launch()


class Images:
    """Tiny images of one session: `one` and `two` differ."""

    def __init__(self, engine):
        self._engine = engine
        self._tag = uuid.uuid4().hex[:8]
        self._made = []
        self.one = self.make("one")
        self.two = self.make("two")

    def make(self, text, changes=()):
        name = f"bellbuoy-test/{text}:{self._tag}"
        self._engine.tiny_image(name, [AT_ONCE, *changes], text)
        self._made.append(name)
        return name

    def unique(self):
        """A name for an image that a test makes and tags by itself."""
        name = f"bellbuoy-test/own-{uuid.uuid4().hex[:8]}:1"
        self._made.append(name)
        return name

    def close(self):
        self._engine.remove_image(*self._made)


class Node:
    """One node with one project of its own (more may be published): a manager behind a proxy, its
    reports, commands to it. `engine` is asked directly, never through the proxy."""

    def __init__(self, lab, broker, engine, images, node=None, start=True, **options):
        self.node = node or f"test-{uuid.uuid4().hex[:10]}"
        self.level = self.node.replace(".", "_")
        self.project = f"p{uuid.uuid4().hex[:8]}"
        self.lab, self.broker, self.engine, self.images = lab, broker, engine, images
        self.revision = 0
        # A path of its own: a socket's may have 107 bytes only.
        self._folder = tempfile.TemporaryDirectory(prefix="bb-")
        self.proxy = EngineProxy(Path(self._folder.name), engine.socket).start()
        self.reports = []
        self.presences = []
        self.progress = []
        self._answers = {}
        self._session = 0
        self._client = None
        self._others = set()
        self.client_id = f"test-{uuid.uuid4().hex[:12]}"
        self.manager = Manager(lab.folder, broker, self.node, self.proxy.socket,
                               name=f"manager-{self.node}", **options)
        lab.processes.append(self.manager)
        self.connect()
        if start:
            self.start()

    # ---- the process

    def start(self):
        """Starts the manager, and waits until it is heard."""
        self.manager.start()
        self.wait_online()
        return self

    def wait_online(self):
        def online():
            assert self.manager.running, f"the manager ended\n{self.manager.log_tail()}"
            return any(p["online"] and p["session"] > self._session for p in self.presences)

        eventually(online, message=f"{self.node} is online")
        self._session = max(p["session"] for p in self.presences if p["online"]) - 1

    def forget_session(self):
        """What was reported until now is of an earlier session."""
        self._session += 1

    def restart(self, kill=False):
        """Ends it and starts it again; reports of before no longer count."""
        if kill:
            self.manager.kill()
        else:
            self.manager.terminate()
        self.forget_session()
        return self.start()

    def stop(self, kill=False):
        if kill:
            self.manager.kill()
        else:
            self.manager.terminate()
        self.forget_session()

    def close(self):
        """Ends all and removes all that the manager has made."""
        if self._client:
            self._client.close()
        self.lab.processes.remove(self.manager)
        problems = self.manager.close()
        self.remove_objects()
        try:
            self.proxy.close()
        finally:
            self._folder.cleanup()
        assert not problems, "\n".join([*problems, self.manager.log_tail(80)])

    def remove_objects(self):
        self.engine.rm(*self.engine.ids(f"label={LABEL_NODE}={self.node}"))
        for kind in ("network", "volume"):
            names = self.engine.docker(kind, "ls", "--quiet", "--filter",
                                       f"label={LABEL_NODE}={self.node}").split()
            if names:
                self.engine.docker(kind, "rm", *names, check=False)

    # ---- documents

    def service(self, command=None, image=None, uptime="0s", policy=None, **members):
        """A service that runs until it is stopped: {"image": ..., ...}. Off the networks, which take
        the engine longest, unless members say otherwise."""
        service = {"image": image or self.images.one,
                   "x-bellbuoy": {"minUptime": uptime, **(policy or {})}, **members}
        if command is not None:
            service["command"] = ["sh", "-c", command] if isinstance(command, str) else command
        if "networks" not in members and "ports" not in members:
            service.setdefault("network_mode", "none")
        return service

    def document(self, services, revision=None, **members):
        """A document with the next revision, or that one; a member None is left out."""
        self.revision = revision or self.revision + 1
        document = {"apiVersion": "bellbuoy/v1", "revision": self.revision, "project": self.project,
                    "services": copy.deepcopy(services), **members}
        return {key: value for key, value in document.items() if value is not None}

    def publish(self, document, project=None, group=None):
        """A document, text, or bytes, retained. Returns the document."""
        payload = json.dumps(document) if isinstance(document, dict) else document
        self._client.publish(self.topic(project, group), payload, retain=True)
        return document

    def topic(self, project=None, group=None):
        place = f"groups/{group}" if group else f"nodes/{self.level}"
        return f"bellbuoy/{place}/desired/{project or self.project}"

    def offer(self, services, **members):
        """Publishes the next revision."""
        return self.publish(self.document(services, **members))

    def apply(self, services, timeout_s=PATIENCE_S, **members):
        """Publishes the next revision, and waits until it is done; the project's report."""
        return self.wait_converged(self.offer(services, **members)["revision"], timeout_s=timeout_s)

    # ---- reports

    @property
    def report(self):
        """The last of this session."""
        found = [report for report in self.reports[-20:] if report["session"] > self._session]
        return found[-1] if found else None

    def project_report(self, project=None):
        report = self.report or {"projects": {}}
        return report["projects"].get(project or self.project)

    def wait(self, condition, message="", project=None, timeout_s=PATIENCE_S):
        """Waits until condition(report of the project) is true; that report."""

        def holds():
            assert self.manager.running, f"the manager ended\n{self.manager.log_tail()}"
            found = self.project_report(project)
            assert found and condition(found), json.dumps(found, indent=1)
            return found

        return eventually(holds, timeout_s, message=f"{self.node} reports {message}")

    def wait_converged(self, revision=None, phase="COMPLETED", project=None, timeout_s=PATIENCE_S):
        """That revision runs, and all is as it says."""
        return self.wait(lambda p: p["converged"] and p["phase"] == phase and
                         (revision is None or p["applied"] and p["applied"]["revision"] == revision),
                         f"{phase} with revision {revision} applied", project, timeout_s)

    def wait_phase(self, phase, revision=None, **options):
        return self.wait(lambda p: p["phase"] == phase and
                         (revision is None or p["desired"]["revision"] == revision), phase, **options)

    def wait_reason(self, code, **options):
        return self.wait(lambda p: p["reason"] and p["reason"]["code"] == code,
                         f"the reason {code}", **options)

    def wait_rolled_back(self, applied=None, code=None, **options):
        """The last good revision is back, and the reason for it is told."""
        found = self.wait_converged(applied, "ROLLED_BACK", **options)
        if code:
            assert found["reason"]["code"] == code, found["reason"]
        return found

    # ---- the broker

    def connect(self):
        """Hears the node; again after a broker has lost its sessions."""
        if self._client:
            self._client.close()
        self._client = MqttClient(self.broker)
        self._client._client.on_message = lambda _c, _u, message: self._take(message)
        for topic in (f"bellbuoy/nodes/{self.level}/reported", f"bellbuoy/nodes/{self.level}/presence",
                      f"bellbuoy/nodes/{self.level}/progress", f"bellbuoy/reply/{self.client_id}"):
            self._client.subscribe(topic)

    def _take(self, message):
        if not message.payload:
            return
        content = json.loads(message.payload)
        kind = message.topic.rpartition("/")[2]
        if kind == "reported":
            self.reports.append(content)
        elif kind == "presence":
            self.presences.append(content)
        elif kind == "progress":
            self.progress.append(content)
        else:
            self._answers[content["correlation_id"]] = content

    def send(self, method, params=None, **members):
        """A command; the id by which it is answered."""
        one = uuid.uuid4().hex[:8]
        command = {"jsonrpc": "2.0", "id": one, "method": method, "correlation_id": one,
                   "reply_to": f"bellbuoy/reply/{self.client_id}", "params": params or {}, **members}
        self._client.publish(f"bellbuoy/nodes/{self.level}/command", command)
        return one

    def wait_heard(self):
        """Waits until it is back at a broker that was away: what comes before is lost."""

        def heard():
            one = self.send("status")
            return eventually(lambda: self._answers.pop(one, None), 1)

        eventually(heard, message=f"{self.node} answers again")

    def answer(self, one):
        return eventually(lambda: self._answers.pop(one, None), message=f"{self.node} answers")

    def call(self, method, **params):
        """The result of a command about this node's project."""
        answer = self.answer(self.send(method, {"project": self.project, **params}))
        assert "result" in answer, answer
        return answer["result"]

    def call_error(self, method, **params):
        answer = self.answer(self.send(method, {"project": self.project, **params}))
        assert "error" in answer, answer
        return answer["error"]

    def plan(self, **params):
        """What would be done: the operations' texts."""
        return [op["text"] for op in self.call("plan", **params)["operations"]]

    # ---- the engine

    def name(self, service, number=1, project=None):
        return f"{project or self.project}-{service}-{number}"

    def containers(self):
        """All that this node's manager has made, by name: what inspect says."""
        found = self.engine.inspect(*self.engine.ids(f"label={LABEL_NODE}={self.node}"))
        return {container["Name"].lstrip("/"): container for container in found}

    def names(self):
        return set(self.engine.docker("ps", "--all", "--filter", f"label={LABEL_NODE}={self.node}",
                                      "--format", "{{.Names}}").split())

    def running(self):
        return set(self.engine.docker("ps", "--filter", f"label={LABEL_NODE}={self.node}",
                                      "--filter", "status=running", "--format", "{{.Names}}").split())

    def container(self, service, number=1):
        """What inspect says of it; LookupError without one."""
        return self.engine.inspect(self.name(service, number))[0]

    def id(self, service, number=1):
        return self.container(service, number)["Id"]

    def networks(self):
        return set(self.engine.docker("network", "ls", "--filter", f"label={LABEL_PROJECT}={self.project}",
                                      "--format", "{{.Name}}").split())

    def volumes(self):
        return set(self.engine.docker("volume", "ls", "--filter", f"label={LABEL_PROJECT}={self.project}",
                                      "--format", "{{.Name}}").split())

    def assert_runs_only(self, *services):
        """Exactly these run, and nothing else of ours is there."""
        wanted = {self.name(*service) if isinstance(service, tuple) else self.name(service)
                  for service in services}
        assert self.names() == wanted
        assert self.running() == wanted


class KillAtWrite:
    """Kills a manager before or after its n-th write to the engine; `done` once it has."""

    def __init__(self, node, number, before):
        self.node, self.number, self.before = node, number, before
        self.done = threading.Event()
        node.proxy.forget()
        node.proxy.before_write = self._before
        node.proxy.after_write = self._after

    def _before(self, number, _request):
        """False: the engine never sees it. Neither does it see what comes after the kill."""
        if self.before and number == self.number:
            self._kill()
        return not self.done.is_set()

    def _after(self, number, _request):
        if not self.before and number == self.number:
            self._kill()

    def _kill(self):
        self.node.manager.kill()
        self.done.set()

    def clear(self):
        self.node.proxy.before_write = self.node.proxy.after_write = None
