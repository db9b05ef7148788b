"""GET /api/v1/stream: framing to the byte, resuming, filters, slow and leaving clients, gaps."""

import contextlib
import re
import socket
import struct

import pytest

from harness import MqttClient, SseStream, eventually, events

HOUR_MS = 3_600_000


@pytest.fixture(scope="module", name="filled")
def fixture_filled(module_lab):
    """A receiver with 3,000 events of three kinds of two machines."""
    broker = module_lab.broker()
    receiver = module_lab.receiver(broker, heartbeat_ms=200)
    publish(broker, [mixed(n) for n in range(1, 3001)])
    eventually(lambda: receiver.api.stats()["totals"]["stored"] == 3000, 30)
    return receiver


def mixed(sequence):
    """Every third a session, the others hellos and events; the source changes after each."""
    source = f"press-{sequence % 2}"
    if sequence % 3 == 0:
        return events.session(sequence, source=source)
    if sequence % 3 == 1:
        return events.hello(sequence, f"Hello {sequence}", source=source)
    return events.event(sequence, sequence % 10, f"Message {sequence}", source=source)


def publish(broker, messages):
    with MqttClient(broker) as machine:
        machine.publish_all([(events.topic(), message) for message in messages])


def hellos(count, first=1, text="Hello world"):
    return [events.hello(first + n, text) for n in range(count)]


def cursors(frames):
    return [frame.json["cursor"] for frame in frames]


def sequences(frames):
    return [int(frame.json["sequence"]) for frame in frames]


# ---- framing ----


def test_framing_is_exact_to_the_byte(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker, heartbeat_ms=HOUR_MS)
    with receiver.stream() as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["cache-control"] == "no-store, no-transform"
        assert stream.headers["x-accel-buffering"] == "no"
        start = receiver.api.cursor().encode()
        retry = re.fullmatch(rb"retry: (\d+)\n\n", stream.next_frame().raw)
        assert 3000 <= int(retry.group(1)) <= 7000
        assert stream.next_frame().raw == b"id: " + start + b"\n\n"
        # What other formats take for line ends is none here; what is none in JSON never comes raw.
        publish(broker, [events.hello(1, "a\nb\r\u2028c\u0085d: \u00e9\U0001f600")])
        raw = stream.next_frame().raw
        cursor = receiver.api.cursor()
        stored = receiver.api.get_raw(f"/api/v1/events/{cursor}").content
        assert raw == b"id: " + cursor.encode() + b"\ndata: " + stored + b"\n\n"


def test_retry_differs_from_client_to_client(filled):
    def retry():
        with filled.stream() as stream:
            return stream.next_frame().retry

    assert len({retry() for _ in range(8)}) > 1


