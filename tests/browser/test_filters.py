"""Filters live in the address: shared by a link, undone by the back button."""

import pytest
from playwright.sync_api import expect

from harness import MqttClient, events


@pytest.fixture(scope="module")
def receiver(stage):
    broker, receiver = stage
    with MqttClient(broker) as machine:
        machine.publish_all([
            (events.topic("f-1"), events.hello(1, "green light", source="f-1", time=events.now(-7200))),
            (events.topic("f-1"), events.hello(2, "red light", source="f-1")),
            (events.topic("f-2", "event"), events.event(1, 3, "calm sea", source="f-2")),
            (events.topic("f-2", "event"), events.event(2, 9, "storm", source="f-2")),
        ])
    return receiver


def test_an_address_filters(receiver, show):
    dashboard = show(receiver, "?type=event&criticality_gt=5")
    dashboard.expect_row("storm")
    dashboard.expect_texts(["storm"])
    expect(dashboard.page.locator("#filter-criticality_gt")).to_have_value("5")
    expect(dashboard.page.locator("#filter-type")).to_have_value("event")


def test_typing_filters_and_the_back_button_undoes_it(receiver, show):
    dashboard = show(receiver)
    dashboard.expect_row("storm")
    dashboard.press("/")
    dashboard.page.keyboard.type("LIGHT")
    dashboard.wait_for("location.search === '?q=LIGHT'")
    dashboard.expect_no_row("storm")
    dashboard.expect_texts(["red light", "green light"])
    dashboard.page.locator("#filter-source").fill("f-2")
    dashboard.press("Enter")
    dashboard.wait_for("location.search.includes('source=f-2')")
    expect(dashboard.page.locator("#empty")).to_have_text("No message matches this filter yet.")
    dashboard.page.go_back()
    dashboard.expect_row("red light")
    expect(dashboard.page.locator("#filter-source")).to_have_value("")
    dashboard.page.go_back()
    dashboard.expect_row("storm")
    assert dashboard.page.evaluate("location.search") == ""
    dashboard.page.go_forward()
    dashboard.expect_no_row("storm")


def test_a_long_search_goes_on_by_itself(receiver, show):
    """The receiver ends a search of seconds with an empty page and what comes next."""
    dashboard = show(receiver)
    dashboard.expect_row("storm")
    epoch, last = receiver.api.cursor().split("-")

    def end_early(route):
        if "before=" in route.request.url:
            route.continue_()
            return
        following = f"/api/v1/events?q=light&before={epoch}-{int(last) + 1}&limit=50"
        route.fulfill(json={"events": [], "cursor": f"{epoch}-{last}", "next": following})

    dashboard.page.route("**/api/v1/events?*", end_early)
    dashboard.page.locator("#filter-q").fill("light")
    dashboard.press("Enter")
    dashboard.expect_row("red light")
    dashboard.expect_texts(["red light", "green light"])


def test_live_messages_are_filtered_too(stage, show, receiver):
    broker, _ = stage
    dashboard = show(receiver, "?view=events&criticality_gt=5&source=f-3").expect_live()
    with MqttClient(broker) as machine:
        machine.publish_all([
            (events.topic("f-3", "event"), events.event(n + 1, n, f"level {n}", source="f-3"))
            for n in range(4, 8)])
    dashboard.expect_row("level 7")
    dashboard.expect_texts(["level 7", "level 6"])


def test_a_press_on_a_source_narrows_to_it(receiver, show):
    dashboard = show(receiver)
    dashboard.expect_row("storm").locator(".cell-source").click()
    dashboard.expect_no_row("red light")
    assert dashboard.page.evaluate("location.search") == "?source=f-2"
    dashboard.page.locator("#filter-clear").click()
    dashboard.expect_row("red light")


def test_times_narrow(receiver, show):
    dashboard = show(receiver)
    dashboard.expect_row("green light")
    dashboard.page.get_by_role("button", name="Any time").click()
    dashboard.page.get_by_role("button", name="Last hour").click()
    dashboard.expect_no_row("green light")
    dashboard.expect_row("red light")
    assert "since=" in dashboard.page.evaluate("location.search")


def test_a_filter_that_the_receiver_refuses_is_said(receiver, show):
    # The browser reports any 400 on its console.
    dashboard = show(receiver, "?since=yesterday", outages=True)
    dashboard.expect_status("filter refused")
    expect(dashboard.page.locator("#empty")).to_contain_text("since")
    dashboard.page.locator("#filter-clear").click()
    dashboard.expect_row("storm")


def test_views_keep_the_source_and_forget_the_rest(receiver, show):
    dashboard = show(receiver, "?source=f-2&q=storm")
    dashboard.expect_row("storm")
    dashboard.page.get_by_role("link", name="Events").click()
    dashboard.expect_row("calm sea")
    assert dashboard.page.evaluate("location.search") == "?view=events&source=f-2"
    expect(dashboard.page.locator("#filter-type")).to_be_hidden()
