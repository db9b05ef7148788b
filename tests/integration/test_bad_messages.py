"""Messages that a stranger sends: what cannot be understood is kept aside, and the line goes on."""

import json

import pytest

from harness import MqttClient, eventually, events


@pytest.fixture(scope="module")
def line(module_lab):
    """A broker, a receiver and a machine; each test uses a source of its own."""
    broker = module_lab.broker()
    receiver = module_lab.receiver(broker)
    with MqttClient(broker) as machine:
        yield receiver, machine


def without(name):
    event = events.hello()
    del event[name]
    return event


def nested(depth):
    return b'{"data":' + b"[" * depth + b"]" * depth + b"}"


QUARANTINED = {
    "empty": (b"", "empty"),
    "text": (b"Hello world", "JSON"),
    "cut short": (b'{"specversion":"1.0","id":', "JSON"),
    "not UTF-8": (b'{"text":"\xff\xfe"}', "UTF-8"),
    "NUL byte": (b'{"text":"a\x00b"}', ""),
    "escaped NUL": (b'{"text":"a\\u0000b"}', "u0000"),
    "lone surrogate": (b'{"text":"\\ud800"}', "surrogate"),
    "too deep": (nested(100000), "nesting deeper"),
    "duplicate name": (b'{"a":1,"b":2,"a":3}', "a"),
    "number beyond double": (b'{"n":1e999}', "number"),
    "two values": (b"{} {}", ""),
    "too large": (b'{"text":"' + b"x" * 300000 + b'"}', "262144"),
    "no id": (without("id"), "id"),
    "no source": (without("source"), "source"),
    "no type": (without("type"), "type"),
    "empty id": (events.hello(id=""), "id"),
    "version 2": (events.hello(specversion="2.0"), "specversion"),
    "id is a number": (events.hello(id=7), "id"),
    "time is no time": (events.hello(time="yesterday"), "time"),
    "data and data_base64": (events.hello(data_base64="AAAA"), "data_base64"),
    "hello without text": ({**events.hello(), "data": {"color": "#2f81f7"}}, "text"),
    "criticality is text": ({**events.event(), "data": {
        "criticality": "high", "timestamp": events.now(), "eventMessage": "x"}}, "criticality"),
}


@pytest.mark.parametrize("what", QUARANTINED)
def test_what_cannot_be_understood_is_kept_aside(line, what):
    receiver, machine = line
    payload, reason = QUARANTINED[what]
    topic = f"bellbuoy/events/{what.replace(' ', '-')}/hello"
    machine.publish(topic, payload)
    row = eventually(lambda: next(
        (one for one in receiver.api.quarantine(limit=1000) if one["topic"] == topic), None))
    assert reason.lower() in row["reason"].lower(), row["reason"]
    sent = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    assert row["size_bytes"] in (len(sent), 262144), row


def test_the_line_goes_on_after_poison(line):
    receiver, machine = line
    machine.publish(events.topic("after"), b"\xff\xff")
    machine.publish(events.topic("after"), events.hello(source="after"))
    stored = eventually(lambda: receiver.api.events(source="after"))
    assert stored[0]["data"]["text"] == "Hello world"


def test_a_time_in_the_future_is_kept_as_it_is(line):
    receiver, machine = line
    machine.publish(events.topic("future"), events.hello(source="future", time=events.now(864000)))
    stored = eventually(lambda: receiver.api.events(source="future"))[0]
    assert stored["time"] > stored["recordedtime"]


def test_digits_and_unknown_attributes_stay_as_they_came(line):
    receiver, machine = line
    payload = json.dumps(events.hello(source="exact", traceparent="00-abc"))
    payload = payload.replace('"Hello world"', '"a", "big": 12345678901234567890, "tiny": 0.10')
    machine.publish(events.topic("exact"), payload.encode())
    eventually(lambda: receiver.api.events(source="exact"))
    text = receiver.api.get_raw("/api/v1/events?source=exact").text
    assert '"big":12345678901234567890' in text and '"tiny":0.10' in text and "00-abc" in text


@pytest.mark.parametrize("payload, kind", [
    ({"temperature": 21.5}, "bellbuoy.raw.v1"),
    ([1, 2, 3], "bellbuoy.raw.v1"),
    ({"criticality": 7, "timestamp": "2026-11-20T21:38:01Z", "eventMessage": "door open"},
     "bellbuoy.event.v1"),
    ({"session_id": "s-1", "timestamp": 1763748000, "energy_delivered_in_kwh": 12.5,
      "duration_in_seconds": 3600, "session_cost_in_cents": 437}, "bellbuoy.session.v1"),
])
def test_a_publisher_that_knows_nothing_of_us_is_wrapped(line, payload, kind):
    receiver, machine = line
    topic = f"bellbuoy/events/stranger-{kind.split('.')[1]}-{len(json.dumps(payload))}/raw"
    machine.publish(topic, payload if isinstance(payload, dict) else json.dumps(payload).encode())
    stored = eventually(lambda: receiver.api.events(source=f"/topics/{topic}"))[0]
    assert stored["type"] == kind and stored["data"] == payload and stored["dedupe"] == "none"


def test_a_repeated_event_is_stored_once(line):
    receiver, machine = line
    event = events.hello(source="twice")
    for _ in range(3):
        machine.publish(events.topic("twice"), event)
    eventually(lambda: receiver.api.sources()["/machines/twice"]["duplicates"] == 2)
    assert len(receiver.api.events(source="twice")) == 1


def test_a_hole_is_an_incident_until_it_closes(line):
    receiver, machine = line
    for sequence in (1, 2, 6):
        machine.publish(events.topic("holes"), events.hello(sequence, source="holes"))
    hole = eventually(lambda: receiver.api.incidents(kind="sequence_hole", source="/machines/holes"))
    assert [(one["from"], one["to"], one["missing"], one["closed"]) for one in hole] == [
        (3, 5, 3, None)]
    assert receiver.api.sources()["/machines/holes"]["missing"] == 3
    for sequence in (4, 3, 5):
        machine.publish(events.topic("holes"), events.hello(sequence, source="holes"))
    eventually(lambda: receiver.api.sources()["/machines/holes"]["missing"] == 0)
    eventually(lambda: all(one["closed"] for one in receiver.api.incidents(
        kind="sequence_hole", source="/machines/holes")))
    late = [event.get("late", False) for event in receiver.api.all_events(source="holes")]
    assert late == [False, False, False, True, True, True]


def test_many_strange_sources_cost_no_memory_without_bound(line):
    receiver, machine = line
    machine.publish_all([(events.topic("flood"), events.hello(source=f"flood-{n}"))
                         for n in range(3000)])
    eventually(lambda: receiver.api.events(source="flood-2999"), 60)
