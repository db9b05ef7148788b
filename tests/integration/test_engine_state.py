"""The manager's own client of an engine that goes away, hangs, comes back, and cuts its streams."""

import json
import uuid

import pytest

from harness import BUILD_DIR, Process, eventually
from harness.engine import need_engine
from harness.engine_proxy import EngineProxy
from harness.old_engine import old_dockerds

PROBE = BUILD_DIR / "tests" / "unit" / "manager" / "engine_probe"


class Watch(Process):
    """Tells the engine's state and events; lists containers five times a second."""

    def __init__(self, folder, socket):
        super().__init__("watch", [PROBE, socket, "watch"], folder)
        self.launch()

    def said(self):
        return [json.loads(line) for line in self.log_text().splitlines() if line.endswith("}")]

    @property
    def states(self):
        """Without what is told again because of another reason."""
        states = [line["state"] for line in self.said() if "state" in line]
        return [state for state, before in zip(states, [None, *states]) if state != before]

    def wait_for_states(self, *states):
        eventually(lambda: self.states == list(states), message=f"{states}, not {self.states}")

    def reason(self):
        return [line for line in self.said() if line.get("state") == "down"][-1]["reason"]

    def times_ready(self):
        return sum("ready" in line for line in self.said())


@pytest.fixture(scope="module")
def engine():
    return need_engine()


@pytest.fixture
def proxy(engine, tmp_path):
    with EngineProxy(tmp_path, engine.socket) as proxy:
        yield proxy


@pytest.fixture
def watch(proxy, tmp_path):
    watch = Watch(tmp_path, proxy.socket)
    watch.wait_for_states("up")
    eventually(lambda: watch.times_ready() == 1)
    yield watch
    proxy.clear()
    assert watch.close() == []


def test_an_engine_goes_and_comes_back(proxy, watch):
    proxy.stop()
    watch.wait_for_states("up", "down")
    assert "No such file or directory" in watch.reason()
    proxy.start()
    watch.wait_for_states("up", "down", "up")
    eventually(lambda: watch.times_ready() == 2)


def test_an_engine_that_hangs_is_down_until_it_wakes(proxy, watch):
    proxy.hang(".", times=None)
    watch.wait_for_states("up", "down")
    assert watch.reason() == "the engine did not answer within 1000 ms: GET /version"
    proxy.clear()
    watch.wait_for_states("up", "down", "up")


def test_an_engine_that_refuses_now_and_then_stays_up(proxy, watch):
    fault = proxy.refuse("GET /containers/json", times=3)
    eventually(lambda: fault.hits == 3)
    before = len(proxy.requests)
    eventually(lambda: len(proxy.requests) > before + 5)
    assert watch.states == ["up"]


def test_a_cut_stream_of_events_is_asked_for_again(proxy, watch):
    proxy.cut_all("GET /events")
    eventually(lambda: watch.times_ready() == 2)
    assert watch.states == ["up"]


def test_no_event_is_lost_between_two_streams(engine, proxy, watch):
    """What happens after the new request and before the engine subscribes comes from its memory."""
    name = f"bellbuoy-test-{uuid.uuid4().hex[:8]}"
    held = proxy.hang("GET /events")
    proxy.cut_all("GET /events")
    eventually(lambda: held.hits == 1)
    engine.docker("volume", "create", name)
    engine.docker("network", "create", "--label", f"io.bellbuoy.project={name}", name)
    held.release()
    try:
        eventually(lambda: any(line.get("event") == "network create" for line in watch.said()))
    finally:
        engine.docker("network", "rm", name)
        engine.docker("volume", "rm", name)


def test_an_engine_is_restarted(tmp_path):
    with old_dockerds(1) as (dockerd,):
        watch = Watch(tmp_path, dockerd.engine.socket)
        watch.wait_for_states("up")
        dockerd.pause()
        watch.wait_for_states("up", "down")
        assert "did not answer" in watch.reason()
        dockerd.resume()
        watch.wait_for_states("up", "down", "up")
        dockerd.terminate()
        watch.wait_for_states("up", "down", "up", "down")
        dockerd.launch()
        watch.wait_for_states("up", "down", "up", "down", "up")
        eventually(lambda: watch.times_ready() >= 2)
        assert watch.close() == []
