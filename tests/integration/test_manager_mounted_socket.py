"""The manager in a container, where the engine's socket alone is mounted: the file, not its folder."""

import subprocess

import pytest

from harness import eventually
from harness.engine_proxy import EngineProxy
from harness.manager import Manager

MOUNT = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"']


class MountedManager(Manager):
    """Sees `socket` mounted over a file of its own, as a container would."""

    def __init__(self, folder, broker, socket):
        self._outside = socket
        self._inside = folder / "docker.sock"
        self._inside.touch()
        super().__init__(folder, broker, "mounted", self._inside)

    def launch(self):
        self.argv = [*MOUNT, str(self._outside), str(self._inside), *self.argv]
        return super().launch()


@pytest.fixture
def proxy(docker, tmp_path):
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount")
    with EngineProxy(tmp_path, docker.socket) as proxy:
        yield proxy


@pytest.fixture
def manager(lab, proxy):
    manager = MountedManager(lab.folder, lab.broker(), proxy.socket)
    lab.processes.append(manager)
    manager.start()
    eventually(lambda: "the engine answers" in manager.log_text())
    return manager


def test_it_says_what_to_do_when_the_engine_makes_its_socket_anew(proxy, manager):
    """It never sees the new one; its next start does. It does not end by itself: what starts it again while
    there is no socket would make a folder in its place, and then the engine cannot start."""
    proxy.stop()
    eventually(lambda: "start this container again" in manager.log_text())
    proxy.start()
    manager.terminate()
    manager.start()
    eventually(lambda: "the engine answers" in manager.log_text())


def test_it_says_no_such_thing_of_a_socket_that_is_still_there(proxy, manager):
    proxy.refuse(".", times=None)
    proxy.cut_all()
    eventually(lambda: "asking it again" in manager.log_text())
    assert "start this container again" not in manager.log_text()
