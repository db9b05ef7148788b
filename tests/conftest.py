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
    parser.addoption("--model-sequences", type=int, default=200,
                     help="how many sequences the manager's model test runs (default: 200)")
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
    """What takes minutes begins first, so that no worker is left with it in the end. A kill takes a
    second or so: the more of them, the longer their test may take."""
    def names(item):
        return getattr(item, "fixturenames", ())

    items.sort(key=lambda item: ("kills" not in names(item), "model_seeds" not in names(item)))
    for item in items:
        if "kills" in names(item):
            item.add_marker(pytest.mark.timeout(120 + 10 * config.getoption("--kills")))


#: The sequences of one test of the manager's model.
_SEQUENCES_A_TEST = 20


def pytest_generate_tests(metafunc):
    """model_seeds: the sequences of the manager's model test, --model-sequences N from --model-seed S on."""
    if "model_seeds" in metafunc.fixturenames:
        first = metafunc.config.getoption("--model-seed")
        end = first + metafunc.config.getoption("--model-sequences")
        blocks = [range(begin, min(begin + _SEQUENCES_A_TEST, end))
                  for begin in range(first, end, _SEQUENCES_A_TEST)]
        metafunc.parametrize("model_seeds", blocks, ids=lambda block: f"{block[0]}-{block[-1]}")


@pytest.fixture
def kills(request):
    """How often the kill test kills: --kills N."""
    return request.config.getoption("--kills")


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
