"""The broker as its image has it: the supervisor, Mosquitto below it, TLS, certificates as logins."""

import getpass
import shutil
from pathlib import Path

from .api import Api
from .certificates import Certificates
from .net import HOST, free_port
from .paths import BROKER, ROOT
from .process import Process
from .services import flags, run_once
from .waiting import eventually

SHIPPED = ROOT / "broker"

# The metric of each service: "own", "ca".
EXPIRY = 'bellbuoy_tls_certificate_expiry_timestamp_seconds{certificate="%s"}'


class MountedSecret:
    """A folder as Kubernetes mounts a Secret: its files are links into ..data, itself a link."""

    NAMES = ("ca.crt", "tls.crt", "tls.key")

    def __init__(self, folder):
        self.folder = folder
        self._versions = 0
        folder.mkdir(parents=True)
        for name in self.NAMES:
            (folder / name).symlink_to(Path("..data") / name)

    def put(self, ca, certificate, key):
        """Exchanges all files at once, by renaming the link."""
        self._versions += 1
        version = self.folder / f"..{self._versions}"
        version.mkdir()
        for name, source in zip(self.NAMES, (ca, certificate, key)):
            shutil.copy(source, version / name)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self.folder / "..data")


class BrokerService(Process):
    """Ports and folders are the test's own; rights are the shipped ones and `acl`, more lines."""

    tls = True
    users = {}

    def __init__(self, folder, name="broker-service", acl="", mounted=True):
        self.folder = folder / name
        self.data_dir = self.folder / "data"
        self.data_dir.mkdir(parents=True)
        self.port, self.health_port, self.admin_port = free_port(), free_port(), free_port()
        self.certificates = Certificates(self.folder / "certs")
        self.secret = MountedSecret(self.folder / "tls")
        if mounted:
            self.secret.put(self.certificates.ca, *self.certificates.server())
        (self.folder / "acl").write_text((SHIPPED / "acl").read_text() + acl)
        shutil.copy(SHIPPED / "acl-health", self.folder)
        conf = self.folder / "mosquitto.conf"
        conf.write_text(self._conf())
        self._health = flags(health_url=f"mqtt://{HOST}:{self.health_port}")
        ca, certificate, key = (self.secret.folder / name for name in MountedSecret.NAMES)
        super().__init__(name, [BROKER, *self._health, *flags(
            conf=conf, ca_file=ca, cert_file=certificate, key_file=key,
            admin_address=f"{HOST}:{self.admin_port}")], folder)

    def _conf(self):
        """What broker/Dockerfile puts together, in our folder and at our ports."""
        text = "".join((SHIPPED / name).read_text() for name in ("mosquitto.conf", "listeners.conf"))
        for shipped, ours in {
            "/etc/bellbuoy/tls": self.secret.folder,
            "/etc/bellbuoy/broker": self.folder,
            "persistence_location /data/": f"persistence_location {self.data_dir}/",
            "listener 8883": f"listener {self.port} {HOST}",
            f"listener 1883 {HOST}": f"listener {self.health_port} {HOST}",
        }.items():
            assert shipped in text, shipped
            text = text.replace(shipped, str(ours))
        return text + f"user {getpass.getuser()}\n"

    def start(self, ready=True):
        self.launch()
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            assert self.running, f"the broker ended\n{self.log_tail()}"
            return self.admin.get_raw("/readyz").status_code == 200

        eventually(ready, message="the broker is ready")
        return self

    @property
    def url(self):
        return f"mqtts://localhost:{self.port}"

    @property
    def admin(self):
        """Its /metrics, /healthz and /readyz."""
        return Api(f"http://{HOST}:{self.admin_port}")

    def unready_reason(self):
        """Why /readyz says no; "" while it says yes."""
        check = self.admin.ready()["checks"][0]
        return "" if check["ok"] else check["reason"]

    def mosquitto_pid(self):
        """The supervisor's one child."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        assert len(children) == 1, children
        return int(children[0])

    def healthcheck(self):
        """Runs the subcommand to its end."""
        return run_once(BROKER, "healthcheck", *self._health)

    def expiry(self, which="own"):
        """The metric, in seconds since 1970."""
        return self.admin.metrics()[EXPIRY % which]
