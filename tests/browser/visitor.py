"""Who looks at the app in the browser tests: one Chromium with one tab, a second tab, a finger, and what is seen."""

import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page

from tests.serve import PATIENCE, ROOT, how

SIZE = {"width": 1400, "height": 900}


class Visitor:
    """One Chromium with a profile on disk and one tab, as somebody has who comes again.

    A context of its own for each test compiles the app's scripts each time anew, and a tab of its own starts a process:
    together they take longer than the page itself.
    """

    def __init__(self, browser: Browser, profile: Path) -> None:
        self._type, self._profile = browser.browser_type, profile
        self._address, self._context = "", None

    @contextmanager
    def tab(self, address: str) -> Iterator[Page]:
        """The tab, for pages of the app at this address: 1400x900 pixels, light, nothing kept but in the cache."""
        context = self._at(address)
        page = context.pages[0]
        page.set_viewport_size(SIZE)
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.mouse.move(0, 0)
        try:
            yield page
        finally:
            for tab in context.pages[1:]:
                tab.close()
            page.unroute_all()
            page.goto(f"{address}/_stcore/health")  # nothing to see there, but of the app: the tab keeps its process
            page.evaluate("sessionStorage.clear()")
            forget(page)
            order(page, "Page.resetNavigationHistory")
            context.clear_cookies()
            context.clear_permissions()

    @contextmanager
    def page(self, address: str) -> Iterator[Page]:
        """The same, but it fails on any error in its console."""
        errors: list[str] = []

        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                errors.append(message.text)

        def raised(error: Error) -> None:
            errors.append(str(error))

        with self.tab(address) as page:
            page.on("console", console)
            page.on("pageerror", raised)
            try:
                yield page
            finally:
                page.remove_listener("console", console)
                page.remove_listener("pageerror", raised)
        assert not errors, errors

    def leave(self) -> None:
        if self._context is not None:
            self._context.close()

    def _at(self, address: str) -> BrowserContext:
        if self._address != address:
            self.leave()
            self._context = self._type.launch_persistent_context(
                self._profile, base_url=address, viewport=SIZE, **how()
            )
            self._context.set_default_timeout(PATIENCE)
            self._address = address
        return self._context


def order(page: Page, command: str, **parameters: Any) -> None:
    """What Playwright has no word for, by the DevTools protocol."""
    session = page.context.new_cdp_session(page)
    session.send(command, parameters)
    session.detach()


def forget(page: Page) -> None:
    """Clear what the app keeps in the page's browser."""
    kinds = "local_storage,indexeddb"
    order(page, "Storage.clearDataForOrigin", origin=page.evaluate("location.origin"), storageTypes=kinds)


def somebody_else(page: Page) -> Page:
    """Another tab, which finds nothing of what the app has kept in the browser through `page`."""
    forget(page)
    other = page.context.new_page()
    other.set_viewport_size(page.viewport_size)
    return other


def tap(target: Locator) -> None:
    """Touch the middle of something, as a finger does."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger = target.page.context.new_cdp_session(target.page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()


def until(page: Page, done: Callable[[], bool]) -> None:
    """Wait for what no locator tells."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not done():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def color(scheme: str, name: str) -> str:
    """A color of the theme for `scheme`, light or dark, as a browser writes it: `textColor`, `backgroundColor`."""
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"][scheme]
    red, green, blue = bytes.fromhex(theme[name].removeprefix("#"))
    return f"rgb({red}, {green}, {blue})"
