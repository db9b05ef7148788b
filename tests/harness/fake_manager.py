"""A manager that says what a test tells it to: for what a real one cannot be made to show.

    with FakeManager(broker, "press-7") as node:
        node.complete_all()                     # every document that comes converges at once
        node.answer("history", {"revisions": []})
"""

import json
from datetime import datetime, timezone

from .mqtt import MqttClient
from .waiting import eventually


def _now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def service(image="registry/app:1", state="running", health="healthy", desired=1, running=1):
    """A service as a report has it."""
    return {"image": image, "state": state, "health": health, "restarts": 0, "containers": [],
            "replicas": {"desired": desired, "running": running}}


class FakeManager:
    """One node: publishes presence and reports, keeps the commands that it got, answers them."""

    def __init__(self, broker, node, session=12, groups=(), online=True):
        self.node = node
        self.level = node.replace(".", "_")
        self.session = session
        self.groups = [{"name": name, "priority": priority} for name, priority in groups]
        self.projects = {}
        self.documents = []
        self.commands = []
        self._answers = {}
        self._on_document = lambda document, origin: None
        self._client = MqttClient(broker)
        self._client._client.on_message = lambda _c, _u, message: self._take(message)
        self._client.subscribe(f"bellbuoy/nodes/{self.level}/desired/+")
        for name, _ in groups:
            self._client.subscribe(f"bellbuoy/groups/{name}/desired/+")
        self._client.subscribe(f"bellbuoy/nodes/{self.level}/command")
        if online is not None:
            self.presence(online)
            self.report()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._client.close()

    # ---- what it says ----

    def presence(self, online, session=None):
        self._send("presence", {"node": self.node, "online": online, "version": "0.1.0",
                                "session": session or self.session, "since": _now()}, retain=True)

    def report(self, **members):
        self._send("reported", {
            "node": self.node, "session": self.session, "agent": {"version": "0.1.0"},
            "time": _now(), "groups": self.groups,
            "engine": {"state": "up", "version": "28.5.2", "api": "1.51", "reason": None},
            "projects": self.projects, **members}, retain=True)

    def progress(self, project, revision, phase, done=0, total=0, text="", pulls=()):
        self._send("progress", {"node": self.node, "session": self.session, "project": project,
                                "revision": revision, "phase": phase, "pulls": list(pulls),
                                "step": {"done": done, "total": total, "text": text}})

    def set_project(self, name, revision=1, phase="COMPLETED", **members):
        """What the next report says of a project."""
        applied = members.pop("applied", revision if phase == "COMPLETED" else 0)
        self.projects[name] = {
            "source": "node",
            "desired": {"revision": revision, "id": members.pop("id", ""), "digest": "9f2c",
                        "accepted": members.pop("accepted", True)},
            "applied": {"revision": applied, "digest": "9f2c"},
            "lastGood": {"revision": applied, "digest": "9f2c"},
            "phase": phase, "since": _now(), "attempt": 1, "nextRetry": None, "paused": False,
            "converged": phase == "COMPLETED", "drift": [], "reason": None,
            "services": {"web": service()}, **members}
        return self

    # ---- what it does ----

    def on_document(self, handler):
        """handler(document, source) runs for each document; in the client's thread."""
        self._on_document = handler
        return self

    def end_with(self, phase, **members):
        """Each document ends in that phase at once."""
        def handler(document, source):
            self.set_project(document["project"], document["revision"], phase, id=document["id"],
                             source=source, **members)
            self.report()

        return self.on_document(handler)

    def complete_all(self):
        return self.end_with("COMPLETED")

    def answer(self, method, result=None, error=None):
        """Answers that method from now on; others are not answered at all."""
        self._answers[method] = {"error": error} if error else {"result": result}
        return self

    def wait_for_document(self, count=1):
        return eventually(lambda: len(self.documents) >= count and self.documents[-1],
                          message=f"{self.node} has {count} documents")

    # ---- inside ----

    def _send(self, kind, payload, retain=False):
        # Without waiting for the acknowledgement: a handler may run in the thread that would read it.
        self._client._client.publish(f"bellbuoy/nodes/{self.level}/{kind}", json.dumps(payload), 1,
                                     retain)

    def _take(self, message):
        if message.topic.endswith("/command"):
            self._take_command(json.loads(message.payload))
        elif message.payload:
            document = json.loads(message.payload)
            self.documents.append(document)
            parts = message.topic.split("/")
            self._on_document(document, "node" if parts[1] == "nodes" else f"group:{parts[2]}")

    def _take_command(self, command):
        self.commands.append(command)
        answer = self._answers.get(command["method"])
        if answer is not None:
            self._client._client.publish(command["reply_to"], json.dumps({
                "jsonrpc": "2.0", "id": command["id"], "node": self.node,
                "correlation_id": command["correlation_id"], **answer}), 1)
