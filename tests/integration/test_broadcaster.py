"""The broadcaster against a real broker: what it says, when, and what survives."""

import json
import signal
import socket
from collections import defaultdict
from datetime import datetime

import pytest

from harness import BROADCASTER, MqttClient, eventually, run_once

ALL = "bellbuoy/events/#"


def metric(broadcaster, name):
    return broadcaster.admin.metrics()[f"bellbuoy_broadcaster_{name}"]


class Listener:
    """Collects the events that the broker delivers, over its restarts (session kept, QoS 1)."""

    def __init__(self, broker):
        self.client = MqttClient(broker, client_id="listener", clean_session=False).subscribe(ALL)
        self._events = []
        # A broker that is killed before its first save would forget who listens.
        eventually(lambda: (broker.data_dir / "mosquitto.db").exists(),
                   message="the broker has saved the subscription")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def messages(self):
        """Without those by which a service checks its own rights."""
        return [message for message in list(self.client.messages)
                if not message.topic.endswith("/check")]

    def events(self):
        # Each is read once: reading all again and again would leave the client's thread no time.
        self._events += [json.loads(message.payload)
                         for message in self.messages()[len(self._events):]]
        return list(self._events)

    def sequences(self):
        """{source: [sequence, ...]} in the order of arrival, repeats left out."""
        found = defaultdict(dict)
        for event in self.events():
            found[event["source"]].setdefault(int(event["sequence"]))
        return {source: list(sequences) for source, sequences in found.items()}

    def wait_for(self, count, timeout_s=60.0):
        eventually(lambda: len(self.messages()) >= count, timeout_s,
                   message=f"{count} messages arrived")
        return self.events()


def assert_contiguous(sequences):
    for source, found in sequences.items():
        assert found == list(range(1, len(found) + 1)), source


