"""What `docker compose config` prints of the compose corpus, as a node takes it: all of it, but for
what a node does not do, and that with a reason."""

import json
import subprocess

import compose
import pytest
from harness import BUILD_DIR

PROGRAM = BUILD_DIR / "tests" / "unit" / "manager" / "desired" / "print_create_body"
ALLOWED = ["privileged", "host-network", "container-network", "security-opt", "sysctls", "volume-driver",
           "volume-options", "cap:NET_ADMIN", "cap:SYS_TIME", "device:/dev/ttyUSB0"]

# By folder: where, and what the message says.
REFUSED = {
    "configs": ("/configs/content/content", "--secrets-dir"),
    "deploy": ("/services/a/deploy/endpoint_mode", "swarm"),
    "devices": ("/services/a/devices/4/source", "an absolute path"),
    "durations": ("/services/h/stop_grace_period", "240h"),
    "interpolation-types": ("/services/a/deploy/update_config/max_failure_ratio", "one container that fails"),
    "large-numbers": ("/services/a/mem_limit", "512T"),
    "networks-map": ("/services/a/networks/front/gw_priority", "engines before 28"),
    "networks-top": ("/networks/a/enable_ipv4", "engines before 28"),
    "odd-values": ("/services/a/volumes/1/target", "an absolute path"),
    "override": ("/secrets/s/file", "--secrets-dir"),
    "secrets": ("/secrets/env/environment", "--secrets-dir"),
    "sizes": ("/services/d/mem_limit", "at least 6M"),
    "volumes-long": ("/services/a/volumes/1/volume/subpath", "engines before 26"),
}


@pytest.mark.parametrize("folder", compose.cases(compose.CORPUS), ids=lambda folder: folder.name)
def test_a_file_is_taken_or_refused_with_a_reason(folder):
    model = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    document = {"apiVersion": "bellbuoy/v1", "revision": 1, "project": model["name"], **model}
    allowed = [word for name in ALLOWED for word in ("--allow", name)]
    done = subprocess.run([PROGRAM, "--secrets-dir", "/secrets", "--bind", "/", *allowed],
                          input=json.dumps(document).encode(), capture_output=True, check=False, timeout=60)
    told = json.loads(done.stdout)
    if folder.name in REFUSED:
        pointer, words = REFUSED[folder.name]
        assert done.returncode == 3
        assert told["pointer"] == pointer
        assert words in told["message"]
    else:
        assert done.returncode == 0, told
        assert sorted(told["services"]) == sorted(model["services"])
