"""The order of the system calls: a PUBACK leaves only after the journal was synced."""

import re
import shutil
import signal
import subprocess

from harness import MqttClient, eventually, events

CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<fd>\d+)(?P<rest>.*)$")
SYNCS = ("fsync", "fdatasync")
READS = ("read", "recvfrom", "recvmsg")
WRITES = ("write", "sendto", "sendmsg", "writev")


def trace(pid, path):
    """Follows all threads of the process, and returns once it does."""
    calls = ",".join(SYNCS + READS + WRITES)
    strace = subprocess.Popen(
        [shutil.which("strace"), "-f", "-xx", "-s", "16", "-e", f"trace={calls}", "-o", path,
         "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    line = strace.stderr.readline()
    assert "attached" in line, line
    return strace


def first_bytes(rest):
    """The first bytes of the call's buffer, as strace -xx shows them."""
    found = re.search(r'"((?:\\x[0-9a-f]{2})+)', rest)
    return bytes.fromhex(found.group(1).replace("\\x", "")) if found else b""


def check_order(lines):
    """Counts the PUBACKs; fails on one that leaves with a PUBLISH read and not yet synced."""
    unsynced_since = None
    acknowledgements = 0
    for number, line in enumerate(lines, 1):
        call = CALL.match(line)
        if not call:
            continue
        data = first_bytes(call["rest"])
        if call["name"] in READS and data[:1] and data[0] & 0xF6 == 0x32:
            unsynced_since = number
        elif call["name"] in SYNCS:
            unsynced_since = None
        elif call["name"] in WRITES and data[:2] == b"\x40\x02":
            acknowledgements += 1
            assert unsynced_since is None, (
                f"line {number} acknowledges what line {unsynced_since} read, before a sync:\n{line}")
    return acknowledgements


def test_sync_comes_before_puback(lab, tmp_path):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    calls = tmp_path / "calls"
    strace = trace(receiver.pid, calls)
    try:
        with MqttClient(broker) as machine:
            for batch in (1, 1, 40, 200):
                first = len(receiver.api.events(limit=1000)) + 1
                machine.publish_all([(events.topic(), events.hello(first + i))
                                     for i in range(batch)])
                eventually(lambda: receiver.api.stats()["totals"]["stored"] >= first + batch - 1)
        eventually(lambda: sum("\\x40\\x02" in line for line in calls.open()) >= 242)
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(10)
    assert check_order(calls.read_text().splitlines()) == 242


def test_the_check_itself_sees_a_wrong_order():
    early = ['7 read(6, "\\x32", 1) = 1', '7 sendto(6, "\\x40\\x02\\x00\\x01", 4, 0, NULL, 0) = 4',
             "7 fdatasync(9) = 0"]
    try:
        check_order(early)
    except AssertionError:
        return
    raise AssertionError("an acknowledgement before the sync went unseen")
