"""The view of nodes: what each said last, live, in words and not by colour alone."""

import pytest
from playwright.sync_api import expect

from browser.test_page import serious, too_wide
from harness import MqttClient, eventually, events, nodes

FAILED = {
    "code": "pull-notfound", "service": "web",
    "message": "registry.example/app:9 is not in the registry",
    "advice": "Publish the image, or take the revision back with buoyctl rollback.",
    "engine": "manifest for registry.example/app:9 not found: manifest unknown",
}
DRIFT = [{"service": "web", "object": "line3-web-1", "cause": "the container was removed"}]
GHOSTS = [{"service": "api", "object": "line3-api-1",
           "cause": "the engine kept the name for a container that is not there"}]
EXITED = {"name": "line3-worker-1", "id": "4f5e", "imageId": "sha256:1", "state": "restarting",
          "health": "none", "restarts": 4, "startedAt": events.now(-20),
          "lastExit": {"code": 137, "oom": True, "at": events.now(-21), "tail": "<b>out</b> of memory"}}
PULLS = [
    {"image": "registry/app:1.5", "state": "pulling", "current": 1_048_576, "total": 4_194_304},
    {"image": "registry/db:16", "state": "waiting", "current": 0, "total": 0},
    {"image": "registry/proxy:2", "state": "pulling", "current": 524_288, "total": 0},
]


def fleet():
    """(node, kind, payload) of nodes in every state that the view tells apart."""
    good = nodes.project(42, services={"web": nodes.service(),
                                       "db": nodes.service(health="none", image="registry/db:16")})
    yield "press-1", "presence", nodes.presence("press-1")
    yield "press-1", "reported", nodes.report(
        "press-1", projects={"line3": good}, groups=[{"name": "presses", "priority": 10}])
    yield "press-2", "presence", nodes.presence("press-2", online=False)
    yield "press-2", "reported", nodes.report("press-2", time=events.now(-3600))
    yield "press-3", "reported", nodes.report("press-3", engine={
        "state": "down", "version": None, "api": None, "reason": "connect: no such file"})
    yield "press-4", "presence", nodes.presence("press-4")
    yield "press-4", "reported", nodes.report("press-4", projects={
        "line3": nodes.project(43, "UPDATING", applied={"revision": 42, "digest": "9f"})})
    yield "press-5", "presence", nodes.presence("press-5")
    yield "press-5", "reported", nodes.report("press-5", projects={
        "line3": nodes.project(44, "ROLLED_BACK", reason=FAILED, attempt=3,
                               applied={"revision": 42, "digest": "9f"})})
    yield "press-6", "presence", nodes.presence("press-6")
    yield "press-6", "reported", nodes.report("press-6", projects={
        "line3": nodes.project(42, converged=False, drift=DRIFT, ghosts=GHOSTS, services={
            "web": nodes.service("absent", "none"),
            "worker": nodes.service("restarting", "none", containers=[EXITED], restarts=4),
            "api": nodes.service("running", "unhealthy")})})


@pytest.fixture(scope="module")
def site(stage):
    broker, receiver = stage
    with MqttClient(broker) as machine:
        machine.publish_all([(nodes.topic(node, kind), payload) for node, kind, payload in fleet()],
                            retain=True)
        eventually(lambda: len(receiver.api.get("nodes")["nodes"]) == 6)
        machine.publish(nodes.topic("press-4", "progress"), nodes.progress(
            "press-4", revision=43, phase="UPDATING", text="starting line3-web-1", pulls=PULLS))
        yield machine, receiver


