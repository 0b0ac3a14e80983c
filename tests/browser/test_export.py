"""The exported figures in a real Chromium, opened as files: they draw, offline, and a name in them is no script."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from samviz.figures.export import pages
from tests import synthetic

pytestmark = pytest.mark.browser

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><b>&amp;"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The figures of a comparison whose name and note would like to run."""
    snapshot = synthetic.snapshot(2, 6, note=f"{HOSTILE}\nsecond line")
    snapshot = replace(snapshot, comparison=replace(snapshot.comparison, name=HOSTILE))
    for name, content in pages(snapshot).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """A page that fails its test when it asks for anything but files, opens a dialog, or writes to the console."""
    context = browser.new_context(offline=True)
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: None if request.url.startswith("file:") else wrong.append(request.url))
    try:
        yield page
    finally:
        context.close()
    assert not wrong


def test_the_figures_draw_as_files_and_names_stay_text(folder: Path, offline: Page) -> None:
    offline.goto((folder / "index.html").as_uri())
    expect(offline).to_have_title(HOSTILE)
    expect(offline.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(offline.locator(".note")).to_contain_text(HOSTILE)
    expect(offline.locator("tr")).to_have_count(5)
    offline.get_by_role("link", name="Test accuracy (%)").click()
    expect(offline.locator(".scatterlayer .trace")).to_have_count(4 + 4 + 4)  # band, seeds and mean of four arms
    # An arm is switched off with all that it has.
    offline.locator(".legendtoggle").first.click()
    expect(offline.locator(".scatterlayer .trace")).to_have_count(9)
    offline.get_by_role("link").click()
    expect(offline).to_have_title(HOSTILE)

    offline.goto((folder / "histograms-gamma.html").as_uri())
    title = offline.locator(".gtitle")
    expect(title).to_have_text("γ of the norm layers after epoch 6, 2 seeds")
    heights = "() => document.querySelector('.js-plotly-plot').data.map((trace) => trace.y.join())"
    before = offline.evaluate(heights)
    rail = offline.locator(".slider-rail-touch-rect").bounding_box()
    assert rail
    offline.mouse.click(rail["x"] + rail["width"] / 2, rail["y"] + rail["height"] / 2)
    expect(title).to_have_text(re.compile(r"after epoch 3,"))
    assert offline.evaluate(heights) != before

    offline.goto((folder / "layers-gamma_mean.html").as_uri())
    expect(offline.locator(".heatmaplayer image")).to_have_count(4)
    assert offline.locator("script").count() == 3
