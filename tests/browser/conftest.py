"""One app and one Chromium for all browser tests; a page that fails its test when it wrote an error to the console."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serve import chromium, running_app

expect.set_options(timeout=15_000)  # a shared machine may be slow; budgets are measured in tests/bench


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running app with a home folder of its own."""
    with running_app(tmp_path_factory.mktemp("browser") / "home") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(app: str, browser: Browser) -> Iterator[Page]:
    """A fresh page of 1400x900 pixels on the app (`page.goto("/trajectories")`); fails on any console error."""
    context = browser.new_context(base_url=app, viewport={"width": 1400, "height": 900})
    errors: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert not errors
