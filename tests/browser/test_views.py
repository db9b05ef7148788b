"""Each view shows its own: events, sessions, sources, incidents and the quarantine, and charts."""

import pytest
from playwright.sync_api import expect

from harness import MqttClient, eventually, events

DRAWN = """(title) => {
  const chart = [...document.querySelectorAll('.chart')].find(
    (node) => node.querySelector('h3').firstChild.textContent === title);
  const canvas = chart?.querySelector('canvas');
  if (!canvas || canvas.width === 0) return false;
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value, i) => i % 4 === 3 && value > 0);
}"""


@pytest.fixture(scope="module")
def receiver(stage):
    broker, receiver = stage
    with MqttClient(broker) as machine:
        machine.publish_all([
            *((events.topic("v-1", "event"),
               events.event(n, n, f"level {n}", source="v-1", time=events.now(-60 + n)))
              for n in range(1, 11)),
            *((events.topic("ev-1", "session"), events.session(n, 10.5 * n, 3725, 250 * n, source="ev-1"))
              for n in range(1, 4)),
            (events.topic("hole-1"), events.hello(1, "one", source="hole-1")),
            (events.topic("hole-1"), events.hello(5, "five", source="hole-1")),
            (events.topic("poison"), b"<i>not</i> JSON \xff\x00"),
        ])
    eventually(lambda: receiver.api.stats()["totals"]["stored"] == 15)
    eventually(receiver.api.quarantine)
    return receiver


def test_events_bear_their_criticality_as_words(receiver, show):
    dashboard = show(receiver, "?view=events")
    dashboard.expect_row("level 10")
    eventually(lambda: [row["kind"] for row in dashboard.rows()] == [
        "10 critical", "9 critical", "8 high", "7 high", "6 medium", "5 medium", "4 medium",
        "3 low", "2 low", "1 low"])
    dashboard.wait_for(DRAWN, "Criticality")
    dashboard.wait_for(DRAWN, "Intervals, seconds")


def test_sessions_show_their_figures(receiver, show):
    dashboard = show(receiver, "?view=sessions")
    row = dashboard.expect_row("session-3")
    expect(row).to_contain_text("31.50 kWh")
    expect(row).to_contain_text("1 h 02 min")
    expect(row).to_contain_text("7.50")
    dashboard.wait_for(DRAWN, "Energy, kWh")
    dashboard.wait_for(DRAWN, "Cost")
    expect(dashboard.page.locator(".chart-value").first).to_have_text("63.0 kWh in 3 sessions")


def test_a_new_session_reaches_the_charts(stage, receiver, show):
    broker, _ = stage
    dashboard = show(receiver, "?view=sessions&source=ev-2").expect_live()
    with MqttClient(broker) as machine:
        machine.publish(events.topic("ev-2", "session"), events.session(1, 5.0, source="ev-2"))
    # The readings are asked for every 5 s at most.
    expect(dashboard.page.locator(".chart-value").first).to_have_text("5.0 kWh in 1 sessions")


def test_messages_have_a_chart_of_their_rate(receiver, show):
    dashboard = show(receiver)
    dashboard.wait_for(DRAWN, "Messages per second")
    dashboard.wait_for(DRAWN, "Intervals, seconds")
    expect(dashboard.page.locator("#figure-stored")).not_to_have_text("–")


def test_the_longest_of_a_few_intervals_has_its_bar(stage, show):
    broker, receiver = stage
    with MqttClient(broker) as machine:
        machine.publish_all([
            (events.topic("few-1"), events.hello(n, source="few-1", time=events.now(-60 + second)))
            for n, second in enumerate((0, 1, 2, 11), 1)])
    dashboard = show(receiver, "?source=few-1")
    chart = dashboard.page.locator(".chart", has_text="Intervals")
    expect(chart.locator(".chart-value")).to_contain_text("longest 9.00 s")
    dashboard.wait_for(DRAWN, "Intervals, seconds")
    plot = chart.locator(".plot")
    right = plot.bounding_box()["width"] - 12

    def pointed_at():
        plot.hover(position={"x": right - 1, "y": 40})
        plot.hover(position={"x": right, "y": 40})
        return chart.locator(".chart-value").inner_text()

    # Its bar of 24 has its middle there; one of the four messages came after so long.
    eventually(lambda: pointed_at() == "about 8.81 s: 1")


def test_sources_are_counted(receiver, show):
    dashboard = show(receiver, "?view=sources")
    row = dashboard.page.locator("tbody tr", has_text="hole-1")
    expect(row.locator("td").nth(1)).to_have_text("2")
    expect(row.locator("td").nth(4)).to_have_text("3")
    row.get_by_role("button", name="hole-1").click()
    dashboard.expect_row("five")
    assert dashboard.page.evaluate("location.search") == "?source=hole-1"


def test_what_is_missing_and_what_was_not_understood_is_listed(receiver, show):
    dashboard = show(receiver, "?view=incidents")
    incident = dashboard.page.locator("tbody tr", has_text="hole-1")
    expect(incident).to_contain_text("messages missing")
    expect(incident).to_contain_text("open")
    quarantined = dashboard.page.locator("tbody tr", has_text="bellbuoy/events/poison/hello")
    expect(quarantined.locator(".payload")).to_have_text("<i>not</i> JSON ··")
    expect(dashboard.page.locator("td i")).to_have_count(0)
    expect(dashboard.page.locator("#incidents-open")).to_have_text("1")


def test_an_error_in_the_page_is_shown(receiver, show):
    dashboard = show(receiver).expect_live()
    dashboard.page.evaluate("setTimeout(() => { throw new Error('mast broken'); })")
    expect(dashboard.page.get_by_role("alert")).to_contain_text("mast broken")
    eventually(lambda: dashboard.problems)
    dashboard.problems.clear()
