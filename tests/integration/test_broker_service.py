"""The broker's supervisor: Mosquitto below it, renewed certificates, and who may do what."""

import os
import shutil
import signal
import socket
import ssl
import time
from collections import Counter

import paho.mqtt.client as paho
import pytest

from harness import (BROKER, EXPIRY, HOST, Certificates, MqttClient, eventually, run_once, scaled)


def handshake(broker, certificate=None):
    """The serial number that the broker's certificate has now, as a client of its authority sees it.

    The authority is the one that the broker's own is of, so the certificate is verified, too.
    """
    context = ssl.create_default_context(cafile=str(broker.certificates.ca))
    if certificate:
        context.load_cert_chain(*map(str, certificate))
    with socket.create_connection((HOST, broker.port), timeout=scaled(5)) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as tls:
            return tls.getpeercert()["serialNumber"]


def refused(broker, certificate=None, **tls):
    """True if no login comes about: TLS 1.3 tells so only behind the handshake."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    answers = []
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.append(reason)
    client.on_disconnect = lambda *_: answers.append("lost")
    if tls.get("tls", True):
        cert, key = map(str, certificate) if certificate else (None, None)
        client.tls_set(ca_certs=str(broker.certificates.ca), certfile=cert, keyfile=key)
    try:
        client.connect("localhost", broker.port)
        client.loop_start()
        eventually(lambda: answers, message="an answer to the login")
    except OSError:
        return True
    finally:
        client.loop_stop()
        client.disconnect()
    return answers[0] != 0


# ---------------------------------------------------------------- its life


def test_it_starts_and_ends_mosquitto(lab):
    broker = lab.broker_service()
    mosquitto = broker.mosquitto_pid()
    assert broker.admin.get_raw("/healthz").status_code == 200
    done = broker.healthcheck()
    assert (done.returncode, done.stderr) == (0, "")
    broker.terminate(timeout_s=5.0)
    assert not os.path.exists(f"/proc/{mosquitto}")
    assert (broker.data_dir / "mosquitto.db").exists()
    assert broker.log_records(component="broker", msg="stopped")


def test_it_ends_while_mosquitto_starts(lab):
    broker = lab.broker_service(start=False)
    broker.launch()
    eventually(broker.mosquitto_pid)
    broker.terminate(timeout_s=5.0)


@pytest.mark.parametrize("option", ["--mosquitto", "--conf"])
def test_what_is_not_there_is_named(option):
    done = run_once(BROKER, "--admin-address", "", option, "/nonexistent")
    assert done.returncode == 2
    assert f"{option} '/nonexistent'" in done.stderr


def test_a_crash_of_mosquitto_is_its_own(lab):
    broker = lab.broker_service()
    os.kill(broker.mosquitto_pid(), signal.SIGSEGV)
    broker.expect_exit(1)
    record, = broker.log_records(msg="mosquitto has ended by itself")
    assert (record["level"], record["how"]) == ("error", "signal 11")


def test_mosquitto_does_not_outlive_it(lab):
    broker = lab.broker_service()
    mosquitto = broker.mosquitto_pid()
    broker.kill()
    eventually(lambda: not os.path.exists(f"/proc/{mosquitto}"))


def test_wrong_settings_of_mosquitto_are_said(lab):
    broker = lab.broker_service(start=False)
    conf = broker.folder / "mosquitto.conf"
    conf.write_text("nonsense true\n")
    broker.start(ready=False)
    broker.expect_exit(1)
    assert broker.log_records(component="mosquitto", level="error")


def test_a_mosquitto_that_hangs_is_noticed(lab):
    broker = lab.broker_service()
    mosquitto = broker.mosquitto_pid()
    os.kill(mosquitto, signal.SIGSTOP)
    try:
        done = broker.healthcheck()
        assert done.returncode == 1
        assert f"no login at mqtt://{HOST}:{broker.health_port}" in done.stderr
        eventually(lambda: "mosquitto does not answer" in broker.unready_reason(), timeout_s=20.0)
    finally:
        os.kill(mosquitto, signal.SIGCONT)
    broker.wait_ready()


def test_a_mosquitto_that_does_not_end_is_killed(lab):
    broker = lab.broker_service()
    os.kill(broker.mosquitto_pid(), signal.SIGSTOP)
    broker.signal(signal.SIGTERM)
    broker.expect_exit(1, timeout_s=6.0)
    assert broker.log_records(level="error", waited_ms=4500)


def test_health_logins_are_not_in_the_log(lab):
    broker = lab.broker_service()
    assert broker.healthcheck().returncode == 0
    with MqttClient(broker, "seen", certificate=broker.certificates.client("receiver")):
        eventually(lambda: "as seen" in broker.log_text())
    assert "bellbuoy-health" not in broker.log_text()
    assert f"on port {broker.health_port}" not in broker.log_text()


# ---------------------------------------------------------------- certificates


def test_a_renewed_certificate_is_served_and_nobody_is_disconnected(lab):
    broker = lab.broker_service()
    certificates, before, expiry = broker.certificates, handshake(broker), broker.expiry()
    with MqttClient(broker, certificate=certificates.client("receiver")) as client:
        mosquitto = broker.mosquitto_pid()
        broker.secret.put(certificates.ca, *certificates.server("renewed", days=5))
        eventually(lambda: handshake(broker) != before, message="the new certificate is served")
        assert client.connected
        assert broker.mosquitto_pid() == mosquitto
    assert broker.expiry() == pytest.approx(expiry + 3 * 86400, abs=120)
    assert broker.admin.metrics()["bellbuoy_broker_reloads_total"] == 1
    assert broker.unready_reason() == ""


def test_files_half_written_are_left_alone(lab):
    broker = lab.broker_service()
    before = handshake(broker)
    certificate, key = broker.certificates.server("renewed")
    tls = broker.secret.folder
    halves = [
        (tls / "tls.crt", certificate.read_text(), "is not that of the certificate"),
        (tls / "tls.key", key.read_text()[:100], "is no complete PEM key"),
        (tls / "ca.crt", "", "is not a complete PEM file of certificates"),
    ]
    for path, text, reason in halves:
        path.write_text(text)
        eventually(lambda: any(reason in record["reason"]
                               for record in broker.log_records(security=1, level="error")),
                   message=reason)
    assert handshake(broker) == before
    assert broker.unready_reason() == ""
    shutil.copy(broker.certificates.ca, tls / "ca.crt")
    shutil.copy(key, tls / "tls.key")
    eventually(lambda: handshake(broker) != before, message="the whole pair is served")
    assert broker.admin.metrics()["bellbuoy_broker_reloads_total"] == 1


def test_an_expired_renewal_is_refused(lab):
    broker = lab.broker_service()
    before, expiry = handshake(broker), broker.expiry()
    broker.secret.put(broker.certificates.ca, *broker.certificates.server("old", days=0))
    broker.wait_for_log("the old ones stay.*has expired at")
    assert (handshake(broker), broker.expiry()) == (before, expiry)
    assert broker.unready_reason() == ""


def test_an_expired_certificate_is_said(lab):
    broker = lab.broker_service(start=False, mounted=False)
    broker.secret.put(broker.certificates.ca, *broker.certificates.server(days=0))
    broker.start(ready=False)
    eventually(lambda: "the certificate has expired at 20" in broker.unready_reason())
    assert broker.expiry() < time.time() < broker.expiry("ca")
    record, = broker.log_records(msg="clients will refuse the broker")
    assert record["security"] == "1"
    broker.secret.put(broker.certificates.ca, *broker.certificates.server("renewed"))
    broker.wait_ready()


def test_it_waits_for_certificates(lab):
    broker = lab.broker_service(start=False, mounted=False)
    broker.start(ready=False)
    eventually(lambda: "mosquitto is not running: cannot read" in broker.unready_reason())
    assert broker.admin.get_raw("/healthz").status_code == 200
    broker.secret.put(broker.certificates.ca, *broker.certificates.server())
    broker.wait_ready()


def test_a_new_authority_loses_no_message(lab, tmp_path):
    """Old and new authority together, then new certificates for all, then the new authority alone."""
    broker = lab.broker_service()
    old, new = broker.certificates, Certificates(tmp_path / "new")
    both = tmp_path / "both.crt"
    both.write_text(old.ca.read_text() + new.ca.read_text())
    secrets = {}
    for name in ("receiver", "broadcaster"):
        secrets[name] = tmp_path / name
        secrets[name].mkdir()
        put(secrets[name], old.ca, *old.client(name))
    receiver = lab.receiver(broker, **tls_flags(secrets["receiver"]))
    broadcaster = lab.broadcaster(broker, rate=50, sources=2, **tls_flags(secrets["broadcaster"]))

    def rotate(restarts, ca, server, clients):
        before = len(broadcaster.ledger())
        broker.secret.put(ca, *server)
        for name, pair in clients.items():
            put(secrets[name], ca, *pair)
        metrics = broker.admin.metrics
        eventually(lambda: metrics()["bellbuoy_broker_restarts_total"] == restarts)
        eventually(lambda: len(broadcaster.ledger()) > before + 100, timeout_s=40.0,
                   message="messages flow again")

    clients = {name: new.client(name, days=9) for name in secrets}
    rotate(1, both, old.server("second"), {name: old.client(name) for name in secrets})
    rotate(2, new.ca, new.server(), clients)
    for service in (receiver.api, broadcaster.admin):  # each once it has connected anew
        expiry = pytest.approx(time.time() + 9 * 86400, abs=120)
        eventually(lambda metrics=service.metrics, at=expiry: metrics()[EXPIRY % "own"] == at)
        assert service.metrics()[EXPIRY % "ca"] == pytest.approx(time.time() + 2 * 86400, abs=120)
    broadcaster.kill()
    sent = set(broadcaster.ledger())
    eventually(lambda: sent <= set(stored(receiver)), timeout_s=40.0, message="all is stored")
    assert receiver.api.incidents() == []
    assert max(Counter(stored(receiver)).values()) == 1


def put(folder, ca, certificate, key):
    """Over the files in place, as gen-certs.sh does outside Kubernetes."""
    for name, source in (("ca.crt", ca), ("tls.crt", certificate), ("tls.key", key)):
        shutil.copy(source, folder / name)


def tls_flags(folder):
    return {"ca_file": folder / "ca.crt", "cert_file": folder / "tls.crt",
            "key_file": folder / "tls.key"}


def stored(receiver):
    """What the receiver has, as the ledger's (source, id)."""
    return [(one["source"], one["id"]) for one in receiver.api.all_events()]


