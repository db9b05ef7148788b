"""The cluster under test, through kubectl, and scripts/deploy.sh on it."""

import json
import os
import re
import shutil
import subprocess

from harness import HOST, ROOT, Api, Process, free_port, scaled

DEPLOY = ROOT / "scripts" / "deploy.sh"
BUILD_IMAGES = ROOT / "scripts" / "build-images.sh"
INSTANCE = "app.kubernetes.io/instance=bellbuoy"
COMPONENT = "app.kubernetes.io/component"


def run(*argv, env=None, timeout_s=60, check=True, text_in=""):
    """A command's result; one that fails says what it wrote."""
    answer = subprocess.run([str(arg) for arg in argv], text=True, timeout=scaled(timeout_s), check=False,
                            env={**os.environ, **(env or {})}, input=text_in,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert not check or answer.returncode == 0, f"{argv}: {answer.stdout}\n{answer.stderr}"
    return answer


def exports(text):
    """What a script's lines of `export NAME=value NAME=value` say."""
    pairs = re.findall(r'(\w+)=("[^"]*"|\S+)', text)
    return {name: os.path.expandvars(value.strip('"')) for name, value in pairs}


class Cluster:
    """A throw-away cluster that runs: of minikube, kind or k3d."""

    def __init__(self, env=None):
        self.env = env or {}

    @classmethod
    def find(cls):
        """The cluster of kubectl's context if it is one to play with; or None and why there is none."""
        here = cls()
        reason = here.why_not()
        return (None, reason) if reason else (here, None)

    def why_not(self):
        path = self.env.get("PATH", os.environ["PATH"])
        missing = [name for name in ("kubectl", "helm", "docker") if not shutil.which(name, path=path)]
        if missing:
            return f"not installed: {', '.join(missing)}"
        try:
            context = run("kubectl", "config", "current-context", env=self.env, check=False)
            if context.returncode:
                return "kubectl has no current context"
            kind = run("bash", "-c", f"source {ROOT}/scripts/lib.sh; source {ROOT}/scripts/kube.sh; "
                       'kube_context_kind "$1"', "-", context.stdout.strip(), env=self.env).stdout
            if kind.strip() == "other":
                return f"the context {context.stdout.strip()} is not one to play with"
            answer = self.kubectl("get", "--raw", "/readyz", "--request-timeout=5s", check=False)
            return None if answer.returncode == 0 else f"no cluster answers: {answer.stderr.strip()}"
        except subprocess.TimeoutExpired as error:
            return f"no cluster: {error}"

    def kubectl(self, *argv, **options):
        return run("kubectl", *argv, env=self.env, **options)

    def get(self, *argv, namespace):
        """kubectl get ... as JSON."""
        return json.loads(self.kubectl("-n", namespace, "get", *argv, "-o", "json").stdout)

    def pods(self, namespace, component=None):
        """{name: uid} of the pods that are not being deleted."""
        selector = INSTANCE + (f",{COMPONENT}={component}" if component else "")
        items = self.get("pods", "-l", selector, namespace=namespace)["items"]
        return {one["metadata"]["name"]: one["metadata"]["uid"] for one in items
                if "deletionTimestamp" not in one["metadata"]}

    def apply(self, namespace, *objects):
        """kubectl apply of objects given as dicts."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        run("kubectl", "-n", namespace, "apply", "-f", "-", env=self.env, text_in=text)

    def engine_env(self):
        """How docker reaches the node's engine."""
        answer = run("bash", "-c", "command -v minikube >/dev/null && minikube docker-env --shell bash",
                     env=self.env, check=False)
        return {**self.env, **(exports(answer.stdout) if answer.returncode == 0 else {})}

    def deploy(self, namespace, *options, timeout_s=300, env=None):
        """Runs deploy.sh to its end with nobody at the keyboard; the result."""
        return run(DEPLOY, "--namespace", namespace, *options, timeout_s=timeout_s, check=False,
                   env={**self.env, **(env or {})})

    def purge(self, namespace):
        answer = self.deploy(namespace, "--purge", "--yes")
        assert answer.returncode == 0, answer.stderr
        self.kubectl("delete", "namespace", namespace, "--ignore-not-found", timeout_s=120)


class Deploy(Process):
    """deploy.sh with a port-forward, as one who sits before it: Enter, Ctrl-C, and what is seen."""

    stdin = subprocess.PIPE

    def __init__(self, cluster, folder, name, namespace, options=()):
        self.cluster = cluster
        self.namespace = namespace
        self.port = free_port()
        super().__init__(name, [DEPLOY, "--namespace", namespace, "--port", self.port, *options], folder,
                         cluster.env)

    def start(self):
        self.launch()
        self.wait_for_log("Enter closes the port-forward", timeout_s=300)
        return self

    @property
    def url(self):
        return f"http://{HOST}:{self.port}"

    @property
    def api(self):
        return Api(self.url)

    def press_enter(self):
        self.popen.stdin.write(b"\n")
        self.popen.stdin.flush()

    def end_input(self):
        self.popen.stdin.close()
