"""What is chosen to be seen of a comparison, in a real browser over stored ones: measures, axes, histograms, maps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from samviz.runs import Store
from tests import stored, synthetic
from tests.serve import running_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[str]:
    """An app of this module's own: what its store holds is known."""
    with running_app(home) as address:
        yield address


def opened(page: Page, id: str) -> None:
    """Go to a comparison; its curves are there."""
    page.goto(f"/lab?id={id}")
    page.locator("[data-figure=test_accuracy] .scatterlayer .trace").first.wait_for(state="attached")


def chart(page: Page, name: str) -> Locator:
    return page.locator(f"[data-figure='{name}']")


def titles(plot: Locator) -> tuple[str, str]:
    """What is on the horizontal axis, and the trace's uids."""
    return plot.evaluate("p => [p.layout.xaxis.title.text, p.data.map(t => t.uid).join(' ')]")


def x_range(plot: Locator) -> list[float]:
    return plot.evaluate("p => p._fullLayout.xaxis.range.map(Number)")


def until(page: Page, done: Callable[[], bool]) -> None:
    for _ in range(200):
        if done():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it does not come true")


def zoom(page: Page, plot: Locator) -> list[float]:
    """Drag over the middle of a chart; the range that is then shown."""
    area = plot.locator(".nsewdrag").bounding_box()
    assert area
    before = x_range(plot)
    page.mouse.move(area["x"] + 0.25 * area["width"], area["y"] + 0.2 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.75 * area["width"], area["y"] + 0.8 * area["height"], steps=4)
    page.mouse.up()
    until(page, lambda: x_range(plot) != before)  # plotly takes the drag a moment later
    return x_range(plot)


def test_measures_and_axes_are_chosen_and_stay_chosen(page: Page, store: Store) -> None:
    spec = synthetic.comparison(2, 8, name="Chosen")
    metrics, histograms = synthetic.metrics(spec), synthetic.histograms(spec)
    id = stored.put(store, spec, reached={0: 8, 1: 5}, ends={1: "running"})
    opened(page, id)
    menu = page.get_by_label("Measure of chart 1")
    assert "Validation accuracy (%)" not in menu.locator("option").all_inner_texts()
    menu.select_option(label="Generalization gap (points)")
    page.get_by_label("Measure of chart 4").select_option(label="Adversarial loss")
    expect(chart(page, "gap")).to_be_visible()
    expect(chart(page, "adversarial_loss")).to_be_visible()
    page.get_by_role("radio", name="Gradient evaluations").check(force=True)
    expect(chart(page, "gap").locator(".xtitle")).to_have_text("gradient evaluations")
    third = store.snapshot(id).metrics.query("arm == 'sgd' and epoch == 3").groupby("name")["value"].mean()
    gap = third["train_accuracy"] - third["test_accuracy"]
    mean = chart(page, "gap").evaluate("p => p.data.find(t => t.uid === 'sgd').y[2]")
    assert mean == pytest.approx(gap, abs=0.006)
    zoomed = zoom(page, chart(page, "gap"))

    # A refresh with an epoch more, another measure in the same chart, and another theme.
    stored.add_epoch(store, id, 1, 6, metrics, histograms, spec.recipe.steps_per_epoch)
    band = "p => p.data.find(t => t.uid === 'sgd-band').x.length"
    until(page, lambda: chart(page, "gap").evaluate(band) == 12)
    assert x_range(chart(page, "gap")) == zoomed
    menu.select_option(label="Test loss")
    until(page, lambda: chart(page, "test_loss").count() == 2)
    assert x_range(chart(page, "test_loss").first) == zoomed
    color = chart(page, "test_loss").first.evaluate("p => p._fullLayout.font.color")
    page.emulate_media(color_scheme="dark")
    until(page, lambda: chart(page, "test_loss").first.evaluate("p => p._fullLayout.font.color") != color)
    assert x_range(chart(page, "test_loss").first) == zoomed
    expect(menu).to_have_value("test_loss")

    # Loaded again, the tab remembers what was chosen, and time is another axis: the zoom ends.
    page.reload()
    expect(chart(page, "adversarial_loss").locator(".xtitle")).to_have_text("gradient evaluations")
    zoom(page, chart(page, "adversarial_loss"))
    page.get_by_role("radio", name="Training time").check(force=True)
    expect(chart(page, "adversarial_loss").locator(".xtitle")).to_have_text("training time (s)")
    assert x_range(chart(page, "adversarial_loss"))[0] == 0
    stored.end(store, id, 1)


def test_beta_has_histograms_and_maps(page: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 6, name="Beta"))
    opened(page, id)
    page.get_by_label("Kind of parameter of the histograms").select_option(label="β of the norm layers")
    expect(chart(page, "histograms").locator(".xtitle")).to_have_text("β")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/layers" in request.url else None)
    maps = page.locator(".layers")
    maps.scroll_into_view_if_needed()
    expect(maps).to_have_attribute("data-shown", "gamma_mean")
    expect(maps.locator("[data-map]")).to_have_count(4)
    page.get_by_label("Measure by layer").select_option(label="Mean β by layer")
    expect(maps).to_have_attribute("data-shown", "beta_mean")
    assert len(asked) <= 2
    z = maps.locator("[data-map=sgd]").evaluate("p => p.data[0].z[8][6]")
    rows = store.snapshot(id).metrics
    mine = rows[(rows["name"] == "beta_mean/8") & (rows["arm"] == "sgd") & (rows["epoch"] == 6)]
    assert z == pytest.approx(mine["value"].mean(), abs=5.1e-4)
    page.get_by_role("button", name="SAM-ON").click()
    expect(maps.locator("figure").nth(2)).to_be_hidden()


def test_an_arm_that_diverged_says_when(page: Page, store: Store) -> None:
    spec = synthetic.comparison(2, 6, name="Diverged")
    id = stored.put(store, spec, diverged={(1, spec.arms[1].key): 4})
    opened(page, id)
    expect(page.locator(".seeds .diverged")).to_have_text("SAM-all diverged at step 109 (epoch 4) with seed 1")
    expect(page.locator("tbody tr").nth(1)).to_contain_text("stopped early: seed 1")
    cross = chart(page, "test_accuracy").evaluate("p => p.data.at(-1)")
    assert (cross["x"], cross["text"]) == ([3], ["seed 1 diverged at step 109 (epoch 4)"])
