"""A real run in a real browser: started, watched, zoomed, reloaded in the middle, and cancelled."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from samviz.runs import Store, open_store
from samviz.spec import Arm, Comparison, Recipe
from tests.serve import running_app

pytestmark = pytest.mark.browser


LONG = Comparison(
    name="Long enough to watch",
    recipe=Recipe(train_size=200, test_size=100, batch_size=50, epochs=1500, label_noise=0.2),
    arms=(Arm(), Arm(variant="sam", scope="norm_only", rho=0.5)),
    seeds=(0, 1),
)


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[str]:
    """An app of this module's own; at the end nothing is left running."""
    with running_app(home) as address:
        yield address
    store = open_store(home)
    for summary in store.comparisons():
        if summary.state in ("queued", "running"):
            store.cancel(summary.id)
    until(lambda: all(summary.state not in ("queued", "running") for summary in store.comparisons()))


def until(done: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def drawn(page: Page) -> Locator:
    """The chart of the test accuracy, once it has a curve in it."""
    page.locator("[data-figure=test_accuracy] .scatterlayer .trace").first.wait_for(state="attached")
    return page.locator("[data-figure=test_accuracy]")


def x_range(chart: Locator) -> list[float]:
    return chart.evaluate("plot => plot._fullLayout.xaxis.range.map(Number)")


def paste(page: Page, comparison: Comparison) -> None:
    """Bring a recipe into the form, as a user does."""
    page.get_by_text("Edit the recipe").click()
    page.get_by_label("Paste a recipe").fill(comparison.to_json())
    page.get_by_label("Paste a recipe").press("Control+Enter")
    page.get_by_role("button", name="Use this recipe").click()
    expect(page.get_by_label("Name")).to_have_value(comparison.name)


def test_a_run_is_started_watched_zoomed_reloaded_and_cancelled(page: Page, store: Store) -> None:
    refreshes: list[int] = []
    page.on("response", lambda answer: refreshes.append(answer.status) if answer.url.endswith("/live") else None)
    page.goto("/lab")
    paste(page, LONG)
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/lab?id=*")
    id = page.url.split("id=")[1]
    expect(page.get_by_role("heading", level=1)).to_have_text(LONG.name)
    expect(page.locator(".live")).to_have_count(1)  # the example of the page before is gone
    expect(page.locator(".pill", has_text="Running")).to_have_count(1)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0  # the form was scrolled to its end

    # A zoom, and an arm that is switched off.
    chart = drawn(page)
    page.wait_for_timeout(1000)  # the page grows while the first numbers come in
    area = chart.locator(".nsewdrag").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + 0.2 * area["width"], area["y"] + 0.3 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 0.7 * area["height"], steps=5)
    page.mouse.up()
    until(lambda: x_range(chart)[0] > 0)  # plotly takes the drag a moment later
    zoomed = x_range(chart)
    assert 250 < zoomed[0] < 350
    assert 850 < zoomed[1] < 950
    page.get_by_role("button", name="SAM-ON").click()
    page.get_by_label("latest").uncheck()
    shown = page.locator("[data-figure=histograms]").get_attribute("data-epoch")
    page.evaluate("chart => { window.kept = [chart, chart.querySelector('.main-svg')]; }", chart.element_handle())
    before = page.locator(".live .number").inner_text()

    # Twenty refreshes with something new in each.
    first = refreshes.count(200)
    until(lambda: page.wait_for_timeout(200) or refreshes.count(200) >= first + 20, 300)
    same = "chart => window.kept[0] === chart && window.kept[1] === chart.querySelector('.main-svg')"
    assert page.evaluate(same, chart.element_handle())
    assert x_range(chart) == zoomed
    expect(page.get_by_role("button", name="SAM-ON")).to_have_attribute("aria-pressed", "false")
    assert chart.evaluate("plot => plot.data.filter(t => t.meta !== 'sgd').every(t => t.visible === false)")
    there = page.locator("[data-figure=histograms]").get_attribute("data-epoch")
    assert abs(int(there or -9) - int(shown or 9)) <= 1  # of more than 60 epochs the page gets every second one
    assert int(page.locator(".live .number").inner_text().split()[0]) >= int(before.split()[0])
    assert store.snapshot(id).metrics["epoch"].max() >= 10

    # The tab is loaded again in the middle: the run goes on, and the page finds it.
    page.reload()
    expect(page.locator(".pill")).to_have_text("Running")
    drawn(page)
    reached = store.snapshot(id).metrics["epoch"].max()
    until(lambda: store.snapshot(id).metrics["epoch"].max() > reached)

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".pill")).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert store.snapshot(id).state == "cancelled"
