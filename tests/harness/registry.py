"""A registry of images on a loopback port, which engines take for a safe one without TLS, and a proxy
before it that goes wrong when a test wants it."""

import http.client
import http.server
import json
import re
import shutil
import signal
import subprocess
import threading

import pytest

from .net import HOST, accepts, free_port
from .process import Process
from .waiting import eventually

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


class Registry(Process):
    """Debian's docker-registry; with `users` ({name: password}) only they may read and write. `storage`:
    another's, so that it offers the same images."""

    def __init__(self, folder, name="registry", users=None, storage=None):
        if not shutil.which("docker-registry"):
            pytest.skip("no registry: apt-get install docker-registry")
        self.port = free_port()
        self.address = f"{HOST}:{self.port}"
        self.storage = storage or folder / f"{name}-data"
        config = {"version": 0.1, "log": {"level": "warn"}, "http": {"addr": self.address},
                  "storage": {"filesystem": {"rootdirectory": str(self.storage)}}}
        if users:
            passwords = folder / f"{name}.htpasswd"
            passwords.write_text("".join(map(_htpasswd, users, users.values())))
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
        path = folder / f"{name}.yml"  # JSON is YAML
        path.write_text(json.dumps(config))
        super().__init__(name, ["docker-registry", "serve", path], folder)

    def start(self):
        self.launch()
        eventually(lambda: accepts(self.port))
        return self

    def terminate(self, timeout_s=6.0):
        """It ends by the signal itself."""
        self._end(signal.SIGTERM, -signal.SIGTERM, timeout_s)

    def push(self, engine, image, repository, tag="1"):
        """Pushes an image that the engine has; the engine then has it under its old name only."""
        name = f"{self.address}/{repository}:{tag}"
        engine.docker("tag", image, name)
        engine.docker("push", "--quiet", name)
        engine.docker("image", "rm", name)

    def put_for_platform(self, repository, tag, os, architecture):
        """Makes `tag` a list that offers what is tagged 1 for this platform alone."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request("GET", f"/v2/{repository}/manifests/1", headers={"Accept": _MANIFEST})
        reply = connection.getresponse()
        content = reply.read()
        listing = {"schemaVersion": 2, "mediaType": _MANIFEST_LIST, "manifests": [
            {"mediaType": _MANIFEST, "size": len(content), "digest": reply.headers["Docker-Content-Digest"],
             "platform": {"os": os, "architecture": architecture}}]}
        connection.request("PUT", f"/v2/{repository}/manifests/{tag}", json.dumps(listing),
                           {"Content-Type": _MANIFEST_LIST})
        reply = connection.getresponse()
        assert reply.status == 201, reply.read()
        connection.close()


def _htpasswd(name, password):
    if not shutil.which("htpasswd"):
        pytest.skip("no htpasswd: apt-get install apache2-utils")
    done = subprocess.run(["htpasswd", "-Bbn", name, password], capture_output=True, text=True, check=True)
    return done.stdout.strip() + "\n"


class RegistryProxy:
    """Forwards to a registry, but for requests ("GET /v2/...") that a fault was given for."""

    def __init__(self, registry):
        self.registry = registry
        self.requests = []
        self._faults = []
        self._released = threading.Event()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.address = f"{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, match, status, code="UNKNOWN", message="", headers=()):
        """Such an error, as the distribution specification has it, for requests that `match` is in."""
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self._faults.append((re.compile(match), lambda handler: handler.reply(status, dict(headers), body)))

    def hang(self, match):
        """Taken and not answered before release()."""
        self._faults.append((re.compile(match), lambda handler: self._released.wait()))

    def hang_in_body(self, match, after_bytes):
        """The header and the first bytes come, the others not before release()."""
        self._faults.append((re.compile(match), lambda handler: handler.forward(after_bytes)))

    def release(self):
        self._released.set()

    def wait(self):
        self._released.wait()

    def fault_for(self, line):
        return next((act for match, act in self._faults if match.search(line)), None)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        line = f"{self.command} {self.path}"
        self.owner.requests.append(line)
        act = self.owner.fault_for(line)
        try:
            act(self) if act else self.forward()
        except OSError:
            self.close_connection = True

    do_HEAD = do_GET

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def forward(self, stop_after=None):
        upstream = http.client.HTTPConnection(self.owner.registry.address, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():  # there are several Accept
            upstream.putheader(name, value)
        upstream.endheaders()
        answer = upstream.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("date", "server", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = len(body) if stop_after is None else stop_after
        self.wfile.write(body[:cut])
        if stop_after is not None:
            self.owner.wait()
            self.wfile.write(body[cut:])
        upstream.close()
