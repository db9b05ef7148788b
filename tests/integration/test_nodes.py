"""What nodes say reaches the API and its stream, and outlives the receiver (docs/nodes.md)."""

import json
import sqlite3
from types import SimpleNamespace

import pytest

from harness import MqttClient, eventually, nodes

ROOT = "/api/v1/nodes"


class Site:
    """A broker, a receiver, and one client that speaks for all managers."""

    def __init__(self, lab, **options):
        self.broker = lab.broker()
        self.receiver = lab.receiver(self.broker, **options)
        self.machine = MqttClient(self.broker)

    @property
    def api(self):
        return self.receiver.api

    def say(self, node, kind, payload, retain=None):
        lasting = kind != "progress" if retain is None else retain
        self.machine.publish(nodes.topic(node, kind), payload, retain=lasting)

    def node(self, level):
        answer = self.api.get_raw(f"{ROOT}/{level}")
        return answer.json() if answer.status_code == 200 else None

    def wait(self, level, **wanted):
        """Until the node has these members."""
        def has():
            node = self.node(level) or {}
            return all(node.get(name) == value for name, value in wanted.items()) and node

        return eventually(has, message=f"node {level} has {wanted}")

    def levels(self):
        return [node["level"] for page in self.api.pages("nodes") for node in page["nodes"]]

    def watch(self, **options):
        return self.receiver.stream(path=f"{ROOT}/stream", **options)

    def rows(self):
        path = self.receiver.data_dir / "journal.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return {row[0]: row[1:] for row in db.execute("SELECT * FROM nodes")}


@pytest.fixture
def site(lab):
    place = Site(lab)
    with place.machine:
        yield place


def data_of(frame):
    return json.loads(frame.data)


def until_live(stream):
    """The nodes that the stream gives before it says that this is all, and the frames' names."""
    seen, names = {}, []
    while True:
        frame = stream.next_event()
        names.append(frame.event)
        if frame.event == "live":
            return SimpleNamespace(nodes=seen, names=names)
        if frame.event is None:
            seen[frame.json["level"]] = frame.json


# ---- what is kept ----


def test_a_node_is_what_it_said_last(site):
    said = nodes.report("press.7", session=3, groups=[{"name": "presses", "priority": 10}])
    site.say("press.7", "presence", nodes.presence("press.7", session=3))
    site.say("press.7", "reported", said)
    node = site.wait("press_7", state="online", report=said)
    assert node["node"] == "press.7"
    assert node["session"] == 3
    assert node["presence"]["version"] == "0.1.0"
    assert node["progress"] == []
    # The name itself is as good as its level.
    assert site.node("press.7") == node
    assert site.api.get("nodes") == {"nodes": [node], "next": None}


def test_presence_has_three_states(site):
    site.say("a", "reported", nodes.report("a"))
    site.wait("a", state="unknown", presence=None)
    site.say("a", "presence", nodes.presence("a"))
    site.wait("a", state="online")
    site.say("a", "presence", nodes.presence("a", online=False))
    site.wait("a", state="offline")


def test_the_will_of_an_earlier_session_is_ignored(site):
    site.say("a", "presence", nodes.presence("a", session=5))
    site.wait("a", state="online")
    site.say("a", "presence", nodes.presence("a", online=False, session=4))
    site.say("a", "reported", nodes.report("a", session=4))
    site.say("a", "reported", nodes.report("a", session=5, counters={"applies": 77}))
    node = site.wait("a", session=5, state="online")
    eventually(lambda: (site.node("a")["report"] or {}).get("counters") == {"applies": 77})
    assert node["presence"]["session"] == 5
    assert site.api.metrics()['bellbuoy_node_messages_total{outcome="late"}'] == 2
    assert not site.api.quarantine()


def test_a_new_session_that_has_not_said_that_it_is_there_is_unknown(site):
    site.say("a", "presence", nodes.presence("a", online=False, session=1))
    site.wait("a", state="offline")
    site.say("a", "reported", nodes.report("a", session=2))
    site.wait("a", state="unknown", session=2)


