"""The Compare page in a real browser: choices that Back undoes, charts that stay, a report that needs no network."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from samviz.runs import Store
from samviz.ui.compare_choice import VIEWS
from tests import stored, synthetic
from tests.browser.visitor import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ids(store: Store) -> str:
    """Two stored comparisons, as an address has them."""
    spec = synthetic.comparison(3, 6, name="One")
    return "&comparisons=".join(stored.put(store, replace(spec, name=name)) for name in ("One", "Another"))


FIRST = {
    "results": "differences-last",
    "curves": "curves",
    "cost": "factors",
    "norm": "overlay-gamma",
    "network": "coverage",
}
"""View -> how the name of its first chart begins; that of the radii has none without a sweep."""


def drawn(page: Page, name: str) -> None:
    page.locator(f"[data-figure^='{name}'] .main-svg").first.wait_for(state="attached")


def x_range(plot: Locator) -> list[float]:
    return plot.evaluate("p => p._fullLayout.xaxis.range.map(Number)")


def zoom(page: Page, plot: Locator) -> list[float]:
    """Drag over the middle of a chart; the range that is then shown."""
    plot.scroll_into_view_if_needed()
    area, before = plot.locator(".nsewdrag").bounding_box(), x_range(plot)
    assert area
    page.mouse.move(area["x"] + 0.25 * area["width"], area["y"] + 0.2 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.75 * area["width"], area["y"] + 0.8 * area["height"], steps=4)
    page.mouse.up()
    until(page, lambda: x_range(plot) != before)  # plotly takes the drag a moment later
    return x_range(plot)


def press(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()


def test_choices_are_in_the_address_and_back_undoes_them(page: Page, ids: str) -> None:
    page.goto(f"/compare?comparisons={ids}")
    drawn(page, "differences-last")
    press(page, "best epoch")
    drawn(page, "differences-best")
    press(page, "Curves")
    drawn(page, "curves")
    assert page.url.endswith(f"/compare?comparisons={ids}&view=curves&end=best")
    page.go_back()
    drawn(page, "differences-best")
    page.go_back()
    drawn(page, "differences-last")
    expect(page.get_by_role("radio", name="last epoch")).to_be_checked()
    page.go_forward()
    drawn(page, "differences-best")


def test_a_zoom_and_hidden_arms_stay_when_something_else_is_chosen(page: Page, ids: str) -> None:
    page.goto(f"/compare?comparisons={ids}&view=curves")
    drawn(page, "curves")
    plot = page.locator("[data-figure='curves']")
    plot.evaluate("p => { p.marked = true; }")
    zoomed = zoom(page, plot)
    page.get_by_title("Hide or show this arm").filter(has_text="SAM-ON · One").click()
    hidden = "p => p.data.filter((t) => !t.visible).map((t) => t.meta)"
    until(page, lambda: len(plot.evaluate(hidden)) > 0)
    page.get_by_role("combobox", name="Measure").click()
    page.get_by_role("option", name="Train loss").click()
    until(page, lambda: "Train loss" in plot.locator("xpath=..").inner_text())
    assert plot.evaluate("p => p.marked")
    assert x_range(plot) == zoomed
    assert set(plot.evaluate(hidden)) == {f"{ids.split('&')[0]}~sam:norm_only:rho=0.5"}
    color = plot.evaluate("p => p._fullLayout.font.color")
    page.emulate_media(color_scheme="dark")
    until(page, lambda: plot.evaluate("p => p._fullLayout.font.color") != color)
    assert x_range(plot) == zoomed


def test_every_view_fits_a_phone_in_light_and_dark(phone: Page, ids: str) -> None:
    phone.goto(f"/compare?comparisons={ids}")
    for k, (view, name) in enumerate(VIEWS.items()):
        phone.emulate_media(color_scheme=("light", "dark")[k % 2])
        press(phone, name)
        expect(phone.get_by_role("radio", name=name, exact=True)).to_be_checked()
        if view == "rho":
            expect(phone.get_by_text("There is no sweep yet")).to_be_visible()
        else:
            drawn(phone, FIRST[view])
        assert phone.locator("[data-testid=stMain]").evaluate("m => m.scrollWidth") <= 360, view
        wide = phone.locator(".js-plotly-plot").evaluate_all("all => all.filter((p) => p.clientWidth > 350).length")
        assert wide == 0, view


def test_the_report_draws_without_a_network(page: Page, browser: Browser, ids: str, tmp_path: Path) -> None:
    page.goto(f"/compare?comparisons={ids.split('&')[0]}")
    drawn(page, "differences-last")
    with page.expect_download() as download:
        page.get_by_role("button", name="Report").click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    context, wrong = browser.new_context(offline=True), []
    offline = context.new_page()
    offline.on("console", lambda message: wrong.append(message.text))
    offline.on("pageerror", lambda error: wrong.append(str(error)))
    offline.on("request", lambda request: None if request.url == target.as_uri() else wrong.append(request.url))
    try:
        offline.goto(target.as_uri())
        places = offline.locator(".plot").count()
        assert places > 20
        expect(offline.locator(".plot > .plot-container")).to_have_count(places)
        expect(offline.get_by_role("heading", level=1)).to_have_text("One")
        expect(offline.locator("#results li")).to_have_count(3)
        shown = "() => document.querySelectorAll('.plot')[0].data.filter((t) => t.visible !== false).length"
        before = offline.evaluate(shown)
        offline.get_by_role("button", name="SAM-ON").click()
        assert offline.evaluate(shown) == before - 2  # its seeds and their mean
        # Even a script of its own could ask nobody.
        asked = offline.evaluate("() => fetch('https://example.org').then(() => 'sent', (error) => String(error))")
        assert asked.startswith("TypeError")
        assert any("Content Security Policy" in text for text in wrong)
        assert not [text for text in wrong if "Content Security Policy" not in text and "example.org" not in text]
    finally:
        context.close()
