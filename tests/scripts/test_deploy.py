"""scripts/deploy.sh where there is no cluster: what it asks for, and the command that mends it."""

import os
import re
import socket
import subprocess

import pytest

from harness import HOST, ROOT, free_port
from harness.deploying import mends, path_with_program, path_without

DEPLOY = ROOT / "scripts" / "deploy.sh"
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: {name}
contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]
clusters: [{{name: {name}, cluster: {{server: "https://127.0.0.1:{port}"}}}}]
users: [{{name: {name}, user: {{}}}}]
"""
needs_kubectl = pytest.mark.skipif(
    subprocess.run(["sh", "-c", "command -v kubectl"], stdout=subprocess.DEVNULL).returncode != 0,
    reason="kubectl is not installed")


class Machine:
    """A PATH and a kubeconfig of the test's own."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.environ["PATH"]
        self.kubeconfig = folder / "kubeconfig"

    def without(self, *names):
        """Takes programs off the PATH."""
        self.path = path_without(self.path, self.folder / "bin", *names)
        return self

    def with_program(self, name, text):
        """Puts a script before all others of that name."""
        self.path = path_with_program(self.path, self.folder / "front", name, text)
        return self

    def with_cluster(self, port, name="minikube"):
        """A kubeconfig whose one context has its server there."""
        self.kubeconfig.write_text(KUBECONFIG.format(name=name, port=port))
        return self

    def deploy(self, *options):
        env = {**os.environ, "PATH": self.path, "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run([DEPLOY, *map(str, options)], env=env, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("options, complaint", [
    (["--port", "70000"], "from 1 to 65535"),
    (["--timeout", "soon"], "--timeout must be a whole number"),
    (["--namespace", "Bell_buoy"], "not 'Bell_buoy'"),
    (["--namespace"], "--namespace needs a value"),
    (["--values", "nowhere.yaml"], "no readable file 'nowhere.yaml'"),
    (["--set", "colour"], "--set needs KEY=VALUE, not 'colour'"),
    (["--chart", "/nowhere"], "no chart in '/nowhere'"),
    (["--colour=red"], "unknown option '--colour'"),
])
def test_a_wrong_option_is_named(machine, options, complaint):
    answer = machine.deploy(*options)
    assert answer.returncode == 2
    assert complaint in answer.stderr


def test_help_names_each_option(machine):
    answer = machine.deploy("--help")
    assert answer.returncode == 0
    for option in ("port", "no-forward", "context", "namespace", "values", "set", "timeout",
                   "uninstall", "purge", "yes"):
        assert re.search(rf"^  --{option}\b", answer.stdout, re.M), option


def test_without_kubectl(machine):
    answer = machine.without("kubectl").deploy()
    assert answer.returncode == 3
    assert "kubectl is not installed" in answer.stderr
    assert "install kubectl" in mends(answer)[0]


@pytest.mark.parametrize("version", ["Client Version: v1.24.3",
                                     'Client Version: version.Info{Major:"1", GitVersion:"v1.20.4"}'])
def test_an_old_kubectl(machine, version):
    answer = machine.with_program("kubectl", f"echo '{version}'").deploy()
    assert answer.returncode == 3
    assert re.search(r"kubectl 1\.2\d \(.*/front/kubectl\) is too old: 1\.29", answer.stderr)


def test_a_kubectl_that_does_not_run(machine):
    answer = machine.with_program("kubectl", "echo 'cannot execute binary file' >&2; exit 126").deploy()
    assert answer.returncode == 3
    assert "does not run: cannot execute binary file" in answer.stderr


@needs_kubectl
def test_an_old_helm(machine):
    machine.with_cluster(free_port()).with_program("helm", "echo v2.17.0+gabc")
    answer = machine.deploy()
    assert answer.returncode == 3
    assert re.search(r"helm 2\.17 .*: 3\.12 or newer", answer.stderr)


@needs_kubectl
def test_without_helm_it_says_what_it_does_instead(machine):
    answer = machine.with_cluster(free_port()).without("helm").deploy()
    assert "helm is not installed: kubectl applies the manifests in kubernetes/" in answer.stderr
    answer = machine.deploy("--set", "broadcaster.replicas=2")
    assert answer.returncode == 3
    assert "--values and --set need it" in answer.stderr


@needs_kubectl
def test_no_context_at_all(machine):
    answer = machine.deploy()
    assert answer.returncode == 3
    assert "there is no cluster" in answer.stderr
    assert mends(answer)[-1] == "minikube start --driver=docker --container-runtime=docker"


@needs_kubectl
def test_an_unknown_context(machine):
    answer = machine.with_cluster(free_port(), "kind-bell").deploy("--context", "kind-buoy")
    assert answer.returncode == 3
    assert "no context 'kind-buoy' (it knows: kind-bell)" in answer.stderr
    assert mends(answer)[-1].endswith("deploy.sh --context kind-bell")


@needs_kubectl
@pytest.mark.parametrize("name, command", [
    ("minikube", "minikube start --driver=docker --container-runtime=docker"),
    ("kind-bell", "docker start bell-control-plane"),
    ("k3d-bell", "k3d cluster start bell"),
    ("production", "kubectl --context production cluster-info"),
])
def test_a_context_that_points_nowhere(machine, name, command):
    port = free_port()
    answer = machine.with_cluster(port, name).deploy("--port", free_port())
    assert answer.returncode == 3
    assert f"context '{name}' does not answer: https://127.0.0.1:{port}" in answer.stderr
    assert mends(answer)[-1].startswith(command)


@needs_kubectl
def test_a_cluster_that_is_silent_is_not_waited_for(machine):
    with socket.create_server((HOST, 0)) as silent:
        answer = machine.with_cluster(silent.getsockname()[1]).deploy()
    assert answer.returncode == 3
    assert "does not answer" in answer.stderr


@needs_kubectl
def test_all_that_is_amiss_is_said_at_once(machine):
    """A port that is taken, a helm that is too old, and a cluster that is away."""
    machine.with_program("helm", "echo v2.17.0").with_cluster(free_port())
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        answer = machine.deploy("--port", port)
    assert answer.returncode == 3
    assert f"port {port} is taken by process {os.getpid()}: " in answer.stderr
    assert mends(answer)[-1] == f"{DEPLOY} --port {port + 1}"
    assert "3 things to mend first; nothing was changed" in answer.stderr
    # Whoever wants no port-forward needs no port.
    assert "is taken" not in machine.deploy("--port", port, "--no-forward").stderr
