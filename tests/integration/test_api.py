"""Every documented resource and parameter of the HTTP API (docs/api.md), on real messages."""

import base64
import json
import re
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from harness import MqttClient, eventually, events

GIVEN_BY_RECEIVER = ("cursor", "recordedtime", "intervalms", "late", "dedupe")
BASE_TIME = datetime.fromisoformat("2026-11-20T21:00:00+00:00")


def at(second):
    """A moment of the sample's own time."""
    return (BASE_TIME + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sample():
    """Events of all our types from several machines, one each second."""
    second = 0
    for number in range(1, 31):
        yield events.hello(number, f"Hello number {number}", source="press-1", time=at(second))
        second += 1
    for number in range(1, 21):
        yield events.event(number, number - 5, f"Pressure {number} Größe", source="pump-2",
                           time=at(second))
        second += 1
    for number in range(1, 8):
        yield events.session(number, 1.5 * number, 60 * number, 11 * number, source="ev-1",
                             time=at(second))
        second += 1
    for number in range(1, 4):
        yield events.hello(number, "hELLO from another", source="press-3", time=at(second))
        second += 1


def kind_of(event):
    return event["type"].split(".")[1]


def topic_of(event):
    return events.topic(event["source"].rsplit("/", 1)[1], kind_of(event))


def publish(site, *messages):
    """Publishes CloudEvents, and waits until they are stored."""
    before = site.api.stats()["journal"]["events"]
    site.machine.publish_all([(topic_of(one), one) for one in messages])
    eventually(lambda: site.api.stats()["journal"]["events"] >= before + len(messages),
               message="all messages are stored")


def make_site(lab, **options):
    broker = lab.broker()
    receiver = lab.receiver(broker, start=False, **options).use_token().start()
    return SimpleNamespace(broker=broker, receiver=receiver, api=receiver.api,
                           machine=MqttClient(broker))


@pytest.fixture(scope="module")
def site(module_lab):
    """A receiver that holds the sample; tests of this module may add to it, from other sources."""
    place = make_site(module_lab)
    place.sample = list(sample())
    publish(place, *place.sample)
    place.stored = place.api.all_events()
    with place.machine:
        yield place


@pytest.fixture
def own_site(lab):
    """A receiver of the test's own, with nothing in it."""
    place = make_site(lab)
    with place.machine:
        yield place


# ---- events ----


def test_an_event_is_as_it_came(site):
    for sent, stored in zip(site.sample, site.stored, strict=True):
        given = {name: stored.pop(name) for name in GIVEN_BY_RECEIVER if name in stored}
        assert stored == sent
        assert re.fullmatch(r"[0-9a-f]{8}-[1-9]\d*", given["cursor"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", given["recordedtime"])
        assert "late" not in given and "dedupe" not in given
        first = sent["sequence"].endswith("001")
        assert given.get("intervalms") == (None if first else 1000)
        stored.update(given)


def test_defaults_are_the_newest_fifty(site):
    page = site.api.get("events")
    newest = site.api.all_events()[::-1]
    assert page["events"] == newest[:50]
    assert page["cursor"] == newest[0]["cursor"]


FILTERS = [
    ({"type": "hello"}, lambda e: kind_of(e) == "hello"),
    ({"type": "bellbuoy.session.v1"}, lambda e: kind_of(e) == "session"),
    ({"type": "raw"}, lambda e: False),
    ({"type": "com.example.none"}, lambda e: False),
    ({"source": "press-1"}, lambda e: e["source"] == "/machines/press-1"),
    ({"source": "/machines/pump-2"}, lambda e: e["source"] == "/machines/pump-2"),
    ({"source": "press"}, lambda e: False),
    ({"criticality_gt": "5"}, lambda e: e["data"].get("criticality", -99) > 5),
    ({"criticality_gt": "-3"}, lambda e: e["data"].get("criticality", -99) > -3),
    ({"criticality_gt": "15"}, lambda e: False),
    ({"since": at(10)}, lambda e: e["time"] >= at(10)),
    ({"until": at(10)}, lambda e: e["time"] < at(10)),
    ({"since": at(29), "until": at(31)}, lambda e: at(29) <= e["time"] < at(31)),
    ({"since": "2026-11-20T22:00:10+01:00"}, lambda e: e["time"] >= at(10)),
    ({"q": "hello"}, lambda e: kind_of(e) == "hello"),
    ({"q": "NUMBER 3"}, lambda e: "number 3" in json.dumps(e["data"]).lower()),
    ({"q": "GRÖSSE"}, lambda e: False),  # simple case: ß stays ß
    ({"q": "grÖße"}, lambda e: kind_of(e) == "event"),
    ({"q": "%"}, lambda e: False),
    ({"q": "session-7"}, lambda e: e["data"].get("session_id") == "session-7"),
    ({"type": "hello", "source": "press-1", "q": "number 1", "since": at(5), "until": at(15)},
     lambda e: e["source"] == "/machines/press-1" and at(5) <= e["time"] < at(15)
     and "number 1" in e["data"]["text"]),
]


@pytest.mark.parametrize(("query", "wanted"), FILTERS,
                         ids=["&".join(f"{k}={v}" for k, v in query.items())[:60]
                              for query, _ in FILTERS])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_filters(site, query, wanted, order):
    ids = {(one["source"], one["id"]) for one in site.sample}
    found = [one for one in site.api.all_events(**query, order=order)
             if (one["source"], one["id"]) in ids]
    expected = [one for one in site.stored if wanted(one)]
    assert found == (expected if order == "asc" else expected[::-1])


def test_cursors_are_exclusive(site):
    cursors = [one["cursor"] for one in site.stored]
    assert [e["cursor"] for e in site.api.events(after=cursors[4], before=cursors[9])] == \
        cursors[5:9][::-1]
    assert [e["cursor"] for e in site.api.events(after=cursors[4], before=cursors[9],
                                                 order="asc")] == cursors[5:9]
    assert site.api.events(after=cursors[4], before=cursors[5]) == []
    assert [e["cursor"] for e in site.api.events(after=cursors[4], limit=2, order="asc")] == \
        cursors[5:7]
    epoch = cursors[0].split("-")[0]
    assert site.api.events(after=f"{epoch}-9223372036854775807") == []
    assert site.api.events(before=f"{epoch}-1") == []


@pytest.mark.parametrize("limit", [1, 7, 30, 1000])
@pytest.mark.parametrize("query", [{}, {"type": "hello", "q": "o"}, {"q": "Größe &=%"}])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_show_each_row_once(site, limit, query, order):
    whole = site.api.get("events", **query, order=order, limit=1000)["events"]
    seen = []
    for page in site.api.pages("events", **query, order=order, limit=limit):
        assert len(page["events"]) <= limit
        seen += page["events"]
    assert seen == whole


def test_link_header_is_next(site):
    answer = site.api.get_raw("/api/v1/events?type=hello&limit=5")
    body = answer.json()
    cursor = body["events"][-1]["cursor"]
    assert body["next"] == f"/api/v1/events?type=hello&before={cursor}&limit=5"
    assert answer.headers["Link"] == f'<{body["next"]}>; rel="next"'
    last = site.api.get_raw("/api/v1/events?type=session")
    assert last.json()["next"] is None
    assert "Link" not in last.headers


@pytest.mark.tsan
def test_a_walk_down_while_rows_arrive(own_site):
    publish(own_site, *[events.hello(n) for n in range(1, 31)])
    expected = own_site.api.all_events(order="desc")
    seen = []
    for number, page in enumerate(own_site.api.pages("events", limit=4)):
        seen += page["events"]
        publish(own_site, *[events.hello(100 + 3 * number + i) for i in range(3)])
    assert seen == expected


def test_a_walk_up_while_rows_arrive(own_site):
    publish(own_site, *[events.hello(n) for n in range(1, 21)])
    seen = []
    for number, page in enumerate(own_site.api.pages("events", limit=4, order="asc")):
        seen += page["events"]
        if number < 5:
            publish(own_site, *[events.hello(21 + 3 * number + i) for i in range(3)])
    assert [int(one["sequence"]) for one in seen] == list(range(1, 36))


def test_a_stream_goes_on_where_the_page_ends(own_site):
    publish(own_site, *[events.hello(n) for n in range(1, 4)])
    page = own_site.api.get("events", limit=1)
    publish(own_site, *[events.hello(n) for n in range(4, 7)])
    with own_site.receiver.stream(f"after={page['cursor']}") as stream:
        assert [int(frame.json["sequence"]) for frame in stream.collect(3)] == [4, 5, 6]


def test_a_page_is_bounded_in_bytes(own_site):
    large = [events.hello(n, "x" * 250_000) for n in range(1, 41)]
    publish(own_site, *large)
    answers, path = [], "/api/v1/events?limit=1000&order=asc"
    while path:
        answers.append(own_site.api.get_raw(path))
        path = answers[-1].json()["next"]
    assert all(len(one.content) < 4.5e6 for one in answers)
    assert len(answers) == 3
    seen = [int(e["sequence"]) for one in answers for e in one.json()["events"]]
    assert seen == list(range(1, 41))


def test_an_empty_journal(own_site):
    page = own_site.api.get("events")
    assert page["events"] == [] and page["next"] is None
    assert re.fullmatch(r"[0-9a-f]{8}-0", page["cursor"])
    stats = own_site.api.stats()
    assert stats["journal"]["first"] is None
    assert stats["journal"]["last"] == page["cursor"]
    assert own_site.api.get("sources") == {"sources": [], "next": None}
    assert own_site.api.get("readings") == {"readings": [], "next": None}
    assert own_site.api.get("incidents") == {"incidents": [], "next": None}
    assert own_site.api.get("quarantine") == {"quarantine": [], "next": None}


# ---- one event ----


def test_one_event(site):
    event = site.stored[17]
    answer = site.api.get_raw(f"/api/v1/events/{event['cursor']}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/cloudevents+json"
    assert answer.json() == event


def test_one_event_that_is_not_there(site):
    epoch, seq = site.api.cursor().split("-")
    for cursor in (f"{epoch}-{int(seq) + 1000}", f"{epoch}-0"):
        assert cursor in site.api.problem(f"events/{cursor}", 404)["detail"]
    other = f"{int(epoch, 16) ^ 1:08x}"
    detail = site.api.problem(f"events/{other}-1", 404)["detail"]
    assert other in detail and epoch in detail


# ---- sources ----


def test_sources(site):
    sources = site.api.sources()
    hello = [one for one in site.stored if one["source"] == "/machines/press-1"]
    press = sources["/machines/press-1"]
    assert press["first_seen"] == hello[0]["recordedtime"]
    assert press["last_seen"] == hello[-1]["recordedtime"]
    assert {name: press[name] for name in press if not name.endswith("_seen")} == {
        "source": "/machines/press-1", "count": 30, "last_type": "bellbuoy.hello.v1",
        "last_cursor": hello[-1]["cursor"], "color": "#2f81f7", "bootid": events.BOOT_ID,
        "last_sequence": 30, "missing": 0, "late": 0, "duplicates": 0,
    }
    assert sources["/machines/ev-1"]["color"] is None


def test_a_source_without_boot_id_and_sequence(site):
    plain = events.hello(source="plain-1", bootid=None)
    del plain["sequence"]
    publish(site, plain)
    plain = site.api.sources()["/machines/plain-1"]
    assert plain["bootid"] is None and plain["last_sequence"] is None


def test_pages_of_sources(site):
    names = [one["source"] for one in site.api.get("sources")["sources"]]
    assert names == sorted(names) and len(names) >= 4
    walked = [one["source"] for page in site.api.pages("sources", limit=1)
              for one in page["sources"]]
    assert walked == names
    after = [one["source"] for one in site.api.get("sources", after="press-1")["sources"]]
    assert after == names[names.index("/machines/press-1") + 1:]


def test_duplicates_are_counted(own_site):
    one = events.hello(1)
    publish(own_site, one)
    own_site.machine.publish_all([(topic_of(one), one)] * 3)
    eventually(lambda: own_site.api.sources()["/machines/press-7"]["duplicates"] == 3)
    assert len(own_site.api.events()) == 1
    eventually(lambda: own_site.api.stats()["totals"]["duplicates"] == 3)


# ---- readings ----


def test_readings(site):
    sessions = [one for one in site.stored if kind_of(one) == "session"]
    expected = [{"cursor": one["cursor"], "source": one["source"], "time": one["time"],
                 **one["data"]} for one in sessions]
    assert site.api.get("readings", order="asc") == {"readings": expected, "next": None}
    assert site.api.get("readings", limit=1000)["readings"] == expected[::-1]
    walked = [one for page in site.api.pages("readings", limit=2, order="asc")
              for one in page["readings"]]
    assert walked == expected
    assert site.api.get("readings", source="ev-1", since=sessions[2]["time"],
                        until=sessions[5]["time"], order="asc")["readings"] == expected[2:5]
    assert site.api.get("readings", after=sessions[0]["cursor"], before=sessions[3]["cursor"],
                        order="asc")["readings"] == expected[1:3]
    assert site.api.get("readings", source="press-1")["readings"] == []


def test_a_reading_without_a_time_has_that_of_its_record(own_site):
    publish(own_site, events.session(1, time=None))
    stored = own_site.api.events()[0]
    assert own_site.api.get("readings")["readings"][0]["time"] == stored["recordedtime"]


# ---- incidents ----


def test_incidents(own_site):
    publish(own_site, *[events.hello(n) for n in (1, 2, 5, 6, 9)],
            *[events.hello(n, source="other") for n in (1, 3)])
    holes = own_site.api.incidents()
    assert [(one["source"], one["from"], one["to"], one["missing"]) for one in holes] == [
        ("/machines/other", 2, 2, 1), ("/machines/press-7", 7, 8, 2), ("/machines/press-7", 3, 4, 2)]
    assert all(one["kind"] == "sequence_hole" and one["bootid"] == events.BOOT_ID
               and one["closed"] is None for one in holes)
    assert own_site.api.stats()["totals"]["missing"] == 5
    assert own_site.api.stats()["totals"]["incidents_open"] == 3
    assert own_site.api.sources()["/machines/press-7"]["missing"] == 4

    assert own_site.api.incidents(source="other") == holes[:1]
    assert own_site.api.incidents(source="/machines/press-7", kind="sequence_hole") == holes[1:]
    assert own_site.api.incidents(kind="session_lost") == []
    assert own_site.api.incidents(before=holes[1]["id"]) == holes[2:]
    walked = [one for page in own_site.api.pages("incidents", limit=1)
              for one in page["incidents"]]
    assert walked == holes

    publish(own_site, events.hello(7), events.hello(8))
    assert own_site.api.incidents(before=holes[0]["id"])[0]["closed"] is not None
    assert own_site.api.stats()["totals"]["missing"] == 3
    assert own_site.api.events()[0]["late"] is True


# ---- quarantine ----


def test_quarantine(own_site):
    payloads = [b"not JSON", b"", b"\xff\x00\xfe", b"[" * 5000]
    for payload in payloads:
        own_site.machine.publish("bellbuoy/events/x/hello", payload)
    eventually(lambda: len(own_site.api.quarantine()) == len(payloads))
    rows = own_site.api.quarantine()
    assert [base64.b64decode(one["payload_base64"]) for one in rows] == \
        [payload[:1024] for payload in payloads[::-1]]
    assert [one["size_bytes"] for one in rows] == [len(one) for one in payloads[::-1]]
    assert all(one["topic"] == "bellbuoy/events/x/hello" and one["reason"] for one in rows)
    assert own_site.api.quarantine(before=rows[1]["id"]) == rows[2:]
    walked = [one for page in own_site.api.pages("quarantine", limit=1)
              for one in page["quarantine"]]
    assert walked == rows
    eventually(lambda: own_site.api.stats()["totals"]["quarantined"] == len(payloads))


# ---- stats ----


def test_stats(own_site):
    publish(own_site, *[events.hello(n) for n in range(1, 11)])
    # What is counted of a batch is so a moment after it was stored.
    eventually(lambda: sum(own_site.api.stats()["rate"]["counts"]) == 10)
    with own_site.receiver.stream() as stream:
        assert stream.status == 200
        stats = eventually(lambda: (s := own_site.api.stats())["clients"]["live"] == 1 and s)
    assert stats["version"] and stats["instance"]
    assert stats["uptime_seconds"] >= 0 and stats["started"].endswith("Z")
    journal = stats["journal"]
    rows = own_site.api.all_events()
    assert (journal["state"], journal["reason"]) == ("ok", None)
    assert (journal["first"], journal["last"]) == (rows[0]["cursor"], rows[-1]["cursor"])
    assert journal["epoch"] == rows[0]["cursor"].split("-")[0]
    assert journal["events"] == 10 and journal["size_bytes"] > 0
    assert journal["retention_age_seconds"] == 30 * 86400
    assert journal["retention_size_bytes"] == 10**9
    broker = stats["broker"]
    assert (broker["state"], broker["reason"], broker["url"], broker["next_attempt_ms"]) == \
        ("connected", None, own_site.broker.url, None)
    assert stats["clients"] == {"live": 1, "replaying": 0, "max": 10000}
    assert stats["totals"] == {"stored": 10, "duplicates": 0, "quarantined": 0, "missing": 0,
                               "incidents_open": 0}
    assert stats["rate"]["step_seconds"] == 2
    assert len(stats["rate"]["counts"]) <= 300 and sum(stats["rate"]["counts"]) == 10
    eventually(lambda: own_site.api.stats()["clients"]["live"] == 0)


def test_stats_say_why_the_broker_is_away(own_site):
    own_site.broker.kill()
    broker = eventually(lambda: (b := own_site.api.stats()["broker"])["state"] == "waiting" and b)
    assert broker["reason"] and broker["next_attempt_ms"] >= 0


# ---- probes ----


def test_probes(own_site):
    health = own_site.api.get_raw("/healthz")
    assert (health.status_code, health.text) == (200, "ok\n")
    ready = own_site.api.get_raw("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "checks": [
        {"name": "broker", "ok": True, "reason": None},
        {"name": "journal", "ok": True, "reason": None}]}

    own_site.broker.kill()
    eventually(lambda: own_site.api.get_raw("/readyz").status_code == 503)
    broker, journal = own_site.api.ready()["checks"]
    assert not broker["ok"] and broker["reason"]
    assert journal == {"name": "journal", "ok": True, "reason": None}
    assert own_site.api.get_raw("/healthz").status_code == 200

    own_site.broker.start()
    own_site.receiver.wait_ready()


def test_metrics(site):
    answer = site.api.get_raw("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    metrics = site.api.metrics()
    assert metrics['bellbuoy_http_requests_total{class="2xx"}'] > 0
    assert metrics["bellbuoy_api_read_seconds_count"] > 0
    for line in answer.text.splitlines():
        assert re.match(r"# (HELP|TYPE) [a-z_]+ |[a-z_]+(\{[^}]*\})? [-+0-9.eInfNa]+$", line), line


def test_probes_answer_to_any_host(site):
    for path in ("/healthz", "/readyz", "/metrics"):
        assert site.api.get_raw(path, headers={"Host": "10.1.2.3:5000"}).status_code == 200


RESOURCES = ["/api/v1/events", "/api/v1/sources", "/api/v1/readings", "/api/v1/incidents",
             "/api/v1/quarantine", "/api/v1/stats", "/healthz", "/readyz", "/metrics", "/"]


@pytest.mark.parametrize("path", RESOURCES)
def test_head_is_get_without_a_body(site, path):
    head = site.api.request("HEAD", path)
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Type"] == site.api.get_raw(path).headers["Content-Type"]
    assert int(head.headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", [path for path in RESOURCES if path != "/"])
def test_answers_are_not_cached_or_sniffed(site, path):
    headers = site.api.get_raw(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


# ---- a journal that is not there ----


def test_journal_that_cannot_be_opened(lab, tmp_path):
    broker = lab.broker()
    data_dir = tmp_path / "data"
    data_dir.write_text("a file where the folder should be")
    receiver = lab.receiver(broker, start=False, data_dir=data_dir).start(ready=False)
    eventually(lambda: receiver.api.stats()["journal"]["state"] == "failed")
    journal = receiver.api.ready()["checks"][1]
    assert not journal["ok"]
    for resource in ("events", "sources", "readings", "incidents", "quarantine", "events/5f3a9c01-1"):
        problem = receiver.api.problem(resource, 503)
        assert problem["type"] == "urn:bellbuoy:problem:journal-unavailable"
        assert journal["reason"] in problem["detail"]
    assert "Retry-After" in receiver.api.get_raw("/api/v1/events").headers
    stats = receiver.api.stats()["journal"]
    assert stats["state"] == "failed" and stats["reason"] == journal["reason"]
    assert (stats["epoch"], stats["first"], stats["last"]) == (None, None, None)

    data_dir.unlink()
    receiver.wait_ready(timeout_s=30)
    assert receiver.api.events() == []
