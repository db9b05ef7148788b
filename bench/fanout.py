"""SSE fan-out: the receiver's journal, hub and server beside a raw epoll loop, on one core each."""

import tempfile

from figures import SERVER_CPU, Row, clients, median, memory_bytes, program, result, start

ROUNDS = 3


class Server:
    """A fan-out program, told by its standard input what to send."""

    def __init__(self, *argv):
        self.child = start(list(argv), SERVER_CPU)
        self.port = int(self.child.stdout.readline().split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(30)

    def send(self, events, gap_us):
        self.child.stdin.write(f"send {events} {gap_us}\n")
        self.child.stdin.flush()


def run(argv, count, events, gap_us):
    """One round: (the clients' result, bytes of the server's memory for a connection)."""
    # A new journal each time: it would drop the events of the round before as repeats.
    with tempfile.TemporaryDirectory(prefix="bellbuoy-bench-", dir="/dev/shm") as folder, \
            Server(*argv, folder) as server:
        before = memory_bytes(server.child.pid, "Rss")
        load = clients(server.port, count, events, "stamp")
        connected = memory_bytes(server.child.pid, "Rss")
        server.send(events, gap_us)
        return result(load), (connected - before) / count


def rounds(count, events, gap_us, *argvs):
    """The programs in turn, A B C A B C, so that a drift of the machine's speed meets all of them."""
    results = [[] for _ in argvs]
    for _ in range(ROUNDS):
        for argv, into in zip(argvs, results):
            into.append(run(argv, count, events, gap_us))
    return results


def of(results, key):
    return median([one[key] for one, _ in results])


def measure(_lab, quick):
    rows = []
    for count in (100, 1000) if quick else (1000, 10000):
        rows += measure_clients(count)
    return rows


def measure_clients(count):
    floor, single = [program("fanout_floor"), "coalesce"], [program("fanout_floor"), "single"]
    receiver = [program("fanout_receiver")]
    gap_us = 30 * count  # one core's time for the sends, three times over
    paced = rounds(count, 20, gap_us, receiver, floor)
    burst = rounds(count, 50, 0, receiver, single, floor)
    name = f"{count:,} clients"
    return [
        Row(f"fan-out p99, {name}, paced", of(paced[0], "p99_ms"), "ms", "raw epoll loop",
            of(paced[1], "p99_ms"), "1.1"),
        Row(f"deliveries, {name}, burst of 50", of(burst[0], "deliveries_per_s"), "/s",
            "one send a message", of(burst[1], "deliveries_per_s"), "5"),
        Row(f"deliveries, {name}, burst of 50", of(burst[0], "deliveries_per_s"), "/s",
            "raw epoll loop, coalesced", of(burst[2], "deliveries_per_s")),
        Row(f"memory of a connection, {name}", median([bytes_ for _, bytes_ in paced[0]]), "B",
            "raw epoll loop", None, "8192 B"),
    ]
