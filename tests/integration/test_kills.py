"""kill -9 of receiver, broker and broadcaster at random moments under load, counted by the ledger.

One fault at a time: the next process is killed once the one before has recovered. Two faults that
overlap (a broker that loses its unsaved second, and the broadcaster that would have repeated it)
are beyond what any of them promises.
"""

import random
import threading

from harness import eventually

SOURCES = 5
RATE = 400


class Watcher(threading.Thread):
    """A browser's view: one SSE client that comes back with its last id after each break."""

    def __init__(self, receiver):
        super().__init__(daemon=True)
        self.receiver = receiver
        self.cursors = []
        self.gaps = []
        self._ended = threading.Event()
        self._after = receiver.api.cursor()

    def run(self):
        while not self._ended.is_set():
            try:
                with self.receiver.stream(last_event_id=self._after, timeout_s=2.0) as stream:
                    self._follow(stream)
            except (OSError, EOFError, AssertionError, ValueError):
                self._ended.wait(0.02)

    def _follow(self, stream):
        while not self._ended.is_set():
            frame = stream.next_frame()
            if frame.event == "gap":
                self.gaps.append(frame.data)
            elif frame.data:
                self.cursors.append(frame.id)
            self._after = frame.id or self._after

    def stop(self):
        self._ended.set()
        self.join(10)


class Scene:
    """The three processes, and what must hold before the next of them may be killed."""

    def __init__(self, lab):
        self.broker = lab.broker()
        self.receiver = lab.receiver(self.broker)
        self.wait_for_saved_session()
        self.broadcaster = lab.broadcaster(self.broker, source="press", sources=SOURCES, rate=RATE)

    def wait_for_saved_session(self):
        """A broker that is killed before its first save of a session has never known it, and takes
        messages that it has nobody for: that is an incident and not what is counted here."""
        saved = self.broker.data_dir / "mosquitto.db"
        eventually(lambda: b"bellbuoy/events/#" in saved.read_bytes(), 30,
                   message="the broker has saved the receiver's session")

    def stored(self):
        return self.receiver.api.stats()["journal"]["events"]

    def wait_for_more(self, count):
        target = self.stored() + count
        eventually(lambda: self.stored() >= target, 60, message=f"{count} more events are stored")

    def wait_for_last_of_ledger(self):
        """All that the broker acknowledged to the broadcaster so far is in the journal."""
        ledger = self.broadcaster.ledger()
        if ledger:
            last = ledger[-1]
            name = last.source.removeprefix("/machines/")
            eventually(lambda: any(event["id"] == last.id for event in self.receiver.api.events(
                source=name, limit=1000)), 60, message="the ledger's last line is stored")

    def kill(self, victim):
        getattr(self, victim).restart(kill=True)
        self.receiver.wait_ready(30)
        self.broadcaster.wait_ready(30)
        if victim == "broadcaster":
            self.wait_for_last_of_ledger()


def test_nothing_is_lost_doubled_or_missing(lab, kills, record_property):
    dice = random.Random()
    seed = dice.randrange(2**32)
    dice.seed(seed)
    record_property("seed", seed)
    print(f"seed {seed}")
    scene = Scene(lab)
    watcher = Watcher(scene.receiver)
    watcher.start()
    count = {"receiver": 0, "broker": 0, "broadcaster": 0}
    for _ in range(kills):
        scene.wait_for_more(dice.randint(1, 150))
        victim = dice.choice(list(count))
        scene.kill(victim)
        count[victim] += 1
    scene.broadcaster.terminate()
    acknowledged = {(line.source, line.id) for line in scene.broadcaster.ledger()}

    def all_are_stored():
        events = scene.receiver.api.all_events()
        lost = acknowledged - {(event["source"], event["id"]) for event in events}
        assert not lost, f"{len(lost)} lost of {len(acknowledged)}, such as {sorted(lost)[:3]}"
        return events

    events = eventually(all_are_stored, 60, interval_s=1)
    identities = [(event["source"], event["id"]) for event in events]
    assert len(identities) == len(set(identities)), "an event is stored twice"
    assert not scene.receiver.api.incidents(kind="session_lost")
    holes = {name: one["missing"] for name, one in scene.receiver.api.sources().items()}
    assert not any(holes.values()), f"holes in the sequences: {holes}"
    assert not scene.receiver.api.incidents(kind="sequence_hole", limit=1) or all(
        one["closed"] for one in scene.receiver.api.incidents(kind="sequence_hole"))

    cursors = [event["cursor"] for event in events]
    eventually(lambda: watcher.cursors[-1:] == cursors[-1:], 30, message="the watcher saw the last")
    watcher.stop()
    assert watcher.cursors == cursors[-len(watcher.cursors):], "the watcher's order differs"
    assert len(watcher.cursors) >= len(cursors) - 1000 and not watcher.gaps
    print(f"{kills} kills {count}: {len(acknowledged)} acknowledged, {len(events)} stored, "
          f"0 lost, 0 doubled, 0 holes, {len(watcher.cursors)} seen by the watcher")