def test_an_event_of_the_largest_size_comes_whole(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    text = "x" * 250_000
    with receiver.stream() as live:
        publish(broker, hellos(1, 1, text) + hellos(1, 2))
        assert [frame.json["data"]["text"] for frame in live.collect(2)] == [text, "Hello world"]
    with receiver.stream(f"after={receiver.api.cursor()[:8]}-0") as late:
        assert [frame.json["data"]["text"] for frame in late.collect(2)] == [text, "Hello world"]


# ---- resuming ----


@pytest.mark.parametrize("depth", [0, 1, 1499, 2998, 2999])
def test_resume_at_any_depth(filled, depth):
    expected = [event["cursor"] for event in filled.api.all_events()][depth:]
    cursor = f"{expected[0][:8]}-{depth}"
    with filled.stream(last_event_id=cursor) as by_header, \
            filled.stream(f"after={cursor}") as by_parameter, \
            filled.stream("after=00000000-1", last_event_id=cursor) as header_wins:
        for stream in (by_header, by_parameter, header_wins):
            assert cursors(stream.collect(len(expected))) == expected


def test_resume_over_a_restart(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with receiver.stream() as stream:
        publish(broker, hellos(10))
        stream.collect(10)
        last = stream.last_event_id
    receiver.restart(kill=True)
    publish(broker, hellos(10, 11))
    with receiver.stream(last_event_id=last) as stream:
        assert sequences(stream.collect(10)) == list(range(11, 21))


def test_a_page_and_a_stream_behind_it_have_no_hole(lab):
    """The way of the dashboard: a page of the newest, then the stream after its cursor."""
    broker = lab.broker()
    receiver = lab.receiver(broker)
    broadcaster = lab.broadcaster(broker, rate=500)
    for _ in range(20):
        page = receiver.api.get("events", limit=5)
        with receiver.stream(f"after={page['cursor']}") as stream:
            epoch, seq = page["cursor"].split("-")
            assert cursors(stream.collect(5)) == [f"{epoch}-{int(seq) + n}" for n in range(1, 6)]
    broadcaster.terminate()


def test_a_client_that_saw_no_event_knows_its_place(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with receiver.stream() as stream:
        stream.next_frame()
        stream.next_frame()
        last = stream.last_event_id
    publish(broker, hellos(2))
    with receiver.stream(last_event_id=last) as stream:
        assert sequences(stream.collect(2)) == [1, 2]


# ---- filters ----


@pytest.mark.parametrize("query", [
    {"type": "session"},
    {"source": "press-1"},
    {"criticality_gt": "7"},
    {"q": "mESSAGE 29"},
    {"type": "event", "source": "/machines/press-0", "criticality_gt": "3", "q": "message"},
])
def test_filters_give_what_rest_gives(filled, query):
    expected = [event["cursor"] for event in filled.api.all_events(**query)]
    first = f"{filled.api.cursor()[:8]}-0"
    text = "&".join(f"{name}={value.replace(' ', '%20')}" for name, value in query.items())
    assert 0 < len(expected) < 3000
    with filled.stream(text, last_event_id=first) as stream:
        assert cursors(stream.collect(len(expected))) == expected


def test_a_filtered_client_is_told_its_place(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker, heartbeat_ms=200)
    with receiver.stream("type=session") as stream:
        publish(broker, hellos(5))
        epoch = eventually(lambda: receiver.api.events())[0]["cursor"][:8]
        frame = stream.next_frame()
        while frame.id != f"{epoch}-5":
            assert frame.data is None
            frame = stream.next_frame()
        assert frame.raw == f"id: {epoch}-5\n\n".encode()
        last = stream.last_event_id
    publish(broker, [events.hello(6), events.session(7)])
    with receiver.stream("type=session", last_event_id=last) as stream:
        assert sequences(stream.collect(1)) == [7]


# ---- slow clients, many clients, clients that leave ----


def test_a_slow_client_catches_up_without_hole_in_bounded_memory(lab):
    broker = lab.broker()
    # AddressSanitizer would hold on to 256 MB of what was freed.
    receiver = lab.receiver(broker, env={"ASAN_OPTIONS": "exitcode=99:quarantine_size_mb=1"})
    count, text = 20_000, "x" * 1000
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(receiver.stream(receive_buffer_bytes=4096)) for _ in range(5)]
        publish(broker, hellos(2000, 1, text))
        eventually(lambda: receiver.api.stats()["totals"]["stored"] == 2000, 30)
        before = receiver.api.metrics()["process_resident_memory_bytes"]
        publish(broker, hellos(count - 2000, 2001, text))
        eventually(lambda: receiver.api.stats()["totals"]["stored"] == count, 60)
        after = receiver.api.metrics()["process_resident_memory_bytes"]
        # 25 MB have been published to each; the ring is 8 MiB, whoever reads it.
        assert after - before < 64e6
        for stream in slow:
            assert sequences(stream.collect(count, 60)) == list(range(1, count + 1))
        publish(broker, hellos(1, count + 1))
        for stream in slow:
            assert sequences(stream.collect(1)) == [count + 1]
        eventually(lambda: receiver.api.stats()["clients"]["live"] == 5)


def test_many_clients_get_each_event_once(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(receiver.stream()) for _ in range(300)]
        assert receiver.api.stats()["clients"]["live"] == 300
        publish(broker, hellos(50))
        for stream in streams:
            assert sequences(stream.collect(50)) == list(range(1, 51))


def test_above_the_cap_a_client_is_refused_and_nobody_cut_off(lab):
    receiver = lab.receiver(lab.broker(), max_clients=2, heartbeat_ms=HOUR_MS)
    with receiver.stream() as first, receiver.stream() as second:
        with receiver.stream() as third:
            assert third.status == 503
            assert int(third.headers["retry-after"]) > 0
            assert third.headers["content-type"] == "application/problem+json"
            assert b"urn:bellbuoy:problem:too-many-clients" in third.read_body()
        assert first.next_frame().retry and second.next_frame().retry


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_a_client_that_leaves_makes_room_at_once(lab, how):
    """Not at the next heartbeat, which is an hour away."""
    receiver = lab.receiver(lab.broker(), max_clients=1, heartbeat_ms=HOUR_MS)
    stream = receiver.stream()
    stream.next_frame()
    sock = stream._socket  # pylint: disable=protected-access
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "half":
        sock.shutdown(socket.SHUT_WR)
    else:
        stream.close()

    def another():
        with receiver.stream() as one:
            return one.status == 200

    eventually(another)
    stream.close()


@pytest.mark.parametrize("sent", ["events", "heartbeats", "nothing"])
def test_a_client_whose_machine_is_gone_is_let_go_of(lab, sent):
    """No FIN, no answer: data that nobody acknowledges tells, or the probes of a stream without any."""
    broker = lab.broker()
    receiver = lab.receiver(broker, client_timeout_ms=2000,
                            heartbeat_ms=200 if sent == "heartbeats" else HOUR_MS)

    def live():
        return receiver.api.metrics()['bellbuoy_stream_clients{state="live"}']

    with contextlib.ExitStack() as stack:
        other = stack.enter_context(receiver.stream())
        eventually(lambda: live() == 1)
        files = receiver.open_files()
        gone = [stack.enter_context(receiver.stream()) for _ in range(50)]
        for stream in gone:
            stream.next_frame()
        assert live() == 51
        for stream in gone:
            stream.vanish()
        if sent == "events":
            publish(broker, hellos(10))
        eventually(lambda: live() == 1)
        eventually(lambda: receiver.open_files() <= files)
        publish(broker, hellos(10, 11))
        expected = range(1, 21) if sent == "events" else range(11, 21)
        assert sequences(other.collect(len(expected))) == list(expected)


def test_clients_that_are_gone_leave_no_memory_behind(lab):
    """Each fleet of them has room in what the ones before had: 300 clients take 2 MB and more."""
    # AddressSanitizer would hold on to 256 MB of what was freed.
    receiver = lab.receiver(lab.broker(), client_timeout_ms=1000, heartbeat_ms=200,
                            env={"ASAN_OPTIONS": "exitcode=99:quarantine_size_mb=1"})
    resident = []
    for _ in range(4):
        with contextlib.ExitStack() as stack:
            gone = [stack.enter_context(receiver.stream()) for _ in range(300)]
            for stream in gone:
                stream.vanish()
            eventually(lambda: receiver.api.stats()["clients"]["live"] == 0)
        resident.append(receiver.resident_bytes())
    assert resident[-1] - resident[0] < 2e6, resident


# ---- gaps ----


def check_gap(frame, from_cursor, to_cursor, reason):
    assert frame.raw == (
        f'event: gap\nid: {to_cursor}\ndata: {{"from":"{from_cursor}","to":"{to_cursor}",'
        f'"reason":"{reason}"}}\n\n').encode()


def test_gap_of_another_epoch(filled):
    epoch = filled.api.cursor()[:8]
    other = "00000000" if epoch != "00000000" else "00000001"
    with filled.stream(last_event_id=f"{other}-17") as stream:
        check_gap(stream.next_event(), f"{other}-17", f"{epoch}-0", "epoch")
        assert stream.next_event().id == f"{epoch}-1"


def test_gap_of_a_cursor_ahead(filled):
    epoch = filled.api.cursor()[:8]
    with filled.stream(last_event_id=f"{epoch}-3001") as stream:
        check_gap(stream.next_event(), f"{epoch}-3001", f"{epoch}-0", "ahead")
        assert stream.next_event().id == f"{epoch}-1"


def test_gap_of_retention(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    publish(broker, hellos(100))
    eventually(lambda: receiver.api.stats()["totals"]["stored"] == 100)
    epoch = receiver.api.cursor()[:8]
    receiver.set_options(retention_age="1s").restart()
    eventually(lambda: receiver.api.stats()["journal"]["events"] == 0, 30)
    with receiver.stream(last_event_id=f"{epoch}-7") as stream:
        check_gap(stream.next_event(), f"{epoch}-7", f"{epoch}-100", "retention")
        publish(broker, hellos(1, 101))
        assert stream.next_event().id == f"{epoch}-101"


# ---- heartbeat, refusals, the end ----


def test_heartbeat_is_a_comment(filled):
    with filled.stream() as stream:
        frames = [stream.next_frame() for _ in range(5)]
    assert [frame.raw for frame in frames[2:]] == [b": heartbeat\n\n"] * 3


@pytest.mark.parametrize("query, parameter", [
    ("colour=red", "colour"),
    ("limit=5", "limit"),
    ("before=00000000-5", "before"),
    ("order=asc", "order"),
    ("after=7", "after"),
    ("after=", "after"),
    ("type=", "type"),
    ("q=a&q=b", "q"),
    ("criticality_gt=high", "criticality_gt"),
])
def test_a_wrong_parameter_is_named(filled, query, parameter):
    answer = filled.api.get_raw(f"/api/v1/stream?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["parameter"] == parameter


def test_a_wrong_last_event_id_is_named(filled):
    answer = filled.api.get_raw("/api/v1/stream", headers={"Last-Event-ID": "17"})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "Last-Event-ID"


def test_the_end_of_the_receiver_ends_streams_cleanly(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with receiver.stream() as stream:
        publish(broker, hellos(3))
        stream.collect(3)
        receiver.terminate()
        # The chunk of length 0 came before the connection's end.
        with pytest.raises(EOFError):
            stream.next_event()
        assert stream._ended  # pylint: disable=protected-access


def test_metrics_count_clients(filled):
    with filled.stream(f"after={filled.api.cursor()[:8]}-2990") as stream:
        stream.collect(10)
        eventually(lambda: filled.api.metrics()['bellbuoy_stream_clients{state="live"}'] >= 1)
        assert filled.api.metrics()["bellbuoy_stream_events_total"] >= 10


def test_http_1_0_gets_the_same_events(filled):
    class OldStream(SseStream):
        @staticmethod
        def _request(host, target, last_event_id, headers):
            request = SseStream._request(host, target, last_event_id, headers)
            return request.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n")

    epoch = filled.api.cursor()[:8]
    with OldStream("127.0.0.1", filled.port, f"after={epoch}-2990") as stream:
        assert stream.headers.get("transfer-encoding") is None
        assert cursors(stream.collect(10)) == [f"{epoch}-{n}" for n in range(2991, 3001)]
