"""The box to send a message."""

from playwright.sync_api import expect


def fill(dashboard, text, token):
    dashboard.page.get_by_role("button", name="Send a message").click()
    dialog = dashboard.page.get_by_role("dialog", name="Send a message")
    dialog.get_by_label("Text").fill(text)
    dialog.get_by_label("Token").fill(token)
    dialog.get_by_label("Colour").fill("#112233")
    return dialog


def send(dialog):
    dialog.get_by_role("button", name="Send").click()
    return dialog.locator("#send-result")


def test_a_message_comes_back_to_everyone(stage, show):
    _, receiver = stage
    other = show(receiver).expect_live()
    dashboard = show(receiver).expect_live()
    dialog = fill(dashboard, "From the bridge", receiver.token)
    expect(send(dialog)).to_contain_text("Sent")
    expect(dialog.get_by_label("Text")).to_have_value("")
    dialog.get_by_role("button", name="Close").click()
    row = dashboard.expect_row("From the bridge")
    expect(row.locator(".cell-source")).to_have_text("dashboard")
    expect(row.locator(".swatch")).to_have_css("background-color", "rgb(17, 34, 51)")
    other.expect_row("From the bridge")


def test_the_token_is_kept_for_the_tab_alone(stage, show):
    _, receiver = stage
    dashboard = show(receiver).expect_live()
    expect(send(fill(dashboard, "Once", receiver.token))).to_contain_text("Sent")
    dashboard.page.reload()
    dashboard.page.get_by_role("button", name="Send a message").click()
    expect(dashboard.page.get_by_label("Token")).to_have_value(receiver.token)
    assert receiver.token not in dashboard.page.evaluate("JSON.stringify(localStorage)")


def test_a_wrong_token_is_said_and_not_kept(stage, show):
    _, receiver = stage
    dashboard = show(receiver).expect_live()
    dashboard.outages = True  # the browser reports any 401 on its console
    dialog = fill(dashboard, "Never", "wrong")
    expect(send(dialog)).to_contain_text("token was refused")
    expect(dialog.get_by_label("Token")).to_be_focused()
    expect(dialog.get_by_label("Text")).to_have_value("Never")
    assert dashboard.page.evaluate("sessionStorage.length") == 0
    dashboard.expect_no_row("Never")


def test_a_receiver_without_a_token_file_says_so(lab, show):
    receiver = lab.receiver(lab.broker())
    dashboard = show(receiver).expect_live()
    dashboard.outages = True
    expect(send(fill(dashboard, "Hello", "any"))).to_contain_text("--token-file")


def test_without_a_broker_the_reason_is_shown(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker, start=False).use_token().start()
    dashboard = show(receiver).expect_live()
    dashboard.outages = True
    broker.kill()
    dashboard.expect_status("broker away")
    result = send(fill(dashboard, "Lost", receiver.token))
    expect(result).to_have_attribute("data-tone", "bad")
