"""scripts/gen-certs.sh: keeps what is there, makes what is missing, and says what is wrong."""

import os
import stat
import subprocess

import pytest

from harness import ROOT

SERVICES = ("broker", "receiver", "broadcaster", "manager", "operator")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "certs"


@pytest.fixture
def gen(folder, tmp_path):
    """gen("--days", 7): the script's result; the folder is the test's own unless --dir is given."""

    def run(*options, ok=True, env=None):
        argv = [ROOT / "scripts" / "gen-certs.sh", "--dir", folder, *options]
        environment = {**os.environ, "KUBECONFIG": str(tmp_path / "no-kubeconfig"), **(env or {})}
        done = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env=environment, timeout=60)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done

    return run


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_makes_an_authority_and_a_certificate_each(gen, folder):
    gen()
    assert {path.name for path in folder.iterdir()} == {"ca", "token", *SERVICES}
    for service in SERVICES:
        certificate = folder / service / "tls.crt"
        usage = "sslserver" if service == "broker" else "sslclient"
        assert "OK" in openssl("verify", "-purpose", usage, "-CAfile", folder / "ca" / "tls.crt",
                               certificate)
        assert f"CN = {service}" in openssl("x509", "-noout", "-subject", "-in", certificate)
        assert "prime256v1" in openssl("x509", "-noout", "-text", "-in", certificate)
        assert (folder / service / "ca.crt").read_bytes() == (folder / "ca" / "tls.crt").read_bytes()


def test_nobody_else_reads_them(gen, folder):
    gen()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert modes == {0o700, 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_broker_has_all_its_names(gen, folder):
    gen("--namespace", "ns", "--name", "buoy", "--dns", "broker.example.org,192.0.2.7,fe80::7")
    names = openssl("x509", "-noout", "-ext", "subjectAltName", "-in", folder / "broker" / "tls.crt")
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "DNS:buoy-broker,", "DNS:buoy-broker.ns,",
                 "DNS:buoy-broker.ns.svc,", "DNS:buoy-broker.ns.svc.cluster.local",
                 "DNS:broker.example.org", "IP Address:192.0.2.7", "IP Address:FE80:0:0:0:0:0:0:7"):
        assert name in names


def test_a_second_run_changes_nothing(gen, folder):
    gen()
    before = contents(folder)
    gen()
    assert contents(folder) == before


@pytest.mark.parametrize("service, renewed", [("receiver", {"receiver"}), ("all", set(SERVICES))])
def test_renews_what_it_is_told(gen, folder, service, renewed):
    gen()
    before = contents(folder)
    gen("--renew", service)
    after = contents(folder)
    changed = {path.parts[0] for path in after if after[path] != before[path]}
    assert changed == renewed


def test_a_new_authority_makes_all_anew_but_the_token(gen, folder):
    gen()
    before = contents(folder)
    gen("--new-ca")
    after = contents(folder)
    assert {path.parts[0] for path in after if after[path] != before[path]} == {"ca", *SERVICES}


def test_a_broker_of_another_name_is_renewed(gen, folder):
    gen()
    before = contents(folder)
    gen("--namespace", "other")
    after = contents(folder)
    assert {path.parts[0] for path in after if after[path] != before[path]} == {"broker"}


def test_days(gen, folder):
    gen("--days", 7)
    certificate = folder / "receiver" / "tls.crt"
    assert "will not expire" in openssl("x509", "-noout", "-checkend", 6 * 86400, "-in", certificate)
    assert "will expire" in openssl("x509", "-noout", "-checkend", 8 * 86400, "-in", certificate)


def test_an_authoritys_key_of_another_is_told(gen, folder):
    gen()
    (folder / "ca" / "tls.key").write_bytes((folder / "broker" / "tls.key").read_bytes())
    before = contents(folder)
    assert "the key is not that of the certificate" in gen(ok=False).stderr
    assert contents(folder) == before


def test_a_missing_file_is_told_and_nothing_overwritten(gen, folder):
    gen()
    (folder / "ca" / "tls.key").unlink()
    before = contents(folder)
    done = gen(ok=False)
    assert f"{folder}/ca has only some of its files" in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize("options, message", [
    (["--renew", "postman"], "--renew must be one of broker receiver"),
    (["--days", "0"], "--days must be a whole number from 1 to 36500, not '0'"),
    (["--days", "ten"], "--days must be a whole number"),
    (["--dns", "a b"], "--dns: 'a b' is neither a name nor an address"),
    (["--namespace", "Upper"], "--namespace must be small letters"),
    (["--frobnicate"], "unknown option '--frobnicate'"),
    (["--renew"], "--renew needs a value"),
])
def test_wrong_options(gen, folder, options, message):
    done = gen(*options, ok=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert not folder.exists()


def test_a_folder_that_cannot_be(gen):
    assert "the folder /proc/certs cannot be made" in gen("--dir", "/proc/certs", ok=False).stderr


def test_a_cluster_that_does_not_answer(gen, tmp_path):
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text("#!/bin/sh\necho somewhere\nexit 1\n")
    kubectl.chmod(0o755)
    done = gen("--apply", ok=False, env={"PATH": f"{kubectl.parent}:{os.environ['PATH']}"})
    assert "no cluster answers in the context 'somewhere'" in done.stderr


def test_help(gen):
    assert "--renew SERVICE" in gen("--help").stdout
