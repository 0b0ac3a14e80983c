"""The Sharpness page in a real browser: the slider over a rescaling, its chart, and small screens."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from samviz.runs import Store
from tests import measured, synthetic
from tests.serve import PATIENCE, running_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def id(store: Store) -> str:
    """A comparison of which one of each kind was measured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "resume", lambda self: None)
        id = measured.put(store, synthetic.comparison(1, 3, name="Measured"))
        arm, other, *_ = (arm.key for arm in store.header(id).comparison.arms)
        for question in measured.questions(arm, other):
            measured.tell(store, id, 0, question)
    return id


@pytest.fixture(scope="module")
def app(home: Path, id: str) -> Iterator[str]:
    with running_app(home) as address:
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(browser: Browser, app: str, id: str, scheme: str) -> None:
    context = browser.new_context(base_url=app, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    for view, there in (("rescaling", "canvas"), ("sharpness", ".barlayer"), ("slice", ".contourlayer path")):
        page.goto(f"/sharpness?id={id}&view={view}")
        page.locator(there).first.wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
