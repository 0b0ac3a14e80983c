"""The Regions page in a real Chromium: the rescale slider and its table, w, undo, address, wrong values."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

CANVAS = ".panels canvas"


def open_page(page: Page, query: str = "") -> None:
    page.goto(f"/regions{query}")
    expect(page.locator("tbody tr")).to_have_count(3, timeout=30_000)


def row(page: Page, name: str) -> Locator:
    return page.locator("tbody tr").filter(has_text=name)


def cells(page: Page, name: str) -> list[str]:
    return row(page, name).locator("td").all_inner_texts()


def pictures(page: Page) -> list[str]:
    return [canvas.evaluate("(canvas) => canvas.toDataURL()") for canvas in page.locator(CANVAS).all()]


def test_it_opens_on_the_papers_example(page: Page) -> None:
    open_page(page)
    for canvas in page.locator(CANVAS).all():
        expect(canvas).to_have_attribute("data-there", "3.0000,0.3333")
    # c (1 + rho)^2 in the cuboid and c (1 + rho / sqrt 2)^2 in the ellipsoid, less the target, for w1 w2 = 1.
    assert cells(page, "Cuboid") == [f"{1.5**2 - 0.04:.6f}"] * 2 + ["0", "changes nothing"]
    assert cells(page, "Ellipsoid") == [f"{(1 + 0.5 / 2**0.5) ** 2 - 0.04:.6f}"] * 2 + ["0", "changes nothing"]
    expect(row(page, "Sphere")).to_have_attribute("data-verdict", "differs")
    expect(page.locator(".summary")).to_contain_text("the sphere finds another maximum")


def test_picture_and_table_follow_the_rescale_slider_while_the_button_is_held(page: Page) -> None:
    open_page(page)
    slider = page.get_by_label("rescale a", exact=True)
    box = slider.bounding_box()
    assert box
    y, width = box["y"] + box["height"] / 2, box["width"]
    seen = [(cells(page, "Sphere"), pictures(page), page.locator(CANVAS).first.get_attribute("data-there"))]
    cuboid = cells(page, "Cuboid")
    page.mouse.move(box["x"] + 0.84 * width, y)
    page.mouse.down()
    for part in (0.75, 0.65, 0.3):
        page.mouse.move(box["x"] + part * width, y, steps=3)
        expect(page.locator(CANVAS).first).not_to_have_attribute("data-there", seen[-1][2] or "")
        page.wait_for_timeout(150)  # let the last of the moves arrive
        there = page.locator(CANVAS).first.get_attribute("data-there")
        seen.append((cells(page, "Sphere"), pictures(page), there))
        assert cells(page, "Cuboid") == cuboid
        assert page.url.endswith("/regions")
    page.mouse.up()
    assert len({tuple(sphere) for sphere, _, _ in seen}) == 4
    for panel in range(3):
        assert len({shots[panel] for _, shots, _ in seen}) == 4
    expect(page).to_have_url(re.compile(r"\?a=0\.\d+$"))


def test_w_can_be_dragged_in_any_panel(page: Page) -> None:
    open_page(page)
    box = page.locator(".handle").nth(2).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y - 10, steps=3)
    expect(page.locator(CANVAS).first).not_to_have_attribute("data-there", "3.0000,0.3333")
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"\?w1=1\.\d+&w2=1\.\d+$"))
    expect(row(page, "Ellipsoid")).to_have_attribute("data-verdict", "same")


def test_eta_breaks_the_invariance_a_little(page: Page) -> None:
    open_page(page, "?eta.ellipsoid=0.2")
    expect(row(page, "Ellipsoid")).to_have_attribute("data-verdict", "differs")
    expect(row(page, "Cuboid")).to_have_attribute("data-verdict", "same")


def test_settings_undo_redo_reset_and_the_address(page: Page) -> None:
    open_page(page, "?a=2")
    expect(page.get_by_label("rescale a, value")).to_have_value("2")
    rho = page.get_by_label("ρ sphere, value")
    rho.fill("0.25")
    rho.press("Enter")
    expect(page).to_have_url(re.compile(r"\?a=2&rho\.sphere=0\.25$"))
    sphere = cells(page, "Sphere")
    page.reload()
    expect(row(page, "Sphere").locator("td").first).to_have_text(sphere[0])
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page).to_have_url(re.compile(r"/regions$"))
    page.keyboard.press("Control+z")
    expect(page).to_have_url(re.compile(r"\?a=2&rho\.sphere=0\.25$"))
    page.keyboard.press("Control+y")
    expect(page).to_have_url(re.compile(r"/regions$"))


@pytest.mark.parametrize(
    ("query", "words"),
    [("a=0", "a must be a number from 0.2 to 5"), ("rho.cuboid=nan", "nan"), ("w1=one", "'one'"), ("b=2", "'b'")],
)
def test_a_wrong_value_in_the_address_is_named_and_the_defaults_are_drawn(page: Page, query: str, words: str) -> None:
    open_page(page, f"?{query}")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.locator(CANVAS).first).to_have_attribute("data-there", "3.0000,0.3333")


def test_panels_stack_on_a_phone_and_nothing_overflows(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page)
    tops = [canvas.bounding_box()["y"] for canvas in page.locator(CANVAS).all()]
    assert tops == sorted(tops)
    assert tops[0] < tops[1] < tops[2]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
