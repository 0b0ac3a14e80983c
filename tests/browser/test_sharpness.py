"""The Sharpness page in a real browser: the slider over a rescaling, its chart, generalization gaps, small screens."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from samviz.runs import Store
from samviz.spec.measurement import SharpnessOf
from tests import measured, synthetic
from tests.measured_grid import ASKED, tell, trained
from tests.serve import running_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(own_home: Path) -> Path:
    return own_home


@pytest.fixture(scope="module")
def alone() -> Iterator[None]:
    """Nobody else takes up what is stored as asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "resume", lambda self: None)
        yield


@pytest.fixture(scope="module")
def id(store: Store, alone: None) -> str:
    """A comparison of which one of each kind was measured."""
    id = measured.put(store, synthetic.comparison(1, 3, name="Measured"))
    arm, other, *_ = (arm.key for arm in store.header(id).comparison.arms)
    for question in measured.questions(arm, other):
        measured.tell(store, id, 0, question)
    return id


@pytest.fixture(scope="module")
def sweep(store: Store, alone: None) -> str:
    """A grid whose runs were all measured."""
    id = trained(store)
    for k, (_, member, _) in enumerate(store.sweep(id).members):
        tell(store, member, ASKED, 1 - k / 10, (k + 1, 9 - k, 5 + k, 2 + k))
    return id


@pytest.fixture(scope="module")
def app(home: Path, id: str, sweep: str, own_port: int) -> Iterator[str]:
    with running_app(home, port=own_port) as address:
        yield address


def test_the_slider_moves_every_number_without_the_server(page: Page, id: str) -> None:
    page.goto(f"/sharpness?id={id}")
    slider = page.get_by_role("slider", name="a")
    expect(page.get_by_text("a = 1", exact=True)).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sphere = page.get_by_role("row").filter(has_text="sphere")
    cuboid = page.get_by_role("row").filter(has_text="elementwise")
    slider.press("End")
    expect(page.get_by_text("a = 10", exact=True)).to_be_visible()
    expect(sphere.get_by_role("cell").nth(1)).to_have_text("× 10")
    expect(cuboid.get_by_role("cell").nth(1)).to_have_text("× 1")
    slider.press("Home")
    expect(sphere.get_by_role("cell").nth(1)).to_have_text("× 0.1")
    box = page.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 20, box["y"] + 100)
    expect(page.get_by_text("a = 10", exact=True)).to_be_visible()
    assert not [url for url in asked if "/_stcore" not in url], "it follows by itself"
    expect(sphere).to_contain_text("moves")
    expect(cuboid).to_contain_text("stays")


def test_a_choice_is_an_address_that_back_undoes(page: Page, id: str) -> None:
    page.goto(f"/sharpness?id={id}")
    page.get_by_text("Loss slices").click()
    page.locator(".contourlayer path").first.wait_for(state="attached")
    expect(page).to_have_url(re.compile("view=slice"))
    page.go_back()
    expect(page.get_by_role("slider", name="a")).to_be_visible()


def test_four_charts_share_a_legend_and_follow_the_gap(page: Page, sweep: str) -> None:
    page.goto(f"/sharpness?view=gap&sweep={sweep}")
    points = page.locator(".plot .scatterlayer .point")
    expect(points).to_have_count(4 * 4)
    expect(page.locator(".charts h4").nth(1)).to_have_text("Adaptive sharpness, p = 2: τ = -1.000")
    page.get_by_role("button", name="lr 0.2").click()
    expect(points).to_have_count(4 * 2)
    page.get_by_role("combobox", name="Gap").click()
    page.get_by_role("option", name="train accuracy minus test accuracy (points)").click()
    expect(page.locator(".ytitle").first).to_have_text("train accuracy minus test accuracy (points)")
    assert "gap=accuracy" in page.url
    expect(points).to_have_count(4 * 2)  # what was hidden stays hidden


def test_nothing_is_wider_than_a_phone(page: Page, id: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for view, there in (("rescaling", "canvas"), ("sharpness", ".barlayer"), ("slice", ".contourlayer path")):
        page.emulate_media(color_scheme="light" if view == "sharpness" else "dark")
        page.goto(f"/sharpness?id={id}&view={view}")
        page.locator(there).first.wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_earlier_measurement_can_be_chosen(page: Page, store: Store, id: str) -> None:
    arm = next(iter(store.header(id).comparison.arms)).key
    first = next(view.id for view in store.measurements(id) if view.measurement.kind == "sharpness")
    measured.tell(store, id, 0, SharpnessOf(arms=(arm,), measures=(measured.SPHERE,), images=96, m=32))
    page.goto(f"/sharpness?id={id}&view=sharpness")
    bars = page.locator(".plot").first.locator(".barlayer .point")
    expect(bars).to_have_count(1)
    page.get_by_role("combobox", name="Measurement").click()
    page.get_by_role("option", name=re.compile(rf"\({first}\)$")).click()
    expect(page).to_have_url(f"/sharpness?id={id}&view=sharpness&shown={first}")
    expect(bars).to_have_count(2)
    plot, drawn = page.locator(".plot").first, page.locator(".plot .main-svg").first
    assert drawn.bounding_box()["width"] == pytest.approx(plot.bounding_box()["width"], abs=1), "it shares its row now"