def test_progress_comes_and_goes_with_the_phase(site):
    site.say("a", "progress", nodes.progress("a"))
    site.say("a", "reported", nodes.report("a", projects={"line3": nodes.project(2, "DOWNLOADING")}))
    site.wait("a", progress=[])
    pull = {"image": "registry/app:1.4", "state": "pulling", "current": 1048576, "total": 4194304}
    site.say("a", "progress", nodes.progress("a", done=1))
    said = nodes.progress("a", done=2, pulls=[pull])
    site.say("a", "progress", said)
    eventually(lambda: [{k: v for k, v in one.items() if k != "received"}
                        for one in site.node("a")["progress"]] == [said])
    site.say("a", "reported", nodes.report("a", projects={"line3": nodes.project(2)}))
    site.wait("a", progress=[])
    assert not site.api.quarantine()


def test_a_restart_knows_them(site):
    said = nodes.report("a", session=2)
    site.say("a", "presence", nodes.presence("a", session=2), retain=False)
    site.say("a", "reported", said, retain=False)
    site.wait("a", state="online", report=said)
    site.receiver.restart(kill=True)
    site.wait("a", state="online", report=said, session=2)
    site.say("a", "presence", nodes.presence("a", online=False, session=1))
    site.say("b", "reported", nodes.report("b"))
    site.wait("b", state="unknown")
    assert site.node("a")["state"] == "online"


def test_what_came_while_the_receiver_was_away_is_not_lost(site):
    site.say("a", "presence", nodes.presence("a"))
    site.wait("a", state="online")
    site.receiver.terminate()
    site.say("a", "presence", nodes.presence("a", online=False), retain=False)
    site.say("a", "progress", nodes.progress("a"))
    site.receiver.start()
    site.wait("a", state="offline", progress=[])


def test_a_retained_report_is_as_old_as_it_says(lab):
    broker = lab.broker()
    with MqttClient(broker) as machine:
        machine.publish(nodes.topic("a", "reported"),
                        nodes.report("a", time="2026-11-20T21:38:01.123456Z"), retain=True)
    receiver = lab.receiver(broker)
    node = eventually(lambda: receiver.api.get("nodes")["nodes"])[0]
    assert node["reported"] == "2026-11-20T21:38:01.123456Z"


def test_what_changed_but_for_its_time_is_shown_and_not_written(site):
    first = nodes.report("a", time="2026-11-20T21:38:01.000000Z")
    site.say("a", "reported", first)
    site.wait("a", report=first)
    stored = site.rows()["a"]
    later = {**first, "time": "2026-11-20T21:39:01.000000Z", "disk": {"free": 1, "total": 2}}
    site.say("a", "reported", later)
    seen = site.wait("a", report=later)
    assert site.rows()["a"] == stored
    other = {**later, "counters": {"applies": 4}}
    site.say("a", "reported", other)
    site.wait("a", report=other)
    assert json.loads(site.rows()["a"][0]) == other
    # A clean end keeps when it was heard of last.
    last = {**other, "time": "2026-11-20T21:40:01.000000Z"}
    site.say("a", "reported", last)
    reported = site.wait("a", report=last)["reported"]
    assert reported > seen["reported"]
    site.receiver.restart()
    assert site.node("a")["reported"] == reported


def test_a_payload_of_length_zero_takes_back(site):
    site.say("a", "presence", nodes.presence("a"))
    site.say("a", "reported", nodes.report("a"))
    site.say("b", "reported", nodes.report("b"))
    eventually(lambda: site.levels() == ["a", "b"])
    with site.watch() as stream:
        assert set(until_live(stream).nodes) == {"a", "b"}
        site.say("a", "presence", b"")
        site.wait("a", state="unknown")
        site.say("a", "reported", b"")
        eventually(lambda: site.levels() == ["b"])
        while stream.next_event().event != "reset":
            pass
        assert set(until_live(stream).nodes) == {"b"}
    assert set(site.rows()) == {"b"}
    site.receiver.restart()
    assert site.levels() == ["b"]


# ---- what is not kept ----


