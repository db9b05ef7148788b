"""The managers: a published document makes containers on the node, beside the pods, and none of theirs."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import MqttClient, Process, accepts, eventually, free_port, nodes
from harness.logs import parse_logfmt

from .cluster import run

PROJECT = "kubernetes-test"
# What has to be done takes a second or two; each has to run for its minUptime, too.
CONVERGE_S = 60


class Forward(Process):
    """A kubectl port-forward of the broker."""

    def __init__(self, cluster, folder, namespace):
        self.port = free_port()
        super().__init__("broker-forward", ["kubectl", "-n", namespace, "port-forward", "service/bellbuoy-broker",
                                            f"{self.port}:mqtts"], folder, cluster.env)


class Node:
    """The cluster's node, as the operator that deploy.sh has written a context for."""

    def __init__(self, cluster, port):
        self.cluster = cluster
        self.name = cluster.get("nodes", namespace="default")["items"][0]["metadata"]["name"]
        self.context = current_context()
        files = SimpleNamespace(ca=self.context["ca_file"])
        broker = SimpleNamespace(users={}, tls=True, certificates=files, port=port)
        self.client = MqttClient(broker, certificate=(self.context["cert_file"], self.context["key_file"]))
        self.client.subscribe(nodes.topic(self.name, "reported"))

    def publish(self, project, revision, services, **policy):
        self.client.publish(nodes.topic(self.name, f"desired/{project}"), {
            "apiVersion": "bellbuoy/v1", "revision": revision, "project": project, "policy": policy,
            "services": services}, retain=True)

    def project(self, name):
        """As the node has reported it last."""
        assert self.client.messages, "the node has not reported"
        return json.loads(self.client.messages[-1].payload)["projects"].get(name, {})

    def await_phase(self, name, revision, *phases):
        def reached():
            found = self.project(name)
            return found if found.get("desired", {}).get("revision") == revision and found["phase"] in phases else None

        return eventually(reached, timeout_s=CONVERGE_S, message=f"{name} {revision} is {phases}")

    def docker(self, *argv):
        return run("docker", *argv, env=self.cluster.engine_env()).stdout

    def containers(self, label):
        """{name: (id, start)} of those with the label that run."""
        ids = self.docker("ps", "--quiet", "--no-trunc", "--filter", f"label={label}").split()
        found = json.loads(self.docker("inspect", *ids)) if ids else []
        return {one["Name"].strip("/"): (one["Id"], one["State"]["StartedAt"]) for one in found}


def current_context():
    text = json.loads((Path(os.environ["XDG_CONFIG_HOME"]) / "bellbuoy" / "context.json").read_text())
    return text["contexts"][text["current"]]


def image_of(cluster, namespace):
    """An image that the node has, whose program goes on without a broker."""
    deployment = cluster.get("deployment", "bellbuoy-broadcaster", namespace=namespace)
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.fixture(scope="module")
def node(cluster, namespace, tmp_path_factory):
    runtime = cluster.get("nodes", namespace="default")["items"][0]["status"]["nodeInfo"]["containerRuntimeVersion"]
    if not runtime.startswith("docker://"):
        pytest.skip(f"the node runs {runtime}: there is no Docker for a manager")
    answer = cluster.deploy(namespace, "--no-forward")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    forward = Forward(cluster, tmp_path_factory.mktemp("forward"), namespace)
    forward.launch()
    eventually(lambda: accepts(forward.port), message="the broker's port is open")
    found = Node(cluster, forward.port)
    yield found
    found.client.close()
    forward.terminate()


def story(cluster, namespace, project):
    """What the manager has logged about a project."""
    text = cluster.kubectl("-n", f"{namespace}-nodes", "logs", "daemonset/bellbuoy-manager").stdout
    return [line["msg"] for line in map(parse_logfmt, text.splitlines()) if line.get("project") == project]


def test_a_document_makes_containers_beside_the_pods(node, cluster, namespace):
    pods = node.containers("io.kubernetes.pod.uid")
    one = {"image": image_of(cluster, namespace), "x-bellbuoy": {"minUptime": "1s"}, "stop_grace_period": "2s"}
    node.publish(PROJECT, 1, {"front": {**one, "depends_on": {"back": {"condition": "service_started"}}},
                              "back": one})
    done = node.await_phase(PROJECT, 1, "COMPLETED")
    assert done["applied"]["revision"] == 1
    assert node.containers(f"io.bellbuoy.project={PROJECT}").keys() == {
        f"{PROJECT}-front-1", f"{PROJECT}-back-1"}
    assert pods.items() <= node.containers("io.kubernetes.pod.uid").items()
    eventually(lambda: "the revision is good" in story(cluster, namespace, PROJECT))
    said = story(cluster, namespace, PROJECT)
    assert (said[0], said[-1]) == ("a desired state is taken", "the revision is good")
    assert 5 <= len(said) <= 14, said


def test_a_pod_s_container_is_not_taken(node, cluster, namespace):
    """Not even by its name."""
    pods = node.containers("io.kubernetes.pod.uid")
    name = next(name for name in pods if name.startswith("k8s_receiver_"))
    node.publish("thief", 1, {"web": {"image": image_of(cluster, namespace), "container_name": name}})
    refused = node.await_phase("thief", 1, "REJECTED", "STALLED", "INCOMPLETE", "ROLLED_BACK", "WAITING")
    assert refused["reason"]["code"] in ("name-conflict", "not-allowed", "schema"), refused
    assert pods.items() <= node.containers("io.kubernetes.pod.uid").items()


def test_it_goes_on_after_its_pod_is_replaced(node, cluster, namespace):
    ours = node.containers(f"io.bellbuoy.project={PROJECT}")
    session = json.loads(node.client.messages[-1].payload)["session"]
    cluster.kubectl("-n", f"{namespace}-nodes", "delete", "pod", "--selector",
                    "app.kubernetes.io/component=manager", "--wait=false")
    eventually(lambda: json.loads(node.client.messages[-1].payload)["session"] > session, timeout_s=CONVERGE_S,
               message="the next session reports")
    assert node.project(PROJECT)["applied"]["revision"] == 1
    assert node.containers(f"io.bellbuoy.project={PROJECT}") == ours


def test_uninstall_removes_what_it_has_made(node, cluster, namespace):
    assert node.context["broker_url"] == "mqtts://localhost:8883"
    answer = cluster.deploy(namespace, "--uninstall")
    assert answer.returncode == 0, answer.stderr
    assert "warning" not in answer.stderr, answer.stderr
    assert node.containers("io.bellbuoy.project").keys().isdisjoint({f"{PROJECT}-front-1", f"{PROJECT}-back-1"})
    assert not (Path(os.environ["XDG_CONFIG_HOME"]) / "bellbuoy" / "context.json").exists()
