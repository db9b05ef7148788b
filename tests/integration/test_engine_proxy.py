"""The proxy that injects faults between a manager and the engine, tried with the docker command."""

import http.client
import json
import socket
import subprocess
import threading
import uuid

import pytest

from harness import eventually
from harness.engine import Engine, need_engine
from harness.engine_proxy import EngineProxy


@pytest.fixture(scope="module")
def engine():
    return need_engine()


@pytest.fixture(scope="module")
def image(engine):
    name = f"bellbuoy-test/proxy:{uuid.uuid4().hex[:8]}"
    engine.tiny_image(name)
    yield name
    engine.remove_image(name)


@pytest.fixture
def proxy(engine, tmp_path):
    with EngineProxy(tmp_path, engine.socket) as proxy:
        yield proxy


@pytest.fixture
def through(proxy):
    return Engine(proxy.socket)


@pytest.fixture
def name(engine):
    name = f"bellbuoy-test-{uuid.uuid4().hex[:8]}"
    yield name
    engine.rm(name)


class Client(http.client.HTTPConnection):
    """One connection to the proxy, kept alive."""

    def __init__(self, proxy):
        super().__init__("engine", timeout=30)
        self._path = proxy.socket

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)

    def ask(self, method, path, body=None):
        self.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        reply = self.getresponse()
        return reply.status, reply.read()


def create(client, name, image):
    return client.ask("POST", f"/v1.41/containers/create?name={name}", {"Image": image})


def test_docker_works_through_it(engine, through, proxy, image, name):
    assert through.docker("run", "--name", name, image, "echo", "hello") == "hello"
    assert through.docker("logs", name) == "hello"
    assert [r.path for r in proxy.writes if r.path == "/containers/create"] == ["/containers/create"]
    assert through.docker("run", "--rm", "--interactive", image, "cat", stdin=b"typed\n") == "typed"
    before = len(proxy.writes)
    through.ids()
    assert len(proxy.writes) == before
    assert any(str(request) == "GET /containers/json?all=1" for request in proxy.requests)


def test_a_connection_is_kept_alive(proxy):
    client = Client(proxy)
    for _ in range(3):
        status, body = client.ask("GET", "/version")
        assert status == 200 and json.loads(body)["ApiVersion"]
        assert client.ask("HEAD", "/_ping") == (200, b"")
    client.close()
    assert len(proxy.requests) == 6


def test_a_stream_passes_as_it_comes(engine, proxy, image, name):
    with subprocess.Popen(["docker", "--host", proxy.host, "events", "--filter", f"container={name}"],
                          stdout=subprocess.PIPE, text=True) as events:
        eventually(lambda: any(request.path == "/events" for request in proxy.requests))
        engine.docker("create", "--name", name, image)
        assert "container create" in events.stdout.readline()
        proxy.cut_all("GET /events")
        assert events.wait(30) != 0


def test_a_client_that_leaves_a_stream_leaves_nothing(proxy):
    client = Client(proxy)
    client.request("GET", "/events")
    assert client.getresponse().status == 200
    client.sock.shutdown(socket.SHUT_RDWR)
    eventually(lambda: not proxy._connections)


def test_a_lost_reply_is_work_done(engine, proxy, image, name):
    fault = proxy.lose_reply("POST /containers/create")
    with pytest.raises(http.client.RemoteDisconnected):
        create(Client(proxy), name, image)
    assert fault.hits == 1
    assert engine.inspect(name)
    assert create(Client(proxy), name, image)[0] == 409


def test_what_is_refused_or_answered_never_reaches_the_engine(engine, proxy, image, name):
    proxy.refuse("POST /containers/create")
    with pytest.raises(http.client.RemoteDisconnected):
        create(Client(proxy), name, image)
    proxy.answer("POST /containers/create", 500, "no space left on device")
    status, body = create(Client(proxy), name, image)
    assert (status, json.loads(body)) == (500, {"message": "no space left on device"})
    assert not engine.inspect(name)
    assert len(proxy.writes) == 2


def test_what_hangs_goes_on_after_release(proxy):
    fault = proxy.hang("GET /version")
    replies = []
    thread = threading.Thread(target=lambda: replies.append(Client(proxy).ask("GET", "/version")[0]))
    thread.start()
    eventually(lambda: fault.hits == 1)
    assert not replies
    fault.release()
    thread.join(30)
    assert replies == [200]


def test_a_reply_is_cut_in_its_body(proxy):
    proxy.cut("GET /version", after_bytes=10)
    client = Client(proxy)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.ask("GET", "/version")


def test_hooks_stand_before_and_after_the_nth_write(engine, proxy, image, name):
    seen = []

    def before(number, request):
        seen.append(("before", number, request.path, bool(engine.inspect(name))))
        return number != 3

    def after(number, request):
        seen.append(("after", number, request.path, bool(engine.inspect(name))))

    proxy.before_write, proxy.after_write = before, after
    client = Client(proxy)
    assert create(client, name, image)[0] == 201
    assert client.ask("DELETE", f"/containers/{name}")[0] == 204
    with pytest.raises(http.client.RemoteDisconnected):
        create(client, name, image)
    assert seen == [
        ("before", 1, "/containers/create", False), ("after", 1, "/containers/create", True),
        ("before", 2, f"/containers/{name}", True), ("after", 2, f"/containers/{name}", False),
        ("before", 3, "/containers/create", False),
    ]


def test_the_socket_goes_and_comes_back(proxy, through):
    assert through.answers()
    proxy.stop()
    assert not through.answers()
    proxy.start()
    assert through.answers()
