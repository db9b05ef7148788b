"""kill -9 of receiver, broker and broadcaster at random moments under load, counted by the ledger.

Receiver and broker are killed whatever state the others are in. The broadcaster alone must have
recovered from the fault before, and be recovered from before the next: it holds what a killed broker
has not saved, and nobody promises anything when both lose the same second.
"""

import random
import threading

from harness import eventually, wait_for_saved_session

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
        self.acknowledged = 0  # in the ledger up to ledger_end
        self.ledger_end = 0
        self.stored_ids = set()  # up to stored_cursor
        self.stored_cursor = self.receiver.api.cursor()
        wait_for_saved_session(self.broker.data_dir)
        self.broadcaster = lab.broadcaster(self.broker, source="press", sources=SOURCES, rate=RATE)

    def stored(self):
        return self.receiver.api.stats()["journal"]["events"]

    def wait_for_more(self, count):
        target = self.stored() + count
        eventually(lambda: self.stored() >= target, 60, message=f"{count} more events are stored")

    def wait_for_ledger(self):
        """All that the broker acknowledged to the broadcaster so far is in the journal."""
        lines, self.ledger_end = self.broadcaster.ledger_from(self.ledger_end)
        self.acknowledged += len(lines)
        waiting = {(line.source, line.id) for line in lines} - self.stored_ids

        def all_are_stored():
            events = self.receiver.api.all_events(after=self.stored_cursor)
            ids = {(event["source"], event["id"]) for event in events}
            waiting.difference_update(ids)
            self.stored_ids |= ids
            self.stored_cursor = events[-1]["cursor"] if events else self.stored_cursor
            assert not waiting, f"{len(waiting)} lost of {self.acknowledged}: {sorted(waiting)[:3]} ..."
            return True

        eventually(all_are_stored, 60, interval_s=0.1)

    def kill(self, victim):
        if victim == "broadcaster":
            self.wait_for_ledger()
        getattr(self, victim).restart(kill=True)
        self.receiver.wait_ready(30)
        self.broadcaster.wait_ready(30)
        if victim == "broadcaster":
            self.wait_for_ledger()


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
    scene.wait_for_ledger()
    events = scene.receiver.api.all_events()
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
    print(f"{kills} kills {count}: {scene.acknowledged} acknowledged, {len(events)} stored, "
          f"0 lost, 0 doubled, 0 holes, {len(watcher.cursors)} seen by the watcher")
