"""What a measurement gives, and the programs that it runs."""

import json
import statistics
import subprocess
from dataclasses import asdict, dataclass

from harness import BUILD_DIR

SERVER_CPU, CLIENT_CPU = "0", "1"


@dataclass
class Row:
    """One line of the table; `peer` was measured in the same run and has the same unit."""

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    budget: str = ""

    @property
    def ratio(self):
        return self.value / self.peer_value if self.peer_value else None

    def as_dict(self):
        return {**asdict(self), "ratio": self.ratio}


def program(name):
    return str(BUILD_DIR / "bench" / name)


def start(argv, cpu=None):
    pinned = ["taskset", "-c", cpu, *argv] if cpu else argv
    return subprocess.Popen(pinned, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def clients(port, count, events, mark, timeout_s=120):
    """sse_clients with that many connections open; returns when each of them streams."""
    child = start([program("sse_clients"), str(port), str(count), str(events), str(timeout_s), mark],
                  CLIENT_CPU)
    assert child.stdout.readline() == "ready\n", "the clients did not come up"
    return child


def result(child):
    """The JSON line that sse_clients ends with."""
    answer = json.loads(child.stdout.readline())
    child.wait()
    assert answer["closed"] == 0 and answer["deliveries"] == answer["expected"], answer
    return answer


def median(values):
    return statistics.median(values)


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_bytes(pid, kind="Pss"):
    """Pss or Rss of a process."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith(kind + ":"))
