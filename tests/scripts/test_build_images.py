"""scripts/build-images.sh with a docker that only writes down what it is asked: which engine, with
which arguments, and what the script says when something fails."""

import os
import pty
import re
import shutil
import subprocess

import pytest

from harness import ROOT
from harness.deploying import path_with_program, path_without

SERVICES = ("broker", "receiver", "broadcaster", "manager")
BASE = "debian:bookworm-slim"

# The cases that a test adds come first.
DOCKER = """echo "${{DOCKER_HOST:-local}} $*" >>{log}
case "$*" in
{cases}
version*) echo 28.5 ;;
"context show") echo default ;;
*"{{{{.Size}}}}"*) echo sha256:1 8345678 ;;
create*) echo container ;;
cp*) printf '{{}}' >{log}.json && tar -C "$(dirname {log})" -c docker.log.json ;;
"buildx build"*) printf '#5 [builder 1/1] RUN --mount=type=cache true\\n#5 CACHED\\n' ;;
build*) cat >{log}.Dockerfile ;;
esac
"""
MINIKUBE = """cat <<'ENV'
export DOCKER_TLS_VERIFY="1"
export DOCKER_HOST="tcp://192.0.2.1:2376"
export DOCKER_CERT_PATH="/certs"
export MINIKUBE_ACTIVE_DOCKERD="minikube"

# To point your shell to minikube's docker-daemon, run:
ENV"""


class Machine:
    """The script in a tree of its own, and a PATH with programs that only pretend."""

    def __init__(self, folder):
        self.folder = folder
        self.tree = folder / "tree"
        self.log_path = folder / "docker.log"
        self.path = os.environ["PATH"]
        self.env = {name: value for name, value in os.environ.items()
                    if "proxy" not in name.lower() and not name.startswith(("DOCKER", "BUILDX"))}
        self._copy_tree()
        self.with_docker().with_context(None)

    def _copy_tree(self):
        for name in ("scripts/lib.sh", "scripts/kube.sh", "scripts/build-images.sh", "CMakeLists.txt",
                     *(f"{service}/Dockerfile" for service in SERVICES)):
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, path)

    def with_program(self, name, text):
        self.path = path_with_program(self.path, self.folder / "front", name, text)
        return self

    def with_docker(self, cases=""):
        """A docker where all goes well, but for the given cases of the shell's `case`."""
        return self.with_program("docker", DOCKER.format(log=self.log_path, cases=cases))

    def with_context(self, name):
        return self.with_program("kubectl", f"echo {name}" if name else "exit 1")

    def without(self, *names):
        self.path = path_without(self.path, self.folder / "bin", *names)
        return self

    def build(self, *options, stdout=subprocess.PIPE):
        return subprocess.run([self.tree / "scripts/build-images.sh", *options], text=True, timeout=60,
                              env={**self.env, "PATH": self.path}, stdin=subprocess.DEVNULL,
                              stdout=stdout, stderr=subprocess.PIPE, check=False)

    def calls(self, start):
        """What docker was asked, of what begins like that: "ENGINE ARGUMENT..."."""
        return [line for line in self.log_path.read_text().splitlines()
                if line.split(" ", 1)[1].startswith(start)]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("options, complaint", [
    (["--only"], "--only needs a value"),
    (["--only", "postman"], "'postman' is neither an option nor a service"),
    (["--colour"], "'--colour' is neither an option nor a service"),
    (["--platform", "linux/amd64,linux/arm64"], "--platform takes one platform"),
    (["--push"], "--push needs a value"),
])
def test_a_wrong_option_is_named(machine, options, complaint):
    answer = machine.build(*options)
    assert answer.returncode == 2
    assert complaint in answer.stderr


def test_help_names_each_option(machine):
    answer = machine.build("--help")
    assert answer.returncode == 0
    for option in ("only", "tag", "no-cache", "legacy", "platform", "push"):
        assert re.search(rf"^  --{option}\b", answer.stdout, re.M), option


def test_all_are_built_and_summed_up(machine):
    answer = machine.build()
    assert answer.returncode == 0, answer.stderr
    for service in SERVICES:
        assert re.search(rf"^bellbuoy/{service}:0\.1\.0 +8\.3 MB +\d+\.\d s$", answer.stdout, re.M)
        assert (machine.tree / f"build/sbom/{service}.json").exists()
    assert "    RUN true\n" in answer.stdout
    assert "\x1b" not in answer.stdout


def test_anew_is_anew_for_all_from_the_same(machine):
    machine.build("--no-cache")
    fresh = {re.search(r"FRESH=(\S+)", call)[1] for call in machine.calls("buildx build")}
    assert len(fresh) == 1
    machine.build("--no-cache", "--only", "broker")
    assert f"FRESH={fresh.pop()}" not in machine.calls("buildx build")[-1]


def test_only_one(machine):
    assert machine.build("--only", "receiver", "--tag", "mine").returncode == 0
    build, = machine.calls("buildx build")
    assert "--tag bellbuoy/receiver:mine" in build


def test_on_a_terminal_the_progress_is_one_line(machine):
    terminal, end = pty.openpty()
    machine.env["TERM"] = "xterm"
    try:
        assert machine.build("--only", "broker", stdout=end).returncode == 0
        shown = os.read(terminal, 65536).decode()
    finally:
        os.close(end)
        os.close(terminal)
    assert re.search(r"\r\x1b\[K +0 s  RUN true", shown)


def test_without_docker(machine):
    machine.path = os.environ["PATH"]
    answer = machine.without("docker").build()
    assert answer.returncode == 1
    assert "docker is not installed" in answer.stderr and "apt-get install docker.io" in answer.stderr


