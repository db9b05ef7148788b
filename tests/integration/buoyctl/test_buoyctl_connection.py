"""buoyctl's way to the broker: addresses, contexts, TLS, logins, a cluster, losses."""

import json
import os
import re
import subprocess
import time

import pytest

from harness import BUOYCTL, ROOT, eventually, free_port, run_once
from harness.ctl import CONVERGED, FAILED, USAGE
from harness.process import service_environment
from harness.services import flags, login_flags
from harness.waiting import scaled


def test_the_broker_is_away(ctl, tmp_path):
    begin = time.monotonic()
    done = ctl("status", "--broker-url", f"mqtt://127.0.0.1:{free_port()}", connected=False)
    assert done.returncode == FAILED
    assert "no connection to mqtt://127.0.0.1" in done.stderr and "refused" in done.stderr
    assert time.monotonic() - begin < scaled(10)


def test_a_broker_that_says_nothing(ctl):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = ctl("status", "--broker-url", f"mqtt://127.0.0.1:{silent.getsockname()[1]}",
                   "--connect-timeout", "500ms", connected=False)
    assert done.returncode == FAILED
    assert "within 0.5 s (--connect-timeout)" in done.stderr


def test_tls_and_a_wrong_authority(lab, tmp_path):
    broker = lab.broker(tls=True)
    good = run_once(BUOYCTL, "doctor", *flags(**login_flags(broker)))
    assert "✓ tls: encrypted" in good.stdout
    other = lab.broker(tls=True, start=False).certificates.ca
    bad = run_once(BUOYCTL, "status", "--broker-url", broker.url, "--ca-file", other)
    assert bad.returncode == FAILED and "certificate" in bad.stderr


def test_passwords(lab, tmp_path):
    broker = lab.broker(users={"operator": "secret"})
    assert run_once(BUOYCTL, "status", *flags(**login_flags(broker))).returncode == CONVERGED
    assert run_once(BUOYCTL, "status", "--broker-url", broker.url).returncode == FAILED


def test_a_context(ctl, broker, tmp_path):
    path = tmp_path / "config" / "bellbuoy" / "context.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"current": "here", "contexts": {
        "here": {"broker_url": broker.url}, "there": {"broker_url": f"mqtt://127.0.0.1:{free_port()}"},
        "wrong": {"broker": "x"}}}))
    assert ctl("status", connected=False).returncode == CONVERGED
    assert ctl("status", "--context", "there", connected=False).returncode == FAILED
    assert ctl("status", "--context", "there").returncode == CONVERGED, "a flag wins"
    path.write_text(path.read_text().replace('"broker_url": "' + broker.url, '"ca_file": "x", "broker_url": "x'))
    assert ctl("status").returncode == CONVERGED, "another broker's certificates are left out"
    path.write_text(path.read_text().replace('"ca_file": "x", "broker_url": "x', '"broker_url": "' + broker.url))
    assert ctl("status", connected=False, env={"BELLBUOY_CONTEXT": "there"}).returncode == FAILED
    for name, words in (("nowhere", "there is no context 'nowhere'"), ("wrong", "/broker is not known")):
        done = ctl("status", "--context", name, connected=False)
        assert done.returncode == USAGE and words in done.stderr
    path.write_text("{")
    assert ctl("status", connected=False).returncode == USAGE


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """kubectl(SCRIPT): stands in for kubectl; its arguments and its end are noted."""

    def write(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "kubectl").write_text(f"""#!/bin/bash
echo "$@" > {tmp_path}/arguments; echo $$ > {tmp_path}/pid
{script}
""")
        (folder / "kubectl").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return write


def test_a_broker_in_a_cluster(ctl, broker, kubectl, tmp_path):
    kubectl(f"echo 'Forwarding from 127.0.0.1:{broker.port} -> 8883'; exec sleep 100")
    done = ctl("status", "--kube-service", "bellbuoy/bellbuoy-broker", "--kube-context", "minikube",
               "--broker-url", "mqtt://localhost:8883", connected=False)
    assert done.returncode == CONVERGED, done.stderr
    assert (tmp_path / "arguments").read_text().split() == [
        "port-forward", "--namespace=bellbuoy", "service/bellbuoy-broker", ":8883", "--context=minikube"]
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}"), "it ends with buoyctl"


@pytest.mark.parametrize("script, service, status, words", [
    ("echo 'error: services \"x\" not found' >&2; exit 1", "a/x", FAILED, 'error: services "x" not found'),
    ("exit 127", "a/x", FAILED, "is kubectl installed?"),
    ("exec sleep 100", "a/x", FAILED, "does not begin within 1 s"),
    ("exit 1", "x", USAGE, "'x' must be NAMESPACE/SERVICE"),
])
def test_a_cluster_that_does_not_forward(ctl, kubectl, script, service, status, words):
    kubectl(script)
    done = ctl("status", "--kube-service", service, "--connect-timeout", "1s", connected=False)
    assert done.returncode == status and words in done.stderr, done.stderr


def test_a_users_rights(lab, document):
    """What a broker denies it acknowledges: only what comes back was let through."""
    acl = lab.folder / "acl"
    acl.write_text("topic readwrite bellbuoy/reply/+\ntopic read bellbuoy/nodes/#\n")
    broker = lab.broker(settings=[f"acl_file {acl}"])
    doctor = run_once(BUOYCTL, "doctor", "--connect-timeout", "1s", "--broker-url", broker.url)
    assert doctor.returncode == FAILED
    assert "✗ publishing: we may not write" in doctor.stdout
    apply = run_once(BUOYCTL, "apply", document(), "-n", "press-7", "--broker-url", broker.url)
    assert apply.returncode == FAILED
    assert "acknowledged bellbuoy/nodes/press-7/desired/line3 and did not pass it on" in apply.stderr


def test_rights_as_they_are_shipped(lab):
    broker = lab.broker(tls=True, client_certificates=True,
                        settings=("use_identity_as_username true", f"acl_file {ROOT}/broker/acl"))

    def doctor(user):
        certificate, key = broker.certificates.client(user)
        return run_once(BUOYCTL, "doctor", "--connect-timeout", "1s", "--cert-file", certificate,
                        "--key-file", key, *flags(**login_flags(broker)), timeout_s=60)

    operator = doctor("operator")
    assert operator.returncode == CONVERGED, operator.stdout
    assert re.search(r"✓ tls: encrypted; our certificate is valid for \d+ more days|! tls", operator.stdout)
    other = doctor("receiver")
    assert other.returncode == FAILED
    assert "✗ answers: the broker" in other.stdout and "bellbuoy/reply/+" in other.stdout


def test_a_broker_that_is_restarted_meanwhile(broker, nodes, document):
    """The wait goes on where it was: connected and subscribed again."""
    node = nodes("press-7")
    process = subprocess.Popen([BUOYCTL, "apply", document(), "-n", "press-7", *map(str, flags(**login_flags(broker)))],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=service_environment())
    sent = node.wait_for_document()
    broker.restart(kill=False)
    eventually(lambda: node._client.connected)
    node.presence(True)
    node.set_project("line3", sent["revision"], id=sent["id"]).report()
    out, err = process.communicate(timeout=scaled(30))
    assert process.returncode == CONVERGED, err
    assert out == "press-7: converged\n"
