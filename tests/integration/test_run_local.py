"""scripts/run-local.sh: one machine, one command."""

import os
import re
import signal
import stat
import uuid
from pathlib import Path

import pytest

from harness import (
    BUILD_DIR, HOST, ROOT, Api, Process, SseStream, accepts, eventually, free_port, run_once,
    wait_for_saved_session,
)
from harness.engine import need_engine

RUN_LOCAL = ROOT / "scripts" / "run-local.sh"
# Without a manager: those here would all be one node of one engine.
ENV = {"BELLBUOY_BUILD_DIR": str(BUILD_DIR), "DOCKER_HOST": "none"}


class RunLocal(Process):
    """The script with a data folder and a port of its own, on the binaries under test."""

    def __init__(self, folder, name="run-local", data_dir=None, port=None, options=(), env=None):
        self.data_dir = data_dir or folder / f"{name} data"
        self.port = port or free_port()
        self.argv_base = [RUN_LOCAL, "--no-build", "--port", self.port, "--data-dir", self.data_dir]
        super().__init__(name, [*self.argv_base, *options], folder, {**ENV, **(env or {})})

    def start(self):
        self.launch()
        self.wait_for_log("Bellbuoy is ready", timeout_s=60)
        return self

    @property
    def api(self):
        return Api(f"http://{HOST}:{self.port}")

    def services(self):
        """{name of the program: pid}; the script's other children copy the logs."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                argv = path.read_bytes().decode().split("\0")
                parent = path.with_name("stat").read_text().rpartition(") ")[2].split()[1]
            except OSError:
                continue
            if int(parent) == self.pid and Path(argv[0]).name != "bash":
                found[Path(argv[0]).name] = int(path.parent.name)
        return found


@pytest.fixture
def run_local(lab):
    """run_local(options...) -> a started RunLocal; all that it has started is gone at the end."""
    started = []

    def start(**arguments):
        name = f"run-local-{len(started) + 1}"
        started.append(RunLocal(lab.folder, name, **arguments))
        lab.processes.append(started[-1])
        return started[-1].start()

    yield start
    for one in started:
        services = one.services()
        one.terminate(timeout_s=20)
        for pid in services.values():
            assert not Path(f"/proc/{pid}").exists(), f"{services} outlived the script"


def test_the_first_message_arrives(run_local):
    one = run_local()
    with SseStream(HOST, one.port, after(one)) as stream:
        event = stream.next_event().json
    assert event["data"]["text"] == "Hello world"
    assert sorted(one.services()) == ["broadcaster", "mosquitto", "receiver"]


def test_where_an_engine_answers_a_manager_makes_containers(run_local, tmp_path):
    """By the very command that is printed; they run on when the script has ended."""
    engine = need_engine()
    one = run_local(env={"DOCKER_HOST": f"unix://{engine.socket}"})
    assert "manager" in one.services()
    image, project = f"bellbuoy-test/run-local:{uuid.uuid4().hex[:8]}", f"p{uuid.uuid4().hex[:8]}"
    engine.tiny_image(image)
    compose = tmp_path / "compose.yaml"
    compose.write_text(f"name: {project}\nservices:\n  web: {{image: '{image}', x-bellbuoy: {{minUptime: 1s}}}}\n")
    command = re.search(r"Containers +(\S*buoyctl .*) compose.yaml$", one.log_text(), re.M)[1].split()
    try:
        done = run_once(*command, compose)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the manager's containers run on" in one.log_text()
        one.terminate(timeout_s=20)
        (found,) = engine.containers(project).values()
        assert found["State"]["Running"]
    finally:
        engine.remove_project(project)
        engine.remove_image(image)


def test_without_an_engine_it_says_so(run_local, tmp_path):
    one = run_local(env={"DOCKER_HOST": f"unix://{tmp_path}/nosuch.sock"})
    assert "manager" not in one.services()
    assert f"no manager: there is no Docker engine at {tmp_path}/nosuch.sock" in one.log_text()


def after(one):
    """Query of a stream that starts with the first event kept."""
    epoch = one.api.cursor().split("-")[0]
    return f"after={epoch}-0"


def test_ctrl_c_ends_it_and_the_history_stays(run_local):
    one = run_local(options=["--profile", "events", "--sources", "3"])
    eventually(lambda: len(one.api.events()) > 3)
    first = one.api.all_events(limit=3)[0]["cursor"]
    one.signal(signal.SIGINT)
    one.expect_exit(0, timeout_s=20)
    assert not accepts(one.port)
    one.start()
    assert one.api.all_events()[0]["cursor"] == first


def test_reset_forgets_the_history(run_local):
    one = run_local(options=["--profile", "events"])
    epoch = one.api.cursor().split("-")[0]
    eventually(one.api.events)
    one.terminate(timeout_s=20)
    one.argv += ["--reset"]
    one.start()
    assert one.api.cursor().split("-")[0] != epoch


def test_several_profiles_are_several_sources(run_local):
    one = run_local(options=["--profile", "hello,events"])
    kinds = eventually(lambda: {s["last_type"] for s in one.api.sources().values()} >= {
        "bellbuoy.hello.v1", "bellbuoy.event.v1"})
    assert kinds
    assert len(one.api.sources()) == 2


def test_a_killed_service_is_started_again_and_nothing_is_lost(run_local):
    one = run_local(options=["--profile", "events"])
    wait_for_saved_session(one.data_dir / "broker")
    for program in ("receiver", "mosquitto", "broadcaster"):
        killed = one.services()[program]
        os.kill(killed, signal.SIGKILL)
        one.wait_for_log(rf"\(process {killed}\) ended unexpectedly")
        count = eventually(lambda: one.api.stats()["journal"]["events"])
        eventually(lambda seen=count: one.api.stats()["journal"]["events"] > seen + 5, timeout_s=30)
    # A second life of the broadcaster is a second boot: each is contiguous by itself.
    assert eventually(lambda: one.api.stats()["totals"]["missing"] == 0, timeout_s=30)


def test_two_that_die_at_once_are_both_started_again(run_local):
    one = run_local()
    killed = [one.services()[program] for program in ("receiver", "broadcaster")]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    for pid in killed:
        one.wait_for_log(rf"\(process {pid}\) ended unexpectedly")
    eventually(lambda: {"receiver", "broadcaster"} <= one.services().keys())


def test_two_run_side_by_side(run_local):
    first, second = run_local(), run_local()
    assert first.api.cursor().split("-")[0] != second.api.cursor().split("-")[0]


def test_a_second_on_the_same_folder_is_refused(run_local, tmp_path):
    one = run_local()
    answer = run_once(RUN_LOCAL, "--no-build", "--port", free_port(), "--data-dir", one.data_dir,
                      env=ENV)
    assert answer.returncode == 1
    assert f"in use by another run (process {one.pid})" in answer.stderr
    assert "--data-dir" in answer.stderr


def test_a_port_in_use_names_its_process(run_local, tmp_path):
    one = run_local()
    answer = run_once(RUN_LOCAL, "--no-build", "--port", one.port, "--data-dir", tmp_path / "other",
                      env=ENV)
    assert answer.returncode == 1
    assert f"port {one.port} is in use by process {one.services()['receiver']}" in answer.stderr
    assert f"--port {one.port + 1}" in answer.stderr


def test_the_token_is_private_and_opens_the_way_back(run_local):
    one = run_local()
    path = one.data_dir / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    # Ready is who serves and stores; the client that sends connects about then.
    eventually(lambda: one.api.post_event({"text": "Hello crew"}, token=token).status_code == 202)


@pytest.mark.parametrize("option, value, complaint", [
    ("--port", "70000", "from 1 to 65535"),
    ("--port", "x", "from 1 to 65535"),
    ("--sources", "0", "from 1 to 10000"),
    ("--profile", "bye", "hello, events or charger, not 'bye'"),
    ("--colour", "red", "unknown option '--colour'"),
])
def test_a_wrong_option_is_named(option, value, complaint):
    answer = run_once(RUN_LOCAL, option, value)
    assert answer.returncode == 2
    assert complaint in answer.stderr


def test_an_option_without_its_value(tmp_path):
    answer = run_once(RUN_LOCAL, "--data-dir")
    assert answer.returncode == 2
    assert "--data-dir needs a value" in answer.stderr
