"""Durable ingest: messages a second and CPU for each, beside a subscriber that stores nothing."""

import shutil
import time

from figures import Row, cpu_seconds, start
from harness import eventually


def backlog(lab, name, messages):
    """A broker that holds that many messages for `client_id`'s session."""
    broker = lab.broker(name=f"broker-{name}", settings=["max_queued_messages 2000000",
                                                         "max_queued_bytes 2000000000"])
    return broker


def fill_queue(lab, broker, name, messages):
    broadcaster = lab.broadcaster(broker, name=f"broadcaster-{name}", rate=20000, sources=100,
                                  outbox_messages=messages)
    key = "bellbuoy_broadcaster_acknowledged_total"
    eventually(lambda: broadcaster.admin.metrics()[key] >= messages, 300)
    broadcaster.terminate()


def measure_receiver(lab, messages):
    """(messages a second, microseconds of CPU for each) while the receiver takes a backlog."""
    broker = backlog(lab, "receiver", messages)
    receiver = lab.receiver(broker)
    receiver.terminate()
    fill_queue(lab, broker, "receiver", messages)
    started = time.monotonic()
    receiver.start()
    eventually(lambda: receiver.api.stats()["journal"]["events"] >= messages, 300, interval_s=0.05)
    seconds = time.monotonic() - started
    cpu = cpu_seconds(receiver.pid)
    receiver.terminate()
    broker.terminate()
    return messages / seconds, cpu / messages * 1e6


def measure_subscriber(lab, messages):
    """The same backlog into mosquitto_sub, which counts and throws away."""
    broker = backlog(lab, "floor", messages)
    argv = [shutil.which("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1",
            "-c", "-i", "floor", "-t", "bellbuoy/events/#"]
    start([*argv, "-E"]).wait(10)
    fill_queue(lab, broker, "floor", messages)
    child = start([*argv, "-C", str(messages), "-F", "x"])
    started = time.monotonic()
    cpu = 0.0
    for _ in range(messages - 1):
        child.stdout.readline()
    cpu = cpu_seconds(child.pid)
    child.stdout.readline()
    seconds = time.monotonic() - started
    child.wait(30)
    broker.terminate()
    return messages / seconds, cpu / messages * 1e6


def measure(lab, quick):
    messages = 20000 if quick else 200000
    rate, cpu = measure_receiver(lab, messages)
    floor_rate, floor_cpu = measure_subscriber(lab, messages)
    peer = "mosquitto_sub, not stored"
    return [
        Row("durable ingest", rate, "/s", peer, floor_rate, "20,000 /s"),
        Row("CPU of a message", cpu, "us", peer, floor_cpu),
    ]
