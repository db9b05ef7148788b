"""Server-sent events over a raw socket, so that every byte of the framing can be looked at."""

import ctypes
import json
import re
import socket
import struct
import time
from dataclasses import dataclass

from .waiting import PATIENCE_S, scaled

_LINE_END = re.compile("\r\n|\n|\r")

# asm-generic/socket.h and linux/bpf_common.h: a classic BPF program of the one instruction "return 0".
_SO_ATTACH_FILTER = 26
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)


@dataclass(frozen=True)
class Frame:
    """One block of the stream up to its blank line. A field that does not occur is None."""

    raw: bytes
    id: str | None = None
    event: str | None = None
    data: str | None = None
    retry: str | None = None
    comment: str | None = None

    @property
    def json(self):
        return json.loads(self.data)


def parse_frame(raw):
    """Reads one block by the rules of the HTML standard, section 9.2.6."""
    fields = {}
    # Not splitlines(): a U+2028 in the data ends no line here.
    for line in filter(None, _LINE_END.split(raw.decode("utf-8"))):
        name, _, value = line.partition(":")
        name = name or "comment"
        value = value.removeprefix(" ")
        if name in fields and name in ("data", "comment"):
            fields[name] += "\n" + value
        elif name in Frame.__dataclass_fields__:
            fields[name] = value
    return Frame(raw, **fields)


class SseStream:
    """A client that reads only when asked to, and so can be as slow as a test wants.

    query: "type=hello&after=..."; last_event_id: the header; receive_buffer_bytes: a small SO_RCVBUF
    makes a client that blocks the server soon. `status` and `headers` (lower case) are the answer's.
    """

    def __init__(self, host, port, query="", last_event_id=None, headers=None,
                 receive_buffer_bytes=None, path="/api/v1/stream", timeout_s=PATIENCE_S):
        self._socket = socket.socket()
        if receive_buffer_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._socket.settimeout(scaled(timeout_s))
        self._socket.connect((host, port))
        self._wire = b""
        self._body = b""
        self._left_in_chunk = None
        self._ended = False
        self.last_event_id = last_event_id
        target = path + ("?" + query if query else "")
        self._socket.sendall(self._request(f"{host}:{port}", target, last_event_id, headers or {}))
        self.status, self.headers = self._read_head()
        self._chunked = self.headers.get("transfer-encoding") == "chunked"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def vanish(self):
        """From now on its machine is gone for the server: what comes for this socket is dropped before
        TCP sees it, so that nothing is acknowledged and nothing refused, and no FIN was sent."""
        program = ctypes.create_string_buffer(_DROP_ALL, len(_DROP_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER,
                                struct.pack("HP", 1, ctypes.addressof(program)))

    @staticmethod
    def _request(host, target, last_event_id, headers):
        lines = {"Host": host, "Accept": "text/event-stream"}
        if last_event_id is not None:
            lines["Last-Event-ID"] = last_event_id
        lines.update(headers)
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"GET {target} HTTP/1.1\r\n{head}\r\n".encode()

    def _receive(self, deadline):
        """Appends what comes next to the wire buffer; False at the end of the stream."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no more bytes of the event stream in time")
        self._socket.settimeout(left)
        data = self._socket.recv(65536)
        self._wire += data
        return bool(data)

    def _read_head(self):
        deadline = time.monotonic() + self._socket.gettimeout()
        while b"\r\n\r\n" not in self._wire:
            assert self._receive(deadline), f"connection ended within the head: {self._wire!r}"
        head, self._wire = self._wire.split(b"\r\n\r\n", 1)
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in rest)
        return int(first.split(" ")[1]), {name.lower(): value for name, value in headers.items()}

    def _unchunk(self):
        """Moves decoded bytes from the wire to the body (RFC 9112, section 7.1)."""
        if not self._chunked:
            self._body, self._wire = self._body + self._wire, b""
            return
        while self._wire and not self._ended:
            if self._left_in_chunk is None:
                size, found, rest = self._wire.partition(b"\r\n")
                if not found:
                    return
                self._left_in_chunk, self._wire = int(size.split(b";")[0], 16), rest
                self._ended = self._left_in_chunk == 0
            taken = self._wire[: self._left_in_chunk]
            self._body += taken
            self._wire = self._wire[len(taken):]
            self._left_in_chunk -= len(taken)
            if self._left_in_chunk == 0:
                if len(self._wire) < 2:
                    return
                assert self._wire.startswith(b"\r\n"), f"chunk without its end: {self._wire[:20]!r}"
                self._wire, self._left_in_chunk = self._wire[2:], None

    def _fill(self, deadline):
        before = len(self._body)
        more = not self._ended and self._receive(deadline)
        self._unchunk()
        if len(self._body) == before and (not more or self._ended):
            raise EOFError(f"the stream ended; unread: {self._body!r}")

    def read_body(self, timeout_s=PATIENCE_S):
        """The whole body of an answer that ends, such as a problem document."""
        deadline = time.monotonic() + scaled(timeout_s)
        length = int(self.headers.get("content-length", "0"))
        while len(self._wire) < length and self._receive(deadline):
            pass
        return self._wire[:length]

    def read_bytes(self, count, timeout_s=PATIENCE_S):
        """Exactly that many bytes of the decoded body."""
        deadline = time.monotonic() + scaled(timeout_s)
        self._unchunk()
        while len(self._body) < count:
            self._fill(deadline)
        taken, self._body = self._body[:count], self._body[count:]
        return taken

    def next_frame(self, timeout_s=PATIENCE_S):
        """The next block, whatever it is: retry, heartbeat, cursor, gap or event."""
        deadline = time.monotonic() + scaled(timeout_s)
        self._unchunk()
        while b"\n\n" not in self._body:
            self._fill(deadline)
        raw, self._body = self._body.split(b"\n\n", 1)
        frame = parse_frame(raw + b"\n\n")
        if frame.id is not None:
            self.last_event_id = frame.id
        return frame

    def next_event(self, timeout_s=PATIENCE_S):
        """The next block with data: an event or a gap. Comments, retry and cursors are passed over."""
        deadline = time.monotonic() + scaled(timeout_s)
        while True:
            frame = self.next_frame(max(0.0, deadline - time.monotonic()) / scaled(1))
            if frame.data is not None:
                return frame

    def collect(self, count, timeout_s=PATIENCE_S):
        """The next `count` blocks with data."""
        deadline = time.monotonic() + scaled(timeout_s)
        frames = []
        while len(frames) < count:
            try:
                frames.append(self.next_event(max(0.0, deadline - time.monotonic()) / scaled(1)))
            except TimeoutError as error:
                raise AssertionError(f"only {len(frames)} of {count} events in time") from error
        return frames
