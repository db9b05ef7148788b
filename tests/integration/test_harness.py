"""The harness itself: a stream cut anywhere is read alike, and a process that misbehaves is noticed."""

import re
import socket
import threading
from contextlib import suppress

import pytest

from harness import HOST, MqttClient, Process, SseStream, eventually

BLOCKS = [
    b"retry: 3712\n\n",
    b'id: 5f3a9c01-1\ndata: {"a":1}\n\n',
    b": heartbeat\n\n",
    b"id: 5f3a9c01-9\n\n",
    b'event: gap\ndata: {"reason":"epoch"}\n\n',
    "data: ü\u2028x\ndata: y\n\n".encode(),
]


@pytest.fixture
def serve():
    """serve(body, chunk_bytes, write_bytes) -> the port of a server that answers once, so cut up."""
    sockets = []

    def start(body, chunk_bytes, write_bytes):
        listener = socket.create_server((HOST, 0))
        sockets.append(listener)
        cuts = [body[at:at + chunk_bytes] for at in range(0, len(body), chunk_bytes)]
        wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire += b"".join(b"%x\r\n%s\r\n" % (len(cut), cut) for cut in cuts) + b"0\r\n\r\n"

        def answer():
            connection, _ = listener.accept()
            with connection, suppress(BrokenPipeError):  # the reader has enough
                connection.recv(65536)
                for at in range(0, len(wire), write_bytes):
                    connection.sendall(wire[at:at + write_bytes])

        threading.Thread(target=answer, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in sockets:
        listener.close()


@pytest.mark.parametrize("chunk_bytes", [1, 7, 10000])
@pytest.mark.parametrize("write_bytes", [1, 5, 10000])
def test_a_stream_reads_alike_however_it_is_cut(serve, chunk_bytes, write_bytes):
    with SseStream(HOST, serve(b"".join(BLOCKS), chunk_bytes, write_bytes)) as stream:
        frames = [stream.next_frame() for _ in BLOCKS]
        assert [frame.raw for frame in frames] == BLOCKS
        with pytest.raises(EOFError):
            stream.next_frame()
    retry, event, heartbeat, cursor, gap, text = frames
    assert retry.retry == "3712"
    assert (event.id, event.json) == ("5f3a9c01-1", {"a": 1})
    assert (heartbeat.comment, heartbeat.data) == ("heartbeat", None)
    assert (cursor.id, cursor.data) == ("5f3a9c01-9", None)
    assert (gap.event, gap.json["reason"]) == ("gap", "epoch")
    assert text.data == "ü\u2028x\ny"
    assert stream.last_event_id == "5f3a9c01-9"


def shell(tmp_path, script):
    process = Process("shell", ["sh", "-c", script], tmp_path).launch()
    process.wait_for_log("started")
    return process


def test_a_process_that_ends_by_itself_is_a_problem(tmp_path):
    process = shell(tmp_path, "echo started; exit 3")
    process.wait()
    assert process.close() == ["shell ended by itself with status 3"]


def test_a_bad_exit_status_is_a_problem(tmp_path):
    process = shell(tmp_path, "trap 'exit 4' TERM; echo started; while :; do sleep 0.01; done")
    assert process.close() == ["shell ended with status 4, not 0"]


def test_a_process_that_does_not_end_is_killed_and_a_problem(tmp_path):
    process = shell(tmp_path, "trap : TERM; echo started; while :; do sleep 0.01; done")
    process.terminate(timeout_s=0.2)
    assert re.search(r"did not end within .* threads: \d+ [SR] ", process.problems[0])
    assert not process.running


@pytest.mark.parametrize("report", [
    "ERROR: AddressSanitizer: heap-use-after-free",
    "ERROR: LeakSanitizer: detected memory leaks",
    "WARNING: ThreadSanitizer: data race",
    "x.c:1:2: runtime error: signed integer overflow",
])
def test_a_sanitizer_report_is_a_problem(tmp_path, report):
    process = shell(tmp_path, f"echo started; echo '{report}'")
    process.expect_exit(0)
    assert process.close() == ["a sanitizer has something to say about shell"]


def test_the_broker_keeps_its_port_and_what_it_was_told_over_a_restart(lab):
    broker = lab.broker()
    with MqttClient(broker) as client:
        client.publish("harness/kept", b"x", retain=True)
    broker.restart(kill=False)
    with MqttClient(broker) as client:
        client.subscribe("harness/#")
        eventually(lambda: client.messages, message="the retained message")


def test_a_broker_with_users_and_tls(lab):
    broker = lab.broker(users={"anna": "secret"}, tls=True)
    with MqttClient(broker) as client:
        client.publish("harness/secret", b"x")
