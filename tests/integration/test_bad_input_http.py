"""What strangers send to the HTTP port: each is answered in words, none costs the others anything."""

import json
import re
import socket
import subprocess
import time

import pytest

from harness import HOST, MqttClient, eventually, events, scaled

READS = ["events", "sources", "readings", "incidents", "quarantine", "stats"]
LISTS = ["events", "sources", "readings", "incidents", "quarantine"]
TOKEN = "the-token-that-never-is-in-the-log"


@pytest.fixture(scope="module")
def receiver(module_lab):
    """With one event and a token; it must have survived all tests of this module."""
    broker = module_lab.broker()
    receiver = module_lab.receiver(broker, start=False).use_token(TOKEN).start()
    with MqttClient(broker) as machine:
        machine.publish(events.topic(), events.hello())
    eventually(lambda: receiver.api.events())
    eventually(lambda: receiver.api.post_event({"text": "x"}).status_code == 202)
    yield receiver
    assert receiver.running
    assert TOKEN not in receiver.log_text()


class Wire:
    """A connection of bytes, for what no HTTP library would send."""

    def __init__(self, receiver, timeout_s=10.0, receive_buffer_bytes=None):
        self.socket = socket.socket()
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.settimeout(scaled(timeout_s))
        self.socket.connect((HOST, receiver.port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read_all(self):
        """All bytes up to the server's end of the connection."""
        data = b""
        try:
            while chunk := self.socket.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
        return data

    def read_status(self):
        """The status of the next answer; None if the connection ended without one."""
        data = b""
        try:
            while b"\r\n" not in data:
                chunk = self.socket.recv(4096)
                if not chunk:
                    break
                data += chunk
        except ConnectionResetError:
            pass
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", data)
        return int(found.group(1)) if found else None


def ask(receiver, request):
    """The status for the bytes of one request."""
    with Wire(receiver) as wire:
        wire.send(request)
        return wire.read_status()


def get(path, *headers, host="localhost"):
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


# ---- parameters ----


@pytest.mark.parametrize("resource", READS)
def test_unknown_parameter(receiver, resource):
    problem = receiver.api.problem(resource, 400, colour="red")
    assert problem["type"] == "urn:bellbuoy:problem:unknown-parameter"
    assert problem["parameter"] == "colour"
    assert f"'colour' is not a parameter of /api/v1/{resource}" in problem["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/stream",
                                  "/api/v1/events/5f3a9c01-1"])
def test_unknown_parameter_elsewhere(receiver, path):
    answer = receiver.api.get_raw(path + "?colour=red")
    assert answer.status_code == 400 and answer.json()["parameter"] == "colour"


def test_unknown_parameter_of_a_post(receiver):
    answer = receiver.api.request("POST", "/api/v1/events?token=" + TOKEN, json={"text": "x"})
    assert answer.status_code == 400 and answer.json()["parameter"] == "token"


def test_the_known_parameters_are_named(receiver):
    detail = receiver.api.problem("events", 400, colour="red")["detail"]
    for name in ("type", "source", "criticality_gt", "since", "until", "q", "after", "before",
                 "limit", "order"):
        assert name in detail
    # Not every resource knows all of the grammar.
    assert receiver.api.problem("readings", 400, type="hello")["parameter"] == "type"
    assert receiver.api.problem("incidents", 400, after="1")["parameter"] == "after"
    assert receiver.api.problem("quarantine", 400, source="x")["parameter"] == "source"


@pytest.mark.parametrize("resource", LISTS)
@pytest.mark.parametrize("limit", ["0", "1001", "-1", "+5", " 5", "5 ", "1e3", "0x10", "ten", "",
                                   "99999999999999999999"])
def test_limit_out_of_range(receiver, resource, limit):
    problem = receiver.api.problem(resource, 400, limit=limit)
    assert problem["type"] == "urn:bellbuoy:problem:invalid-parameter"
    assert problem["parameter"] == "limit"


@pytest.mark.parametrize("resource", LISTS)
def test_repeated_parameter(receiver, resource):
    answer = receiver.api.get_raw(f"/api/v1/{resource}?limit=5&limit=5")
    assert answer.status_code == 400 and answer.json()["parameter"] == "limit"


BAD_CURSORS = ["1", "-", "x-1", "5f3a9c01", "5f3a9c01-", "5f3a9c01-x", "5f3a9c01--1",
               "5f3a9c01-9223372036854775808", "5f3a9c1-1", "5f3a9c01-1 ", " 5f3a9c01-1",
               "5f3a9c01-1;DROP TABLE events", "5f3a9c01-١", "g" * 3000]


@pytest.mark.parametrize("cursor", BAD_CURSORS, ids=lambda c: c[:30])
@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("resource", ["events", "readings"])
def test_bad_cursor(receiver, resource, name, cursor):
    problem = receiver.api.problem(resource, 400, **{name: cursor})
    assert problem["parameter"] == name


@pytest.mark.parametrize("cursor", [c for c in BAD_CURSORS if len(c) < 100])
def test_bad_cursor_in_the_path(receiver, cursor):
    problem = receiver.api.problem(f"events/{cursor}", 400)
    assert problem["type"] == "urn:bellbuoy:problem:invalid-cursor"


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("resource", ["events", "readings"])
def test_cursor_of_another_epoch(receiver, resource, name):
    epoch = receiver.api.cursor().split("-")[0]
    other = f"{int(epoch, 16) ^ 0xff:08x}"
    problem = receiver.api.problem(resource, 400, **{name: f"{other}-1"})
    assert problem["type"] == "urn:bellbuoy:problem:other-epoch"
    assert problem["parameter"] == name
    assert epoch in problem["detail"] and other in problem["detail"]


@pytest.mark.parametrize(("name", "value"), [
    ("type", ""), ("type", "x" * 300), ("source", ""), ("source", "x" * 600),
    ("criticality_gt", "high"), ("criticality_gt", "1.5"), ("criticality_gt", "9" * 30),
    ("since", "yesterday"), ("since", "2026-13-01T00:00:00Z"), ("until", "2026-11-20"),
    ("until", "1763748000"), ("q", ""), ("q", "x" * 257), ("order", "random"), ("order", "ASC"),
])
def test_other_parameters_out_of_range(receiver, name, value):
    problem = receiver.api.problem("events", 400, **{name: value})
    assert problem["parameter"] == name and name in problem["detail"]


def test_parameters_of_other_lists(receiver):
    assert receiver.api.problem("incidents", 400, kind="theft")["parameter"] == "kind"
    for before in ("0", "-1", "x"):
        assert receiver.api.problem("incidents", 400, before=before)["parameter"] == "before"
        assert receiver.api.problem("quarantine", 400, before=before)["parameter"] == "before"
    assert receiver.api.problem("sources", 400, after="x" * 600)["parameter"] == "after"
    assert receiver.api.problem("incidents", 400, source="x" * 600)["parameter"] == "source"


def test_bytes_that_are_not_utf8(receiver):
    for query in ("q=%ff%fe", "%ff=1", "q=%00", "q=a%00b", "q=%ed%a0%80"):
        answer = receiver.api.get_raw("/api/v1/events?" + query)
        assert answer.status_code == 400
        answer.json()
    for query in ("source=%c3", "type=%ff"):
        assert receiver.api.get_raw("/api/v1/events?" + query).json()["events"] == []


def test_sql_in_parameters(receiver):
    everything = receiver.api.events()
    for text in ("' OR 1=1 --", '"; DROP TABLE events; --', "%", "*", "\\", "a' UNION SELECT"):
        assert receiver.api.events(q=text) == []
        assert receiver.api.events(source=text) == []
        assert receiver.api.events(type=text) == []
    assert receiver.api.events() == everything


# ---- methods, paths, hosts ----


METHODS = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"]
GET_ONLY = [f"/api/v1/{one}" for one in READS if one != "events"] + [
    "/api/v1/events/5f3a9c01-1", "/api/v1/stream", "/healthz"]


@pytest.mark.parametrize(("method", "path"), [
    *[(method, path) for method in METHODS for path in GET_ONLY],
    *[(method, "/api/v1/events") for method in METHODS if method != "POST"],
])
def test_methods_that_are_not_allowed(receiver, method, path):
    answer = receiver.api.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["type"] == "urn:bellbuoy:problem:method-not-allowed"
    assert "GET" in answer.headers["Allow"] and method not in answer.headers["Allow"]


@pytest.mark.parametrize("path", [
    "/../etc/passwd", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
    "/js/../index.html", "/js/%2e%2e/index.html", "/js//app.js", "//etc/passwd", "/./index.html",
    "/etc/passwd", "/js/..\\..\\etc", "/js/app.js%00.html", "/%00", "/api/v1/events/../stats",
    "/api/v1/events/%2e%2e", "/js", "/js/", "/index.html", "/api", "/api/v1/", "/api/v1/events/",
    "/api/v2/events", "/API/V1/EVENTS", "/api/v1/events/5f3a9c01-1/x", "/%", "/%zz", "/*", "*",
])
def test_path_traversal(receiver, path):
    assert ask(receiver, get(path)) in (400, 404)


def test_absolute_target(receiver):
    # RFC 9112, section 3.2.2: a server must take it; a Host elsewhere must not get by with it.
    assert ask(receiver, get("http://evil.example/api/v1/events", host="evil.example")) in (
        400, 404, 421)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "localhost.evil.example",
                                  "127.0.0.1.evil.example", "192.168.1.5", "0.0.0.0", "[::2]", "",
                                  "localhost@evil.example", "evil.example#localhost"])