@pytest.mark.parametrize("reason, mend", [
    ("Cannot connect to the Docker daemon at unix:///x", "sudo systemctl start docker"),
    ("permission denied while trying to connect to the Docker daemon socket", "usermod -aG docker"),
])
def test_an_engine_that_does_not_answer(machine, reason, mend):
    answer = machine.with_docker(f"version*) echo '{reason}' >&2; exit 1 ;;").build()
    assert answer.returncode == 1
    assert mend in answer.stderr
    assert not machine.calls("buildx")


def test_a_node_s_engine_that_does_not_answer(machine):
    machine.with_docker("version*) echo refused >&2; exit 1 ;;").with_context("lab")
    machine.with_program("kubectl", """case $1$2 in
configcurrent-context) echo lab ;; *) echo minikube.sigs.k8s.io ;; esac""")
    answer = machine.with_program("minikube", MINIKUBE).build()
    assert answer.returncode == 1
    assert "minikube's node does not answer (refused). Start it: minikube --profile lab start" in answer.stderr


def test_without_buildx_the_engine_s_own_builder_builds(machine):
    answer = machine.with_docker("buildx*) exit 1 ;;").build("--only", "broker")
    assert answer.returncode == 0, answer.stderr
    assert "docker has no buildx" in answer.stderr
    given = (machine.folder / "docker.log.Dockerfile").read_text()
    assert "--mount" not in given and "RUN echo \"$APT_CONF\"" in given
    assert given.endswith((ROOT / "broker/Dockerfile").read_text().partition("ARG SOURCE_DATE_EPOCH")[2])


def test_a_base_that_is_not_there_is_pulled(machine):
    answer = machine.with_docker(f'"image inspect {BASE}") exit 1 ;;').build()
    assert answer.returncode == 0
    assert machine.calls(f"pull --quiet {BASE}")


def test_a_base_that_cannot_be_pulled(machine):
    machine.with_docker(f'"image inspect {BASE}") exit 1 ;;\npull*) echo "no route to host" >&2; exit 1 ;;')
    answer = machine.build()
    assert answer.returncode == 1
    assert f"{BASE}, which the images are built from, is not in the local Docker engine" in answer.stderr
    assert "no route to host" in answer.stderr and "debootstrap" in answer.stderr
    answer = machine.with_context("minikube").with_program("minikube", MINIKUBE).build()
    assert f"minikube --profile minikube image load {BASE}" in answer.stderr


@pytest.mark.parametrize("output, meaning", [
    ("write /x: no space left on device", "disk is full: docker builder prune"),
    ("E: Failed to fetch http://deb.example/x", "export http_proxy=http://HOST:PORT"),
    ("something else", "build/images/broker.log)."),
])
def test_a_build_that_fails(machine, output, meaning):
    answer = machine.with_docker(f'"buildx build"*) echo "{output}" >&2; exit 1 ;;').build()
    assert answer.returncode == 1
    assert output in answer.stderr and meaning in answer.stderr
    assert len(machine.calls("buildx build")) == 1


def test_in_minikube_s_node(machine):
    answer = machine.with_context("minikube").with_program("minikube", MINIKUBE).build()
    assert answer.returncode == 0, answer.stderr
    assert "In the Docker engine of minikube's node" in answer.stdout
    assert all(call.startswith("tcp://192.0.2.1:2376 ") for call in machine.calls(""))


@pytest.mark.parametrize("text", ["exit 85", """echo 'export DOCKER_HOST="ssh://docker@127.0.0.1:32770"'"""])
def test_a_node_without_a_docker_engine(machine, text):
    answer = machine.with_context("minikube").with_program("minikube", text).build()
    assert answer.returncode == 0, answer.stderr
    assert "names no Docker engine of the node: taking the local one" in answer.stderr
    assert all(call.startswith("local ") for call in machine.calls(""))


@pytest.mark.parametrize("loader, load", [
    ("kind", "load docker-image --name lab"),
    ("k3d", "image import --cluster lab"),
])
def test_nodes_that_must_be_handed_the_images(machine, loader, load):
    log = machine.folder / "loader.log"
    machine.with_context(f"{loader}-lab").with_program(loader, f'echo "$*" >{log}')
    answer = machine.build()
    assert answer.returncode == 0, answer.stderr
    images = " ".join(f"bellbuoy/{service}:0.1.0" for service in SERVICES)
    assert log.read_text() == f"{load} {images}\n"


def test_a_loader_that_is_missing(machine):
    answer = machine.with_context("k3d-lab").without("k3d").build()
    assert answer.returncode == 1
    assert "the context is k3d-lab, and there is no k3d" in answer.stderr


def test_push(machine):
    answer = machine.build("--push", "registry.example/team/", "--only", "broker")
    assert answer.returncode == 0, answer.stderr
    assert machine.calls("push") == ["local push --quiet registry.example/team/bellbuoy/broker:0.1.0"]
    machine.with_docker("push*) exit 1 ;;")
    answer = machine.build("--push", "registry.example/team", "--only", "broker")
    assert answer.returncode == 1
    assert "docker login registry.example" in answer.stderr


def test_proxies_reach_the_build_by_name_only(machine):
    machine.env["https_proxy"] = "http://user:secret@proxy.example:3128"
    machine.build("--only", "broker")
    build, = machine.calls("buildx build")
    assert "--build-arg https_proxy " in build
    assert "secret@" not in build and "--network" not in build


def test_a_proxy_on_loopback_is_reached(machine):
    machine.env["http_proxy"] = "http://127.0.0.1:3128"
    machine.build("--only", "broker")
    assert "--network host" in machine.calls("buildx build")[0]


def test_another_platform(machine):
    machine.build("--only", "broker", "--platform", "linux/arm64")
    assert "--platform linux/arm64" in machine.calls("buildx build")[0]
    assert "--platform linux/arm64" in machine.calls("create")[0]
