"""Which objects there are: each optional one only when it is asked for."""

import json
import re

import pytest
from conftest import CHART, MANAGED, env

ALWAYS = {"Deployment", "NetworkPolicy", "Pod", "PodDisruptionBudget", "Secret", "Service",
          "StatefulSet"}


def kinds(objects):
    return {one["kind"] for one in objects}


def test_by_default(render):
    objects = render()
    assert kinds(objects) == ALWAYS
    assert objects.names("Deployment") == ["bellbuoy-broadcaster"]
    assert objects.names("StatefulSet") == ["bellbuoy-broker", "bellbuoy-receiver"]
    assert objects.names("Service") == ["bellbuoy-broker", "bellbuoy-receiver"]


@pytest.mark.parametrize("values, more, fewer", [
    (["ingress.enabled=true", "ingress.host=a.b"], {"Ingress"}, set()),
    (["metrics.serviceMonitor.enabled=true"], {"ServiceMonitor", "PodMonitor"}, set()),
    (["metrics.grafanaDashboard.enabled=true"], {"ConfigMap"}, set()),
    (["networkPolicy.enabled=false"], set(), {"NetworkPolicy"}),
    (["tls.mode=certManager"], {"Certificate", "Issuer"}, set()),
    (MANAGED, {"DaemonSet"}, set()),
    (["tls.mode=existing", "token.mode=existing"], set(), {"Secret"}),
])
def test_on_demand(render, values, more, fewer):
    assert kinds(render(*values)) == (ALWAYS | more) - fewer


def test_every_object_bears_the_labels(render):
    for one in render(files=["full"]):
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "bellbuoy", one["metadata"]["name"]
        assert labels["app.kubernetes.io/part-of"] == "bellbuoy"
        assert labels["app.kubernetes.io/component"]
        of_nodes = labels["app.kubernetes.io/component"].startswith("manager")
        assert one["metadata"]["namespace"] == ("machines" if of_nodes else "somewhere")


@pytest.mark.parametrize("service", ["broker", "receiver", "broadcaster"])
def test_selectors_match_the_pods(render, service):
    objects = render()
    workload = next(one for one in objects if one["kind"] in ("StatefulSet", "Deployment")
                    and one["metadata"]["name"] == f"bellbuoy-{service}")
    selector = workload["spec"]["selector"]["matchLabels"]
    assert selector.items() <= workload["spec"]["template"]["metadata"]["labels"].items()
    budget = objects.get("PodDisruptionBudget", f"bellbuoy-{service}")["spec"]
    assert budget["selector"]["matchLabels"] == selector
    assert budget["maxUnavailable"] == 1
    if service != "broadcaster":
        assert objects.get("Service", f"bellbuoy-{service}")["spec"]["selector"] == selector


def test_what_must_stay_is_on_volumes(render):
    for service in ("broker", "receiver"):
        workload = render().get("StatefulSet", f"bellbuoy-{service}")["spec"]
        assert workload["replicas"] == 1
        assert [one["metadata"]["name"] for one in workload["volumeClaimTemplates"]] == ["data"]
        assert {"name": "data", "mountPath": "/data"} in render().container(service)["volumeMounts"]
    claim = render(files=["full"]).get("StatefulSet", "bellbuoy-broker")["spec"]["volumeClaimTemplates"]
    assert claim[0]["spec"]["storageClassName"] == "fast"
    assert claim[0]["spec"]["resources"]["requests"]["storage"] == "5Gi"


