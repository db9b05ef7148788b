"""The services under test: the real binaries of BELLBUOY_BUILD_DIR (build/dev by default)."""

import subprocess
from collections import namedtuple

from .api import Api
from .net import HOST, free_port
from .paths import BROADCASTER, RECEIVER
from .process import Process, service_environment
from .sse import SseStream
from .waiting import PATIENCE_S, eventually, scaled

LedgerLine = namedtuple("LedgerLine", "source id")


def flags(**options):
    """Keyword arguments as command line: retention_age="1h" is --retention-age 1h.

    None leaves an option out; a list or tuple repeats it.
    """
    argv = []
    for name, value in options.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        for one in values:
            if one is not None:
                argv += ["--" + name.replace("_", "-"), str(one)]
    return argv


def run_once(program, *args, env=None, timeout_s=PATIENCE_S):
    """Runs a binary to its end, for --help, wrong options and subcommands."""
    return subprocess.run([str(program), *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env=service_environment(env),
                          timeout=scaled(timeout_s), check=False)


def login_flags(broker):
    """What a service needs to get into that broker: its first user, its authority's certificate."""
    options = {"broker_url": broker.url}
    if broker.users:
        name, password = next(iter(broker.users.items()))
        path = broker.folder / f"{name}.password"
        path.touch(mode=0o600)
        path.write_text(password)
        options.update(username=name, password_file=path)
    if broker.tls:
        options["ca_file"] = broker.certificates.ca
    return options


class Receiver(Process):
    """One receiver. Its port is the kernel's choice at the first start and then stays."""

    def __init__(self, folder, broker=None, name="receiver", data_dir=None, env=None, **options):
        self.data_dir = data_dir or folder / name / "data"
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.token = None
        self.port = int(options.pop("port", 0))
        self._options = login_flags(broker) if broker else {}
        self._options.update(data_dir=self.data_dir, **options)
        super().__init__(name, [], folder, env)

    def use_token(self, token="a-token-for-tests-0123456789"):
        """Gives it a token file (before its start), so that POST events works."""
        path = self.data_dir.parent / "token"
        path.touch(mode=0o600)
        path.write_text(token + "\n")
        self.token = token
        self._options["token_file"] = path
        return self

    def set_options(self, **options):
        """Changes flags for the next start."""
        self._options.update(options)
        return self

    def start(self, ready=True):
        """Starts it, learns its port, and waits until it is ready (or, with ready=False, serves)."""
        self.argv = [str(RECEIVER), *flags(port=self.port, **self._options)]
        self.launch()
        listening = self.wait_for_log(r"\blistening\b.*\bport=(\d+)")
        self.port = int(listening.group(1))
        if ready:
            self.wait_ready()
        return self

    def restart(self, kill=False, ready=True):
        """Ends it (SIGTERM, or kill -9) and starts it again on the same port and data."""
        if kill:
            self.kill()
        else:
            self.terminate()
        return self.start(ready)

    def wait_ready(self, timeout_s=PATIENCE_S):
        def ready():
            assert self.running, f"the receiver ended\n{self.log_tail()}"
            return self.api.get_raw("/readyz").status_code == 200 and self._can_send()

        eventually(ready, timeout_s, message="the receiver is ready")
        return self

    def _can_send(self):
        """The client that sends messages connects by itself, a moment after or before the other."""
        return not self.token or self.api.metrics()["bellbuoy_api_broker_connected"] == 1

    @property
    def url(self):
        return f"http://{HOST}:{self.port}"

    @property
    def api(self):
        return Api(self.url, self.token)

    def stream(self, query="", **options):
        """An SSE connection to it: stream("type=hello", last_event_id=cursor)."""
        return SseStream(HOST, self.port, query, **options)


class Broadcaster(Process):
    """One broadcaster with an admin port and a ledger of its own."""

    def __init__(self, folder, broker, name="broadcaster", env=None, **options):
        self.admin_port = free_port()
        self.ledger_path = folder / f"{name}.ledger"
        argv = [BROADCASTER] + flags(**{
            **login_flags(broker),
            "source": name,
            "ledger": self.ledger_path,
            "admin_address": f"{HOST}:{self.admin_port}",
            **options,
        })
        super().__init__(name, argv, folder, env)

    def start(self, ready=True):
        self.launch()
        if ready:
            self.wait_ready()
        return self

    def restart(self, kill=False, ready=True):
        if kill:
            self.kill()
        else:
            self.terminate()
        return self.start(ready)

    def wait_ready(self, timeout_s=PATIENCE_S):
        def ready():
            assert self.running, f"the broadcaster ended\n{self.log_tail()}"
            return self.admin.get_raw("/readyz").status_code == 200

        eventually(ready, timeout_s, message="the broadcaster is ready")
        return self

    @property
    def admin(self):
        """Its /metrics, /healthz and /readyz."""
        return Api(f"http://{HOST}:{self.admin_port}")

    def ledger(self):
        """What the broker has acknowledged: LedgerLine(source, id), repeats included."""
        return self.ledger_from(0)[0]

    def ledger_from(self, offset):
        """The ledger's lines from a byte on, and where the next one will begin.

        The last line may be half written by a process that was killed: it is left out.
        """
        if not self.ledger_path.exists():
            return [], offset
        with self.ledger_path.open("rb") as ledger:
            ledger.seek(offset)
            complete, newline, _ = ledger.read().rpartition(b"\n")
        lines = [LedgerLine(*line.split(" ", 1)) for line in complete.decode().splitlines()]
        return lines, offset + len(complete) + len(newline)