# ---------------------------------------------------------------- rights

GRANTED = "the broker lets us publish events"
DENIED = "the broker's access list denies this user to publish or to read bellbuoy/events/%s/check"


def client_flags(broker, user):
    """A service's flags to log in as that user."""
    certificate, key = broker.certificates.client(user)
    return {"cert_file": certificate, "key_file": key, "log_level": "debug"}


@pytest.mark.parametrize("guarded_by_rights", [True, False])
def test_services_find_that_they_may_publish(lab, guarded_by_rights):
    broker = lab.broker_service() if guarded_by_rights else lab.broker()
    options = {name: client_flags(broker, name) if guarded_by_rights else {"log_level": "debug"}
               for name in ("receiver", "broadcaster")}
    receiver = lab.receiver(broker, start=False, **options["receiver"]).use_token().start()
    broadcaster = lab.broadcaster(broker, rate=50, **options["broadcaster"])
    for service in (receiver, broadcaster):
        service.wait_for_log(GRANTED)
        assert not service.log_records(security=1)
    eventually(lambda: len(stored(receiver)) > 100)
    assert receiver.api.quarantine() == []
    assert {one["type"] for one in receiver.api.all_events()} == {"bellbuoy.hello.v1"}


def test_a_broadcaster_that_may_not_publish_says_so(lab):
    broker = lab.broker_service()
    broadcaster = lab.broadcaster(broker, source="press-7", **client_flags(broker, "stranger"))
    check = lambda: broadcaster.admin.ready()["checks"][0]
    eventually(lambda: not check()["ok"], message="the right is missed")
    assert check()["reason"] == DENIED % "press-7"
    record, = broadcaster.log_records(security=1)
    assert (record["level"], record["reason"]) == ("error", DENIED % "press-7")
    with (broker.folder / "acl").open("a") as acl:
        acl.write("user stranger\ntopic readwrite bellbuoy/events/#\n")
    broker.signal(signal.SIGHUP)
    eventually(lambda: check()["ok"], timeout_s=40.0, message="the right is found again")
    assert broadcaster.log_records(msg=GRANTED, level="info")


