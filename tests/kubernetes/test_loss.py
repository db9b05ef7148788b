"""Nothing is lost, whatever pod goes away: counted by the receiver and in its journal."""

import tarfile

import pytest

from harness import ROOT, eventually

from .cluster import run
from .counting import LOAD, counted, expect_more, expect_nothing_missing


@pytest.fixture(scope="module")
def loaded(deploy, tmp_path_factory):
    """An installation of the chart before this one, under load."""
    one = deploy("--chart", previous_chart(tmp_path_factory.mktemp("chart")), *LOAD)
    return counted(one)


def previous_chart(folder):
    """The chart as it was one commit of its own ago; where the history has none, the present one."""
    if not (ROOT / ".git").exists():
        return ROOT / "helm" / "bellbuoy"
    commits = run("git", "-C", ROOT, "log", "-2", "--format=%H", "--", "helm/bellbuoy").stdout.split()
    archive = folder / "chart.tar"
    run("git", "-C", ROOT, "archive", "--output", archive, commits[-1], "helm/bellbuoy")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "helm" / "bellbuoy"


def delete_pod(cluster, namespace, name, *options):
    """Deletes it and waits for the next one to be ready."""
    before = cluster.pods(namespace)[name]
    cluster.kubectl("-n", namespace, "delete", "pod", name, *options, timeout_s=120)
    eventually(lambda: cluster.pods(namespace).get(name, before) != before, timeout_s=60)
    cluster.kubectl("-n", namespace, "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s",
                    timeout_s=150)


def test_an_upgrade_under_load(loaded, cluster, namespace):
    """From the chart before to this one; each pod is replaced, whatever the two differ in."""
    expect_more(loaded)
    before = cluster.pods(namespace)
    turn = [option for service in ("broker", "receiver", "broadcaster")
            for option in ("--set", f"{service}.podAnnotations.turn=two")]
    answer = cluster.deploy(namespace, "--no-forward", *LOAD, *turn)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert not set(before.values()) & set(cluster.pods(namespace).values())
    expect_more(loaded)
    print(expect_nothing_missing(loaded), "messages")


@pytest.mark.parametrize("options", [[], ["--force", "--grace-period=0"]], ids=["deleted", "forced"])
@pytest.mark.parametrize("name", ["bellbuoy-receiver-0", "bellbuoy-broker-0"])
def test_a_pod_is_deleted(loaded, cluster, namespace, name, options):
    expect_more(loaded)
    delete_pod(cluster, namespace, name, *options)
    expect_more(loaded)
    expect_nothing_missing(loaded)


def test_a_machine_is_deleted(loaded, cluster, namespace):
    """Its successor is another machine; of itself all is there that it has sent."""
    expect_more(loaded)
    gone = next(iter(cluster.pods(namespace, "broadcaster")))
    cluster.kubectl("-n", namespace, "delete", "pod", gone, timeout_s=60)
    eventually(lambda: len(loaded.api.sources()) >= 4, timeout_s=60)
    expect_more(loaded)
    expect_nothing_missing(loaded)


@pytest.mark.parametrize("container", ["receiver", "broker"])
def test_a_container_is_killed(loaded, cluster, namespace, container):
    """kill -9, by the node's engine: nobody in the pod hears of it before."""
    engine = cluster.engine_env()
    running = ["docker", "ps", "--quiet", "--no-trunc",
               "--filter", f"label=io.kubernetes.container.name={container}",
               "--filter", f"label=io.kubernetes.pod.namespace={namespace}"]
    expect_more(loaded)
    victim = run(*running, env=engine).stdout.strip()
    run("docker", "kill", "--signal", "KILL", victim, env=engine)
    eventually(lambda: run(*running, env=engine).stdout.strip() not in ("", victim), timeout_s=60)
    expect_more(loaded)
    expect_nothing_missing(loaded)
