"""A real Mosquitto with the settings that the project ships (broker/mosquitto.conf)."""

import getpass
import shutil
import subprocess

from .certificates import Certificates
from .net import HOST, accepts, free_port
from .paths import ROOT
from .process import Process
from .waiting import eventually

SHIPPED_CONF = ROOT / "broker" / "mosquitto.conf"


def _program(name):
    """Debian keeps the broker in /usr/sbin, which is on root's PATH only."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    assert path, f"{name} is not installed: scripts/test.sh installs it"
    return path


def wait_for_saved_session(data_dir):
    """A broker that is killed before its first save of the receiver's session has never known it, and
    takes messages that it has nobody for (docs/architecture.md)."""
    saved = data_dir / "mosquitto.db"
    eventually(lambda: b"bellbuoy/events/#" in saved.read_bytes(), message="the session is saved")


class Broker(Process):
    """Listens on one loopback port, which it keeps over restarts.

    users: {name: password}, else anonymous. tls: a listener with a generated certificate; with
    client_certificates=True it demands one of the clients too. settings: further lines, which are
    appended to the shipped ones. persistence=False forgets everything at its end.
    """

    def __init__(self, folder, name="broker", port=None, persistence=True, users=None, tls=False,
                 client_certificates=False, settings=()):
        self.folder = folder / name
        self.data_dir = self.folder / "data"
        self.data_dir.mkdir(parents=True)
        self.port = port or free_port()
        self.users = users or {}
        self.tls = tls
        self.certificates = Certificates(self.folder / "certs") if tls else None
        self.conf_path = self.folder / "mosquitto.conf"
        lines = self._conf(persistence, client_certificates) + list(settings)
        self.conf_path.write_text("\n".join(lines) + "\n")
        super().__init__(name, [_program("mosquitto"), "-c", self.conf_path], folder)

    @property
    def url(self):
        return f"mqtts://localhost:{self.port}" if self.tls else f"mqtt://{HOST}:{self.port}"

    def start(self):
        """Starts it and waits until it accepts connections."""
        self.launch()

        def ready():
            assert self.running, f"the broker ended\n{self.log_tail()}"
            return accepts(self.port)

        eventually(ready, message="the broker accepts connections")
        return self

    def restart(self, kill=True):
        """Ends it (kill -9 by default) and starts it again on the same port."""
        if kill:
            self.kill()
        else:
            self.terminate()
        return self.start()

    def _conf(self, persistence, client_certificates):
        shipped = SHIPPED_CONF.read_text().splitlines()
        if not persistence:
            shipped = [line for line in shipped if not line.startswith(("persistence", "autosave"))]
        lines = shipped + [
            "log_dest stderr",
            f"user {getpass.getuser()}",
            f"listener {self.port} {HOST}",
        ]
        if persistence:
            lines.append(f"persistence_location {self.data_dir}/")
        return lines + self._login_conf() + self._tls_conf(client_certificates)

    def _login_conf(self):
        if not self.users:
            return ["allow_anonymous true"]
        path = self.folder / "passwords"
        path.touch(mode=0o600)
        for user, password in self.users.items():
            subprocess.run([_program("mosquitto_passwd"), "-b", path, user, password], check=True)
        return ["allow_anonymous false", f"password_file {path}"]

    def _tls_conf(self, client_certificates):
        if not self.tls:
            return []
        certificate, key = self.certificates.server()
        lines = [f"cafile {self.certificates.ca}", f"certfile {certificate}", f"keyfile {key}"]
        return lines + ["require_certificate true"] if client_certificates else lines
