"""A disk that is full, read-only or damaged: nothing is acknowledged that is not stored, the receiver
says so, and goes on by itself when it can."""

import contextlib
import resource
import subprocess

import pytest

from harness import MqttClient, eventually, events

BEFORE, MEANWHILE = 100, 3000


def journal_check(receiver):
    return {check["name"]: check for check in receiver.api.ready()["checks"]}["journal"]


def wait_for_state(receiver, state):
    """The API's word for the journal's state; /readyz says it too, and why."""
    eventually(lambda: receiver.api.stats()["journal"]["state"] == state, 30, message=state)
    assert receiver.api.get_raw("/readyz").status_code == 503
    assert journal_check(receiver)["reason"]
    assert receiver.api.get_raw("/healthz").status_code == 200


def publish(broker, first, last):
    with MqttClient(broker) as machine:
        machine.publish_all([(events.topic(), events.hello(n)) for n in range(first, last + 1)])


def expect_all(receiver, count):
    """Each once, in one order of places without a hole."""
    eventually(lambda: receiver.api.stats()["journal"]["events"] == count, 60)
    stored = receiver.api.all_events()
    assert len({event["id"] for event in stored}) == len(stored) == count
    assert [int(event["cursor"].split("-")[1]) for event in stored] == list(range(1, count + 1))
    assert not [one for one in receiver.api.incidents(kind="sequence_hole") if not one["closed"]]


def limit_files(receiver, size_bytes):
    """No file of the process may grow beyond it: to the journal, a full disk."""
    hard = resource.RLIM_INFINITY
    soft = hard if size_bytes is None else size_bytes
    resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (soft, hard))


def fill_up(broker, receiver):
    """Messages before, then no more space and messages meanwhile."""
    publish(broker, 1, BEFORE)
    eventually(lambda: receiver.api.stats()["journal"]["events"] == BEFORE)
    log = receiver.data_dir / "journal.db-wal"
    limit_files(receiver, log.stat().st_size + 16384)
    publish(broker, BEFORE + 1, BEFORE + MEANWHILE)
    wait_for_state(receiver, "full")


def test_a_full_disk_loses_nothing(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    fill_up(broker, receiver)
    stored = receiver.api.all_events()
    assert BEFORE <= len(stored) < BEFORE + MEANWHILE, "what is stored is still served"
    eventually(lambda: receiver.log_records(level="error", component="ingest"))
    limit_files(receiver, None)
    receiver.wait_ready(60)
    expect_all(receiver, BEFORE + MEANWHILE)
    incident = eventually(lambda: (one := receiver.api.incidents(kind="journal_failed")[0])["closed"]
                          and one)
    assert incident["opened"] < incident["closed"]


def test_killed_while_the_disk_is_full(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    fill_up(broker, receiver)
    receiver.restart(kill=True)
    expect_all(receiver, BEFORE + MEANWHILE)


def test_a_live_stream_goes_on_after_a_full_disk(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with receiver.stream() as stream:
        fill_up(broker, receiver)
        limit_files(receiver, None)
        expect_all(receiver, BEFORE + MEANWHILE)
        got = [stream.next_event(30) for _ in range(BEFORE + MEANWHILE)]
    assert [event.json["sequence"] for event in got] == sorted(
        event.json["sequence"] for event in got)
    assert len({event.json["id"] for event in got}) == BEFORE + MEANWHILE


# ---- file systems of their own ----


@contextlib.contextmanager
def small_file_system(folder, size="24m"):
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
                          capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_file_system_without_space(lab, tmp_path):
    with small_file_system(tmp_path / "small") as folder:
        broker = lab.broker()
        receiver = lab.receiver(broker, data_dir=folder / "data")
        filler = folder / "filler"
        with filler.open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        publish(broker, 1, MEANWHILE)
        wait_for_state(receiver, "full")
        filler.unlink()
        receiver.wait_ready(60)
        expect_all(receiver, MEANWHILE)
        receiver.terminate()


def test_read_only_at_the_start(lab, tmp_path):
    with small_file_system(tmp_path / "small") as folder:
        broker = lab.broker()
        receiver = lab.receiver(broker, data_dir=folder / "data")
        publish(broker, 1, 10)
        expect_all(receiver, 10)
        receiver.terminate()
        publish(broker, 11, 20)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        receiver.start(ready=False)
        wait_for_state(receiver, "readonly")
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        receiver.wait_ready(60)
        expect_all(receiver, 20)
        receiver.terminate()


# ---- damage ----


def overwrite(path, offset, size):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"garbage " * (size // 8))


@pytest.mark.parametrize("spoil", [
    lambda path: overwrite(path, 0, 64),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:8192]),
], ids=["header", "empty", "cut"])
def test_a_corrupt_journal_is_put_aside(lab, spoil):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    publish(broker, 1, BEFORE)
    expect_all(receiver, BEFORE)
    old = receiver.api.stats()["journal"]
    receiver.terminate()
    journal = receiver.data_dir / "journal.db"
    spoil(journal)
    spoilt = journal.read_bytes()
    receiver.start()
    new = receiver.api.stats()["journal"]
    assert new["epoch"] != old["epoch"]
    assert new["events"] == 0
    aside = list(receiver.data_dir.glob("journal-*Z.db"))
    assert [path.read_bytes() for path in aside] == [spoilt]
    incident = receiver.api.incidents(kind="journal_replaced")[0]
    assert aside[0].name in incident["detail"]
    assert receiver.log_records(level="error", component="journal")
    publish(broker, 1, 5)
    expect_all(receiver, 5)


def test_damage_within_is_found_later(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    publish(broker, 1, 1000)
    expect_all(receiver, 1000)
    receiver.terminate()
    journal = receiver.data_dir / "journal.db"
    overwrite(journal, journal.stat().st_size // 2 // 4096 * 4096, 4096)
    receiver.start(ready=False)
    eventually(lambda: receiver.api.stats()["journal"]["state"] == "damaged", 60)
    incident = eventually(lambda: receiver.api.incidents(kind="journal_damaged"))[0]
    assert incident["closed"] is None
    eventually(lambda: receiver.log_records(level="error", component="journal"))


def test_a_second_receiver_is_refused(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    second = lab.receiver(broker, start=False, data_dir=receiver.data_dir, client_id="second")
    second.start(ready=False)
    eventually(lambda: "another receiver" in journal_check(second)["reason"])
    publish(broker, 1, 5)
    expect_all(receiver, 5)
    receiver.terminate()
    second.wait_ready(60)
