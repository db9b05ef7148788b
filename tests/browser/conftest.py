"""Fixtures of the browser tests: the system's Chromium on the real receiver, broker, broadcaster."""

import re
import shutil

import pytest
from playwright.sync_api import sync_playwright

from browser.dashboard import Dashboard
from harness import ROOT

# Any that scripts/packages.sh takes for one.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), BROWSERS[0])
# No update checks, no field trials, no QUIC: the browser talks to the receiver and to nobody else.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SCREENSHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser, request):
    """show(receiver, "?view=events", scheme="light", width=360) -> Dashboard.

    Each page leaves a screenshot; an error in a page's program, on its console or of its
    Content-Security-Policy fails the test. Lost connections are errors on the console too: a test
    that takes the receiver away says so by dashboard.outages = True.
    """
    dashboards = []

    def open_page(receiver, path="", **options):
        dashboard = Dashboard(browser, receiver, **options)
        dashboards.append(dashboard)
        return dashboard.open(path)

    yield open_page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    problems = []
    for number, dashboard in enumerate(dashboards):
        suffix = "" if number == 0 else f"-{number + 1}"
        dashboard.page.screenshot(path=SCREENSHOTS / f"{name}{suffix}.png")
        problems += dashboard.close()
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="module")
def stage(module_lab):
    """A broker and a receiver that all tests of a module share; each uses sources of its own."""
    broker = module_lab.broker()
    return broker, module_lab.receiver(broker, start=False).use_token().start()
