"""Deployments that fail: what deploy.sh says of the pods, what it means, and what is there afterwards."""

import os
import signal

import pytest

from harness import eventually
from harness.deploying import mends, path_without

from .cluster import Deploy

EPHEMERAL = "requests.ephemeral-storage"


@pytest.fixture(scope="module")
def first(cluster, namespace):
    """The result of a first installation whose images no registry serves."""
    return cluster.deploy(namespace, "--no-forward", "--set", "image.registry=nosuch.invalid")


@pytest.fixture(scope="module")
def working(first, cluster, namespace):
    """The same, mended: the next run."""
    answer = cluster.deploy(namespace, "--no-forward")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer


def test_a_first_installation_that_fails_stays(first, cluster, namespace):
    assert first.returncode == 1
    assert "ImagePullBackOff" in first.stderr or "ErrImagePull" in first.stderr
    assert "nosuch.invalid/bellbuoy/receiver:" in first.stderr
    assert "the registry does not serve nosuch.invalid/bellbuoy/" in first.stderr
    assert "scripts/build-images.sh --push nosuch.invalid" in mends(first)[0]
    assert "it stays as it is, to be looked at" in first.stdout
    assert set(cluster.pods(namespace)) >= {"bellbuoy-broker-0", "bellbuoy-receiver-0"}


def test_the_next_run_mends_it(working):
    """Kubernetes alone would wait for the StatefulSets' broken pods for ever."""
    assert "Bellbuoy is ready" in working.stdout


@pytest.mark.parametrize("options, phrases", [
    (["receiver.env.BELLBUOY_KEEPALIVE_S=soon"],
     ["last log lines:", "BELLBUOY_KEEPALIVE_S", "the program ends by itself"]),
    (["broker.resources.requests.memory=900Gi", "broker.resources.limits.memory=900Gi"],
     ["Unschedulable", "no node has that much left (Insufficient memory)"]),
], ids=["crash", "memory"])
def test_an_upgrade_that_fails_is_rolled_back(working, cluster, namespace, options, phrases):
    before = cluster.pods(namespace, "broadcaster")
    answer = cluster.deploy(namespace, "--no-forward", *(f"--set={one}" for one in options), timeout_s=500)
    assert answer.returncode == 1, answer.stdout
    for phrase in phrases:
        assert phrase in answer.stderr
    assert "rolled back: Bellbuoy runs as before" in answer.stdout
    assert cluster.pods(namespace, "broadcaster") == before
    answer = cluster.deploy(namespace, "--no-forward")
    assert answer.returncode == 0, answer.stderr


def test_pods_that_the_quota_refuses(working, cluster, namespace):
    cluster.kubectl("-n", namespace, "create", "quota", "small", f"--hard={EPHEMERAL}=1Mi")
    cluster.kubectl("-n", namespace, "wait", "resourcequota/small",
                    f"--for=jsonpath={{.status.hard.{EPHEMERAL.replace('.', chr(92) + '.')}}}=1Mi")
    try:
        answer = cluster.deploy(namespace, "--no-forward", "--set", "broadcaster.podAnnotations.turn=two",
                                timeout_s=500)
    finally:
        cluster.kubectl("-n", namespace, "delete", "quota", "small")
    assert answer.returncode == 1
    assert "a pod was refused: exceeded quota: small" in answer.stderr
    assert any("edit resourcequota small" in mend for mend in mends(answer))


def test_ctrl_c_in_its_middle(working, cluster, namespace, tmp_path):
    one = Deploy(cluster, tmp_path, "interrupted", namespace, ["--set=image.registry=nosuch.invalid"])
    one.launch()
    one.wait_for_log("ErrImagePull|ImagePullBackOff", timeout_s=60)
    # Again when nothing happens, as a person would: bash forgets one in the instant that a child ends.
    eventually(lambda: one.signal(signal.SIGINT) or one.popen.poll() is not None, timeout_s=30, interval_s=2)
    one.expect_exit(130)
    assert "interrupted; what was begun is still there" in one.log_text()
    answer = cluster.deploy(namespace, "--no-forward")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_without_helm(cluster, namespace, tmp_path):
    cluster.purge(namespace)
    env = {"PATH": path_without(cluster.env.get("PATH", os.environ["PATH"]), tmp_path / "bin", "helm"),
           "XDG_STATE_HOME": str(tmp_path / "state")}
    answer = cluster.deploy(namespace, "--no-forward", env=env)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "kubectl applies the manifests in kubernetes/" in answer.stderr
    before = eventually(lambda: cluster.pods(namespace))
    assert cluster.deploy(namespace, "--no-forward", env=env).returncode == 0
    assert cluster.pods(namespace) == before
    answer = cluster.deploy(namespace, "--purge", "--yes", env=env)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert cluster.kubectl("get", "namespace", namespace, check=False).returncode != 0