def test_a_receiver_that_may_not_publish_goes_on(lab):
    broker = lab.broker_service(acl="\nuser reader\ntopic read bellbuoy/events/#\n")
    options = client_flags(broker, "reader")
    receiver = lab.receiver(broker, start=False, **options).use_token().start()
    check = lambda: receiver.api.ready()["checks"][0]
    eventually(lambda: check()["reason"], message="the right is missed")
    assert check() == {"name": "broker", "ok": True,
                       "reason": DENIED % "bellbuoy-receiver-publish"}
    assert receiver.log_records(security=1, level="error")


# Of each user: what it may publish and read. A topic in neither column is tried as well.
RIGHTS = {
    "broadcaster": (
        ["bellbuoy/events/press-7/hello", "bellbuoy/events/press-7/check"],
        ["bellbuoy/events/press-7/check"],
    ),
    "receiver": (
        ["bellbuoy/events/press-7/hello", "bellbuoy/events/press-7/check",
         "bellbuoy/query/reply/c1"],
        ["bellbuoy/events/press-7/hello", "bellbuoy/events/press-7/check", "bellbuoy/query/request",
         "bellbuoy/nodes/n1/reported", "bellbuoy/nodes/n1/presence", "bellbuoy/nodes/n1/progress"],
    ),
    "manager": (
        ["bellbuoy/reply/c1", "bellbuoy/reply/c1/7", "bellbuoy/nodes/n1/reported",
         "bellbuoy/nodes/n1/presence", "bellbuoy/nodes/n1/progress", "bellbuoy/jobs/request", "bellbuoy/jobs/j1/n1"],
        ["bellbuoy/nodes/n1/desired/p1", "bellbuoy/groups/g1/desired/p1",
         "bellbuoy/nodes/n1/command", "bellbuoy/nodes/n1/presence", "bellbuoy/jobs/request",
         "bellbuoy/jobs/j1/n1"],
    ),
    "operator": (
        ["bellbuoy/nodes/n1/desired/p1", "bellbuoy/groups/g1/desired/p1",
         "bellbuoy/nodes/n1/command", "bellbuoy/nodes/n1/reported", "bellbuoy/nodes/n1/presence",
         "bellbuoy/reply/c1", "bellbuoy/reply/c1/7", "bellbuoy/rollouts/r1",
         "bellbuoy/rollouts/r1/n1", "bellbuoy/jobs/request", "bellbuoy/query/request"],
        ["bellbuoy/nodes/n1/desired/p1", "bellbuoy/groups/g1/desired/p1", "bellbuoy/reply/c1",
         "bellbuoy/reply/c1/7", "bellbuoy/rollouts/r1", "bellbuoy/rollouts/r1/n1",
         "bellbuoy/nodes/n1/reported", "bellbuoy/nodes/n1/presence",
         "bellbuoy/nodes/n1/progress", "bellbuoy/jobs/j1/n1", "bellbuoy/query/reply/c1"],
    ),
    "stranger": ([], []),
}
OTHER_TOPICS = ["bellbuoy", "bellbuoy/events", "bellbuoy/events/press-7/hello/more", "other/topic",
                "bellbuoy/nodes/n1/desired", "$SYS/broker/version"]
