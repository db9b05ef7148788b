"""Fixtures of the tests on a real cluster. They share it: no two run at once."""

import os

import pytest

# The system's Chromium and a page in it, as in the browser tests.
from browser.conftest import browser, show  # noqa: F401  # pylint: disable=unused-import

from .cluster import BUILD_IMAGES, Cluster, Deploy, run

# An installation takes its time, the first build of the images more;
TIMEOUT_S = 1200


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "kubernetes":
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(autouse=True, scope="session")
def own_context_file(tmp_path_factory):
    """deploy.sh writes one for buoyctl: not into the tester's home."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(scope="session")
def bare_cluster():
    """A cluster that answers; without one the tests are skipped."""
    cluster, reason = Cluster.find()
    if not cluster:
        pytest.skip(reason)
    return cluster


@pytest.fixture(scope="session")
def cluster(bare_cluster):
    """The same, with today's images on its node. BELLBUOY_IMAGES=keep takes those that are there."""
    if os.environ.get("BELLBUOY_IMAGES") != "keep":
        run(BUILD_IMAGES, env=bare_cluster.env, timeout_s=1800)
    return bare_cluster


@pytest.fixture(scope="module")
def namespace(cluster, request):
    """A namespace of the module's own, made by deploy.sh when it likes, gone at the end."""
    name = "bellbuoy-" + request.module.__name__.rpartition("test_")[2].replace("_", "-")
    cluster.purge(name)
    yield name
    cluster.purge(name)


@pytest.fixture(scope="module")
def deploy(cluster, namespace, tmp_path_factory):
    """deploy("--set", "...") -> a Deploy whose page answers."""
    started = []
    folder = tmp_path_factory.mktemp("deploy")

    def start(*options):
        one = Deploy(cluster, folder, f"deploy-{len(started) + 1}", namespace, options)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        if one.running:
            one.terminate()


@pytest.fixture(scope="module")
def deployment(deploy):
    """Bellbuoy with a quick source, its page open."""
    return deploy("--set", "broadcaster.profile=events")