def test_gaps_are_random_announced_and_kept(lab):
    broker = lab.broker()
    with Listener(broker) as listener:
        broadcaster = lab.broadcaster(broker, source="press", sources=20)
        # Until the eldest sources have spoken three times or so.
        eventually(lambda: len(listener.events()) >= 60, 60)
        events = listener.events()
        broadcaster.terminate()
    announced = [event["data"]["next_in_ms"] for event in events]
    assert min(announced) >= 1000 and max(announced) <= 10000
    assert len(set(announced)) > 40, "drawn afresh for each message"
    by_source = defaultdict(list)
    for event in events:
        by_source[event["source"]].append(event)
    late = []
    for of_source in by_source.values():
        assert len({event["data"]["color"] for event in of_source}) == 1
        for one, two in zip(of_source, of_source[1:]):
            gap = datetime.fromisoformat(two["time"]) - datetime.fromisoformat(one["time"])
            late.append(abs(gap.total_seconds() * 1000 - one["data"]["next_in_ms"]))
    assert len(late) >= 30
    late.sort()
    assert late[len(late) // 2] < 20 and late[-1] < 2000, late


def test_sequences_and_ids(lab):
    broker = lab.broker()
    with Listener(broker) as listener:
        first = lab.broadcaster(broker, source="press", sources=3, rate=300)
        listener.wait_for(300)
        first.restart()
        events = listener.wait_for(900)
    boots = {event["bootid"] for event in events}
    assert len(boots) == 2
    for boot in boots:
        found = defaultdict(list)
        for event in events:
            if event["bootid"] == boot:
                assert event["id"] == f"{boot}-{event['sequence']}"
                found[event["source"]].append(int(event["sequence"]))
        assert set(found) == {f"/machines/press-{n}" for n in (1, 2, 3)}
        assert_contiguous(found)


def test_profiles(lab):
    broker = lab.broker()
    with Listener(broker) as listener:
        lab.broadcaster(broker, name="cameras", profile="events", period_ms=10)
        lab.broadcaster(broker, name="station", profile="charger", session_period_ms=50)
        kinds = lambda: {message.topic for message in listener.messages()}  # noqa: E731
        eventually(lambda: kinds() == {"bellbuoy/events/cameras/event",
                                       "bellbuoy/events/station/session"})
        listener.wait_for(100)
        events = listener.events()
    of_type = defaultdict(list)
    for event in events:
        of_type[event["type"]].append(event["data"])
    assert all(0 <= data["criticality"] <= 10 for data in of_type["bellbuoy.event.v1"])
    assert len({data["eventMessage"] for data in of_type["bellbuoy.event.v1"]}) > 10
    sessions = of_type["bellbuoy.session.v1"]
    assert len({data["session_id"] for data in sessions}) == len(sessions) > 0


def test_each_hello_is_said_in_the_log(lab):
    broker = lab.broker()
    broadcaster = lab.broadcaster(broker, source="press")
    started = eventually(lambda: broadcaster.log_records(msg="started"))[0]
    assert started["version"] and started["profile"] == "hello" and started["broker"] == broker.url
    line = eventually(lambda: broadcaster.log_records(msg="Hello world"))[0]
    assert line["source"] == "/machines/press"
    assert 1000 <= int(line["next_in_ms"]) <= 10000
    entry = eventually(broadcaster.ledger)[0]
    assert (entry.source, entry.id) == (line["source"], line["id"])


def test_broker_absent_at_the_start(lab):
    broker = lab.broker()
    with Listener(broker) as listener:
        broker.terminate()
        broadcaster = lab.broadcaster(broker, start=False, source="press", sources=2, rate=50)
        broadcaster.start(ready=False)
        waiting = eventually(lambda: broadcaster.log_records(msg="not connected to the broker"))[0]
        assert waiting["reason"] == f"connection refused by 127.0.0.1:{broker.port}"
        assert int(waiting["next_attempt_ms"]) <= 1000
        eventually(lambda: "refused" in broadcaster.admin.get_raw("/readyz").text)
        assert broadcaster.admin.get_raw("/readyz").status_code == 503
        assert broadcaster.admin.get_raw("/healthz").status_code == 200
        eventually(lambda: metric(broadcaster, "outbox_messages") > 50)
        assert metric(broadcaster, "connected") == 0
        broker.start()
        broadcaster.wait_ready(60)
        listener.wait_for(100)
        assert_contiguous(listener.sequences())
        assert metric(broadcaster, "connected") == 1


def test_broker_killed_loses_nothing_and_keeps_the_order(lab):
    """More than the broker had saved is published again: it saves once in 2 s, and dies between."""
    broker = lab.broker()
    with Listener(broker) as listener:
        broadcaster = lab.broadcaster(broker, source="press", sources=5, rate=500)
        listener.wait_for(500)
        for _ in range(3):
            before = metric(broadcaster, "acknowledged_total")
            broker.restart(kill=True)
            broadcaster.wait_ready(60)
            eventually(lambda: metric(broadcaster, "acknowledged_total") > before + 500)
        assert metric(broadcaster, "republished_total") > 0
        broadcaster.terminate()
        acknowledged = {(line.source, line.id) for line in broadcaster.ledger()}
        eventually(lambda: acknowledged <= {(e["source"], e["id"]) for e in listener.events()}, 60,
                   interval_s=0.2, message="all that was acknowledged has arrived")
        assert_contiguous(listener.sequences())
        assert len(broadcaster.ledger()) == len(acknowledged), "one line for each message"


def test_overflow_is_counted_and_shows_as_a_hole(lab):
    broker = lab.broker()
    with Listener(broker) as listener:
        broadcaster = lab.broadcaster(broker, source="press", rate=200, outbox_messages=50)
        listener.wait_for(20)
        # Not killed: so small an outbox has nothing left of what the broker had not saved.
        broker.terminate()
        eventually(lambda: metric(broadcaster, "overflow_total") >= 100)
        assert metric(broadcaster, "outbox_messages") == 50
        warning = eventually(lambda: broadcaster.log_records(level="warning", outbox_messages=50))[0]
        assert "outbox is full" in warning["msg"]
        broker.start()
        broadcaster.wait_ready(60)
        found = eventually(lambda: max(listener.sequences()["/machines/press"])
                           > len(listener.sequences()["/machines/press"]) + 50
                           and listener.sequences()["/machines/press"])
    missing = set(range(1, max(found) + 1)) - set(found)
    assert len(missing) <= metric(broadcaster, "overflow_total")
    assert sorted(found) == found, "in order, with the oldest kept"
    hole = min(missing)
    assert hole > 50, "what was there first is kept"


def test_sigterm_publishes_what_waits(lab):
    broker = lab.broker()
    with Listener(broker) as listener:
        broadcaster = lab.broadcaster(broker, source="press", rate=2000)
        listener.wait_for(500)
        broker.pause()
        eventually(lambda: metric(broadcaster, "outbox_messages") > 2000)
        broadcaster.signal(signal.SIGTERM)
        broadcaster.wait_for_log('msg="stopping"')
        broker.resume()
        broadcaster.expect_exit(0, 5)
        made = {(line.source, line.id) for line in broadcaster.ledger()}
        eventually(lambda: {(e["source"], e["id"]) for e in listener.events()} == made, 60,
                   interval_s=0.2)
        assert_contiguous(listener.sequences())
    assert not broadcaster.log_records(level="warning")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_in_time_without_a_broker(lab, number):
    broker = lab.broker(start=False)
    broadcaster = lab.broadcaster(broker, start=False, rate=100).start(ready=False)
    broadcaster.wait_for_log("not connected to the broker")
    eventually(lambda: metric(broadcaster, "outbox_messages") > 0)
    broadcaster.signal(number)
    broadcaster.expect_exit(0, 5)
    lost = broadcaster.log_records(level="warning")[-1]
    assert "messages are lost" in lost["msg"] and int(lost["lost"]) > 0


def test_broker_that_hangs_does_not_hold_up_the_end(lab):
    broker = lab.broker()
    broadcaster = lab.broadcaster(broker, rate=100)
    broker.pause()
    broadcaster.signal(signal.SIGTERM)
    broadcaster.expect_exit(0, 5)
    broker.resume()


def test_a_wrong_password_is_a_security_line(lab):
    broker = lab.broker(users={"press": "right"})
    password = lab.folder / "wrong"
    password.write_text("wrong\n")
    broadcaster = lab.broadcaster(broker, start=False, password_file=password)
    broadcaster.start(ready=False)
    line = eventually(lambda: broadcaster.log_records(security=1))[0]
    assert line["reason"] == "the broker refused the user name or password"
    password.write_text("right\n")
    broadcaster.wait_ready(60)


def test_tls(lab):
    broker = lab.broker(tls=True)
    broadcaster = lab.broadcaster(broker)
    eventually(lambda: broadcaster.log_records(msg="connected to the broker"))


def test_admin_endpoints_and_healthcheck(lab):
    broker = lab.broker()
    broadcaster = lab.broadcaster(broker, rate=100)
    eventually(lambda: metric(broadcaster, "published_total") > 10)
    eventually(lambda: metric(broadcaster, "gap_seconds_count") > 10)
    address = f"127.0.0.1:{broadcaster.admin_port}"
    assert run_once(BROADCASTER, "healthcheck", "--admin-address", address).returncode == 0
    broadcaster.terminate()
    ended = run_once(BROADCASTER, "healthcheck", "--admin-address", address)
    assert ended.returncode == 1 and ended.stderr


def test_admin_port_in_use(lab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        ended = run_once(BROADCASTER, "--admin-address", address)
    assert ended.returncode == 2
    assert "--admin-address" in ended.stderr and address in ended.stderr
    assert "another" in ended.stderr


def test_version():
    ended = run_once(BROADCASTER, "version")
    assert ended.returncode == 0 and ended.stdout.startswith("broadcaster ")


@pytest.mark.parametrize("args, words", [
    (["--profile", "bell"], ["--profile", "bell", "hello", "charger"]),
    (["--sources", "0"], ["--sources", "0", "1 to"]),
    (["--rate", "many"], ["--rate", "many"]),
    (["--source", "a b"], ["--source", "a b"]),
    (["--soruces", "3"], ["--soruces", "--sources"]),
    (["--broker-url", "broker:1883"], ["--broker-url", "mqtt://"]),
    (["--cert-file", "c.pem"], ["--cert-file", "mqtts://"]),
    (["--admin-address", "localhost"], ["--admin-address", "localhost"]),
    (["--ledger", "/nonexistent/ledger"], ["--ledger", "No such file"]),
])
def test_wrong_options(args, words):
    ended = run_once(BROADCASTER, "--admin-address", "", *args)
    assert ended.returncode == 2
    for word in words:
        assert word in ended.stderr, ended.stderr
