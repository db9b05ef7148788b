"""Messages of managers about their nodes, in the form of docs/nodes.md."""

from . import events

PREFIX = "bellbuoy/nodes"


def topic(node, kind):
    """bellbuoy/nodes/press-7/reported"""
    return f"{PREFIX}/{node.replace('.', '_')}/{kind}"


def presence(node, online=True, session=1, **members):
    return {"node": node, "online": online, "session": session, "since": events.now(),
            "version": "0.1.0", **members}


def service(state="running", health="healthy", image="registry/app:1.4", desired=1, **members):
    return {"image": image, "state": state, "health": health, "restarts": 0, "containers": [],
            "replicas": {"desired": desired, "running": desired if state == "running" else 0},
            **members}


def project(revision=1, phase="COMPLETED", **members):
    done = {"revision": revision, "digest": f"{revision:012x}"}
    return {"source": "node", "desired": {**done, "id": f"id-{revision}", "accepted": True},
            "applied": done, "lastGood": done, "phase": phase, "since": events.now(), "attempt": 1,
            "nextRetry": None, "paused": False, "converged": phase == "COMPLETED", "drift": [],
            "reason": None, "services": {"web": service()}, **members}


def report(node, session=1, projects=None, **members):
    return {"node": node, "session": session, "agent": {"version": "0.1.0"}, "time": events.now(),
            "groups": [], "engine": {"state": "up", "version": "28.5.2", "api": "1.51",
                                     "reason": None},
            "disk": {"free": 12884901888, "total": 53687091200},
            "counters": {"engineWrites": 12, "applies": 3, "rollbacks": 0},
            "projects": {"line3": project()} if projects is None else projects, **members}


def progress(node, session=1, project="line3", revision=2, phase="DOWNLOADING", done=3, total=9,
             text="pulling", pulls=()):
    return {"node": node, "session": session, "project": project, "revision": revision,
            "phase": phase, "step": {"done": done, "total": total, "text": text},
            "pulls": list(pulls)}
