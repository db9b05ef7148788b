"""What the page says and does when something on the way is gone."""

import re
import resource
import shutil

import pytest
from playwright.sync_api import expect

from harness import MqttClient, eventually, events

# A browser cannot be told to hide a tab; this is what its pages then see.
SET_HIDDEN = """(hidden) => {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""

STORED_ABOVE = """(n) =>
  Number(document.querySelector('#figure-stored').textContent.replaceAll(',', '')) > n"""


def publish(broker, *numbers, source="press-7"):
    with MqttClient(broker) as machine:
        machine.publish_all([
            (events.topic(source), events.hello(n, f"number {n}.", source=source)) for n in numbers])


def test_a_lost_broker_is_said_and_its_return_too(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    dashboard = show(receiver).expect_live()
    publish(broker, 1)
    dashboard.expect_row("number 1.")
    broker.kill()
    dashboard.expect_status("broker away")
    dashboard.status().click()
    expect(dashboard.page.locator("#status-reason")).to_contain_text("next try in")
    broker.start()
    # The receiver's next attempt may be as far away as its longest backoff.
    dashboard.expect_status("live", timeout_s=60)
    publish(broker, 2)
    dashboard.expect_row("number 2.")


@pytest.mark.timeout(180)
def test_a_restarted_receiver_leaves_no_hole_and_no_repeat(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    bell = lab.broadcaster(broker, name="bell", sources=4, rate=40)
    dashboard = show(receiver).expect_live()
    dashboard.outages = True
    for kill in (False, True):
        at_least = len(dashboard.rows()) + 20
        dashboard.wait_for(STORED_ABOVE, at_least)
        receiver.kill() if kill else receiver.terminate()
        expect(dashboard.status()).to_have_text(re.compile(r"reconnecting in \d+ s"))
        receiver.start()
        dashboard.expect_live()
    bell.terminate()
    sent = {(line.source, line.id) for line in bell.ledger()}
    eventually(lambda: receiver.api.stats()["journal"]["events"] == len(sent))
    stored = [event["cursor"] for event in receiver.api.all_events(order="desc")]
    dashboard.wait_for("(key) => document.querySelector('#feed .row')?.dataset.key === key", stored[0])
    assert dashboard.all_keys(len(stored)) == stored


def test_a_new_journal_is_shown_as_a_gap(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    publish(broker, 1)
    dashboard = show(receiver).expect_live()
    dashboard.outages = True
    dashboard.expect_row("number 1.")
    receiver.terminate()
    shutil.rmtree(receiver.data_dir)
    publish(broker, 2)
    receiver.start()
    dashboard.expect_live()
    dashboard.expect_row("number 2.")
    notice = dashboard.page.locator("#feed .row.notice")
    expect(notice).to_contain_text("the journal was replaced by a new one")
    dashboard.expect_row("number 1.")


def test_a_full_disk_is_said_and_nothing_is_lost(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    dashboard = show(receiver).expect_live()
    publish(broker, 1)
    dashboard.expect_row("number 1.")
    # To the journal, a limit on its files is a full disk.
    size = (receiver.data_dir / "journal.db-wal").stat().st_size
    resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    publish(broker, *range(2, 500))
    dashboard.expect_status("journal full")
    dashboard.status().click()
    expect(dashboard.page.locator("#status-reason")).to_contain_text("journal full: ")
    resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    dashboard.expect_status("live", timeout_s=60)
    dashboard.expect_row("number 499.", timeout_s=60)
    keys = [event["cursor"] for event in receiver.api.all_events(order="desc")]
    assert len(keys) == 499
    assert dashboard.all_keys(499) == keys


def test_a_long_absence_is_replayed_with_progress(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    dashboard = show(receiver).expect_live()
    publish(broker, 1)
    dashboard.expect_row("number 1.")
    said = dashboard.page.evaluate_handle("""() => {
      const said = [];
      new MutationObserver(() => said.push(document.querySelector('#status-text').textContent))
        .observe(document.querySelector('#status-text'), { childList: true });
      return said;
    }""")
    sleep(dashboard)
    publish(broker, *range(2, 1500))
    eventually(lambda: receiver.api.stats()["totals"]["stored"] == 1499)
    dashboard.page.evaluate(SET_HIDDEN, False)
    dashboard.expect_row("number 1499.")
    dashboard.expect_live()
    assert any(text.startswith("replaying") and text.endswith("of 1,498")
               for text in said.json_value())


def sleep(dashboard):
    """Hides the tab for so long that it closes its stream; its clock is ours for that."""
    dashboard.page.clock.install()
    dashboard.page.evaluate(SET_HIDDEN, True)
    dashboard.page.clock.fast_forward(16000)
    dashboard.expect_status("asleep")
    dashboard.page.clock.resume()


def test_a_hidden_tab_gives_its_stream_back_and_resumes(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    dashboard = show(receiver).expect_live()
    publish(broker, 1)
    dashboard.expect_row("number 1.")
    sleep(dashboard)
    eventually(lambda: receiver.api.stats()["clients"]["live"] == 0)
    publish(broker, 2, 3)
    dashboard.page.evaluate(SET_HIDDEN, False)
    dashboard.expect_row("number 3.")
    dashboard.expect_texts(["number 3.", "number 2.", "number 1."])
    dashboard.expect_live()


def test_a_full_receiver_is_tried_again(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker, max_clients=1)
    with receiver.stream():
        eventually(lambda: receiver.api.stats()["clients"]["live"] == 1)
        dashboard = show(receiver)
        dashboard.outages = True
        dashboard.page.locator("#status[data-tone='bad']").wait_for()
        dashboard.status().click()
        expect(dashboard.page.locator("#status-reason")).to_contain_text("all 1 places")
    publish(broker, 1)
    # The page's next attempt may be as far away as its longest backoff.
    dashboard.expect_status("live", timeout_s=60)
    dashboard.expect_row("number 1.")


def test_a_journal_that_is_not_open_yet_is_waited_for(lab, show):
    """A receiver that has just started answers before its journal is open, and has no last cursor."""
    broker = lab.broker()
    receiver = lab.receiver(broker)
    publish(broker, 1)
    dashboard = show(receiver).expect_live()

    def opening(route):
        answer = route.fetch()
        stats = answer.json()
        stats["journal"].update(state="opening", epoch=None, first=None, last=None)
        route.fulfill(response=answer, json=stats)

    dashboard.page.route("**/api/v1/stats", opening)
    dashboard.expect_status("journal opening")
    # The stream is opened anew, with an end that is not known.
    dashboard.page.evaluate("dispatchEvent(new Event('online'))")
    publish(broker, 2)
    dashboard.expect_row("number 2.")
    dashboard.page.unroute("**/api/v1/stats")
    dashboard.expect_live()


def test_a_page_opened_before_the_receiver_answers_gets_there(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    dashboard = show(receiver).expect_live()
    dashboard.outages = True
    receiver.terminate()
    dashboard.page.locator("#status[data-tone='bad']").wait_for()
    dashboard.press("2")
    expect(dashboard.page.locator("#empty")).to_contain_text("The receiver does not answer")
    receiver.start()
    with MqttClient(broker) as machine:
        machine.publish(events.topic(kind="event"), events.event(message="back"))
    dashboard.expect_row("back")
