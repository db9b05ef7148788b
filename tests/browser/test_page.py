"""What holds for the page as a whole: accessible, small, strict, on a phone, below a path."""

import http.server
import re
import threading
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from harness import HOST, ROOT, MqttClient, eventually, events

VIEWS = ["messages", "events", "sessions", "sources", "incidents"]
FIRST_PAINT_BYTES = 100_000
COLORS = ["#2f81f7", "#e5533d", "#57ab5a", "#c69026"]


@pytest.fixture(scope="module")
def receiver(stage):
    broker, receiver = stage
    with MqttClient(broker) as machine:
        for n in range(1, 41):
            source = f"machine-{n % 4}"
            first = 3 * ((n - 1) // 4) + 1
            machine.publish_all([
                (events.topic(source), events.hello(first, source=source, color=COLORS[n % 4])),
                (events.topic(source, "event"),
                 events.event(first + 1, n % 10 + 1, "Bearing temperature above 80 °C", source=source)),
                (events.topic(source, "session"), events.session(first + 2, source=source)),
                (events.topic(source, "raw"), b'{"temperature": 81.5}'),
            ])
        machine.publish(events.topic("machine-x"), b"not JSON")
        machine.publish(events.topic("machine-0"), events.hello(34, source="machine-0"))
    eventually(lambda: receiver.api.stats()["totals"]["stored"] == 161)
    return receiver


def expect_filled(dashboard, view):
    place = "#tables tbody tr" if view in ("sources", "incidents") else "#feed .row"
    dashboard.page.locator(place).first.wait_for()
    dashboard.expect_live()


def serious(page, part=None):
    """What axe-core finds serious or critical in the page, or in the part with that selector."""
    results = Axe().run(page, part).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in results if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("view", VIEWS)
def test_no_barrier(receiver, show, view, scheme):
    dashboard = show(receiver, f"?view={view}", scheme=scheme)
    expect_filled(dashboard, view)
    if view == "messages":
        dashboard.press("j", "Enter")
        expect(dashboard.page.locator(".json")).to_contain_text("specversion")
    assert serious(dashboard.page) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_barrier_in_what_opens(receiver, show, scheme):
    dashboard = show(receiver, scheme=scheme).expect_live()
    for popover in ("settings", "times", "share", "status-more"):
        dashboard.page.locator(f"[popovertarget={popover}]").click()
        expect(dashboard.page.locator(f"#{popover}")).to_be_visible()
        assert serious(dashboard.page, f"#{popover}") == []
        dashboard.press("Escape")
    for key in ("?", "w"):
        dashboard.press(key)
        dashboard.page.locator("dialog[open]").wait_for()
        assert serious(dashboard.page, "dialog[open]") == []
        dashboard.press("Escape")
        expect(dashboard.page.locator("dialog[open]")).to_have_count(0)


def too_wide(dashboard):
    """What could be scrolled sideways: the page, or what scrolls in it. Wide tables may."""
    return dashboard.page.evaluate("""() => ['html', 'main', '#scroller', '#charts', '#tables']
      .filter((selector) => {
        const node = document.querySelector(selector);
        return node.scrollWidth > node.clientWidth;
      })""")


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_needs_no_sideways_scroll(receiver, show, view):
    scheme = "light" if view == "events" else "dark"
    dashboard = show(receiver, f"?view={view}", scheme=scheme, width=360, height=740)
    expect_filled(dashboard, view)
    assert too_wide(dashboard) == []
    assert len(dashboard.rows()) < 40, "only the rows in sight are elements"
    assert serious(dashboard.page) == []
    if view == "messages":
        dashboard.page.get_by_role("button", name="More filters").click()
        expect(dashboard.page.locator("#filter-source")).to_be_visible()
        dashboard.page.get_by_role("button", name="Charts").click()
        dashboard.page.locator("canvas").first.wait_for()
        # A chart takes the width of its place once that is known.
        eventually(lambda: too_wide(dashboard) == [])


def test_the_theme_can_be_chosen(receiver, show):
    dashboard = show(receiver, scheme="dark").expect_live()
    body = dashboard.page.locator("body")
    dark = body.evaluate("(node) => getComputedStyle(node).backgroundColor")
    dashboard.page.get_by_role("button", name="Settings").click()
    dashboard.page.get_by_label("Theme").select_option("light")
    light = body.evaluate("(node) => getComputedStyle(node).backgroundColor")
    assert light != dark
    dashboard.page.reload()
    expect(body).to_have_css("background-color", light)


def test_the_first_paint_is_small(receiver, show):
    dashboard = show(receiver, width=360, height=740).expect_live()
    sizes = dashboard.page.evaluate("""() => performance.getEntries()
      .filter((e) => ['navigation', 'resource'].includes(e.entryType) && !e.name.includes('/api/'))
      .map((e) => [e.name, e.transferSize, e.encodedBodySize, e.decodedBodySize])""")
    total = sum(transferred for _, transferred, _, _ in sizes)
    print(f"first paint: {len(sizes)} files, {total} bytes with headers")
    assert total < FIRST_PAINT_BYTES
    assert not [name for name, *_ in sizes if "vendor" in name], "charts are not part of it"
    packed = [encoded < decoded for name, _, encoded, decoded in sizes if name.endswith(".js")]
    assert len(packed) > 20 and all(packed), "modules come compressed"


def test_every_module_is_preloaded():
    web = ROOT / "receiver" / "web"
    page = (web / "index.html").read_text()
    preloaded = set(re.findall(r'modulepreload" href="js/([\w.]+)"', page))
    assert preloaded | {"app.js", "theme.js"} == {path.name for path in (web / "js").glob("*.js")}


def test_the_policy_forbids_what_is_not_ours(receiver, show):
    dashboard = show(receiver).expect_live()
    policy = receiver.api.get_raw("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    ran = dashboard.page.evaluate("""() => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.head.append(script);
      return window.ran === true;
    }""")
    assert not ran
    eventually(lambda: dashboard.problems, message="the browser reports the violation")
    dashboard.problems.clear()


class PathProxy(http.server.BaseHTTPRequestHandler):
    """A reverse proxy that serves the receiver below /bell/; streams are passed on as they come."""

    upstream = ""

    def do_GET(self):  # noqa: N802 - the base class's name
        assert self.path.startswith("/bell/"), self.path
        with urllib.request.urlopen(self.upstream + self.path[len("/bell"):], timeout=30) as answer:
            self.send_response(answer.status)
            for name in ("Content-Type", "Content-Security-Policy"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            while chunk := answer.read1(65536):
                self.wfile.write(chunk)
                self.wfile.flush()

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass  # the browser has left

    def log_message(self, *_):
        pass


@pytest.fixture
def proxied(receiver):
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

    handler = type("Handler", (PathProxy,), {"upstream": receiver.url})
    server = Server((HOST, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield type("Proxied", (), {"url": f"http://{HOST}:{server.server_port}/bell"})
    server.shutdown()
    server.server_close()


def test_it_works_below_a_path(proxied, show):
    dashboard = show(proxied, "?view=events").expect_live()
    dashboard.expect_row("Bearing temperature")
    dashboard.page.get_by_role("link", name="Messages", exact=True).click()
    dashboard.page.locator("#feed .row", has_text="hello").first.wait_for()
    assert dashboard.page.evaluate("location.pathname") == "/bell/"
    dashboard.wait_for("document.querySelector('.chart canvas') !== null")
