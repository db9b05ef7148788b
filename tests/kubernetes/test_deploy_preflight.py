"""What deploy.sh finds amiss on a real cluster before it changes anything."""

import base64
import json
import os
import pty
import shutil
import subprocess

import pytest

from harness import Certificates
from harness.deploying import mends, path_with_program

from .cluster import DEPLOY

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


@pytest.fixture
def refused(cluster, namespace):
    """refused(option...) -> the result, which must be status 3 and must have made nothing."""
    def deploy(*options, **arguments):
        answer = cluster.deploy(namespace, "--no-forward", *options, **arguments)
        assert answer.returncode == 3, answer.stdout + answer.stderr
        assert "nothing was changed" in answer.stderr
        assert not cluster.pods(namespace)
        return answer

    return deploy


@pytest.fixture
def made_namespace(cluster, namespace):
    """The namespace, as its owner has made it before."""
    cluster.apply(namespace, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    yield namespace
    cluster.kubectl("delete", "namespace", namespace, f"{namespace}-nodes", "--ignore-not-found",
                    timeout_s=120)


def test_a_wrong_key_in_a_values_file_is_named(refused, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("receiver: {maxClient: 5}\nbroadcaster: {replicas: many}\n")
    answer = refused("--values", values)
    assert "'/receiver'" in answer.stderr and "'maxClient'" in answer.stderr
    assert "'/broadcaster/replicas'" in answer.stderr


def test_a_missing_image(refused):
    answer = refused("--set", "receiver.image.repository=bellbuoy/nosuch")
    assert "the node has no image bellbuoy/nosuch:" in answer.stderr
    assert mends(answer) == ["scripts/build-images.sh"]
    # Of a tag that build-images.sh does not make, that command would not help.
    answer = refused("--set", "image.tag=nosuch")
    assert "bellbuoy/broker:nosuch" in answer.stderr
    assert "without image.tag" in mends(answer)[0]


@pytest.fixture
def kubectl_says(cluster, tmp_path):
    """kubectl_says(pattern, answer) -> the environment of a kubectl that, asked for what no cluster here
    can be made to show, answers that."""
    def environment(pattern, answer):
        path = cluster.env.get("PATH", os.environ["PATH"])
        real = shutil.which("kubectl", path=path)
        return {"PATH": path_with_program(path, tmp_path / "front", "kubectl", f"""
case "$*" in
*{pattern}*) printf '{answer}' ;;
*) exec {real} "$@" ;;
esac""")}

    return environment


def test_minikube_with_another_runtime(refused, kubectl_says):
    answer = refused("--set", "image.tag=nosuch",
                     env=kubectl_says("containerRuntimeVersion", "containerd://1.7.29"))
    assert "minikube runs containerd, not Docker" in answer.stderr
    assert "no Docker socket" in answer.stderr
    assert mends(answer)[0].endswith("minikube start --driver=docker --container-runtime=docker")


def test_no_node_is_ready(refused, kubectl_says):
    answer = refused(env=kubectl_says('get?nodes*Ready*', "False Unknown"))
    assert "no node of the cluster is ready" in answer.stderr
    assert "wait --for=condition=Ready nodes" in mends(answer)[0]


def test_no_default_storage_class(refused, cluster):
    name = next(one["metadata"]["name"] for one in cluster.get("storageclass", namespace="default")["items"]
                if one["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true")
    cluster.kubectl("annotate", "storageclass", name, f"{DEFAULT_CLASS}=false", "--overwrite")
    try:
        answer = refused()
    finally:
        cluster.kubectl("annotate", "storageclass", name, f"{DEFAULT_CLASS}=true", "--overwrite")
    assert "no StorageClass is the default" in answer.stderr
    assert f"annotate storageclass {name} {DEFAULT_CLASS}=true" in mends(answer)[0]


def test_a_quota_that_is_too_small(refused, cluster, made_namespace):
    cluster.kubectl("-n", made_namespace, "create", "quota", "small",
                    "--hard=pods=2,requests.memory=100Mi,requests.storage=1Gi,persistentvolumeclaims=9")
    cluster.kubectl("-n", made_namespace, "wait", "resourcequota/small",
                    "--for=jsonpath={.status.hard.pods}=2")
    answer = refused()
    for resource in ("pods", "requests.memory", "requests.storage"):
        assert f"ResourceQuota 'small' of '{made_namespace}' leaves too little {resource}" in answer.stderr
    assert "persistentvolumeclaims" not in answer.stderr
    # The commands that it names are enough: what is refused then is another thing.
    for command in mends(answer):
        subprocess.run(["bash", "-c", command], check=True, env={**os.environ, **cluster.env}, timeout=60)
    assert "ResourceQuota" not in refused("--set", "image.tag=nosuch").stderr


def test_secrets_that_must_exist(refused, cluster, made_namespace, tmp_path):
    existing = ["--set", "tls.mode=existing", "--set", "token.mode=existing"]
    answer = refused(*existing)
    assert "bellbuoy-broker-tls" in answer.stderr and "bellbuoy-token" in answer.stderr
    env = {**os.environ, **cluster.env, "XDG_STATE_HOME": str(tmp_path)}
    subprocess.run(["bash", "-c", mends(answer)[0]], check=True, env=env, cwd=DEPLOY.parents[1], timeout=60)
    assert "Secret" not in refused(*existing, "--set", "image.tag=nosuch").stderr


def test_an_expired_certificate(refused, cluster, made_namespace, tmp_path):
    files = Certificates(tmp_path / "certificates").client("receiver", days=0)
    data = [base64.b64encode(path.read_bytes()).decode() for path in files]
    cluster.apply(made_namespace, {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "bellbuoy-receiver-tls"}, "data": dict(zip(("tls.crt", "tls.key"), data))})
    answer = refused()
    assert "certificate in the Secret 'bellbuoy-receiver-tls' has expired (notAfter=" in answer.stderr
    assert "delete secret bellbuoy-receiver-tls && " in mends(answer)[0]
    answer = refused("--set", "tls.mode=existing")
    assert any("gen-certs.sh" in mend and "--renew" in mend for mend in mends(answer))


@pytest.fixture
def production(cluster, tmp_path):
    """The environment of one whose context bears the name of no toy."""
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten",
                                        "-o", "json").stdout)
    # The extension by which minikube marks its own is no name.
    config["contexts"][0]["name"] = config["current-context"] = "production"
    config["contexts"][0]["context"].pop("extensions", None)
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    return {**cluster.env, "KUBECONFIG": str(path)}