TOPICS = sorted({topic for columns in RIGHTS.values() for column in columns for topic in column}
                | set(OTHER_TOPICS))
WATCHER = "\nuser watcher\ntopic readwrite #\n"


@pytest.fixture(scope="module")
def guarded(module_lab):
    """A broker with the shipped rights, and one more user who may do all, to look on."""
    return module_lab.broker_service(acl=WATCHER)


@pytest.fixture
def watcher(guarded):
    with MqttClient(guarded, certificate=guarded.certificates.client("watcher")) as client:
        yield client


def payloads(client):
    return [message.payload for message in client.messages]


def topics(client):
    return {message.topic for message in client.messages if message.payload == b"tried"}


@pytest.mark.parametrize("user", RIGHTS)
def test_a_user_publishes_its_own_topics_only(guarded, watcher, user):
    watcher.subscribe("#")
    with MqttClient(guarded, certificate=guarded.certificates.client(user)) as client:
        client.publish_all([(topic, b"tried") for topic in TOPICS if topic[0] != "$"])
    watcher.publish("end", b"end")
    eventually(lambda: b"end" in payloads(watcher))
    more = {"bellbuoy/events/press-7/hello/more", "bellbuoy/events"} if user == "receiver" else set()
    assert topics(watcher) == set(RIGHTS[user][0]) | more


@pytest.mark.parametrize("user", [user for user in RIGHTS if user != "stranger"])
def test_a_user_reads_its_own_topics_only(guarded, watcher, user):
    allowed = RIGHTS[user][1]
    with MqttClient(guarded, certificate=guarded.certificates.client(user)) as client:
        client.subscribe("#")
        client.subscribe("$SYS/#")
        watcher.publish_all([(topic, b"tried") for topic in TOPICS if topic[0] != "$"])
        watcher.publish(allowed[0], b"end")
        eventually(lambda: b"end" in payloads(client))
        more = ({"bellbuoy/events/press-7/hello/more", "bellbuoy/events"} if user == "receiver"
                else set())
        assert topics(client) == set(allowed) | more
        assert not [one for one in client.messages if one.topic.startswith("$SYS")]


def test_only_certificates_of_the_authority_are_a_login(guarded, tmp_path):
    stranger = Certificates(tmp_path / "other").client("receiver")
    assert not refused(guarded, guarded.certificates.client("receiver"))
    assert refused(guarded)
    assert refused(guarded, stranger)
    assert refused(guarded, guarded.certificates.client("receiver", days=0))
    assert refused(guarded, tls=False)


def test_the_health_login_has_no_rights(guarded, watcher):
    class Health:
        port, tls, users = guarded.health_port, False, {}

    watcher.subscribe("#")
    with MqttClient(Health, "bellbuoy-health-test") as client:
        client.subscribe("#")
        client.publish_all([(topic, b"tried") for topic in TOPICS if topic[0] != "$"])
        watcher.publish_all([(topic, b"end") for topic in TOPICS if topic[0] != "$"])
        eventually(lambda: payloads(watcher).count(b"end") == len(TOPICS) - 1)
        with MqttClient(Health, "bellbuoy-health-test-2"):
            pass  # the broker has answered it behind what it would have delivered to the first
        assert not client.messages
    assert not topics(watcher)
