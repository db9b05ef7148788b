"""What the chart renders, without a cluster: `helm template`, read as objects."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "bellbuoy"
NAMESPACE = "somewhere"
MANAGED = ["manager.enabled=true", "manager.docker.gid=999"]


@functools.cache
def helm():
    """The program, on PATH or as the development machine offers it; tests are skipped without."""
    script = 'source scripts/lib.sh; source scripts/chart-tools.sh; find_chart_tools helm; command -v helm'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or shutil.which("helm")


@pytest.fixture(autouse=True, scope="session")
def have_helm():
    if not helm():
        pytest.skip("helm is not here: https://helm.sh/docs/intro/install")


def run_helm(*values, files=(), release="bellbuoy"):
    """values: KEY=VALUE as --set takes them, or a dict (KEY: JSON); files: names under ci/."""
    argv = [helm(), "template", release, CHART, "--namespace", NAMESPACE, "--kube-version", "1.34"]
    for value in values:
        if isinstance(value, dict):
            for key, data in value.items():
                argv += ["--set-json", f"{key}={json.dumps(data)}"]
        else:
            argv += ["--set", value]
    for file in files:
        argv += ["--values", CHART / "ci" / f"{file}-values.yaml"]
    return subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, check=False,
                          env={**os.environ, "KUBECONFIG": "/dev/null"}, timeout=60)


class Objects(list):
    """Rendered objects, found by kind and name."""

    def of(self, kind):
        return Objects(one for one in self if one["kind"] == kind)

    def names(self, kind):
        return sorted(one["metadata"]["name"] for one in self.of(kind))

    def get(self, kind, name):
        found = [one for one in self.of(kind) if one["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} objects {kind} {name} among {self.names(kind)}"
        return found[0]

    def pods(self):
        """(name, specification) of every pod that comes of them."""
        for one in self:
            if one["kind"] == "Pod":
                yield one["metadata"]["name"], one["spec"]
            elif one["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
                yield one["metadata"]["name"], one["spec"]["template"]["spec"]

    def container(self, name):
        """The container of a workload, which bears its component's name."""
        found = [pod["containers"][0] for _, pod in self.pods() if pod["containers"][0]["name"] == name]
        assert len(found) == 1, name
        return found[0]


@functools.cache
def _render(values, files, release):
    done = run_helm(*(json.loads(value[1]) if value[0] else value[1] for value in values),
                    files=files, release=release)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def render():
    """render("tls.mode=existing", {"broker.env": {...}}, files=["full"]): the objects."""

    def objects(*values, files=(), release="bellbuoy"):
        key = tuple((isinstance(value, dict), json.dumps(value) if isinstance(value, dict) else value)
                    for value in values)
        return Objects(filter(None, yaml.safe_load_all(_render(key, tuple(files), release))))

    return objects


@pytest.fixture(scope="session")
def refuse():
    """refuse("brokr=1"): what helm says to values that it must refuse."""

    def message(*values):
        done = run_helm(*values)
        assert done.returncode != 0, f"helm takes {values}"
        return done.stderr

    return message


def env(container):
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}
