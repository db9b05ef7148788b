"""Messages arrive, stay the same over a refresh, and are shown as text whatever they carry."""

import re

from playwright.sync_api import expect

from harness import MqttClient, eventually, events

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def publish(broker, *messages):
    with MqttClient(broker) as machine:
        machine.publish_all(messages)


def test_a_message_appears_live(stage, show):
    broker, receiver = stage
    dashboard = show(receiver, "?source=live-1").expect_live()
    publish(broker, (events.topic("live-1"), events.hello(text="Ahoy", source="live-1")))
    row = dashboard.expect_row("Ahoy")
    expect(row.locator(".cell-source")).to_have_text("live-1")
    expect(row.locator(".cell-kind")).to_have_text("hello")
    expect(row.locator(".swatch")).to_have_css("background-color", "rgb(47, 129, 247)")


def test_the_broadcaster_is_seen(stage, show, module_lab):
    broker, receiver = stage
    bell = module_lab.broadcaster(broker, name="bell", sources=3, rate=20)
    dashboard = show(receiver, "?q=Hello%20world").expect_live()
    dashboard.wait_for("document.querySelectorAll('#feed .row').length >= 20")
    eventually(lambda: {row["source"] for row in dashboard.rows()} == {"bell-1", "bell-2", "bell-3"})
    assert all(row["text"] == "Hello world" for row in dashboard.rows())
    # Its rows would push those of the tests that follow out of sight.
    bell.terminate()


def test_a_refresh_shows_the_same_with_the_same_intervals(stage, show):
    broker, receiver = stage
    dashboard = show(receiver, "?source=same-1").expect_live()
    times = [events.now(-60), events.now(-55.79), events.now(-55), events.now(-1)]
    publish(broker, *((events.topic("same-1"),
                       events.hello(i + 1, f"same {i}", source="same-1", time=time))
                      for i, time in enumerate(times)))
    dashboard.expect_row("same 3")
    dashboard.expect_texts(["same 3", "same 2", "same 1", "same 0"])
    before = dashboard.rows()
    assert [row["interval"] for row in before] == ["54.00 s", "790 ms", "4.21 s", ""]
    dashboard.page.reload()
    eventually(lambda: dashboard.rows() == before)


def test_markup_in_a_message_is_text(stage, show):
    broker, receiver = stage
    publish(broker,
            (events.topic("x-1"), events.hello(1, MARKUP, source="x-1", color=MARKUP)),
            (events.topic("x-1", "event"), events.event(2, 9, MARKUP, source="x-1")),
            ("bellbuoy/events/x-1/raw", '{"html": "<b>bold</b><svg onload=alert(1)>"}'))
    dashboard = show(receiver, "?q=%3C").expect_live()
    dashboard.wait_for("document.querySelectorAll('#feed .row').length >= 3")
    eventually(lambda: [row["text"] for row in dashboard.rows()].count(MARKUP) == 2)
    dashboard.row("bold").first.locator(".cell-more").click()
    expect(dashboard.page.locator(".json")).to_contain_text("<b>bold</b>")
    feed = dashboard.page.locator("#feed")
    expect(feed.locator("img, script, b")).to_have_count(0)
    assert "owned" not in dashboard.page.title()


def test_a_source_name_with_markup_is_text_everywhere(stage, show):
    broker, receiver = stage
    name = "<i>x</i>"
    publish(broker, (events.topic("odd"), events.hello(text="odd source", source=name)))
    dashboard = show(receiver, "?q=odd%20source")
    row = dashboard.expect_row("odd source")
    expect(row.locator(".cell-source")).to_contain_text(name)
    row.locator(".cell-source").click()
    dashboard.wait_for("location.search.includes('source=')")
    dashboard.expect_row("odd source")
    dashboard.page.goto(f"{receiver.url}/?view=sources")
    expect(dashboard.page.locator("td .source", has_text=name)).to_have_count(1)
    expect(dashboard.page.locator("td i")).to_have_count(0)


def test_late_and_undeduped_messages_say_so(stage, show):
    broker, receiver = stage
    publish(broker,
            (events.topic("flag-1"), events.hello(2, "second", source="flag-1")),
            (events.topic("flag-1"), events.hello(1, "first", source="flag-1")),
            ("bellbuoy/events/flag-2/raw", '{"reading": "flagged"}'))
    dashboard = show(receiver)
    expect(dashboard.expect_row("first").locator(".cell-flags")).to_have_text("late")
    expect(dashboard.row("second").locator(".cell-flags")).to_have_text("")
    expect(dashboard.expect_row("flagged").locator(".cell-flags")).to_have_text("dedupe: none")


def test_details_show_the_stored_event_exactly(stage, show):
    broker, receiver = stage
    # A number that JavaScript cannot hold must not be rounded on the way.
    message = events.hello(1, "exact", source="exact-1")
    message["data"]["big"] = 12345678901234567891
    publish(broker, (events.topic("exact-1"), message))
    # Live: the broker's address, which stands in a command, is known by then.
    dashboard = show(receiver, "?source=exact-1").expect_live()
    dashboard.expect_row("exact").locator(".cell-text").click()
    json = dashboard.page.locator(".json")
    expect(json).to_contain_text("12345678901234567891")
    expect(json).to_contain_text('"cursor"')
    expect(dashboard.row("exact").locator(".cell-more")).to_have_attribute("aria-expanded", "true")
    dashboard.page.get_by_role("button", name="Copy curl").click()
    expect_copied(dashboard, rf"curl -s '{receiver.url}/api/v1/events/[0-9a-f]+-\d+'")
    dashboard.page.get_by_role("button", name="Copy mosquitto_sub").click()
    expect_copied(dashboard, f".* -p {broker.port} -t 'bellbuoy/events/exact-1/hello'.*")


def expect_copied(dashboard, pattern):
    """The clipboard is written to in the background."""
    eventually(lambda: re.fullmatch(
        pattern, dashboard.page.evaluate("navigator.clipboard.readText()"), re.DOTALL))
