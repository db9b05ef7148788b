"""scripts/deploy.sh on a real cluster, from nothing to nothing."""

import signal
import time

import pytest

from harness import accepts, eventually
from harness.logs import parse_logfmt

from .cluster import COMPONENT, INSTANCE, run


@pytest.fixture(scope="module")
def deployment(deploy):
    """As a user has it: without any option but port and namespace."""
    begun = time.monotonic()
    one = deploy()
    one.seconds = time.monotonic() - begun
    return one


def ready(cluster, namespace):
    """{component: containers that are ready}"""
    items = cluster.get("pods", "-l", INSTANCE, namespace=namespace)["items"]
    return {pod["metadata"]["labels"][COMPONENT]: pod["status"]["containerStatuses"][0]["ready"]
            for pod in items}


def test_a_browser_shows_hello_world(deployment, cluster, namespace, show):
    assert ready(cluster, namespace) == {"broker": True, "receiver": True, "broadcaster": True}
    dashboard = show(deployment).expect_live()
    dashboard.expect_row("Hello world", timeout_s=30)
    print(f"page ready after {deployment.seconds:.1f} s")


def test_the_namespace_enforces_restricted(deployment, cluster, namespace):
    labels = cluster.get("namespace", namespace, namespace=namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("component", ["broker", "receiver", "broadcaster"])
def test_kubectl_logs_are_readable(deployment, cluster, namespace, component):
    """One line an event, each with its time, its level and what it says."""
    text = cluster.kubectl("-n", namespace, "logs", "-l", f"{INSTANCE},{COMPONENT}={component}").stdout
    lines = text.splitlines()
    assert lines
    for line in lines:
        assert {"time", "level", "component", "msg"} <= parse_logfmt(line).keys(), line


def test_a_second_run_changes_no_pod(deployment, cluster, namespace):
    before = cluster.pods(namespace)
    answer = cluster.deploy(namespace, "--no-forward")
    assert answer.returncode == 0, answer.stderr
    assert "Bellbuoy is ready" in answer.stdout
    assert cluster.pods(namespace) == before


def test_helm_test_passes(deployment, cluster, namespace):
    """Its checks ask for what must be refused, too (helm/bellbuoy/templates/tests)."""
    answer = run("helm", "-n", namespace, "test", "bellbuoy", "--timeout", "3m", env=cluster.env,
                 timeout_s=240)
    for subject in ("plaintext", "certificate", "topic", "message"):
        assert f"bellbuoy-test-{subject}\n" in answer.stdout, answer.stdout


def test_the_port_forward_finds_the_new_pod(deployment, cluster, namespace, show):
    dashboard = show(deployment, outages=True).expect_live()
    epoch = deployment.api.cursor().split("-")[0]
    cluster.kubectl("-n", namespace, "delete", "pod", "bellbuoy-receiver-0")
    deployment.wait_for_log("connected again", timeout_s=60)
    dashboard.expect_live()
    assert deployment.api.cursor().split("-")[0] == epoch
    assert eventually(lambda: deployment.api.stats()["totals"]["missing"] == 0)


@pytest.mark.parametrize("end", ["Enter", "end of input", "Ctrl-C", "SIGTERM"])
def test_it_ends_well(deployment, deploy, end):
    one = deploy()
    assert accepts(one.port)
    {"Enter": one.press_enter, "end of input": one.end_input,
     "Ctrl-C": lambda: one.signal(signal.SIGINT),
     "SIGTERM": lambda: one.signal(signal.SIGTERM)}[end]()
    one.expect_exit(0)
    assert not accepts(one.port)
    assert "Bellbuoy runs on" in one.log_text()


def test_with_nobody_at_the_keyboard(deployment, cluster, namespace):
    """It installs, has seen the page answer, and ends."""
    answer = cluster.deploy(namespace, "--port", deployment.port + 1)
    assert answer.returncode == 0, answer.stderr
    assert f"http://localhost:{deployment.port + 1}" in answer.stdout
    assert "end of input" in answer.stdout


def test_uninstall_keeps_the_history_and_purge_does_not(deployment, deploy, cluster, namespace):
    eventually(deployment.api.events, timeout_s=30)
    first = deployment.api.all_events(limit=1)[0]
    deployment.press_enter()
    deployment.expect_exit(0)
    answer = cluster.deploy(namespace, "--uninstall")
    assert answer.returncode == 0, answer.stderr
    assert not cluster.get("all", namespace=namespace)["items"]
    claims = {one["metadata"]["name"] for one in cluster.get("pvc", namespace=namespace)["items"]}
    assert claims == {"data-bellbuoy-broker-0", "data-bellbuoy-receiver-0"}
    assert "data-bellbuoy-receiver-0" in answer.stdout
    again = deploy()
    assert again.api.all_events(limit=1)[0] == first
    again.press_enter()
    again.expect_exit(0)
    # Without --yes and without a terminal nothing is lost.
    answer = cluster.deploy(namespace, "--purge")
    assert answer.returncode == 2
    assert "say --yes" in answer.stderr
    assert cluster.pods(namespace)
    answer = cluster.deploy(namespace, "--purge", "--yes")
    assert answer.returncode == 0, answer.stderr
    assert cluster.kubectl("get", "namespace", namespace, check=False).returncode != 0
