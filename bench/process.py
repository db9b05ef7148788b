"""A process alone: idle memory beside its libraries alone, and start to ready."""

import time

from figures import Row, median, memory_bytes, program, start
from harness import eventually

ROUNDS = 7


class Floor:
    """A program that has only started the service's libraries, alive while both are measured.

    Pss shares a library's pages among all who have them mapped: both must see the same sharing.
    """

    def __init__(self, service):
        self.child = start([program(f"idle_floor_{service}")])
        assert self.child.stdout.readline() == "ready\n"

    def __enter__(self):
        return self.child.pid

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(10)


def measure_idle(lab, _quick):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    broadcaster = lab.broadcaster(broker)
    eventually(lambda: receiver.api.stats()["journal"]["events"] >= 1, 30)
    rows = []
    for service, process in (("broadcaster", broadcaster), ("receiver", receiver)):
        with Floor(service) as floor:
            for kind in ("Pss", "Rss"):
                rows.append(Row(f"idle {kind} of the {service}",
                                memory_bytes(process.pid, kind) / 1e6, "MB", "its libraries alone",
                                memory_bytes(floor, kind) / 1e6, "1.3"))
    return rows


def ready_ms(process):
    """From launch to the first /readyz of 200, asked for without a pause."""
    started = time.perf_counter()
    process.start()
    taken = (time.perf_counter() - started) * 1000
    process.terminate()
    return taken


def measure_start(lab, _quick):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    broadcaster = lab.broadcaster(broker)
    rows = []
    for name, process in (("receiver", receiver), ("broadcaster", broadcaster)):
        process.terminate()
        rows.append(Row(f"start to ready of the {name}",
                        median([ready_ms(process) for _ in range(ROUNDS)]), "ms",
                        budget="100 ms"))
    return rows