def card(dashboard, node):
    return dashboard.page.get_by_role("article", name=node, exact=True)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_each_node_is_told_in_words(site, show, scheme):
    _, receiver = site
    dashboard = show(receiver, "?view=nodes", scheme=scheme, height=1500).expect_live()
    expect(card(dashboard, "press-1")).to_contain_text("online")
    for text in ("presses", "line3 revision 42", "completed", "converged", "healthy", "1 of 1",
                 "registry/db:16", "for this node", "manager 0.1.0 · engine 28.5.2",
                 "12.9 GB of 53.7 GB free"):
        expect(card(dashboard, "press-1")).to_contain_text(text)
    expect(card(dashboard, "press-2")).to_contain_text("offline")
    expect(card(dashboard, "press-2")).to_contain_text("how it was at its last report")
    expect(card(dashboard, "press-3")).to_contain_text("presence unknown")
    expect(card(dashboard, "press-3")).to_contain_text("The container engine is down")
    for text in ("updating", "runs revision 42", "step 3 of 9", "starting line3-web-1",
                 "1 MB of 4.2 MB", "registry/db:16"):
        expect(card(dashboard, "press-4")).to_contain_text(text)
    for text in ("rolled back", "attempt 3", "pull-notfound", "web: registry.example/app:9 is not",
                 "Publish the image, or take the revision back"):
        expect(card(dashboard, "press-5")).to_contain_text(text)
    for text in ("drift: 1", "line3-web-1: the container was removed", "absent", "unhealthy",
                 "ghosts: 1", "line3-api-1: the engine kept the name",
                 "restarting", "4 restarts", "exited with 137, out of memory"):
        expect(card(dashboard, "press-6")).to_contain_text(text)
    assert serious(dashboard.page) == []


def test_presence_differs_by_its_sign_too(site, show):
    _, receiver = site
    dashboard = show(receiver, "?view=nodes").expect_live()
    signs = [card(dashboard, f"press-{n}").locator(".presence use").get_attribute("href")
             for n in (1, 2, 3)]
    assert signs == ["#i-online", "#i-offline", "#i-unknown"]
    summary = dashboard.page.locator("#nodes-summary")
    for text in ("6 nodes", "4 online", "1 offline", "1 presence unknown"):
        expect(summary).to_contain_text(text)


def test_progress_is_in_bars_that_can_be_read(site, show):
    _, receiver = site
    dashboard = show(receiver, "?view=nodes").expect_live()
    bars = card(dashboard, "press-4").get_by_role("progressbar")
    expect(bars).to_have_count(4)
    values = bars.evaluate_all("(all) => all.map((bar) => [bar.ariaLabel, bar.value, bar.max])")
    assert values[0] == ["starting line3-web-1, step 3 of 9", 3, 9]
    assert values[1] == ["registry/app:1.5, 1 MB of 4.2 MB", 1_048_576, 4_194_304]
    # No total is known yet: the bar has no value.
    expect(bars.nth(3)).not_to_have_attribute("value", "0")
    assert bars.nth(3).get_attribute("value") is None


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_needs_no_sideways_scroll(site, show, scheme):
    _, receiver = site
    dashboard = show(receiver, "?view=nodes", scheme=scheme, width=360, height=740).expect_live()
    expect(card(dashboard, "press-6")).to_be_attached()
    assert too_wide(dashboard) == []
    assert serious(dashboard.page) == []
    card(dashboard, "press-4").scroll_into_view_if_needed()


def test_what_needs_attention_can_be_picked(site, show):
    _, receiver = site
    dashboard = show(receiver, "?view=nodes").expect_live()
    articles = dashboard.page.get_by_role("article")
    expect(articles).to_have_count(6)
    attention = dashboard.page.get_by_role("button", name="Needs attention (4)")
    attention.click()
    expect(articles).to_have_count(4)
    expect(card(dashboard, "press-1")).to_have_count(0)
    attention.click()
    dashboard.press("/")
    dashboard.page.keyboard.type("presses")
    expect(articles).to_have_count(1)
    assert dashboard.page.evaluate("location.search") == "?view=nodes&q=presses"
    dashboard.page.reload()
    expect(articles).to_have_count(1)
    dashboard.page.get_by_label("Search among the nodes").fill("nothing like it")
    expect(dashboard.page.locator("#nodes-empty")).to_have_text("No node matches.")


