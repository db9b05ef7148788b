"""The node itself goes away and comes back: for real minikubes only."""

import pytest

from harness import eventually

from .cluster import COMPONENT, INSTANCE, run
from .counting import LOAD, counted, expect_more, expect_nothing_missing


@pytest.fixture(scope="module")
def minikube(cluster):
    """minikube(argument...) on the profile of the context."""
    profile = cluster.kubectl("config", "current-context").stdout.strip()
    try:
        answer = run("minikube", "--profile", profile, "status", env=cluster.env, check=False)
    except FileNotFoundError:
        pytest.skip("there is no minikube command")
    if answer.returncode:
        pytest.skip(f"'{profile}' is no running minikube")
    return lambda *argv: run("minikube", "--profile", profile, *argv, env=cluster.env, timeout_s=400)


@pytest.fixture(scope="module")
def loaded(minikube, deploy):
    return counted(deploy(*LOAD))


def expect_all_ready(cluster, namespace):
    def ready():
        pods = cluster.get("pods", "-l", INSTANCE, namespace=namespace)["items"]
        there = {pod["metadata"]["labels"][COMPONENT] for pod in pods}
        states = [status["ready"] for pod in pods for status in pod["status"].get("containerStatuses", [])]
        return len(there) == 3 and all(states)

    eventually(ready, timeout_s=240, interval_s=1)


def test_the_engine_is_restarted(loaded, minikube, cluster, namespace):
    expect_more(loaded)
    minikube("ssh", "--", "sudo systemctl restart docker")
    expect_all_ready(cluster, namespace)
    expect_more(loaded)
    expect_nothing_missing(loaded)


def test_minikube_is_stopped_and_started(loaded, minikube, cluster, namespace):
    expect_more(loaded)
    minikube("stop")
    minikube("start")
    expect_all_ready(cluster, namespace)
    expect_more(loaded)
    expect_nothing_missing(loaded)
