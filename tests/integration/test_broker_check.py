"""`broker check`, which helm test runs: quiet where an installation is right, red where it is not."""

import pytest

from harness import BUILD_DIR, ROOT, Certificates, run_once

CLIENTS = {"client_certificates": True}
RIGHTS = ("use_identity_as_username true", f"acl_file {ROOT}/broker/acl")


@pytest.fixture
def check(lab):
    """check(subject, **broker settings): its result against a broker that has those."""

    def run(subject, settings=RIGHTS, tls=True, **options):
        broker = lab.broker(tls=tls, settings=settings, **options)
        return try_subject(lab, broker, subject)

    return run


def try_subject(lab, broker, subject):
    certificates = broker.certificates or Certificates(lab.folder / "certs")
    allowed, other = certificates.client("operator"), certificates.client("broadcaster")
    return run_check("--subject", subject, "--broker-url", f"mqtts://localhost:{broker.port}",
                     "--ca-file", certificates.ca, "--cert-file", allowed[0], "--key-file", allowed[1],
                     "--other-cert-file", other[0], "--other-key-file", other[1], "--timeout", "5s")


def run_check(*options):
    return run_once(BUILD_DIR / "broker" / "broker", "check", *options, timeout_s=30)


@pytest.mark.parametrize("subject", ["plaintext", "certificate", "topic"])
def test_a_broker_that_refuses_is_as_it_should_be(check, subject):
    done = check(subject, **CLIENTS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused as it should be")


def test_a_broker_that_asks_for_no_certificate_is_told(check):
    done = check("certificate", settings=["allow_anonymous true"])
    assert done.returncode == 1
    assert "logs in a client without a certificate" in done.stderr


def test_a_broker_that_lets_everybody_write_is_told(check):
    done = check("topic", settings=["use_identity_as_username true"], **CLIENTS)
    assert done.returncode == 1
    assert "lets" in done.stderr and "write bellbuoy/nodes/check/desired/check" in done.stderr


def test_a_broker_without_tls_is_told(check):
    done = check("plaintext", tls=False, settings=[])
    assert done.returncode == 1
    assert "no login" in done.stderr


@pytest.mark.parametrize("subject", ["plaintext", "certificate", "topic"])
def test_a_broker_that_is_not_there_refuses_nobody(lab, subject):
    broker = lab.broker(tls=True, start=False)
    done = try_subject(lab, broker, subject)
    assert done.returncode == 1
    assert "no login" in done.stderr


def test_a_message_is_seen(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    lab.broadcaster(broker, rate=20)
    done = run_check("--subject", "message", "--receiver", f"localhost:{receiver.port}")
    assert done.returncode == 0, done.stderr
    assert "a message arrived" in done.stdout


def test_no_message_is_told(lab):
    receiver = lab.receiver(lab.broker())
    done = run_check("--receiver", f"127.0.0.1:{receiver.port}", "--timeout", "300ms")
    assert done.returncode == 1
    assert "no message within 300 ms" in done.stderr


def test_a_receiver_that_takes_no_more_is_told(lab):
    receiver = lab.receiver(lab.broker(), max_clients=1)
    with receiver.stream():
        done = run_check("--receiver", f"127.0.0.1:{receiver.port}")
    assert done.returncode == 1
    assert "503" in done.stderr


@pytest.mark.parametrize("receiver, message", [
    ("nowhere", "is not HOST:PORT"),
    ("nowhere.invalid:5000", "nowhere.invalid:5000"),
    ("127.0.0.1:1", "Connection refused"),
])
def test_a_receiver_that_is_not_there_is_told(receiver, message):
    done = run_check("--receiver", receiver)
    assert done.returncode == 1
    assert message in done.stderr


@pytest.mark.parametrize("options", [["--subject", "weather"], ["--broker-url", "x"], ["version"]])
def test_wrong_options(options):
    done = run_check(*options)
    assert done.returncode == 2
    assert done.stderr.startswith("broker check: ")
