"""Every key of a service on the real engine: what the manager would tell it makes the same container
as docker compose does of the same file, and one that has what the key says."""

import http.client
import json
import shutil
import socket
import subprocess

import pytest
from harness import BUILD_DIR

PROGRAM = BUILD_DIR / "tests" / "unit" / "manager" / "desired" / "print_create_body"
OURS, THEIRS = "bbdesired", "bbcompose"
IMAGE = "bellbuoy-test-desired:1"
ALLOWED = ["privileged", "security-opt", "cap:NET_ADMIN", "device:/dev/null", "device:/dev/zero"]

pytestmark = pytest.mark.skipif(
    not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], check=False,
                                                 capture_output=True).returncode != 0,
    reason="no docker compose here")

# The service's members, where inspect shows them, and what is there; the rest of the file.
CASES = {
    "command": ({"command": ["sleep", "100"]}, "Config.Cmd", ["sleep", "100"]),
    "entrypoint": ({"entrypoint": ["/bin/sh", "-c"]}, "Config.Entrypoint", ["/bin/sh", "-c"]),
    "entrypoint-empty": ({"entrypoint": [], "command": ["true"]}, "Config.Cmd", ["true"]),
    "environment": ({"environment": {"A": "1", "B": None, "C": "x=y", "D": ""}}, "Config.Env",
                    ["A=1", "B", "C=x=y", "D="]),
    "working_dir": ({"working_dir": "/run"}, "Config.WorkingDir", "/run"),
    "user": ({"user": "65534:0"}, "Config.User", "65534:0"),
    "group_add": ({"group_add": ["nogroup", 44]}, "HostConfig.GroupAdd", ["nogroup", "44"]),
    "hostname": ({"hostname": "alpha"}, "Config.Hostname", "alpha"),
    "domainname": ({"domainname": "example.org"}, "Config.Domainname", "example.org"),
    "labels": ({"labels": {"a": "b", "n": 1}}, "Config.Labels", {"a": "b", "n": "1"}),
    "tty": ({"tty": True}, "Config.Tty", True),
    "stdin_open": ({"stdin_open": True}, "Config.OpenStdin", True),
    "init": ({"init": True}, "HostConfig.Init", True),
    "init-false": ({"init": False}, "HostConfig.Init", False),
    "stop_signal": ({"stop_signal": "SIGUSR1"}, "Config.StopSignal", "SIGUSR1"),
    "stop_grace_period": ({"stop_grace_period": "1m10s"}, "Config.StopTimeout", 70),
    "stop_grace_period-none": ({"stop_grace_period": "0s"}, "Config.StopTimeout", 0),
    "healthcheck": ({"healthcheck": {"test": "true", "interval": "1m30s", "timeout": "2s", "retries": 3,
                                     "start_period": "20s", "start_interval": "1s"}},
                    "Config.Healthcheck",
                    {"Test": ["CMD-SHELL", "true"], "Interval": 90 * 10**9, "Timeout": 2 * 10**9,
                     "Retries": 3, "StartPeriod": 20 * 10**9, "StartInterval": 10**9}),
    "healthcheck-none": ({"healthcheck": {"disable": True}}, "Config.Healthcheck", {"Test": ["NONE"]}),
    "logging": ({"logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": 3}}},
                "HostConfig.LogConfig",
                {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}),
    "logging-options": ({"logging": {"options": {"max-size": "10m"}}}, "HostConfig.LogConfig.Config",
                        {"max-size": "10m"}),
    "platform": ({"platform": "linux/amd64"}, "Platform", "linux"),
    "network_mode": ({"network_mode": "none"}, "HostConfig.NetworkMode", "none"),
    "network_mode-bridge": ({"network_mode": "bridge"}, "HostConfig.NetworkMode", "bridge"),
    "networks": ({"networks": {"fixed": {"aliases": ["w", "x"], "ipv4_address": "10.213.0.5"}}},
                 "NetworkSettings.Networks.fixed.IPAMConfig", {"IPv4Address": "10.213.0.5"},
                 {"networks": {"fixed": {"ipam": {"config": [{"subnet": "10.213.0.0/24"}]}}}}),
    "networks-two": ({"networks": {"front": {"aliases": ["w"]}, "back": {"aliases": ["v"], "priority": 5}}},
                     "HostConfig.NetworkMode", "back", {"networks": {"front": {}, "back": {}}}),
    "ports": ({"ports": ["18081:80", "127.0.0.1:18082:53/udp", "81", "18090-18099:82"]},
              "HostConfig.PortBindings",
              {"80/tcp": [{"HostIp": "", "HostPort": "18081"}],
               "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "18082"}],
               "81/tcp": [{"HostIp": "", "HostPort": ""}],
               "82/tcp": [{"HostIp": "", "HostPort": "18090-18099"}]}),
    "expose": ({"expose": ["3000", "5000-5001/udp"]}, "Config.ExposedPorts",
               {"3000/tcp": {}, "5000/udp": {}, "5001/udp": {}}),
    "extra_hosts": ({"extra_hosts": ["a=1.2.3.4", "b=::1"]}, "HostConfig.ExtraHosts",
                    ["a:1.2.3.4", "b:::1"]),
    "dns": ({"dns": "1.1.1.1", "dns_opt": ["use-vc"], "dns_search": ["example.org"]}, "HostConfig.Dns",
            ["1.1.1.1"]),
    "volumes": ({"volumes": ["data:/data", "data:/ro:ro", "/anonymous"]}, "Mounts./ro.RW", False,
                {"volumes": {"data": {}}}),
    "volumes-options": ({"volumes": [{"type": "volume", "source": "data", "target": "/d",
                                      "volume": {"nocopy": True}},
                                     {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "1m", "mode": 0o700}}]},
                        "Mounts./d.Type", "volume", {"volumes": {"data": {}}}),
    "volumes-bind": ({"volumes": ["{tmp}/made:/made:ro",
                                  {"type": "bind", "source": "{tmp}", "target": "/tmp/there",
                                   "bind": {"create_host_path": False, "propagation": "rprivate"}}]},
                     "Mounts./made.RW", False),
    "tmpfs": ({"tmpfs": ["/run", "/tmp:size=1m"]}, "HostConfig.Tmpfs", {"/run": "", "/tmp": "size=1m"}),
    "read_only": ({"read_only": True}, "HostConfig.ReadonlyRootfs", True),
    "shm_size": ({"shm_size": "32M"}, "HostConfig.ShmSize", 32 << 20),
    "privileged": ({"privileged": True}, "HostConfig.Privileged", True),
    "cap": ({"cap_add": ["NET_ADMIN"], "cap_drop": ["ALL"]}, "HostConfig.CapDrop", ["ALL"]),
    "security_opt": ({"security_opt": ["no-new-privileges:true"]}, "HostConfig.SecurityOpt",
                     ["no-new-privileges:true"]),
    "devices": ({"devices": ["/dev/null:/dev/nil:rw", "/dev/zero"]}, "HostConfig.Devices",
                [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nil", "CgroupPermissions": "rw"},
                 {"PathOnHost": "/dev/zero", "PathInContainer": "/dev/zero", "CgroupPermissions": "rwm"}]),
    "sysctls": ({"sysctls": {"net.core.somaxconn": 1024}}, "HostConfig.Sysctls",
                {"net.core.somaxconn": "1024"}),
    "ulimits": ({"ulimits": {"nproc": 100, "nofile": {"soft": 10, "hard": 20}}}, "HostConfig.Ulimits",
                [{"Name": "nofile", "Hard": 20, "Soft": 10}, {"Name": "nproc", "Hard": 100, "Soft": 100}]),
    "restart": ({"restart": "on-failure:3"}, "HostConfig.RestartPolicy",
                {"Name": "on-failure", "MaximumRetryCount": 3}),
    "restart-always": ({"restart": "always"}, "HostConfig.RestartPolicy.Name", "always"),
    "memory": ({"mem_limit": "128M", "mem_reservation": "64m", "memswap_limit": "256m"},
               "HostConfig.Memory", 128 << 20),
    "memory-alone": ({"mem_limit": "128M"}, "HostConfig.Memory", 128 << 20),
    "mem_swappiness": ({"mem_swappiness": 10}, "HostConfig.MemorySwappiness", 10),
    "cpus": ({"cpus": 0.5}, "HostConfig.NanoCpus", 500000000),
    "cpu_shares": ({"cpu_shares": 73}, "HostConfig.CpuShares", 73),
    "cpuset": ({"cpuset": "0"}, "HostConfig.CpusetCpus", "0"),
    "pids_limit": ({"pids_limit": 100}, "HostConfig.PidsLimit", 100),
    "pids_limit-none": ({"pids_limit": -1}, "HostConfig.CpuShares", 0),
    "oom": ({"oom_kill_disable": True, "mem_limit": "64M", "oom_score_adj": 500},
            "HostConfig.OomScoreAdj", 500),
    "deploy": ({"deploy": {"resources": {"limits": {"cpus": "0.5", "memory": "128M", "pids": 100},
                                         "reservations": {"memory": "10M"}}}},
               "HostConfig.MemoryReservation", 10 << 20),
    "network-options": ({"networks": ["n"]}, "HostConfig.NetworkMode", "n",
                        {"networks": {"n": {"driver": "bridge", "internal": True, "attachable": True,
                                            "driver_opts": {"com.docker.network.driver.mtu": "1400"},
                                            "labels": {"l": "m"},
                                            "ipam": {"config": [{"subnet": "10.214.0.0/16",
                                                                 "ip_range": "10.214.1.0/24",
                                                                 "gateway": "10.214.0.1",
                                                                 "aux_addresses": {"h": "10.214.0.9"}}]}}}}),
    "volume-options": ({"volumes": ["vol:/v"]}, "Mounts./v.Driver", "local",
                       {"volumes": {"vol": {"driver": "local", "labels": {"l": "m"},
                                          "driver_opts": {"type": "tmpfs", "device": "tmpfs",
                                                          "o": "size=1m"}}}}),
}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def post(engine, path, body, ok=(200, 201)):
    connection = _UnixConnection(engine.socket)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    assert response.status in ok, f"POST {path}: {response.status} {text.decode()}"
    return json.loads(text or b"{}")