def test_a_manager_on_each_node_knows_its_name_and_its_own_documents(render):
    workload = render(*MANAGED).get("DaemonSet", "bellbuoy-manager")
    assert workload["metadata"]["namespace"] == "somewhere-nodes"
    pod = workload["spec"]["template"]["spec"]
    assert workload["spec"]["selector"]["matchLabels"].items() <= \
        workload["spec"]["template"]["metadata"]["labels"].items()
    volumes = {one["name"]: one.get("hostPath") for one in pod["volumes"]}
    assert volumes["state"] == {"path": "/var/lib/bellbuoy/manager", "type": "DirectoryOrCreate"}
    assert volumes["docker"] == {"path": "/var/run/docker.sock", "type": "Socket"}
    container = env(pod["containers"][0])
    assert container["BELLBUOY_NODE"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}
    mounts = {one["name"]: one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    assert mounts["state"] == container["BELLBUOY_STATE_DIR"]
    assert mounts["docker"] == container["BELLBUOY_DOCKER_SOCKET"]


def test_registry_logins_are_a_file_of_the_manager(render):
    """As Docker's own config.json, from a Secret of Kubernetes' type for that, which may come later."""
    pod = render(*MANAGED, "manager.registrySecret=logins").get("DaemonSet", "bellbuoy-manager")["spec"]["template"]["spec"]
    (volume,) = [one["secret"] for one in pod["volumes"] if one["name"] == "registry"]
    assert volume["secretName"] == "logins" and volume["optional"]
    container = pod["containers"][0]
    (mount,) = [one for one in container["volumeMounts"] if one["name"] == "registry"]
    assert mount["readOnly"]
    (item,) = volume["items"]
    assert item["key"] == ".dockerconfigjson"
    assert env(container)["BELLBUOY_REGISTRY_CONFIG"] == f"{mount['mountPath']}/{item['path']}"


def test_the_brokers_memory_exceeds_its_queue(render):
    """A message of a full queue costs about 340 bytes beside its own."""
    conf = dict(line.split(None, 1) for line in
                (CHART.parents[1] / "broker" / "mosquitto.conf").read_text().splitlines()
                if line and not line.startswith("#"))
    queue = int(conf["max_queued_bytes"]) + 340 * int(conf["max_queued_messages"])
    limit = render().container("broker")["resources"]["limits"]["memory"]
    assert limit.endswith("Mi")
    assert int(limit[:-2]) * 2**20 > 1.5 * queue


def test_liveness_does_not_ask_the_broker(render):
    for service in ("receiver", "broadcaster", "manager"):
        container = render(*MANAGED).container(service)
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["startupProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_tests_try_what_must_be_refused(render):
    objects = render()
    assert objects.names("Pod") == [f"bellbuoy-test-{one}"
                                    for one in ("certificate", "message", "plaintext", "topic")]
    for pod in objects.of("Pod"):
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        assert pod["spec"]["containers"][0]["command"][-1] in pod["metadata"]["name"]


def test_a_message_is_awaited_as_long_as_it_may_take(render):
    def timeout(*values):
        pod = render(*values).get("Pod", "bellbuoy-test-message")
        return env(pod["spec"]["containers"][0])["BELLBUOY_TIMEOUT"]

    assert timeout() == "15s"
    assert timeout("broadcaster.profile=charger") == "75s"
    assert "bellbuoy-test-message" not in render("broadcaster.replicas=0").names("Pod")


def test_the_dashboard_loads(render):
    data = render("metrics.grafanaDashboard.enabled=true").get("ConfigMap", "bellbuoy-dashboard")
    dashboard = json.loads(data["data"]["bellbuoy.json"])
    assert data["metadata"]["labels"]["grafana_dashboard"] == "1"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) > 5


def test_the_dashboard_asks_for_metrics_that_there_are():
    root = CHART.parents[1]
    source = "".join(path.read_text() for folder in ("common", "broker", "receiver", "broadcaster")
                     for path in (root / folder).rglob("*.[ch]"))
    source = source.replace('NAME("', '"bellbuoy_broadcaster_')
    dashboard = json.loads((CHART / "dashboards" / "bellbuoy.json").read_text())
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    names = {name.removesuffix("_bucket")
             for name in re.findall(r"\b((?:bellbuoy|process)_\w+)\{", asked)}
    assert len(names) > 12
    assert [name for name in sorted(names) if f'"{name}"' not in source] == []


def test_prometheus_reads_every_service(render):
    assert render("metrics.serviceMonitor.enabled=true").names("PodMonitor") == [
        "bellbuoy-broadcaster", "bellbuoy-broker"]
    objects = render("metrics.serviceMonitor.enabled=true", *MANAGED)
    assert objects.names("ServiceMonitor") == ["bellbuoy-receiver"]
    assert objects.names("PodMonitor") == ["bellbuoy-broadcaster", "bellbuoy-broker", "bellbuoy-manager"]
    for service in ("broker", "broadcaster", "manager"):
        monitor = objects.get("PodMonitor", f"bellbuoy-{service}")["spec"]
        ports = [one["name"] for one in objects.container(service)["ports"]]
        assert monitor["podMetricsEndpoints"][0]["port"] in ports
