"""One app and one Chromium for all browser tests; a page that fails its test when it wrote an error to the console."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from samviz.runs import Store, open_store
from tests.browser.visitor import Visitor
from tests.serve import PATIENCE, chromium, free_port, running_app

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of the app that most modules share: look there for what you put into it yourself."""
    return tmp_path_factory.mktemp("browser") / "home"


@pytest.fixture(scope="session")
def shared_app(shared_home: Path) -> Iterator[str]:
    with running_app(shared_home) as address:
        yield address


@pytest.fixture(scope="module")
def home(shared_home: Path) -> Path:
    """The home folder of the app that a module looks at."""
    return shared_home


@pytest.fixture(scope="module")
def app(shared_app: str) -> str:
    """Where the app runs that a module looks at."""
    return shared_app


@pytest.fixture(scope="module")
def store(home: Path) -> Store:
    """What that app shows."""
    return open_store(home)


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of a module that runs an app of its own on it."""
    return tmp_path_factory.mktemp("module") / "home"


@pytest.fixture(scope="session")
def own_port() -> int:
    """Where modules run an app of their own, one after the other: a browser knows its scripts by their address."""
    return free_port()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def visitor(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    one = Visitor(browser, tmp_path_factory.mktemp("profile"))
    yield one
    one.leave()


@pytest.fixture
def page(app: str, visitor: Visitor) -> Iterator[Page]:
    """A fresh page of 1400x900 pixels on the app (`page.goto("/trajectories")`); fails on any console error."""
    with visitor.page(app) as page:
        yield page


@pytest.fixture
def phone(page: Page) -> Iterator[Page]:
    """The page on the screen of a small phone, 360x740 pixels, which is touched: see `tap`."""
    page.set_viewport_size({"width": 360, "height": 740})
    device = page.context.new_cdp_session(page)
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    device.send("Emulation.setDeviceMetricsOverride", size)
    device.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 1})
    yield page
    device.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    device.send("Emulation.clearDeviceMetricsOverride")
    device.detach()