def test_changes_come_by_themselves_and_take_nothing_away(site, show):
    machine, receiver = site
    machine.publish(nodes.topic("live-1", "presence"), nodes.presence("live-1"), retain=True)
    machine.publish(nodes.topic("live-1", "reported"), nodes.report("live-1", projects={
        "p": nodes.project(1, "STALLED", reason=FAILED)}), retain=True)
    dashboard = show(receiver, "?view=nodes&q=live-1").expect_live()
    place = card(dashboard, "live-1")
    expect(place).to_contain_text("stalled")
    place.get_by_text("What the engine said").click()
    engine = place.get_by_text("manifest unknown")
    expect(engine).to_be_visible()
    machine.publish(nodes.topic("live-1", "reported"), nodes.report("live-1", projects={
        "p": nodes.project(2, "INCOMPLETE", reason=FAILED)}), retain=True)
    expect(place).to_contain_text("incomplete")
    expect(engine).to_be_visible()
    expect(place.locator("summary")).to_be_focused()
    machine.publish(nodes.topic("live-1", "presence"), nodes.presence("live-1", online=False),
                    retain=True)
    expect(place).to_contain_text("offline")
    expect(dashboard.page.locator("#announcer")).to_contain_text("live-1: offline")
    # What is taken back is gone.
    for kind in ("presence", "reported"):
        machine.publish(nodes.topic("live-1", kind), b"", retain=True)
    expect(place).to_have_count(0)
    expect(dashboard.page.locator("#nodes-empty")).to_have_text("No node matches.")


def test_one_that_is_silent_is_said_to_be(site, show):
    machine, receiver = site
    machine.publish(nodes.topic("silent-1", "reported"), nodes.report("silent-1"), retain=True)
    dashboard = show(receiver, "?view=nodes&q=silent-1").expect_live()
    place = card(dashboard, "silent-1")
    expect(place.locator(".node-age")).to_contain_text("reported")
    dashboard.page.evaluate("""() => {
      const now = Date.now;
      Date.now = () => now() + 4 * 60000;
    }""")
    expect(place.locator(".node-age")).to_contain_text("silent: last report 4 min ago")
    for kind in ("presence", "reported"):
        machine.publish(nodes.topic("silent-1", kind), b"", retain=True)


def test_what_a_node_says_is_text(site, show):
    machine, receiver = site
    bad = {"code": "<b>", "message": "<img src=x onerror=alert(1)>", "advice": 7, "engine": True}
    machine.publish(nodes.topic("odd-1", "reported"), nodes.report(
        "odd-1", groups=[{"name": 7}, {}], disk={"free": "x", "total": "y"}, agent=None, projects={
            "<i>p</i>": {"phase": "DANCING", "reason": bad, "drift": [{}], "since": 5, "nextRetry": [],
                         "services": {"<u>s</u>": {"image": [], "replicas": {}, "containers": [{}]}}}}))
    dashboard = show(receiver, "?view=nodes&q=odd-1").expect_live()
    place = card(dashboard, "odd-1")
    expect(place).to_contain_text("<img src=x onerror=alert(1)>")
    expect(place).to_contain_text("DANCING")
    expect(place).to_contain_text("<u>s</u>")
    expect(place.locator("img, b, i, u")).to_have_count(0)
    machine.publish(nodes.topic("odd-1", "reported"), b"")


def test_it_goes_on_after_the_receiver_was_away(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with MqttClient(broker) as machine:
        machine.publish(nodes.topic("a", "presence"), nodes.presence("a"), retain=True)
        dashboard = show(receiver, "?view=nodes", outages=True).expect_live()
        expect(card(dashboard, "a")).to_contain_text("online")
        receiver.terminate()
        expect(dashboard.status()).to_contain_text("reconnecting")
        machine.publish(nodes.topic("a", "presence"), nodes.presence("a", online=False), retain=True)
        machine.publish(nodes.topic("b", "presence"), nodes.presence("b"), retain=True)
        receiver.start()
        expect(card(dashboard, "a")).to_contain_text("offline")
        expect(card(dashboard, "b")).to_contain_text("online")
        dashboard.expect_live()


def test_many_nodes_are_shown_in_portions(lab, show):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    names = [f"n{number:04}" for number in range(1, 351)]
    with MqttClient(broker) as machine:
        machine.publish_all([(nodes.topic(name, "reported"), nodes.report(name)) for name in names],
                            retain=True)
    eventually(lambda: receiver.api.metrics()['bellbuoy_nodes{state="unknown"}'] == 350)
    dashboard = show(receiver, "?view=nodes").expect_live()
    articles = dashboard.page.get_by_role("article")
    expect(articles).to_have_count(100)
    dashboard.page.get_by_role("button", name="Show more (250)").click()
    expect(articles).to_have_count(200)
    dashboard.page.get_by_label("Search among the nodes").fill("n0350")
    expect(articles).to_have_count(1)
