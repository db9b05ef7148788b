"""Pods, networks, certificates: secure as they come."""

import base64
import subprocess

import pytest
from conftest import MANAGED, ROOT, env

CLIENTS = ("receiver", "broadcaster", "operator")


@pytest.mark.parametrize("files", [(), ("full",)])
def test_every_pod_is_restricted(render, files):
    """Pod Security restricted, and what goes beyond it."""
    pods = list(render(files=files).pods())
    assert len(pods) >= 6
    for name, pod in pods:
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 10001, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name
        if not name.endswith("-manager"):
            assert all("hostPath" not in volume for volume in pod.get("volumes", [])), name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }, name
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name


def test_the_manager_has_the_socket_s_group_and_no_more(render):
    pod = render(*MANAGED).get("DaemonSet", "bellbuoy-manager")["spec"]["template"]["spec"]
    assert pod["securityContext"]["supplementalGroups"] == [999]
    assert sum("hostPath" in volume for volume in pod["volumes"]) == 2
    (prepare,) = pod["initContainers"]
    assert prepare["securityContext"] == {
        "runAsNonRoot": False, "runAsUser": 0, "runAsGroup": 0,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]},
        "readOnlyRootFilesystem": True,
    }
    assert [one["name"] for one in prepare["volumeMounts"]] == ["state"]


def test_the_manager_does_not_see_the_secrets_of_documents(render):
    """The engine mounts them: their folder is named to it only."""
    pod = render(*MANAGED, "manager.secretsDir=/srv/secrets").get("DaemonSet", "bellbuoy-manager")["spec"]["template"]["spec"]
    assert "/srv/secrets" not in str(pod["volumes"])
    assert env(pod["containers"][0])["BELLBUOY_SECRETS_DIR"] == "/srv/secrets"


def test_a_group_must_be_named(refuse):
    assert "at '/manager/docker/gid'" in refuse("manager.enabled=true")


def test_secrets_are_mounted_for_nobody_else(render):
    for _, pod in render().pods():
        for volume in pod.get("volumes", []):
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440


def test_no_secret_is_in_an_environment(render):
    for _, pod in render().pods():
        for container in pod["containers"]:
            assert all("secretKeyRef" not in str(one) for one in container.get("env", []))


def test_nothing_speaks_plainly(render):
    objects = render()
    ports = objects.get("Service", "bellbuoy-broker")["spec"]["ports"]
    assert [port["port"] for port in ports] == [8883]
    assert {port["containerPort"] for port in objects.container("broker")["ports"]} == {8883, 9090}
    for service in ("receiver", "broadcaster"):
        assert env(objects.container(service))["BELLBUOY_BROKER_URL"] == "mqtts://bellbuoy-broker:8883"
    listeners = (ROOT / "broker" / "listeners.conf").read_text().splitlines()
    assert [line for line in listeners if line.startswith("listener")] == [
        "listener 8883", "listener 1883 127.0.0.1"]


# ---- networks ----

def policy(objects, name):
    return objects.get("NetworkPolicy", f"bellbuoy-{name}")["spec"]


def components(peers):
    return {peer["podSelector"]["matchLabels"].get("app.kubernetes.io/component") for peer in peers}


def ports(rule):
    return {(port["port"], port["protocol"]) for port in rule["ports"]}


def test_everything_is_denied_first(render):
    assert policy(render(), "default-deny") == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "bellbuoy",
                                        "app.kubernetes.io/instance": "bellbuoy"}},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_only_clients_reach_the_broker_and_it_reaches_nobody(render):
    broker = policy(render(), "broker")
    assert "egress" not in broker
    assert len(broker["ingress"]) == 1
    *clients, others = broker["ingress"][0]["from"]
    assert components(clients) == {"receiver", "broadcaster"}
    assert others == {"podSelector": {"matchLabels": {"bellbuoy.io/broker-client": "true"}}}
    assert ports(broker["ingress"][0]) == {(8883, "TCP")}