def test_hosts_that_are_refused(receiver, host):
    answers = {ask(receiver, get(path, host=host)) for path in ("/", "/api/v1/events")}
    assert answers <= {400, 421}
    assert ask(receiver, get("/healthz", host=host)) in (200, 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1:80", "127.8.8.8",
                                  "[::1]", "[::1]:5000", "localhost."])
def test_hosts_that_are_served(receiver, host):
    assert ask(receiver, get("/api/v1/events", host=host)) == 200


def test_no_host_at_all(receiver):
    assert ask(receiver, b"GET /api/v1/events HTTP/1.1\r\n\r\n") in (400, 421)


def test_allow_host(lab):
    receiver = lab.receiver(lab.broker(), allow_host="buoy.example,other.example")
    assert ask(receiver, get("/api/v1/events", host="buoy.example")) == 200
    assert ask(receiver, get("/api/v1/events", host="OTHER.example:8443")) == 200
    assert ask(receiver, get("/api/v1/events", host="third.example")) == 421


# ---- what is not HTTP ----


@pytest.mark.parametrize("request_bytes", [
    b"GARBAGE\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    b"\x00" * 100, b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"get / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nA B: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\nHost: localhost\n\n",
    b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\r\n" * 1000,
], ids=repr)
def test_garbage(receiver, request_bytes):
    with Wire(receiver) as wire:
        wire.send(request_bytes)
        wire.socket.shutdown(socket.SHUT_WR)
        assert receiver.api.get_raw("/healthz").status_code == 200
    assert receiver.api.get_raw("/healthz").status_code == 200


