"""values.schema.json: a typo is an error that names it; what is allowed comes out as it should."""

import json
from itertools import chain

import pytest
from conftest import CHART, MANAGED, env


@pytest.mark.parametrize("value, names", [
    ("brokr.replicas=1", "'brokr'"),
    ("broker.persistance.size=1Gi", "'persistance'"),
    ("broker.image.repo=x", "'repo'"),
    ("broker.resources.limit.memory=1Gi", "'limit'"),
    ("broker.resources.limits.memroy=1Gi", "'memroy'"),
    ("receiver.retention=1d", "'retention'"),
    ("receiver.service.nodeport=1", "'nodeport'"),
    ("broadcaster.replica=2", "'replica'"),
    ("tls.mod=existing", "'mod'"),
    ("tls.generate.day=1", "'day'"),
    ("tls.certManager.issuerRef.nam=x", "'nam'"),
    ("token.value=x", "'value'"),
    ("log.levl=debug", "'levl'"),
    ("ingress.hosts=x", "'hosts'"),
    ("networkPolicy.enable=true", "'enable'"),
    ("networkPolicy.metricsFrom[0].podselector.matchLabels.a=b", "'podselector'"),
    ("manager.socket=/a", "'socket'"),
    ("manager.docker.group=1", "'group'"),
    ("metrics.serviceMonitor.intervall=30s", "'intervall'"),
    ("metrics.grafana.enabled=true", "'grafana'"),
    ("image.pullpolicy=Always", "'pullpolicy'"),
])
def test_an_unknown_key_is_named(refuse, value, names):
    assert f"additional properties {names} not allowed" in refuse(value)


@pytest.mark.parametrize("value, where", [
    ("tls.mode=none", "/tls/mode"),
    ("token.mode=none", "/token/mode"),
    ("log.level=loud", "/log/level"),
    ("broadcaster.profile=shout", "/broadcaster/profile"),
    ("broadcaster.replicas=-1", "/broadcaster/replicas"),
    ("broadcaster.replicas=1.5", "/broadcaster/replicas"),
    ("broker.persistence.size=big", "/broker/persistence/size"),
    ("receiver.retentionAge=3weeks", "/receiver/retentionAge"),
    ("receiver.retentionSize=1XB", "/receiver/retentionSize"),
    ("receiver.maxClients=0", "/receiver/maxClients"),
    ("receiver.service.type=Nodeport", "/receiver/service/type"),
    ("receiver.allowHosts[0]=http://x", "/receiver/allowHosts/0"),
    ("ingress.enabled=true", "/ingress/host"),
    ("image.tag=a b", "/image/tag"),
    ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
    ("fullnameOverride=Buoy", "/fullnameOverride"),
    ("tls.generate.days=0", "/tls/generate/days"),
    ("manager.docker.gid=docker", "/manager/docker/gid"),
    ("manager.docker.socket=docker.sock", "/manager/docker/socket"),
    ("manager.stateDir=../x", "/manager/stateDir"),
    ("manager.groups[0]=presses", "/manager/groups/0"),
    ("manager.allow[0]=a b", "/manager/allow/0"),
    ("manager.secretsDir=secrets", "/manager/secretsDir"),
    ("manager.registrySecret=Logins", "/manager/registrySecret"),
    ("metrics.serviceMonitor.enabled=yes", "/metrics/serviceMonitor/enabled"),
])
def test_a_wrong_value_is_located(refuse, value, where):
    assert f"at '{where}'" in refuse(value)


