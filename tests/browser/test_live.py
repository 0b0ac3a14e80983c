"""A comparison watched in a real browser: a real run, and of stored ones measures, axes, histograms and maps."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from samviz.runs import UNFINISHED, Store, open_store
from samviz.spec import Arm, Comparison, Recipe
from tests import stored, synthetic
from tests.browser.visitor import until
from tests.serve import PATIENCE, running_app

pytestmark = pytest.mark.browser

LONG = Comparison(
    name="Long enough to watch",
    # One step an epoch: an estimate of half an hour, which a busy machine makes, would have it compiled first.
    recipe=Recipe(train_size=50, test_size=200, batch_size=50, epochs=1500, label_noise=0.2),
    arms=(Arm(), Arm(variant="sam", scope="norm_only", rho=0.5)),
    seeds=(0,),
)


@pytest.fixture(scope="module")
def home(own_home: Path) -> Path:
    return own_home


@pytest.fixture(scope="module")
def app(home: Path, own_port: int) -> Iterator[str]:
    """An app of this module's own; at the end nothing is left running."""
    with running_app(home, port=own_port) as address:
        yield address
    store = open_store(home)
    for summary in store.comparisons():
        if summary.state in UNFINISHED:
            store.cancel(summary.id)
    deadline = time.monotonic() + PATIENCE / 1000
    while any(summary.state in UNFINISHED for summary in store.comparisons()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def opened(page: Page, id: str) -> None:
    """Go to a comparison; its curves are there."""
    page.goto(f"/lab?id={id}")
    page.locator("[data-figure=test_accuracy] .scatterlayer .trace").first.wait_for(state="attached")


def chart(page: Page, name: str) -> Locator:
    return page.locator(f"[data-figure='{name}']")


def x_range(plot: Locator) -> list[float]:
    return plot.evaluate("p => p._fullLayout.xaxis.range.map(Number)")


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


def paste(page: Page, comparison: Comparison) -> None:
    """Bring a recipe into the form, as a user does."""
    page.get_by_text("Edit the recipe").click()
    page.get_by_label("Paste a recipe").fill(comparison.to_json())
    page.get_by_label("Paste a recipe").press("Control+Enter")
    page.get_by_role("button", name="Use this recipe").click()
    expect(page.get_by_label("Name").first).to_have_value(comparison.name)  # for a moment both widgets are there
    # What is pressed before all of the form is there starts nothing.
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


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
    curves = chart(page, "test_accuracy")
    curves.locator(".scatterlayer .trace").first.wait_for(state="attached")
    page.wait_for_timeout(1000)  # the page grows while the first numbers come in
    zoomed = zoom(page, curves)
    assert 325 < zoomed[0] < 425
    assert 1075 < zoomed[1] < 1175
    page.get_by_role("button", name="SAM-ON").click()
    page.get_by_label("latest").uncheck()
    shown = page.locator("[data-figure=histograms]").get_attribute("data-epoch")
    page.evaluate("chart => { window.kept = [chart, chart.querySelector('.main-svg')]; }", curves.element_handle())
    before = page.locator(".live .number").inner_text()

    # Four refreshes with something new in each.
    first = refreshes.count(200)
    until(page, lambda: refreshes.count(200) >= first + 4)
    same = "chart => window.kept[0] === chart && window.kept[1] === chart.querySelector('.main-svg')"
    assert page.evaluate(same, curves.element_handle())
    assert x_range(curves) == zoomed
    expect(page.get_by_role("button", name="SAM-ON")).to_have_attribute("aria-pressed", "false")
    assert curves.evaluate("plot => plot.data.filter(t => t.meta !== 'sgd').every(t => t.visible === false)")
    there = page.locator("[data-figure=histograms]").get_attribute("data-epoch")
    assert abs(int(there or -9) - int(shown or 9)) <= 1  # of more than 60 epochs the page gets every second one
    assert int(page.locator(".live .number").inner_text().split()[0]) >= int(before.split()[0])
    assert store.snapshot(id).metrics["epoch"].max() >= 4

    # The tab is loaded again in the middle: the run goes on, and the page finds it.
    page.reload()
    expect(page.locator(".pill")).to_have_text("Running")
    curves.locator(".scatterlayer .trace").first.wait_for(state="attached")
    reached = store.snapshot(id).metrics["epoch"].max()
    until(page, lambda: store.snapshot(id).metrics["epoch"].max() > reached)

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".pill")).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert store.snapshot(id).state == "cancelled"


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