def test_two_ways_to_say_the_length(receiver):
    """Request smuggling: what two readers would cut at different places is no request."""
    hidden = "GET /api/v1/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = (f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(hidden) + 5}"
               f"\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n{hidden}")
    with Wire(receiver) as wire:
        wire.send(request.encode())
        wire.socket.shutdown(socket.SHUT_WR)
        answer = wire.read_all()
    assert b"uptime_seconds" not in answer


# ---- sizes ----


@pytest.mark.parametrize("size", [8_000, 100_000, 1_000_000])
def test_oversized_header(receiver, size):
    with Wire(receiver) as wire:
        try:
            wire.send(get("/api/v1/events", "Cookie: " + "x" * size))
        except OSError:
            pass  # refused before it was sent whole
        assert wire.read_status() in (400, 413, 431, None)
    assert receiver.api.get_raw("/healthz").status_code == 200


def test_oversized_target(receiver):
    for size in (8_000, 100_000):
        with Wire(receiver) as wire:
            try:
                wire.send(get("/api/v1/events?q=" + "x" * size))
            except OSError:
                pass
            assert wire.read_status() in (400, 413, 414, 431, None)
    assert receiver.api.get_raw("/healthz").status_code == 200


@pytest.mark.parametrize("cookie_bytes", [1_000, 1_500, 2_000])
def test_large_headers_with_a_next_page(receiver, cookie_bytes):
    """The answer's headers, Link among them, share a few kilobytes with the request's."""
    with Wire(receiver) as wire:
        wire.send(get("/api/v1/events?limit=1&q=" + "%78" * 200, f"Cookie: {'x' * cookie_bytes}"))
        assert wire.read_status() == 200
    with Wire(receiver) as wire:
        wire.send(get("/", f"Cookie: {'x' * cookie_bytes}", "Accept-Encoding: br"))
        assert wire.read_status() == 200


