"""The dashboard as a test sees it: one page of a browser, with words for what a user does."""

from playwright.sync_api import expect

from harness import eventually, scaled

# For each expect() that does not say otherwise. Playwright's own five seconds are few for a browser on a
# machine that has other things to do.
PATIENCE_S = 60
expect.set_options(timeout=scaled(PATIENCE_S) * 1000)

_ROWS = """() => [...document.querySelectorAll('#feed .row')].map((row) => {
  const text = (name) => row.querySelector(name).textContent;
  return { key: row.dataset.key, time: text('.cell-time'), source: text('.cell-source'),
           kind: text('.cell-kind'), text: text('.cell-text'), interval: text('.cell-interval'),
           flags: text('.cell-flags') };
})"""

# What the browser itself reports for a receiver that was taken away.
_OUTAGE = ("net::ERR_", "Failed to load resource", "EventSource's response")


class Dashboard:
    """One page in a browser context of its own: no cookie or storage of another test."""

    def __init__(self, browser, receiver, scheme="dark", width=1280, height=800, outages=False):
        self.receiver = receiver
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB",
            reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.page.set_default_timeout(scaled(PATIENCE_S) * 1000)
        self.outages = outages
        self.problems = []
        self.page.on("pageerror", lambda error: self.problems.append(f"error in the page: {error}"))
        self.page.on("console", self._on_console)

    def _on_console(self, message):
        if message.type not in ("error", "warning"):
            return
        if self.outages and any(words in message.text for words in _OUTAGE):
            return
        # Chromium cuts its connections whenever an interface of this machine comes or goes, such as
        # that of a container; the page connects again.
        if "net::ERR_NETWORK_CHANGED" in message.text:
            return
        self.problems.append(f"console {message.type}: {message.text}")

    def open(self, path=""):
        self.page.goto(f"{self.receiver.url}/{path}")
        return self

    def close(self):
        """Returns what went wrong in the page."""
        self.context.close()
        return self.problems

    def rows(self):
        """The rows that are elements now, from the top: the newest first."""
        return self.page.evaluate(_ROWS)

    def row(self, text):
        """The row that bears this text."""
        return self.page.locator("#feed .row", has_text=text)

    def status(self):
        return self.page.locator("#status-text")

    def expect_status(self, text, timeout_s=PATIENCE_S):
        expect(self.status()).to_have_text(text, timeout=scaled(timeout_s) * 1000)
        return self

    def expect_live(self):
        return self.expect_status("live")

    def expect_row(self, text, timeout_s=PATIENCE_S):
        expect(self.row(text).first).to_be_visible(timeout=scaled(timeout_s) * 1000)
        return self.row(text).first

    def expect_no_row(self, text):
        expect(self.row(text)).to_have_count(0)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def expect_texts(self, wanted):
        """These rows and no others: the list is empty between a filter's change and its first rows."""
        eventually(lambda: [row["text"] for row in self.rows()] == wanted,
                   message=f"the rows are {wanted}")

    def scroll_to(self, pixels):
        self.page.locator("#scroller").evaluate("(node, top) => { node.scrollTop = top; }", pixels)

    def wait_for(self, expression, argument=None, timeout_s=PATIENCE_S):
        """Waits until the JavaScript expression, or function of the argument, gives something true.

        Not by Playwright's wait_for_function: that evaluates in the page, where the policy forbids it.
        """
        return eventually(lambda: self.page.evaluate(expression, argument), timeout_s,
                          message=expression)

    def all_keys(self, count):
        """The cursors of all rows, read by scrolling through the list from its top."""
        keys = []
        top = 0
        while len(keys) < count:
            self.scroll_to(top)
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
            seen = [row["key"] for row in self.rows()]
            new = [key for key in seen if key not in keys]
            if not new:
                break
            keys += new
            top += 400
        return keys
