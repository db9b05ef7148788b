"""Docker 20.10 (API 1.41), the oldest engine that the manager works with: Debian's docker.io, unpacked and
not installed.

    with old_dockerds(1) as (dockerd,):
        assert dockerd.engine.version.startswith("20.10")
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .engine import Engine
from .process import Process
from .waiting import eventually

API = "1.41"
PACKAGES = ("docker.io", "containerd", "runc")
TOOLS = ("docker", "apt-get", "dpkg-deb", "unshare")


class OldDockerd(Process):
    """One in a network and a mount namespace of its own: no other engine notices it, and nobody reaches
    what its containers publish."""

    def __init__(self, folder, programs):
        folder.mkdir()
        self.engine = Engine(folder / "docker.sock")
        config = folder / "daemon.json"  # not the machine's
        config.write_text('{"iptables": false, "oom-score-adjust": 0}')
        path = os.pathsep.join([f"{programs}/sbin", f"{programs}/bin", os.environ["PATH"]])
        super().__init__("dockerd", [
            "unshare", "--net", "--mount", programs / "sbin" / "dockerd", "--config-file", config,
            "--host", self.engine.host, "--data-root", folder / "data", "--exec-root", folder / "exec",
            "--pidfile", folder / "pid"], folder, {"PATH": path})

    def wait_answers(self):
        """Until it answers or, where it cannot run, has ended."""
        eventually(lambda: self.engine.answers() or not self.running, message="Docker 20.10 answers")

    def terminate(self, timeout_s=30.0):
        """It stops its containers first."""
        super().terminate(timeout_s)

    def why_not(self):
        """Why it is nothing to test with; None where it is."""
        if not self.running:
            return f"it ended: {self.log_text().strip().splitlines()[-1:]}"
        api = self.engine.docker("version", "--format", "{{.Server.APIVersion}}")
        return None if api == API else f"it is {self.engine.version} with API {api}"


def _unpack(folder):
    """The packages' /usr."""
    folder.mkdir()
    done = subprocess.run(["apt-get", "download", *PACKAGES], cwd=folder, capture_output=True, text=True,
                          timeout=90, check=False)
    if done.returncode != 0:
        pytest.skip(f"'apt-get download {' '.join(PACKAGES)}': {done.stderr.strip()}")
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
        package.unlink()
    return folder / "usr"


@contextmanager
def old_dockerds(count):
    """So many, each as of a node of its own. Skips the test where none can be had."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        pytest.skip(f"Docker 20.10 needs {' and '.join(missing) or 'root'}")
    problems = []
    # A short path: a socket's may have 107 bytes only.
    with tempfile.TemporaryDirectory(prefix="bb-") as name, ExitStack() as stack:
        programs = _unpack(Path(name) / "programs")
        all_ = [OldDockerd(Path(name) / str(number), programs) for number in range(count)]
        for dockerd in all_:
            stack.callback(lambda dockerd=dockerd: problems.extend(dockerd.close()))
            dockerd.launch()
        for dockerd in all_:
            dockerd.wait_answers()
            reason = dockerd.why_not()
            if reason:
                pytest.skip(f"Debian's docker.io is no engine with API {API} here: {reason}")
        yield all_
    assert problems == []