def test_many_small_headers(receiver):
    with Wire(receiver) as wire:
        try:
            wire.send(get("/", *[f"X-{n}: {n}" for n in range(10_000)]))
        except OSError:
            pass
        assert wire.read_status() in (400, 413, 431, None)
    assert receiver.api.get_raw("/healthz").status_code == 200


def test_oversized_body(receiver):
    for size in (65_537, 300_000):
        answer = receiver.api.post_event(b"x" * size)
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:bellbuoy:problem:content-too-large"


def test_oversized_body_in_chunks(receiver):
    answer = receiver.api.post_event(iter([b"x" * 1000] * 100))
    assert answer.status_code == 413


def test_endless_body(receiver):
    head = (f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    with Wire(receiver) as wire:
        wire.send(head.encode())
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with pytest.raises(OSError):
            for _ in range(10_000):
                wire.send(chunk)


def test_body_of_a_get(receiver):
    answer = receiver.api.request("GET", "/api/v1/stats", data=b"x" * 1000)
    assert answer.status_code == 200


# ---- POST ----


def test_token(receiver):
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "},
                    {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN},
                    {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Bearer {TOKEN[:-1]}"},
                    {"Authorization": f"Bearer {TOKEN.upper()}"},
                    {"Authorization": "Bearer " + "x" * 3000}):
        answer = receiver.api.request("POST", "/api/v1/events", json={"text": "x"}, headers=headers)
        assert answer.status_code == 401, headers
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["type"] == "urn:bellbuoy:problem:unauthorized"
    good = receiver.api.request("POST", "/api/v1/events", json={"text": "x"},
                                headers={"Authorization": f"bearer {TOKEN}"})
    assert good.status_code == 202


def test_refused_tokens_are_in_the_log_but_do_not_fill_it(lab):
    receiver = lab.receiver(lab.broker(), start=False).use_token().start()
    for _ in range(50):
        assert receiver.api.post_event({"text": "x"}, token="guess-of-a-token").status_code == 401
    lines = receiver.log_records(security=1)
    assert 1 <= len(lines) <= 2
    assert "guess-of-a-token" not in receiver.log_text()
    assert receiver.api.metrics()["bellbuoy_api_posts_refused_total"] == 50


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1",
                                    "http://localhost.evil.example", "file://"])
