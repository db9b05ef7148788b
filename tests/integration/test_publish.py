"""POST /api/v1/events: a message the other way, from the page to the broker and back."""

import concurrent.futures
import json

import pytest

from harness import RECEIVER, MqttClient, eventually, events, run_once

TEXT = {"text": "Hello crew", "color": "#2f81f7"}


@pytest.fixture
def broker(lab):
    return lab.broker()


@pytest.fixture
def receiver(lab, broker):
    return lab.receiver(broker, start=False).use_token().start()


def post_event(receiver, event, **options):
    return receiver.api.post_event(json.dumps(event), content_type="application/cloudevents+json",
                                   **options)


def test_a_text_comes_back_to_everyone(receiver):
    with receiver.stream("source=dashboard") as stream:
        answer = receiver.api.post_event(TEXT)
        assert answer.status_code == 202
        event = stream.next_event().json
    assert {"source": event["source"], "id": event["id"]} == answer.json()
    assert event["source"] == "/machines/dashboard"
    assert event["type"] == "bellbuoy.hello.v1"
    assert event["data"] == TEXT
    assert receiver.api.events(source="dashboard") == [event]


def test_texts_are_a_sequence_of_this_run(receiver):
    for _ in range(3):
        assert receiver.api.post_event({"text": "x"}).status_code == 202
    assert receiver.api.post_event({"text": ""}).status_code == 400  # takes no number
    assert receiver.api.post_event({"text": "x"}).status_code == 202
    eventually(lambda: len(receiver.api.events(source="dashboard")) == 4)
    receiver.restart()
    assert receiver.api.post_event({"text": "x"}).status_code == 202
    eventually(lambda: len(receiver.api.events(source="dashboard")) == 5)
    found = receiver.api.all_events(source="dashboard")
    assert [int(one["sequence"]) for one in found] == [1, 2, 3, 4, 1]
    assert len({one["bootid"] for one in found}) == 2
    assert receiver.api.incidents() == []


def test_any_text_of_unicode(receiver):
    text = 'Ahoi "⛵" <b>&amp;\\ \t' + "ß" * 2000
    assert receiver.api.post_event({"text": text}).status_code == 202
    found = eventually(lambda: receiver.api.events(source="dashboard"))
    assert found[0]["data"]["text"] == text


def test_a_whole_event_is_published_as_it_is(receiver, broker):
    event = events.event(3, 7, source="press.9")
    with MqttClient(broker).subscribe("bellbuoy/events/#") as observer:
        answer = post_event(receiver, event)
        assert answer.status_code == 202
        assert answer.json() == {"source": "/machines/press.9", "id": event["id"]}
        message = eventually(lambda: observer.messages and observer.messages[-1])
    assert message.topic == "bellbuoy/events/press_9/event"
    assert message.payload == json.dumps(event).encode()
    assert message.qos == 1 and not message.retain
    eventually(lambda: receiver.api.events(source="press.9"))


def test_content_type_may_have_parameters(receiver):
    answer = receiver.api.post_event(json.dumps(TEXT), content_type="Application/JSON; charset=utf-8")
    assert answer.status_code == 202


def test_token_is_read_again_when_it_changes(receiver):
    token_file = receiver.data_dir.parent / "token"
    token_file.write_text("another-token-of-this-receiver")
    assert receiver.api.post_event(TEXT).status_code == 401
    assert receiver.api.post_event(TEXT, token="another-token-of-this-receiver").status_code == 202
    token_file.unlink()  # the last good one stays
    assert receiver.api.post_event(TEXT, token="another-token-of-this-receiver").status_code == 202
    assert receiver.log_records(component="api", level="error")


def test_no_token_file(lab, broker):
    receiver = lab.receiver(broker)
    answer = receiver.api.post_event(TEXT, token="x")
    assert answer.status_code == 403
    assert "--token-file" in answer.json()["detail"]


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_bad_token_file_at_start(broker, tmp_path, content):
    path = tmp_path / "no-token"
    if content is not None:
        path.write_text(content)
    result = run_once(RECEIVER, "--broker-url", broker.url, "--data-dir", tmp_path / "no-data",
                      "--port", 0, "--token-file", path)
    assert result.returncode == 1
    assert "--token-file" in result.stderr and str(path) in result.stderr


def test_broker_away(receiver, broker):
    broker.kill()
    eventually(lambda: not receiver.api.ready()["ready"])
    answer = receiver.api.post_event(TEXT)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:bellbuoy:problem:broker-unavailable"
    assert "Retry-After" in answer.headers
    broker.start()
    eventually(lambda: receiver.api.post_event(TEXT).status_code == 202, timeout_s=30)


@pytest.mark.tsan
def test_broker_that_does_not_acknowledge(receiver, broker):
    broker.pause()
    try:
        with concurrent.futures.ThreadPoolExecutor(66) as pool:
            answers = [one.result() for one in
                       [pool.submit(receiver.api.post_event, TEXT, timeout_s=60)
                        for _ in range(66)]]
    finally:
        broker.resume()
    statuses = [one.status_code for one in answers]
    assert statuses.count(504) == 64 and statuses.count(503) == 2
    for one in answers:
        if one.status_code == 503:
            assert one.json()["type"] == "urn:bellbuoy:problem:busy"
        else:
            assert 4.9 < one.elapsed.total_seconds() < 20
    # They were sent, and arrive.
    eventually(lambda: len(receiver.api.events(source="dashboard", limit=1000)) == 64)


def test_broker_dies_before_it_acknowledges(receiver, broker):
    broker.pause()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(receiver.api.post_event, TEXT)
        eventually(lambda: receiver.api.metrics()["bellbuoy_api_posts_pending"] == 1)
        broker.kill()
        answer = waiting.result()
    assert answer.status_code == 503
    assert "may or may not" in answer.json()["detail"]


def test_end_while_a_post_waits(receiver, broker):
    broker.pause()
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(receiver.api.post_event, TEXT)
            eventually(lambda: receiver.api.metrics()["bellbuoy_api_posts_pending"] == 1)
            receiver.terminate()
            try:
                assert waiting.result().status_code in (503, 504)
            except OSError:
                pass  # closed without an answer
    finally:
        broker.resume()
