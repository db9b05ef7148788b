"""Fixtures of buoyctl's tests: a broker, and nodes that say what a test tells them to."""

import json

import pytest

from harness import BUOYCTL, run_once
from harness.ctl import REASON
from harness.fake_manager import FakeManager, service
from harness.services import flags, login_flags


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No context file of the user's gets in."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def broker(lab):
    return lab.broker()


@pytest.fixture
def nodes(broker):
    """nodes("press-7", ...): fake managers, closed at the end."""
    made = []

    def make(name, **options):
        made.append(FakeManager(broker, name, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ctl(broker):
    """ctl("status", ...): its result."""

    def run(command, *args, connected=True, env=None, timeout_s=30):
        login = flags(**login_flags(broker)) if connected else []
        return run_once(BUOYCTL, command, *args, *login, timeout_s=timeout_s, env=env)

    return run


@pytest.fixture
def document(tmp_path):
    """document(...): a file with a document of those services."""

    def write(services=None, project="line3", **members):
        path = tmp_path / f"{project}.json"
        path.write_text(json.dumps({
            "apiVersion": "bellbuoy/v1", "revision": 1, "project": project,
            "services": {"web": {"image": "registry/app:1"}} if services is None else services,
            **members}))
        return path

    return write


@pytest.fixture
def fleet(nodes):
    """A node that is well, one that is away, one of which only a report is known."""
    well = nodes("press-7").set_project("line3", 7)
    well.report()
    nodes("press-8", online=False)
    unknown = nodes("press.9", online=None).set_project(
        "line3", 8, "STALLED", applied=7, reason=REASON,
        services={"web": service(state="exited", health="none", running=0)})
    unknown.report()
    return well
