"""Certificates are made anew while messages flow (docs/operations.md, mode `generate`)."""

import pytest

from harness import eventually

from .counting import LOAD, counted, expect_more, expect_nothing_missing

# The kubelet looks at Secrets once a minute or so, and each client has its own backoff.
PATIENCE_S = 240


@pytest.fixture(scope="module")
def loaded(deploy):
    return counted(deploy(*LOAD))


def fingerprints(cluster, namespace):
    """{name of the Secret: its certificate} of all that have one."""
    secrets = cluster.get("secrets", namespace=namespace)["items"]
    return {one["metadata"]["name"]: one["data"]["tls.crt"] for one in secrets if "tls.crt" in one["data"]}


@pytest.mark.parametrize("deleted, said", [
    (["bellbuoy-broker-tls", "bellbuoy-receiver-tls"], "the certificate was renewed"),
    (["bellbuoy-ca"], "the authority has changed"),
], ids=["certificates", "authority"])
def test_new_ones_lose_no_message(loaded, cluster, namespace, deleted, said):
    expect_more(loaded)
    pods = cluster.pods(namespace)
    before = fingerprints(cluster, namespace)
    cluster.kubectl("-n", namespace, "delete", "secret", *deleted)
    answer = cluster.deploy(namespace, "--no-forward", *LOAD)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    after = fingerprints(cluster, namespace)
    renewed = {name for name, certificate in after.items() if certificate != before[name]}
    # What an authority has signed goes with it.
    assert renewed == (set(deleted) if "bellbuoy-ca" not in deleted else set(before))

    def broker_has_them():
        return said in cluster.kubectl("-n", namespace, "logs", "bellbuoy-broker-0").stdout

    eventually(broker_has_them, timeout_s=PATIENCE_S, interval_s=1)
    expect_more(loaded, timeout_s=PATIENCE_S)
    assert cluster.pods(namespace) == pods
    expect_nothing_missing(loaded)
