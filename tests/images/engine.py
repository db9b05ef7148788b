"""The Docker engine, the images that scripts/build-images.sh makes in it, and what is in them."""

import io
import json
import os
import shutil
import subprocess
import tarfile

from harness import ROOT

BUILD_IMAGES = ROOT / "scripts" / "build-images.sh"
SERVICES = ("broker", "receiver", "broadcaster", "manager")
# What the development machine offers where no engine runs.
ENGINE_SCRIPT = ROOT.parent / "shared" / "cluster" / "cluster"


def docker(*args, check=True, binary=False, timeout_s=120):
    """One docker command: its standard output, or with check=False the CompletedProcess."""
    done = subprocess.run(["docker", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=not binary, timeout=timeout_s, check=False)
    if not check:
        return done
    assert done.returncode == 0, f"docker {' '.join(map(str, args))}: {done.stderr}"
    return done.stdout if binary else done.stdout.strip()


def engine_answers():
    return shutil.which("docker") and docker("version", check=False).returncode == 0


def find_engine():
    """Whether an engine answers, or one that can be started here."""
    if not engine_answers() and os.access(ENGINE_SCRIPT, os.X_OK):
        subprocess.run([ENGINE_SCRIPT, "docker"], capture_output=True, check=False, timeout=900)
    return engine_answers()


def build_images(*options, timeout_s=1500):
    """Runs scripts/build-images.sh on the local engine, whatever kubectl's context is; its output."""
    done = subprocess.run([BUILD_IMAGES, *options], env={**os.environ, "KUBECONFIG": os.devnull},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


class Image:
    """bellbuoy/SERVICE:TAG"""

    def __init__(self, service, tag):
        self.service = service
        self.name = f"bellbuoy/{service}:{tag}"
        self._files = None

    @property
    def programs(self):
        more = {"broker": {"/usr/sbin/mosquitto"}, "manager": {"/usr/bin/buoyctl"}}
        return {f"/usr/bin/bellbuoy-{self.service}"} | more.get(self.service, set())

    def inspect(self):
        return json.loads(docker("image", "inspect", self.name))[0]

    def layers(self):
        return self.inspect()["RootFS"]["Layers"]

    def files(self):
        """{path: tarfile.TarInfo} of its layers; read() gives a file's bytes."""
        if self._files is None:
            saved = tarfile.open(fileobj=io.BytesIO(docker("save", self.name, binary=True)))
            manifest = json.load(saved.extractfile("manifest.json"))[0]
            self._tars = [tarfile.open(fileobj=saved.extractfile(layer))
                          for layer in manifest["Layers"]]
            self._files = {"/" + member.name.strip("/"): (member, tar)
                           for tar in self._tars for member in tar}
        return {path: member for path, (member, _) in self._files.items()}

    def read(self, path):
        self.files()
        member, tar = self._files[path]
        return tar.extractfile(member).read()

    def json(self, path):
        return json.loads(self.read(path))

    def libraries(self):
        """The shared libraries in it, the loader among them."""
        return {path for path, member in self.files().items()
                if member.isfile() and ".so" in path.rpartition("/")[2]}

    def loader(self):
        return next(path for path in self.libraries() if path.rpartition("/")[2].startswith("ld-"))

    def run(self, *command, entrypoint=None, options=()):
        """A container for one command, without network or anything to write to."""
        entry = ["--entrypoint", entrypoint] if entrypoint else []
        return docker("run", "--rm", "--read-only", "--network", "none", *options, *entry, self.name,
                      *command, check=False)

    def loaded_by(self, program):
        """What the loader in the image would load for a program there; all of it must be found."""
        done = self.run("--list", program, entrypoint=self.loader())
        assert done.returncode == 0 and "not found" not in done.stdout, done.stdout + done.stderr
        words = done.stdout.split()
        return {word for word in words if word.startswith("/")} | {self.loader()}

    def remove(self):
        docker("image", "rm", "--force", self.name, check=False)