def test_the_manager_and_the_broker_reach_each_other_s_namespace(render):
    objects = render(*MANAGED)
    in_release, in_nodes = ({"matchLabels": {"kubernetes.io/metadata.name": name}}
                            for name in ("somewhere", "somewhere-nodes"))
    broker = policy(objects, "broker")["ingress"][0]["from"][-1]
    assert components([broker]) == {"manager"}
    assert broker["namespaceSelector"] == in_nodes
    manager = policy(objects, "manager")
    assert manager["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in manager
    to_broker, to_dns = manager["egress"]
    assert components(to_broker["to"]) == {"broker"}
    assert to_broker["to"][0]["namespaceSelector"] == in_release
    assert (ports(to_broker), ports(to_dns)) == ({(8883, "TCP")}, {(53, "UDP"), (53, "TCP")})
    url = env(objects.container("manager"))["BELLBUOY_BROKER_URL"]
    assert url == "mqtts://bellbuoy-broker.somewhere:8883"


@pytest.mark.parametrize("service", ["receiver", "broadcaster"])
def test_clients_reach_the_broker_and_dns_only(render, service):
    to_broker, to_dns = policy(render(), service)["egress"]
    assert components(to_broker["to"]) == {"broker"}
    assert ports(to_broker) == {(8883, "TCP")}
    assert [peer["podSelector"]["matchLabels"] for peer in to_dns["to"]] == [{"k8s-app": "kube-dns"}]
    assert ports(to_dns) == {(53, "UDP"), (53, "TCP")}


def test_anybody_reaches_the_dashboard_and_nothing_else(render):
    objects = render()
    assert policy(objects, "receiver")["ingress"] == [{"ports": [{"port": 5000, "protocol": "TCP"}]}]
    assert "ingress" not in policy(objects, "broadcaster")


def test_the_dashboard_can_be_narrowed_and_prometheus_let_in(render):
    objects = render(files=["full"])
    monitoring, nginx = ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
                         for name in ("monitoring", "ingress-nginx"))
    assert policy(objects, "receiver")["ingress"][0]["from"] == [nginx, monitoring]
    metrics = {"from": [monitoring], "ports": [{"port": 9090, "protocol": "TCP"}]}
    assert policy(objects, "broadcaster")["ingress"] == [metrics]
    assert policy(objects, "broker")["ingress"][1] == metrics