def test_origin_of_another_site(receiver, origin):
    answer = receiver.api.post_event({"text": "x"}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:bellbuoy:problem:other-origin"


def test_origin_of_our_own(receiver):
    answer = receiver.api.post_event({"text": "x"}, headers={"Origin": receiver.url})
    assert answer.status_code == 202


def test_post_with_a_host_elsewhere(receiver):
    """DNS rebinding: the page's own name, pointed at this machine."""
    answer = receiver.api.post_event({"text": "x"}, headers={"Host": "evil.example",
                                                             "Origin": "http://evil.example"})
    assert answer.status_code == 421


def test_no_other_site_may_read_what_it_gets(receiver):
    answer = receiver.api.get_raw("/api/v1/events", headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded",
                                          "multipart/form-data", "application/jsonx", "json", ""])
def test_other_content_types(receiver, content_type):
    answer = receiver.api.post_event(json.dumps({"text": "x"}), content_type=content_type)
    assert answer.status_code == 415


BAD_BODIES = [
    b"", b"{", b"[]", b"null", b'"text"', b"{}", b'{"text":""}', b'{"text":7}', b'{"text":null}',
    b'{"text":"x","colour":"#000000"}', b'{"text":"x","color":"red"}', b'{"text":"x","text":"y"}',
    b'{"text":"\xff"}', b'{"text":"a\\u0000b"}', b'{"text":"\\ud800"}', b'{"text":"x"} trailing',
    b'\xef\xbb\xbf{"text":"x"}', b'{"text":"x","n":1e999}', b"[" * 60_000,
    b'{"text":"' + b"x" * 4097 + b'"}', b'{"text":"x"\x00}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda b: repr(b[:30]))
def test_bad_texts(receiver, body):
    answer = receiver.api.post_event(body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:bellbuoy:problem:invalid-message"


@pytest.mark.parametrize(("change", "at_fault"), [
    ({"specversion": "0.3"}, "/specversion"), ({"specversion": None}, "/specversion"),
    ({"id": None}, "/id"), ({"id": ""}, "/id"), ({"id": 7}, "/id"), ({"id": "x" * 300}, "/id"),
    ({"source": None}, "/source"), ({"source": "/topics/x"}, "/source"),
    ({"source": "/machines/a/b"}, "/source"), ({"source": "/machines/#"}, "/source"),
    ({"source": "/machines/+"}, "/source"), ({"source": "press"}, "/source"),
    ({"type": None}, "/type"), ({"time": "now"}, "/time"), ({"time": 1763748000}, "/time"),
    ({"data": {}}, "/data/text"), ({"data": "x"}, "/data"), ({"Upper": "x"}, "/Upper"),
    ({"cursor": "5f3a9c01-1"}, "/cursor"), ({"recordedtime": events.now()}, "/recordedtime"),
    ({"intervalms": 5}, "/intervalms"), ({"dedupe": "none"}, "/dedupe"), ({"list": []}, "/list"),
])
def test_bad_events(receiver, change, at_fault):
    event = {name: value for name, value in {**events.hello(), **change}.items()
             if value is not None}
    answer = receiver.api.post_event(json.dumps(event), content_type="application/cloudevents+json")
    assert answer.status_code == 400
    assert at_fault in answer.json()["detail"]


def test_nothing_of_all_that_was_published(receiver):
    # What other tests have sent comes before it.
    assert receiver.api.post_event({"text": "the first"}).status_code == 202
    eventually(lambda: receiver.api.events(q="the first"))
    before = receiver.api.cursor()
    for body in BAD_BODIES:
        receiver.api.post_event(body)
    answer = receiver.api.post_event({"text": "the last"})
    assert answer.status_code == 202
    eventually(lambda: receiver.api.events(q="the last"))
    assert len(receiver.api.all_events(after=before)) == 1
    assert receiver.api.quarantine() == []


# ---- slow, half-open and many ----


@pytest.mark.timeout(180)
def test_slow_requests_are_cut_off(receiver):
    """Silent ones, half a request, and one byte now and then: none holds its connection for ever."""
    start = time.monotonic()
    with Wire(receiver, 90) as silent, Wire(receiver, 90) as half, Wire(receiver, 90) as dripping:
        half.send(b"GET /api/v1/events HTTP/1.1\r\nHost: loc")
        dripping.send(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nX: ")
        # One byte a second: the condition is the server's end of the connection.
        dripping.socket.settimeout(1)
        with pytest.raises((ConnectionError, EOFError)):
            while time.monotonic() - start < scaled(90):
                dripping.send(b"x")
                try:
                    if not dripping.socket.recv(1000):
                        raise EOFError
                except TimeoutError:
                    pass
        silent.read_all()
        half.read_all()
    assert time.monotonic() - start < scaled(90)


def test_slow_clients_do_not_hold_up_others(receiver):
    wires = []
    try:
        for _ in range(100):
            wire = Wire(receiver)
            wire.send(b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            wires.append(wire)
        start = time.monotonic()
        assert receiver.api.events()
        # Well before any of them is cut off.
        assert time.monotonic() - start < scaled(10)
    finally:
        for wire in wires:
            wire.socket.close()


@pytest.mark.tsan
def test_clients_that_leave_before_their_answer(receiver):
    for _ in range(100):
        with Wire(receiver) as wire:
            wire.send(get("/api/v1/events?limit=1000&q=no-such-text"))
    for _ in range(20):
        with Wire(receiver) as wire:
            body = b'{"text":"x"}'
            wire.send(b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
                      b"Content-Type: application/json\r\nAuthorization: Bearer "
                      + TOKEN.encode() + b"\r\nContent-Length: 12\r\n\r\n" + body)
    assert receiver.api.events()


def test_pipelined_requests(receiver):
    with Wire(receiver) as wire:
        one = b"GET /api/v1/events?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        wire.send(one * 20 + get("/healthz"))
        answer = wire.read_all()
    assert answer.count(b"HTTP/1.1 200 ") == 21


def test_unread_answers_do_not_fill_the_memory(lab):
    broker = lab.broker()
    # AddressSanitizer would keep what is freed for long.
    receiver = lab.receiver(broker, env={"ASAN_OPTIONS": "quarantine_size_mb=8:exitcode=99"})
    with MqttClient(broker) as machine:
        machine.publish_all([(events.topic(), events.hello(n, "x" * 250_000))
                             for n in range(1, 21)])
    eventually(lambda: receiver.api.stats()["journal"]["events"] == 20)
    before = receiver.resident_bytes()
    wires = []
    try:
        for _ in range(150):
            wire = Wire(receiver, 30, receive_buffer_bytes=4096)
            wire.send(get("/api/v1/events?limit=1000"))
            wires.append(wire)
            assert wire.socket.recv(100)
        # 600 MB without a bound.
        assert receiver.resident_bytes() - before < 250e6
        assert receiver.api.get_raw("/healthz").status_code == 200
        page = receiver.api.get("events", limit=1000)
        assert len(page["events"]) == 1 and page["next"]
    finally:
        for wire in wires:
            wire.socket.close()
    eventually(lambda: len(receiver.api.get("events", limit=1000)["events"]) > 10)


def test_more_connections_than_files(lab):
    """At the limit of open files those who are in are served, and room that comes free is used."""
    receiver = lab.receiver(lab.broker(), start=False)
    receiver.start(ready=True)
    subprocess.run(["prlimit", f"--pid={receiver.pid}", "--nofile=200:200"], check=True)
    wires = []
    try:
        for _ in range(400):
            wires.append(Wire(receiver))
        first = wires[0]
        first.send(get("/healthz"))
        assert first.read_status() == 200
    finally:
        for wire in wires:
            wire.socket.close()
    eventually(lambda: receiver.api.get_raw("/healthz").status_code == 200, timeout_s=30)
