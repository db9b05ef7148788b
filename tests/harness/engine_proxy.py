"""A unix socket between a manager and the engine, for faults: what the engine's own socket never does
when a test wants it.

    with EngineProxy(tmp_path, engine.socket) as proxy:
        proxy.lose_reply("POST /containers/create")       # the engine has done it, the manager is not told
        proxy.after_write = lambda number, request: number == 3 and manager.kill()
        manager = start_manager(proxy.socket)

Replies pass as they come, bytes as they are; connections are kept alive as both sides want; what is
upgraded (attach, exec, BuildKit) becomes a plain tunnel. One thread a connection.
"""

import json
import os
import re
import select
import socket
import threading

_VERSION = re.compile(r"^/v\d+\.\d+(?=/)")
_CHUNK = 1 << 16
_TICK_S = 0.02
WRITES = ("POST", "PUT", "DELETE", "PATCH")


class _Gone(Exception):
    """A side has closed its connection, or a fault closes it."""


class Request:
    """A request as it came: path without the API's version; number counts writes from 1 (reads: 0)."""

    def __init__(self, head, number_of):
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, target, _ = line.split(" ", 2)
        path, _, self.query = _VERSION.sub("", target).partition("?")
        self.path = path
        self.headers = _headers(fields)
        self.is_write = self.method in WRITES
        self.number = number_of(self)

    def __str__(self):
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")

    __repr__ = __str__


class Fault:
    """One way to go wrong, for the requests that `match` is found in; `times` None: for all of them."""

    def __init__(self, kind, match, times, **details):
        self.kind = kind
        self.match = re.compile(match)
        self.times = times
        self.details = details
        self.hits = 0
        self._released = threading.Event()

    def takes(self, request):
        if not self.match.search(str(request)) or self.hits == self.times:
            return False
        self.hits += 1
        return True

    def release(self):
        """What hangs goes on, and nothing hangs any more."""
        self.times = self.hits
        self._released.set()

    def wait(self, client):
        while not self._released.wait(_TICK_S):
            if _is_closed(client):
                raise _Gone


