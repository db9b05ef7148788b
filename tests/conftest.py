"""Fixtures for all tests that start real processes."""

import os
import signal
from pathlib import Path

import pytest

from harness import BROADCASTER, BROKER, RECEIVER, Lab
from harness.manager import MANAGER
from harness.paths import BUOYCTL


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=100,
                     help="how often the kill test kills (default: 100)")
    parser.addoption("--model-sequences", type=int, default=40,
                     help="how many sequences the manager's model test runs (default: 40)")
    parser.addoption("--model-seed", type=int, default=0,
                     help="the seed of the first of them (default: 0)")


# What is here tests scripts and what they have installed, not what lies in the build folder.
_WITHOUT_BINARIES = {"chart", "images", "kubernetes", "scripts"}


def _wants_binaries(config):
    folder = Path(__file__).parent
    paths = (Path(config.invocation_params.dir, arg.partition("::")[0]) for arg in config.args)
    parts = (os.path.relpath(path.resolve(), folder).split(os.sep)[0] for path in paths)
    return not _WITHOUT_BINARIES.issuperset(parts)


def pytest_sessionstart(session):
    # A shell starts what it puts in the background with SIGINT ignored, and no child of such a
    # process could be ended by Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    missing = [str(path) for path in (BROADCASTER, BROKER, RECEIVER, MANAGER, BUOYCTL) if not path.exists()]
    if missing and _wants_binaries(session.config) and not session.config.option.collectonly:
        pytest.exit(f"not built: {', '.join(missing)}; scripts/test.sh builds them", returncode=3)


def pytest_collection_modifyitems(config, items):
    """A kill takes a second or so: the more of them, the longer their test may take. It begins first,
    so that one worker has it while the other does the rest."""
    def is_kill_test(item):
        return "kills" in getattr(item, "fixturenames", ())

    items.sort(key=lambda item: not is_kill_test(item))
    for item in filter(is_kill_test, items):
        item.add_marker(pytest.mark.timeout(120 + 10 * config.getoption("--kills")))
    for item in items:
        if "model_seeds" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(120 + 20 * config.getoption("--model-sequences")))


@pytest.fixture
def kills(request):
    """How often the kill test kills: --kills N."""
    return request.config.getoption("--kills")


@pytest.fixture
def model_seeds(request):
    """The sequences of the manager's model test: --model-sequences N, --model-seed S."""
    first = request.config.getoption("--model-seed")
    return range(first, first + request.config.getoption("--model-sequences"))


@pytest.fixture
def lab(tmp_path):
    """Processes of one test. At its end each must have ended well, without a sanitizer's report."""
    place = Lab(tmp_path)
    yield place
    place.close()


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory):
    """The same for processes that all tests of a module share."""
    place = Lab(tmp_path_factory.mktemp("module"))
    yield place
    place.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Puts the processes' last log lines into the report of a failed test."""
    report = (yield).get_result()
    if call.when != "call" or not report.failed:
        return
    for name in ("lab", "module_lab"):
        place = getattr(item, "funcargs", {}).get(name)
        if place:
            report.sections += place.logs()