def test_edges_of_the_tests_are_there_for_a_test_only(render):
    for name in ("test", "tested"):
        annotations = render().get("NetworkPolicy", f"bellbuoy-{name}")["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "test"
        assert "hook-succeeded" in annotations["helm.sh/hook-delete-policy"]


# ---- certificates ----

def openssl(*args, stdin):
    done = subprocess.run(["openssl", *args], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def pem(objects, name, key):
    return base64.b64decode(objects.get("Secret", name)["data"][key])


def test_generated_certificates_are_of_one_authority(render, tmp_path):
    objects = render(*MANAGED)
    (tmp_path / "ca").write_bytes(pem(objects, "bellbuoy-ca", "tls.crt"))
    assert objects.get("Secret", "bellbuoy-manager-tls")["metadata"]["namespace"] == "somewhere-nodes"
    for service in ("broker", "manager", *CLIENTS):
        secret = objects.get("Secret", f"bellbuoy-{service}-tls")
        assert secret["type"] == "kubernetes.io/tls"
        assert pem(objects, f"bellbuoy-{service}-tls", "ca.crt") == (tmp_path / "ca").read_bytes()
        certificate = pem(objects, f"bellbuoy-{service}-tls", "tls.crt")
        openssl("verify", "-CAfile", str(tmp_path / "ca"), stdin=certificate)
        assert openssl("x509", "-noout", "-subject", stdin=certificate).strip().endswith(f"CN = {service}")
        public = openssl("x509", "-noout", "-pubkey", stdin=certificate)
        key = pem(objects, f"bellbuoy-{service}-tls", "tls.key")
        assert openssl("pkey", "-pubout", stdin=key) == public
        assert "prime256v1" in openssl("ec", "-noout", "-text", stdin=key)


def test_the_brokers_certificate_names_its_service(render):
    text = openssl("x509", "-noout", "-ext", "subjectAltName",
                   stdin=pem(render(), "bellbuoy-broker-tls", "tls.crt"))
    for name in ("DNS:bellbuoy-broker", "DNS:bellbuoy-broker.somewhere",
                 "DNS:bellbuoy-broker.somewhere.svc",
                 "DNS:bellbuoy-broker.somewhere.svc.cluster.local", "DNS:localhost",
                 "IP Address:127.0.0.1"):
        assert name in text.replace("\n", ",").split(", ") or name in text


def test_the_authoritys_key_is_mounted_nowhere(render):
    for name, pod in render().pods():
        mounted = [volume["secret"]["secretName"] for volume in pod.get("volumes", [])
                   if "secret" in volume]
        assert "bellbuoy-ca" not in mounted, name


def test_cert_manager_makes_the_same_secrets(render):
    objects = render("tls.mode=certManager")
    assert {one["spec"]["secretName"] for one in objects.of("Certificate")} == {
        "bellbuoy-ca", *(f"bellbuoy-{one}-tls" for one in ("broker", *CLIENTS))}
    assert objects.names("Secret") == ["bellbuoy-token"]
    assert objects.names("Issuer") == ["bellbuoy-ca", "bellbuoy-selfsigned"]
    broker = objects.get("Certificate", "bellbuoy-broker-tls")["spec"]
    assert broker["commonName"] == "broker"
    assert "bellbuoy-broker.somewhere.svc" in broker["dnsNames"]
    assert "server auth" in broker["usages"]
    for client in CLIENTS:
        spec = objects.get("Certificate", f"bellbuoy-{client}-tls")["spec"]
        assert spec["commonName"] == client
        assert spec["usages"] == ["digital signature", "client auth"]
        assert spec["privateKey"]["algorithm"] == "ECDSA"


def test_an_issuer_of_one_namespace_does_not_serve_the_manager(refuse):
    assert "ClusterIssuer" in refuse("tls.mode=certManager", *MANAGED)
    assert "ClusterIssuer" in refuse("tls.mode=certManager", "tls.certManager.issuerRef.name=house",
                                     "tls.certManager.issuerRef.kind=Issuer", *MANAGED)


def test_cert_manager_takes_the_houses_issuer(render):
    objects = render(files=["full"])
    assert objects.get("Certificate", "bellbuoy-manager-tls")["metadata"]["namespace"] == "machines"
    assert objects.names("Issuer") == []
    for one in objects.of("Certificate"):
        assert one["spec"]["issuerRef"] == {"name": "house", "kind": "ClusterIssuer",
                                            "group": "cert-manager.io"}


# ---- kubernetes/ ----

def test_plain_manifests_hold_no_secret_and_refer_to_those_of_gen_certs():
    text = {str(path.relative_to(ROOT / "kubernetes")): path.read_text()
            for path in (ROOT / "kubernetes").rglob("*.yaml")}
    assert len(text) > 10
    assert [name for name, one in text.items() if "kind: Secret" in one or "PRIVATE KEY" in one] == []
    assert "secretName: bellbuoy-receiver-tls" in text["receiver-statefulset.yaml"]
    assert "secretName: bellbuoy-token" in text["receiver-statefulset.yaml"]
    assert "enforce: restricted" in text["namespace.yaml"]
    assert "secretName: bellbuoy-manager-tls" in text["manager/manager-daemonset.yaml"]
    assert "enforce: privileged" in text["manager/namespace.yaml"]
    assert [name for name, one in text.items() if "helm.sh/" in one] == []


def test_plain_manifests_are_what_the_chart_gives():
    done = subprocess.run(["scripts/render-manifests.sh", "--check"], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