def compose(engine, project, file, *args):
    done = subprocess.run(["docker", "--host", engine.host, "compose", "--project-name", project,
                           "--file", file, *args], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def bodies(document, *options):
    done = subprocess.run([PROGRAM, *map(str, options)], input=json.dumps(document).encode(),
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return json.loads(done.stdout)


def document(model):
    return {"apiVersion": "bellbuoy/v1", "revision": 1, "project": model["name"], **model}


def make(engine, told):
    """What the manager does with these bodies."""
    for network in told["networks"].values():
        post(engine, "/v1.41/networks/create", network)
    for volume in told["volumes"].values():
        post(engine, "/v1.41/volumes/create", volume)
    for service, own in told["services"].items():
        name = f"{OURS}-{service}-1"
        post(engine, f"/v1.44/containers/create?name={name}", own["create"])
        for key, body in own["connect"].items():
            body["Container"] = name
            post(engine, f"/v1.41/networks/{OURS}_{key}/connect", body)
        post(engine, f"/v1.44/containers/{name}/update", own["limits"])


def without_empty(value):
    """false, 0, "" and nothing are one to the engine."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, False, 0, "", [], {})}
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    return value


def networks_of(container, project, name):
    found = {}
    for network, endpoint in container["NetworkSettings"]["Networks"].items():
        aliases = {alias for alias in endpoint["Aliases"] or [] if not container["Id"].startswith(alias)}
        found[network.removeprefix(f"{project}_")] = {
            "IPAMConfig": endpoint["IPAMConfig"], "DriverOpts": endpoint["DriverOpts"],
            "Aliases": sorted(aliases - {name})}
    return found


def mounts_of(container, project):
    """By their targets, whether they came as Binds or as Mounts."""
    found = {}
    for mount in container["Mounts"]:
        kept = {key: mount.get(key) for key in ("Type", "Name", "Source", "Driver", "RW", "Propagation")}
        if mount["Type"] == "volume":
            kept["Source"] = None
            kept["Name"] = "" if len(mount["Name"]) == 64 else mount["Name"].removeprefix(f"{project}_")
        found[mount["Destination"]] = kept
    for mount in container["HostConfig"].get("Mounts") or []:
        if mount["Type"] == "tmpfs":
            found[mount["Target"]] = mount
    return found


def plain_capability(name):
    """The engine keeps them as they come; docker compose's client puts CAP_ before them."""
    return name.removeprefix("CAP_")


def shown(container, project):
    """All that inspect says, but for what must differ between two projects, and for the order of what
    docker compose hands on in any order."""
    config, host = container["Config"], container["HostConfig"]
    config["Labels"] = {key: value for key, value in config["Labels"].items()
                        if not key.startswith(("com.docker.compose.", "io.bellbuoy."))}
    config["Env"] = sorted(config["Env"] or [])
    if config["Hostname"] == container["Id"][:12]:
        config["Hostname"] = ""
    for key in ("AttachStdout", "AttachStderr"):
        config.pop(key)
    host["NetworkMode"] = host["NetworkMode"].removeprefix(f"{project}_")
    host["Ulimits"] = sorted(host["Ulimits"] or [], key=lambda limit: limit["Name"])
    host["ExtraHosts"] = sorted(host["ExtraHosts"] or [])
    for key in ("CapAdd", "CapDrop"):
        host[key] = [plain_capability(name) for name in host[key] or []]
    mounts = mounts_of(container, project)
    host.pop("Mounts", None)
    host.pop("Binds")
    name = container["Name"].lstrip("/")
    return {"Config": config, "HostConfig": host, "Mounts": mounts, "Platform": container["Platform"],
            "NetworkSettings": {"Networks": networks_of(container, project, name)}}


def containers(engine, project):
    """All of a project's, as shown, by service."""
    names = [f"{project}-{case}-1" for case in CASES]
    return {case: shown(container, project)
            for case, container in zip(CASES, engine.inspect(*names), strict=True)}


def resources(engine, project):
    """The project's networks and volumes, but for what must differ."""
    found = {}
    for kind, kept in (("network", ("Driver", "Options", "Internal", "Attachable", "EnableIPv6", "IPAM")),
                       ("volume", ("Driver", "Options"))):
        for name in engine.docker(kind, "ls", "--format", "{{.Name}}").split():
            if name.startswith(f"{project}_") and not name.endswith("_default"):
                [one] = json.loads(engine.docker(kind, "inspect", name))
                found[name.removeprefix(project)] = {key: one[key] for key in kept} | {
                    "Labels": {key: value for key, value in (one["Labels"] or {}).items()
                               if not key.startswith(("com.docker.compose.", "io.bellbuoy."))}}
                if kind == "network" and not (one["IPAM"]["Config"] or [{}])[0].get("IPRange"):
                    found[name.removeprefix(project)].pop("IPAM")  # the engine's own choice
    return found


def at(value, path):
    for step in path.split("."):
        value = value[step]
    return value


@pytest.fixture(scope="module")
def engine(docker):
    made = not docker.has_image(IMAGE)
    if made:
        docker.tiny_image(IMAGE)
    yield docker
    if made:
        docker.remove_image(IMAGE)


def remove(engine, *projects, kinds=("network", "volume")):
    for project in projects:
        engine.rm(*(name for name in engine.docker("ps", "--all", "--format", "{{.Names}}").split()
                    if name.startswith(f"{project}-")))
        for kind in kinds:
            names = [name for name in engine.docker(kind, "ls", "--format", "{{.Name}}").split()
                     if name.startswith(f"{project}_")]
            if names:
                engine.docker(kind, "rm", *names)


@pytest.fixture
def clean(engine):
    remove(engine, OURS)
    yield
    remove(engine, OURS)


def file_of_all(folder):
    """One compose file with each case as a service."""
    model = {"services": {}, "networks": {}, "volumes": {}}
    for case, (members, _, _, *rest) in CASES.items():
        model["services"][case] = {"image": IMAGE, **members}
        for kind, objects in (rest[0] if rest else {}).items():
            model[kind] |= objects
    file = folder / "compose.json"
    file.write_text(json.dumps(model).replace("{tmp}", str(folder)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def made(engine, tmp_path_factory):
    """The same file by both: (ours, theirs), each as (containers, networks and volumes)."""
    folder = tmp_path_factory.mktemp("desired")
    file = file_of_all(folder)
    remove(engine, OURS, THEIRS)
    try:
        model = json.loads(compose(engine, OURS, file, "config", "--format", "json"))
        allowed = [word for name in ALLOWED for word in ("--allow", name)]
        make(engine, bodies(document(model), "--bind", folder, *allowed))
        ours = containers(engine, OURS), resources(engine, OURS)
        remove(engine, OURS)  # its networks' addresses are wanted again
        compose(engine, THEIRS, file, "up", "--no-start", "--pull", "never")
        yield ours, (containers(engine, THEIRS), resources(engine, THEIRS))
    finally:
        remove(engine, OURS, THEIRS)


@pytest.mark.parametrize("case", CASES)
def test_the_container_has_what_the_key_says(made, case):
    _, path, expected, *_ = CASES[case]
    (ours, _), _ = made
    found = at(ours[case], path)
    assert sorted(found, key=str) == sorted(expected, key=str) if isinstance(found, list) else found == expected


@pytest.mark.parametrize("case", CASES)
def test_the_container_is_as_compose_makes_it(made, case):
    (ours, _), (theirs, _) = made
    assert without_empty(ours[case]) == without_empty(theirs[case])


def test_networks_and_volumes_are_as_compose_makes_them(made):
    (_, ours), (_, theirs) = made
    assert set(ours) == {"_front", "_back", "_data", "_n", "_vol", "_fixed"}
    assert without_empty(ours) == without_empty(theirs)


@pytest.mark.usefixtures("clean")
def test_secrets_and_configs_are_files_of_the_node(engine, tmp_path):
    """docker compose has no external ones: there is nothing to compare with."""
    (tmp_path / "key-1").write_text("open sesame", encoding="utf-8")
    (tmp_path / "app.conf").write_text("debug = no", encoding="utf-8")
    told = bodies(document({
        "name": OURS,
        "services": {"web": {"image": IMAGE, "network_mode": "none",
                             "secrets": [{"source": "key"}],
                             "configs": [{"source": "app.conf", "target": "/etc/app.conf"}]}},
        "secrets": {"key": {"external": True, "name": "key-1"}},
        "configs": {"app.conf": {"external": True}},
    }), "--secrets-dir", tmp_path)
    make(engine, told)
    name = f"{OURS}-web-1"
    engine.docker("start", name)
    assert engine.docker("exec", name, "cat", "/run/secrets/key") == "open sesame"
    assert engine.docker("exec", name, "cat", "/etc/app.conf") == "debug = no"
    assert engine.docker("exec", name, "sh", "-c", "echo x >/run/secrets/key", check=False).returncode != 0


@pytest.mark.usefixtures("clean")
def test_limits_change_in_place(engine):
    """Up, down and the swap that the engine had chosen by itself, in a container that runs."""
    def told(**limits):
        return bodies(document({"name": OURS, "services": {
            "web": {"image": IMAGE, "network_mode": "none", **limits}}}))

    first = told(mem_limit="64M", cpus=0.5, pids_limit=50, restart="always")
    make(engine, first)
    name = f"{OURS}-web-1"
    engine.docker("start", name)
    for limits in ({"mem_limit": "256M", "cpus": 1, "pids_limit": 60, "restart": "on-failure:2"},
                   {"mem_limit": "32M", "cpus": 0.25, "pids_limit": 10, "restart": "no"}):
        next_one = told(**limits)
        assert next_one["services"]["web"]["hash"] == first["services"]["web"]["hash"]
        body = next_one["services"]["web"]["limits"]
        post(engine, f"/v1.41/containers/{name}/update", body)
        [container] = engine.inspect(name)
        for key in ("Memory", "NanoCpus", "PidsLimit", "RestartPolicy"):
            assert container["HostConfig"][key] == body[key]