BAD = [
    ("reported", b"not JSON", "JSON"),
    ("reported", b"[]", "object"),
    ("reported", nodes.report("b"), "whose topics have the level 'b'"),
    ("reported", {"node": "a", "session": 1}, "/time"),
    ("reported", {**nodes.report("a"), "session": "1"}, "/session"),
    ("reported", {**nodes.report("a"), "projects": []}, "/projects"),
    ("reported", nodes.report("a", projects={"x": 5}), "/projects/x must be an object"),
    ("reported", nodes.report("a", projects={"x": {"phase": 5}}), "/projects/x/phase"),
    ("reported", nodes.report("a", projects={"x": {"phase": "", "services": {"web": 1}}}), "web"),
    ("reported", nodes.report("a", filler="x" * 300_000), "at most 262144 are taken"),
    ("presence", {"node": "a", "session": 1}, "/online"),
    ("presence", nodes.presence("a", session=-1), "/session"),
    ("progress", {"node": "a", "session": 1}, "/project"),
    ("progress", {**nodes.progress("a"), "pulls": [1]}, "/pulls"),
    ("progress", {**nodes.progress("a"), "filler": "x" * 20_000}, "at most 16384"),
]


def test_garbage_goes_to_quarantine_and_jams_nothing(site):
    for kind, payload, _ in BAD:
        site.say("a", kind, payload)
    site.machine.publish("bellbuoy/nodes/a.b/reported", nodes.report("a.b"))
    site.say("z", "reported", nodes.report("z"))
    site.wait("z", session=1)
    found = sorted(site.api.quarantine(), key=lambda row: row["id"])
    assert len(found) == len(BAD) + 1
    for row, (kind, _, words) in zip(found, BAD):
        assert row["topic"] == f"bellbuoy/nodes/a/{kind}"
        assert words in row["reason"], row
    assert "A-Za-z0-9_-" in found[-1]["reason"]
    assert site.levels() == ["z"]
    # All are acknowledged: nothing comes again.
    site.receiver.restart()
    site.say("z", "reported", nodes.report("z", session=2))
    site.wait("z", session=2)
    assert len(site.api.quarantine()) == len(BAD) + 1


def test_two_names_of_one_level_are_refused(site):
    site.say("press.7", "reported", nodes.report("press.7"))
    site.wait("press_7", node="press.7")
    site.say("press_7", "reported", nodes.report("press_7", session=9))
    row = eventually(site.api.quarantine)[0]
    assert "rename one of them" in row["reason"]
    assert site.node("press_7")["session"] == 1


def test_what_all_nodes_say_is_bounded(lab):
    place = Site(lab, retention_size="1000000")  # of which the nodes have an eighth
    with place.machine:
        for n in range(1, 5):
            place.say(f"n{n}", "reported", nodes.report(f"n{n}", filler="x" * 40_000))
        row = eventually(place.api.quarantine)[0]
        assert "there is no room" in row["reason"]
        assert place.levels() == ["n1", "n2", "n3"]
        # The room of one that shrinks is there again.
        place.say("n1", "reported", nodes.report("n1"))
        eventually(lambda: len(json.dumps(place.node("n1"))) < 10_000)
        place.say("n4", "reported", nodes.report("n4", filler="x" * 30_000))
        eventually(lambda: place.levels() == ["n1", "n2", "n3", "n4"])


def test_a_filter_that_covers_the_nodes_gives_each_message_once(lab):
    place = Site(lab, subscribe="bellbuoy/#")
    with place.machine:
        place.say("a", "reported", nodes.report("a"))
        place.wait("a", session=1)
        place.machine.publish("bellbuoy/nodes/a/command", {"method": "retry"})
        eventually(lambda: place.api.stats()["totals"]["stored"] == 1)
        assert place.api.metrics()['bellbuoy_node_messages_total{outcome="taken"}'] == 1


# ---- the API ----


def test_pages_go_by_name(site):
    names = [f"n{number:02}" for number in range(25)]
    site.machine.publish_all([(nodes.topic(name, "reported"), nodes.report(name))
                              for name in reversed(names)])
    eventually(lambda: site.levels() == names)
    pages = list(site.api.pages("nodes", limit=10))
    assert [len(page["nodes"]) for page in pages] == [10, 10, 5]
    assert [node["level"] for page in pages for node in page["nodes"]] == names
    assert pages[0]["next"] == "/api/v1/nodes?after=n09&limit=10"
    # A level that is not there is a place all the same.
    assert site.api.get("nodes", after="n23x")["nodes"][0]["level"] == "n24"
    assert site.api.metrics()['bellbuoy_nodes{state="unknown"}'] == 25