def test_every_object_of_the_schema_is_closed():
    """But maps of free names, and the parts that are Kubernetes' own."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    free = {"global", "nodeAffinity", "podAffinity", "podAntiAffinity"}

    def objects(node, name):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield name, node
            yield from chain.from_iterable(objects(child, key) for key, child in node.items())

    found = list(objects(schema, "values"))
    assert len(found) > 30
    assert [name for name, one in found
            if "additionalProperties" not in one and name not in free] == []


def test_options_reach_the_services(render):
    objects = render(files=["full"])
    receiver = env(objects.container("receiver"))
    assert receiver["BELLBUOY_RETENTION_AGE"] == "0"
    assert receiver["BELLBUOY_RETENTION_SIZE"] == "20GB"
    assert receiver["BELLBUOY_MAX_CLIENTS"] == "100"
    assert receiver["BELLBUOY_HEARTBEAT_MS"] == "5000"
    assert {"buoy.example.org", "other.example.org"} < set(receiver["BELLBUOY_ALLOW_HOST"].split(","))
    broadcaster = env(objects.container("broadcaster"))
    assert broadcaster["BELLBUOY_PROFILE"] == "events"
    assert broadcaster["BELLBUOY_SOURCE"] == "press"
    manager = env(objects.container("manager"))
    assert manager["BELLBUOY_GROUP"] == "presses:10,site-a:5"
    assert manager["BELLBUOY_ALLOW"] == "cap:NET_ADMIN,device:/dev/ttyUSB0"
    assert manager["BELLBUOY_ALLOW_BIND"] == "/srv/data,/etc/app"
    assert manager["BELLBUOY_SECRETS_DIR"] == "/srv/secrets"
    for service in ("broker", "receiver", "broadcaster", "manager"):
        assert env(objects.container(service))["BELLBUOY_LOG_FORMAT"] == "json"


def test_options_that_are_not_given_are_left_to_the_service(render):
    for name in ("GROUP", "ALLOW", "ALLOW_BIND", "SECRETS_DIR", "REGISTRY_CONFIG"):
        assert f"BELLBUOY_{name}" not in env(render(*MANAGED).container("manager"))


def test_a_users_variable_counts_once(render):
    objects = render({"receiver.env": {"BELLBUOY_PORT": 5001, "BELLBUOY_MAX_PAYLOAD_BYTES": 10000000}})
    names = [one["name"] for one in objects.container("receiver")["env"]]
    assert len(names) == len(set(names))
    receiver = env(objects.container("receiver"))
    assert receiver["BELLBUOY_PORT"] == "5001"
    assert receiver["BELLBUOY_MAX_PAYLOAD_BYTES"] == "10000000"


def test_a_pod_is_a_machine(render):
    source = env(render().container("broadcaster"))["BELLBUOY_SOURCE"]
    assert source == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_images(render):
    version = next(line.split('"')[1] for line in (CHART / "Chart.yaml").read_text().splitlines()
                   if line.startswith("appVersion"))
    assert render().container("broker")["image"] == f"bellbuoy/broker:{version}"
    full = render(files=["full"])
    assert full.container("broker")["image"] == "registry.example.org:5000/bellbuoy/broker:1.2"
    template = full.get("StatefulSet", "bellbuoy-broker")["spec"]["template"]
    assert template["metadata"]["annotations"]["bellbuoy.io/image-id"] == "sha256:0123"


@pytest.mark.parametrize("release, name", [
    ("bellbuoy", "bellbuoy"), ("a-bellbuoy-b", "a-bellbuoy-b"), ("harbour", "harbour-bellbuoy"),
])
def test_names(render, release, name):
    assert render(release=release).names("StatefulSet") == [f"{name}-broker", f"{name}-receiver"]


def test_a_long_name_leaves_room(render):
    """A StatefulSet's name and a hash make a label, which has 63 characters at most."""
    objects = render(release="a" * 53)
    assert max(map(len, objects.names("StatefulSet"))) <= 63 - len("-1234567890")
    assert max(len(one["metadata"]["name"]) for one in objects) <= 63


def test_the_same_values_render_the_same_pods(render):
    """A second upgrade changes none: nothing in them is drawn at random."""
    first, second = render("log.level=info"), render("log.level=info", "log.format=logfmt")
    assert dict(first.pods()) == dict(second.pods())


def test_chart_and_project_have_one_version():
    project = (CHART.parents[1] / "CMakeLists.txt").read_text()
    version = next(line.split("VERSION")[1].split()[0].strip(")") for line in project.splitlines()
                   if "VERSION" in line and "cmake_minimum" not in line)
    chart = (CHART / "Chart.yaml").read_text()
    assert f'appVersion: "{version}"' in chart