def test_another_cluster_is_not_touched_unasked(cluster, namespace, production):
    answer = cluster.deploy(namespace, "--uninstall", env=production)
    assert answer.returncode == 2
    assert "'production' is neither minikube nor kind nor k3d" in answer.stderr
    assert "say --yes" in answer.stderr
    answer = cluster.deploy(namespace, "--uninstall", "--yes", env=production)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("reply, status, saying", [(b"n\n", 2, "nothing was done"),
                                                   (b"\n", 2, "nothing was done"),
                                                   (b"y\n", 0, "is not installed in the namespace")])
def test_another_cluster_on_a_terminal(namespace, production, reply, status, saying):
    here, there = pty.openpty()
    with open(here, "r+b", buffering=0) as terminal:
        with open(there, "r+b", buffering=0) as side:
            script = subprocess.Popen([DEPLOY, "--namespace", namespace, "--uninstall"], stdin=side,
                                      stdout=side, stderr=side, env={**os.environ, **production})
        seen = b""
        while b"[y/N]" not in seen:
            seen += terminal.read(4096)
        terminal.write(reply)
        try:
            while True:
                seen += terminal.read(4096)
        except OSError:
            pass  # the script has closed its side
    assert script.wait(60) == status, seen.decode()
    assert saying in seen.decode()