def test_an_etag_saves_what_did_not_change(site):
    site.say("a", "reported", nodes.report("a"))
    site.say("b", "reported", nodes.report("b"))
    eventually(lambda: site.levels() == ["a", "b"])
    etags = {path: site.api.get_raw(path).headers["ETag"] for path in (ROOT, f"{ROOT}/a", f"{ROOT}/b")}
    assert len(set(etags.values())) > 1
    for path, etag in etags.items():
        same = site.api.get_raw(path, headers={"If-None-Match": etag})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    site.say("a", "presence", nodes.presence("a"))
    site.wait("a", state="online")
    status = {path: site.api.get_raw(path, headers={"If-None-Match": etag}).status_code
              for path, etag in etags.items()}
    assert status == {ROOT: 200, f"{ROOT}/a": 200, f"{ROOT}/b": 304}


def test_problems_are_problems(site):
    assert "'ghost'" in site.api.problem("nodes/ghost", 404)["detail"]
    assert site.api.problem("nodes", 400, limit=0)["parameter"] == "limit"
    assert site.api.problem("nodes", 400, after="a b")["parameter"] == "after"
    assert site.api.problem("nodes", 400, colour="red")["parameter"] == "colour"
    assert site.api.problem("nodes/a", 400, limit=1)["parameter"] == "limit"
    assert site.api.problem("nodes/stream", 400, after="x")["parameter"] == "after"
    assert site.api.problem("nodes/stream", 400, q="x")["parameter"] == "q"
    answer = site.api.get_raw(f"{ROOT}/stream", headers={"Last-Event-ID": "x"})
    assert answer.status_code == 400


# ---- the stream ----


def test_the_stream_begins_with_all_and_goes_on_with_what_changes(site):
    site.say("a", "reported", nodes.report("a"))
    site.say("b", "reported", nodes.report("b"))
    eventually(lambda: site.levels() == ["a", "b"])
    with site.watch() as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        begin = until_live(stream)
        assert begin.names == ["reset", None, None, "live"]
        assert begin.nodes["a"] == site.node("a")
        site.say("b", "presence", nodes.presence("b"))
        frame = stream.next_event()
        assert (frame.json["level"], frame.json["state"]) == ("b", "online")
    # Who was away is sent what changed meanwhile, as it is now.
    site.say("a", "presence", nodes.presence("a", online=True))
    site.say("a", "presence", nodes.presence("a", online=False))
    site.wait("a", state="offline")
    with site.watch(last_event_id=frame.id) as stream:
        again = until_live(stream)
        assert again.names == [None, "live"]
        assert again.nodes["a"]["state"] == "offline"
    with site.watch(query=f"after={frame.id}") as stream:
        assert set(until_live(stream).nodes) == {"a"}


def test_another_run_of_the_receiver_begins_anew(site):
    site.say("a", "reported", nodes.report("a"))
    site.wait("a", session=1)
    with site.watch() as stream:
        until_live(stream)
        place = stream.last_event_id
    site.receiver.restart()
    with site.watch(last_event_id=place) as stream:
        assert until_live(stream).names == ["reset", None, "live"]


def test_a_slow_watcher_gets_the_end_and_not_every_step(site):
    site.say("a", "reported", nodes.report("a", projects={"line3": nodes.project(2, "DOWNLOADING")}))
    site.wait("a", session=1)
    with site.watch(receive_buffer_bytes=4096) as stream:
        until_live(stream)
        for done in range(400):
            site.say("a", "progress", nodes.progress("a", done=done, total=400, text="x" * 8000))
        eventually(lambda: site.node("a")["progress"][0]["step"]["done"] == 399)
        frames = 1
        while stream.next_event().json["progress"][0]["step"]["done"] != 399:
            frames += 1
        assert frames < 200


def test_the_stream_of_events_is_not_disturbed(site):
    before = site.api.cursor()
    site.say("a", "reported", nodes.report("a"))
    site.wait("a", session=1)
    assert site.api.cursor() == before
    assert site.api.stats()["totals"]["stored"] == 0
