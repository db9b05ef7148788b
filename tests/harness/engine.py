"""A Docker engine for tests: the machine's own, or one more of the development machine's."""

import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from .paths import ROOT

# What the development machine offers where no engine runs.
ENGINE_SCRIPT = ROOT.parent / "shared" / "cluster" / "cluster"
DEFAULT_SOCKET = "/var/run/docker.sock"

LABEL_PROJECT = "io.bellbuoy.project"


class Engine:
    """One engine behind its unix socket, asked by the docker command."""

    def __init__(self, socket=DEFAULT_SOCKET):
        self.socket = str(socket)
        self.host = f"unix://{self.socket}"

    def __repr__(self):
        return f"<engine {self.socket}>"

    def docker(self, *args, check=True, stdin=None, timeout_s=120):
        """One command: its standard output without the last newline, or with check=False the
        CompletedProcess. `stdin`: bytes."""
        done = subprocess.run(["docker", "--host", self.host, *map(str, args)], input=stdin or b"",
                              capture_output=True, timeout=timeout_s, check=False)
        if not check:
            return done
        assert done.returncode == 0, f"docker {' '.join(map(str, args))}: {done.stderr.decode()}"
        return done.stdout.decode().rstrip("\n")

    def _lines(self, *args):
        return self.docker(*args).split()

    def answers(self):
        return bool(shutil.which("docker")) and self.docker("version", check=False).returncode == 0

    @property
    def version(self):
        return self.docker("version", "--format", "{{.Server.Version}}")

    # ---- containers

    def ids(self, *filters):
        """All containers' full ids, running or not, by filters such as "label=a=b"."""
        return self._lines("ps", "--all", "--quiet", "--no-trunc", *_filters(filters))

    def containers(self, project=None, service=None):
        """What inspect says of a project's containers (None: of all of ours), by name."""
        label = LABEL_PROJECT if project is None else f"{LABEL_PROJECT}={project}"
        filters = [f"label={label}"] + ([f"label=io.bellbuoy.service={service}"] if service else [])
        found = self.inspect(*self.ids(*filters))
        return {container["Name"].lstrip("/"): container for container in found}

    def inspect(self, *names):
        """What inspect says of each; those that are gone by now are left out."""
        if not names:
            return []
        return json.loads(self.docker("inspect", *names, check=False).stdout or b"[]")

    def run(self, image, *command, options=()):
        """The id of a container that was started in the background."""
        return self.docker("run", "--detach", *options, image, *command)

    def rm(self, *names):
        """With force; those that are not there are none."""
        if names:
            self.docker("rm", "--force", "--volumes", *names, check=False)

    def remove_project(self, project):
        """All of a project: its containers, networks and volumes."""
        label = f"label={LABEL_PROJECT}={project}"
        self.rm(*self.ids(label))
        for kind in ("network", "volume"):
            names = self._lines(kind, "ls", "--quiet", "--filter", label)
            if names:
                self.docker(kind, "rm", *names, check=False)

    # ---- images

    def has_image(self, name):
        return self.docker("image", "inspect", name, check=False).returncode == 0

    def image_id(self, name):
        return self.docker("image", "inspect", "--format", "{{.Id}}", name)

    def remove_image(self, *names):
        self.docker("image", "rm", "--force", *names, check=False)

    def tiny_image(self, name, changes=(), text=None):
        """Makes an image of busybox (sh, sleep, httpd, nc, ...) under this name, with no registry. `text`
        is its /version (default: the name), so that images of different names differ; `changes` are
        Dockerfile's lines ("HEALTHCHECK ..."). Returns its id."""
        arguments = []
        for change in ('CMD ["sleep", "86400"]', *changes):
            arguments += ["--change", change]
        return self.docker("import", *arguments, "-", name, stdin=_busybox_tar(text or name))


def find_engine():
    """The engine of DOCKER_HOST or of this machine, started where that can be; None without one."""
    host = os.environ.get("DOCKER_HOST", "")
    engine = Engine(host.removeprefix("unix://") if host.startswith("unix://") else DEFAULT_SOCKET)
    if not engine.answers() and engine.socket == DEFAULT_SOCKET:
        _start_engine()
    return engine if engine.answers() else None


def need_engine():
    """The same; skips the test without one."""
    return find_engine() or pytest.skip("no Docker engine answers ('docker info' says why)")


def _start_engine():
    if os.access(ENGINE_SCRIPT, os.X_OK):
        subprocess.run([ENGINE_SCRIPT, "docker"], capture_output=True, check=False, timeout=900)


def _filters(filters):
    return [word for one in filters for word in ("--filter", one)]


def _busybox():
    """Debian's busybox-static: a program that needs nothing beside it."""
    path = shutil.which("busybox")
    if not path or b"/ld-linux" in Path(path).read_bytes():
        pytest.skip("no static busybox: apt-get install busybox-static")
    return Path(path).resolve()


def _busybox_tar(text):
    program = _busybox()
    commands = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        _add(tar, "bin/busybox", program.read_bytes(), 0o755)
        for command in commands.split():
            if command != "busybox":
                link = tarfile.TarInfo(f"bin/{command}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        for folder, mode in (("tmp", 0o1777), ("run", 0o755), ("etc", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
        _add(tar, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
        _add(tar, "version", text.encode() + b"\n")
    return out.getvalue()


def _add(tar, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
