"""One app and one Chromium for all browser tests; a page that fails its test when it wrote an error to the console."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from samviz.runs import Store, open_store
from tests.serve import PATIENCE, chromium, running_app

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running app with a home folder of its own."""
    with running_app(tmp_path_factory.mktemp("browser") / "home") as address:
        yield address


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of a module that runs an app of its own on it."""
    return tmp_path_factory.mktemp("module") / "home"


@pytest.fixture(scope="module")
def store(home: Path) -> Store:
    """What that app shows."""
    return open_store(home)


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
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert not errors
