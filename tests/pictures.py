"""`python -m tests.pictures`: take the pictures of README, docs and the home page from the app itself."""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.serve import ROOT, chromium, running_app

FOLDER = ROOT / "assets" / "pictures"
WIDTH = 1280
TALL = 2400
"""Higher than any page: all of it is laid out, and what it does not need is cut off."""


def settled(page: Page) -> None:
    """Wait until nothing moves any more."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


def trajectories(page: Page, address: str) -> None:
    page.goto(f"{address}/trajectories")
    page.locator("canvas").first.wait_for()


def regions(page: Page, address: str) -> None:
    page.goto(f"{address}/regions")
    page.locator("canvas").first.wait_for()


def lab(page: Page, address: str) -> None:
    page.goto(f"{address}/lab?id=example")
    page.locator(".js-plotly-plot").first.wait_for()


def compare(page: Page, address: str) -> None:
    page.goto(f"{address}/compare?comparisons=example")
    page.locator(".js-plotly-plot").first.wait_for()


def sharpness(page: Page, address: str) -> None:
    page.goto(f"{address}/sharpness?id=example")
    page.locator("canvas").first.wait_for()


def papers(page: Page, address: str) -> None:
    page.goto(f"{address}/papers")
    page.locator(".js-plotly-plot").first.wait_for()


SCENES = {
    trajectories: (".plane", 8),
    regions: (".plane", 32),
    lab: (".panels .js-plotly-plot", 24),
    compare: (".js-plotly-plot", 24),
    sharpness: ("canvas", 8),
    papers: (".js-plotly-plot", 24),
}
"""What the home page's card of a scene shows: the box around these elements, and the pixels above, for their titles."""


def around(page: Page, selector: str, above: float) -> dict[str, float]:
    """The smallest box on screen that holds all that matches, with a little air."""
    boxes = [box for element in page.locator(selector).all() if (box := element.bounding_box())]
    left, top = min(b["x"] for b in boxes) - 8, min(b["y"] for b in boxes) - above
    right, bottom = max(b["x"] + b["width"] for b in boxes) + 8, max(b["y"] + b["height"] for b in boxes) + 8
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def take(browser: Browser, address: str) -> None:
    """Two pictures a page, light and dark: all of it, cut off where it ends, and its card."""
    for scheme in ("light", "dark"):
        for scene in SCENES:
            page = browser.new_page(viewport={"width": WIDTH, "height": TALL}, color_scheme=scheme)
            scene(page, address)
            settled(page)
            name = FOLDER / f"{scene.__name__}-{scheme}.png"
            last = page.locator(
                "[data-testid=stMainBlockContainer] [data-testid=stElementContainer]"
            ).last.bounding_box()
            assert last
            page.screenshot(path=name, clip={"x": 0, "y": 0, "width": WIDTH, "height": last["y"] + last["height"] + 24})
            page.screenshot(path=FOLDER / f"{scene.__name__}-card-{scheme}.png", clip=around(page, *SCENES[scene]))
            page.close()
            print(name.relative_to(ROOT), f"{name.stat().st_size / 1024:.0f} KB")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        chromium() as browser,
        running_app(Path(home)) as address,
    ):
        take(browser, address)


if __name__ == "__main__":
    main()