class EngineProxy:
    """Listens at `socket` (a path) from start() to close()."""

    def __init__(self, folder, upstream, name="engine.sock"):
        self.socket = str(folder / name)
        self.host = f"unix://{self.socket}"
        self.upstream = str(upstream)
        self.requests = []
        #: before_write(number, request): before the engine sees it; False: it never does.
        self.before_write = None
        #: after_write(number, request): the engine has done it, the manager has no (whole) reply yet.
        self.after_write = None
        self.errors = []
        self._faults = []
        self._lock = threading.Lock()
        self._writes = 0
        self._listener = None
        self._connections = set()
        self._threads = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ---- the socket

    def start(self):
        """The socket is there (again)."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.socket)
        self._listener.listen(128)
        self._spawn(self._accept, self._listener)
        return self

    def stop(self):
        """As an engine that has ended: no socket's file, all connections closed."""
        listener, self._listener = self._listener, None
        if listener:
            os.unlink(self.socket)
            _close(listener)
        self.cut_all()

    def close(self):
        self.stop()
        self.clear()
        for thread in self._threads:
            thread.join(10)
        assert not self.errors, self.errors

    def cut_all(self, match=""):
        """Closes the connections that now serve a request in which `match` is found."""
        with self._lock:
            found = [c for c in self._connections if re.search(match, str(c.request or ""))]
        for connection in found:
            connection.cut()

    # ---- what is seen

    @property
    def writes(self):
        """The requests that may change something, as they came."""
        with self._lock:
            return [request for request in self.requests if request.is_write]

    def forget(self):
        """Counts anew."""
        with self._lock:
            self.requests.clear()
            self._writes = 0

    def _number(self, request):
        with self._lock:
            self.requests.append(request)
            if not request.is_write:
                return 0
            self._writes += 1
            return self._writes

    # ---- faults

    def delay(self, match, seconds, times=1):
        return self._add(Fault("delay", match, times, seconds=seconds))

    def hang(self, match, times=1):
        """Taken, and not forwarded before release()."""
        return self._add(Fault("hang", match, times))

    def refuse(self, match, times=1):
        """The connection is closed; the engine never sees it."""
        return self._add(Fault("refuse", match, times))

    def lose_reply(self, match, times=1):
        """The engine has done it; the connection is closed without a byte of its reply."""
        return self._add(Fault("lose_reply", match, times))

    def cut(self, match, after_bytes, times=1):
        """The connection is closed after so many bytes of the reply's body."""
        return self._add(Fault("cut", match, times, after_bytes=after_bytes))

    def answer(self, match, status, message, times=1):
        """Answered as the engine would; it never sees it."""
        return self._add(Fault("answer", match, times, status=status, content={"message": message}))

    def answer_with(self, match, content, times=None):
        """Answered well, with this; the engine never sees it."""
        return self._add(Fault("answer", match, times, status=200, content=content))

    def clear(self):
        """No faults any more; what hangs goes on."""
        with self._lock:
            faults, self._faults = self._faults, []
        for fault in faults:
            fault.release()

    def _add(self, fault):
        with self._lock:
            self._faults.append(fault)
        return fault

    def fault_for(self, request):
        with self._lock:
            return next((fault for fault in self._faults if fault.takes(request)), None)

    # ---- threads

    def _spawn(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            connection = _Connection(self, client)
            with self._lock:
                self._connections.add(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection):
        try:
            connection.serve()
        except (_Gone, OSError):
            pass
        except Exception as error:  # a hook's failed assertion is the test's
            self.errors.append(repr(error))
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()


class _Connection:
    """A client's connection, and the one to the engine that goes with it."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = _Stream(client)
        self.engine = None
        self.request = None
        self._after_bytes = None
        self._silent = False

    def cut(self):
        """Ends both connections, under the hands of the thread that serves them."""
        for stream in (self.client, self.engine):
            if stream:
                _shut(stream.socket)

    def close(self):
        for stream in (self.client, self.engine):
            if stream:
                _close(stream.socket)

    def serve(self):
        while True:
            self.request = None
            head = self.client.read_head()
            self.request = Request(head, self.proxy._number)
            if not self._one(head):
                return

    def _one(self, head):
        """Serves one request; False: the connection is at its end."""
        request = self.request
        fault = self.proxy.fault_for(request)
        kind = fault.kind if fault else None
        if kind == "refuse":
            return self._close_unseen()
        if kind == "delay":
            threading.Event().wait(fault.details["seconds"])
        elif kind == "hang":
            fault.wait(self.client.socket)
        elif kind == "answer":
            self._drain_request()
            return self._answer(**fault.details)
        self._after_bytes = fault.details["after_bytes"] if kind == "cut" else None
        self._silent = kind == "lose_reply"
        if request.is_write and self.proxy.before_write:
            if self.proxy.before_write(request.number, request) is False:
                return self._close_unseen()
        if not self.engine:
            self.engine = _Stream(_connect(self.proxy.upstream))
        self.engine.write(head)
        if "upgrade" not in request.headers:
            _copy_body(self.client, request.headers, self.engine.write)
        return self._reply()

    def _close_unseen(self):
        """With all of the request read, so that the client sees an end and no broken pipe."""
        self._drain_request()
        return False

    def _drain_request(self):
        _copy_body(self.client, self.request.headers, lambda _: None)

    def _answer(self, status, content):
        body = json.dumps(content).encode() + b"\n"
        self.client.write(f"HTTP/1.1 {status} Fault\r\nContent-Type: application/json\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    def _to_client(self, data):
        if self._silent:
            return
        self.client.write(data)

    def _body_to_client(self, data):
        if self._after_bytes is not None:
            data = data[:self._after_bytes]
            self._after_bytes -= len(data)
        self._to_client(data)
        if self._after_bytes == 0:
            raise _Gone

    def _reply(self):
        """The engine's reply; False: the connection is at its end."""
        self.engine.watched = self.client.socket
        head = self.engine.read_head()
        status = int(head.split(b" ", 2)[1])
        headers = _headers(head.decode("latin-1").split("\r\n")[1:])
        if status == 101:
            self._to_client(head)
            self._tunnel()
            return False
        has_body = self.request.method != "HEAD" and status not in (204, 304)
        # Of a write the last bytes are held back for the hook: all of them, or the last chunk.
        held = []
        holds_all = self.request.is_write and "chunked" not in headers.get("transfer-encoding", "")
        if not holds_all:
            self._to_client(head)
        if has_body:
            _copy_body(self.engine, headers, held.append if holds_all else self._body_to_client, held,
                       until_close=True)
        if self.request.is_write and self.proxy.after_write:
            self.proxy.after_write(self.request.number, self.request)
        if holds_all:
            self._to_client(head)
        for data in held:
            self._body_to_client(data)
        self.engine.watched = None
        if self._silent or (has_body and not _has_length(headers)):
            return False
        return "close" not in (headers.get("connection", ""), self.request.headers.get("connection", ""))

    def _tunnel(self):
        other = {self.client.socket: self.engine, self.engine.socket: self.client}
        for stream in (self.client, self.engine):
            if stream.pending:
                other[stream.socket].write(stream.take_pending())
        while other:
            for source in select.select(list(other), [], [])[0]:
                data = source.recv(_CHUNK)
                if data:
                    other[source].write(data)
                else:
                    other.pop(source).half_close()


class _Stream:
    """Bytes of a socket, read by lines and lengths. With `watched`, that one's end is seen, too."""

    def __init__(self, sock):
        self.socket = sock
        self.watched = None
        self.pending = b""

    def write(self, data):
        if data:
            self.socket.sendall(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def take_pending(self):
        data, self.pending = self.pending, b""
        return data

    def _receive(self):
        while self.watched:
            ready = select.select([self.socket, self.watched], [], [])[0]
            if self.socket in ready:
                break
            if _is_closed(self.watched):
                raise _Gone
            self.watched = None  # it sends already what comes next
        data = self.socket.recv(_CHUNK)
        if not data:
            raise _Gone
        return data

    def some(self, most=_CHUNK):
        """What is there, at least one byte."""
        data = self.take_pending() or self._receive()
        self.pending = data[most:]
        return data[:most]

    def read_through(self, mark):
        while mark not in self.pending:
            self.pending += self._receive()
        end = self.pending.index(mark) + len(mark)
        data, self.pending = self.pending[:end], self.pending[end:]
        return data

    def read_head(self):
        return self.read_through(b"\r\n\r\n")


def _copy_body(source, headers, write, held=None, until_close=False):
    """A request's or reply's body, as it comes. `held` takes the last chunk instead of `write`."""
    if "chunked" in headers.get("transfer-encoding", ""):
        while True:
            line = source.read_through(b"\r\n")
            size = int(line.split(b";")[0], 16)
            if size == 0:
                last = line + source.read_through(b"\r\n")
                (held.append if held is not None else write)(last)
                return
            write(line)
            _copy_bytes(source, size + 2, write)
    elif "content-length" in headers:
        _copy_bytes(source, int(headers["content-length"]), write)
    elif until_close:
        while True:
            try:
                write(source.some())
            except _Gone:
                return


def _copy_bytes(source, left, write):
    while left > 0:
        data = source.some(min(left, _CHUNK))
        write(data)
        left -= len(data)


def _has_length(headers):
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "")


def _headers(lines):
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _connect(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    return sock


def _is_closed(sock):
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _shut(sock):
    """Wakes a thread that waits on it."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _close(sock):
    _shut(sock)
    sock.close()
