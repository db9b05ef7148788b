"""`manager prepare FOLDER UID:GID`: what an init container does with CAP_CHOWN alone."""

import os
import stat

import pytest

from harness import run_once
from harness.manager import MANAGER

# Of a container that has dropped all but CHOWN.
CHOWN_ONLY = ("--bounding-set", "-all,+chown", "--inh-caps", "-all,+chown")


def owner(folder):
    status = folder.stat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_folder_of_root_becomes_the_user_s(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    for _ in range(2):  # the second time there is nothing to do, and it could not be opened
        done = run_once("setpriv", *CHOWN_ONLY, MANAGER, "prepare", folder, "10001:10002")
        assert done.returncode == 0, done.stderr
        assert owner(folder) == (10001, 10002, 0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "state").symlink_to("elsewhere")
    done = run_once(MANAGER, "prepare", tmp_path / "state", "10001:10001")
    assert done.returncode == 1
    assert owner(tmp_path / "elsewhere")[0] == 0


@pytest.mark.parametrize("arguments, status, said", [
    ([], 2, "manager prepare FOLDER UID:GID"),
    (["/tmp", "bellbuoy"], 2, "'bellbuoy' must be UID:GID"),
    (["/tmp", "0:0"], 2, "'0:0' must be UID:GID"),
    (["/nosuch/folder", "10001:10001"], 1, "/nosuch/folder cannot be given to 10001:10001"),
])
def test_what_is_wrong_is_named(arguments, status, said):
    done = run_once(MANAGER, "prepare", *arguments)
    assert done.returncode == status
    assert said in done.stderr
