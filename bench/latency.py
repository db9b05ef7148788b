"""Publish to browser: from a broadcaster's time stamp, through the broker and the journal, to 1,000 clients."""

from figures import Row, clients, result


def measure(lab, quick):
    count, events = (100, 20) if quick else (1000, 100)
    broker = lab.broker()
    receiver = lab.receiver(broker)
    everyone = clients(receiver.port, count, events, "time")
    lab.broadcaster(broker, rate=20)
    many = result(everyone)
    alone = result(clients(receiver.port, 1, events, "time"))
    return [
        Row(f"publish to browser p50, {count:,} clients", many["p50_ms"], "ms", "one client",
            alone["p50_ms"]),
        Row(f"publish to browser p99, {count:,} clients", many["p99_ms"], "ms", "one client",
            alone["p99_ms"], "50 ms"),
    ]
