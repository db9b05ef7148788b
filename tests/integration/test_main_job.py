"""The main job: Hello world from the broadcaster through the broker and the receiver to a stream."""

import pytest

from harness import eventually

pytestmark = pytest.mark.tsan


def test_hello_world_arrives_at_random_moments(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with receiver.stream() as stream:
        lab.broadcaster(broker, source="press-7")
        first, second = (frame.json for frame in stream.collect(2))
    assert first["data"]["text"] == "Hello world"
    assert first["source"] == "/machines/press-7"
    assert 1000 <= first["data"]["next_in_ms"] <= 10000
    assert abs(second["intervalms"] - first["data"]["next_in_ms"]) < 1000
    # A third may have come by now.
    assert [event["cursor"] for event in receiver.api.all_events()[:2]] == [
        first["cursor"], second["cursor"]]


def test_every_profile_arrives_with_its_type(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    lab.broadcaster(broker, name="cameras", profile="events", period_ms=20)
    lab.broadcaster(broker, name="ev", profile="charger", session_period_ms=100)
    lab.broadcaster(broker, name="press", profile="hello", rate=10)
    for kind in ("hello", "event", "session"):
        eventually(lambda kind=kind: receiver.api.events(type=kind))
    reading = eventually(lambda: receiver.api.get("readings")["readings"])[0]
    assert reading["energy_delivered_in_kwh"] > 0 and reading["session_cost_in_cents"] > 0
    # Left out of the counts: what is under way. Nothing is quarantined of what we send ourselves.
    assert receiver.api.stats()["totals"]["quarantined"] == 0


def test_many_sources_keep_sequences_of_their_own(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    lab.broadcaster(broker, source="press", sources=50, rate=1000)
    eventually(lambda: receiver.api.stats()["totals"]["stored"] >= 2000, 30)
    sources = receiver.api.sources()
    assert len(sources) == 50
    assert all(one["missing"] == 0 and one["color"] for one in sources.values())


def test_history_stays_over_a_restart(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    broadcaster = lab.broadcaster(broker, rate=200)
    eventually(lambda: receiver.api.stats()["totals"]["stored"] >= 100)
    broadcaster.terminate()
    expected = {line.id for line in broadcaster.ledger()}
    eventually(lambda: {event["id"] for event in receiver.api.all_events()} == expected)
    before = receiver.api.all_events()
    receiver.restart()
    assert receiver.api.all_events() == before
