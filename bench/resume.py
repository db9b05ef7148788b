"""Resume and queries over a large journal: first bytes, beside the same for /healthz."""

import subprocess
import time

from figures import Row, median, program
from harness import HOST, SseStream

ROUNDS = 21


def first_event_ms(receiver, cursor):
    """From the request to the first event's bytes."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with SseStream(HOST, receiver.port, last_event_id=cursor) as stream:
            stream.next_event()
            taken.append((time.perf_counter() - started) * 1000)
    return median(taken)


def get_ms(receiver, path):
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = receiver.api.get_raw(path)
        taken.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.text
    return median(taken)


def measure(lab, quick):
    rows = 20000 if quick else 1000000
    data_dir = lab.folder / "full"
    subprocess.run([program("fill"), data_dir, str(rows)], check=True)
    receiver = lab.receiver(lab.broker(), data_dir=data_dir)
    epoch = receiver.api.cursor().split("-")[0]
    floor = get_ms(receiver, "/healthz")
    peer = "GET /healthz"
    table = [
        Row(f"resume from the first of {rows:,}", first_event_ms(receiver, f"{epoch}-1"), "ms", peer,
            floor, "5 ms"),
        Row(f"resume from the last but one of {rows:,}",
            first_event_ms(receiver, f"{epoch}-{rows - 1}"), "ms", peer, floor, "5 ms"),
    ]
    for what, query in (("the newest 50", ""), ("50 of a source", "?source=bench"),
                        ("50 in the middle", f"?before={epoch}-{rows // 2}"),
                        ("text that is nowhere", "?q=nowhere-at-all")):
        table.append(Row(f"GET events, {what} of {rows:,}",
                         get_ms(receiver, f"/api/v1/events{query}"), "ms", peer, floor))
    return table
