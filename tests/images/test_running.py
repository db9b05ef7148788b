"""The images at work: a message from the broadcaster's to the receiver's, as little allowed as in a
cluster that restricts pods."""

import os
import time

import pytest

from harness import HOST, Api, Certificates, eventually, scaled

from .engine import SERVICES, docker

SOCKET = "/var/run/docker.sock"

STOP_MAX_S = 5
# Docker asks for the first time after 10 s.
HEALTHY_MAX_S = 60
RESTRICTED = ("--read-only", "--user", "10001:10001", "--cap-drop", "ALL",
              "--security-opt", "no-new-privileges")


class Containers:
    """On a network of their own, with a certificate each."""

    def __init__(self, folder, images):
        self.images = images
        self.folder = folder
        self.network = docker("network", "create", f"bellbuoy-{folder.name}")
        self.ids = {}
        self.certificates = Certificates(folder / "certificates")

    def start(self, service, *options, env=()):
        variables = [word for pair in env for word in ("--env", pair)]
        self.ids[service] = docker(
            "run", "--detach", *RESTRICTED, "--network", self.network, "--network-alias", service,
            "--volume", f"{self._tls(service)}:/etc/bellbuoy/tls:ro", *variables, *options,
            self.images[service].name)

    def _tls(self, service):
        """A folder with the names that Kubernetes gives them, readable in the container."""
        folder = self.folder / service
        folder.mkdir()
        issue = self.certificates.server if service == "broker" else self.certificates.client
        names = {"names": "DNS:broker"} if service == "broker" else {}
        certificate, key = issue(service, **names)
        for source, name in ((self.certificates.ca, "ca.crt"), (certificate, "tls.crt"), (key, "tls.key")):
            (folder / name).write_bytes(source.read_bytes())
            (folder / name).chmod(0o644)
        return folder

    def inspect(self, service, what):
        return docker("inspect", "--format", "{{%s}}" % what, self.ids[service])

    def log(self, service):
        done = docker("logs", self.ids[service], check=False)
        return done.stdout + done.stderr

    def api(self):
        """Through the port that the engine has published on loopback."""
        port = docker("port", self.ids["receiver"], "5000/tcp").rpartition(":")[2]
        return Api(f"http://{HOST}:{port}")

    def close(self):
        for one in self.ids.values():
            docker("rm", "--force", "--volumes", one, check=False)
        docker("network", "rm", self.network, check=False)


def client_env():
    files = (("CA_FILE", "ca.crt"), ("CERT_FILE", "tls.crt"), ("KEY_FILE", "tls.key"))
    return ["BELLBUOY_BROKER_URL=mqtts://broker:8883",
            *(f"BELLBUOY_{option}=/etc/bellbuoy/tls/{name}" for option, name in files)]


@pytest.fixture(scope="module")
def containers(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("containers")
    # Docker's user reads them by a mount; pytest's own folders are for one user.
    for one in (folder, folder.parent, folder.parent.parent):
        one.chmod(0o755)
    place = Containers(folder, images)
    try:
        place.start("broker")
        place.start("receiver", "--publish", f"{HOST}::5000", env=client_env())
        place.start("broadcaster", env=[*client_env(), "BELLBUOY_SOURCE=press-7"])
        place.start("manager", "--volume", f"{SOCKET}:{SOCKET}", "--group-add", str(os.stat(SOCKET).st_gid),
                    env=[*client_env(), "BELLBUOY_NODE=press-7"])
        yield place
    finally:
        place.close()


def test_a_message_goes_from_image_to_image(containers):
    def first_event():
        assert containers.api().events(), "".join(map(containers.log, SERVICES))
        return containers.api().events()[0]

    event = eventually(first_event, timeout_s=HEALTHY_MAX_S, message="a message arrives")
    assert event["source"] == "/machines/press-7"
    assert event["data"]["text"] == "Hello world"


@pytest.mark.parametrize("service", SERVICES)
def test_it_gets_healthy(containers, service):
    eventually(lambda: containers.inspect(service, ".State.Health.Status") == "healthy",
               timeout_s=HEALTHY_MAX_S, message=f"{service} is healthy")


def test_the_manager_is_ready(containers):
    """It has reached the engine and the broker, neither as root."""
    for said in ("the engine answers", "connected to the broker"):
        eventually(lambda words=said: words in containers.log("manager"), timeout_s=HEALTHY_MAX_S,
                   message=f"the manager says {said}")


def test_buoyctl_is_there(images):
    done = images["manager"].run("version", entrypoint="/usr/bin/buoyctl")
    assert done.returncode == 0 and done.stdout.startswith("buoyctl "), done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_version(images, service):
    done = images[service].run("version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{service} ")


@pytest.mark.parametrize("service", reversed(SERVICES))
def test_stop_is_clean_and_quick(containers, service):
    start = time.monotonic()
    docker("stop", "--time", "30", containers.ids[service])
    assert time.monotonic() - start < scaled(STOP_MAX_S), containers.log(service)
    assert containers.inspect(service, ".State.ExitCode") == "0", containers.log(service)
