"""The maps below the Trajectories page in a real Chromium: closed, opened, read, and a pixel that becomes a start."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.visitor import color, somebody_else

pytestmark = pytest.mark.browser


def open_maps(page: Page, query: str = "") -> Locator:
    """The section of maps, opened; returns it."""
    page.goto(f"/trajectories{query}")
    section = page.locator("details.maps")
    expect(page.locator(".outcome").first).to_be_visible()
    section.locator("summary").click()
    return section


def settled(section: Locator) -> None:
    """Wait until the maps are there in full detail."""
    section.locator("[role=tabpanel]:not([hidden]) > [data-done]").wait_for(state="attached")


def asked(page: Page) -> list[str]:
    """The addresses of the maps' routes that the page has asked for from now on."""
    found: list[str] = []
    routes = re.compile("/api/toy/(map|sweep|valley)")
    page.on("request", lambda request: found.append(request.url) if routes.search(request.url) else None)
    return found


def place(canvas: Locator, w1: float, w2: float) -> dict[str, float]:
    """Where a point of the plane is on a map's canvas, by the window -0.25 to 0.95 and -0.15 to 0.75."""
    box = canvas.bounding_box()
    assert box
    x = 40 + (w1 + 0.25) / 1.2 * (box["width"] - 50)
    y = 10 + (0.75 - w2) / 0.9 * (box["height"] - 44)
    return {"x": x, "y": y}


def test_nothing_is_asked_for_before_the_section_is_opened_and_read(page: Page) -> None:
    addresses = asked(page)
    page.goto("/trajectories")
    expect(page.locator(".outcome").first).to_be_visible()
    page.wait_for_timeout(500)
    assert addresses == []
    section = page.locator("details.maps")
    section.locator("summary").click()
    settled(section)
    coarse, fine = [url for url in addresses if "n=50" in url], [url for url in addresses if "n=200" in url]
    assert len(coarse) == len(fine) == 4
    assert addresses[:4] == coarse, "the coarse maps come first"
    assert not [url for url in addresses if "/map?" not in url]

    # They say what happens, and can be read by pointer and keys.
    expect(section.locator(".map")).to_have_count(4)
    summary = section.locator("[role=tabpanel]:not([hidden]) .map-summary")
    expect(summary).to_contain_text(re.compile(r"SAM: \d+ % of starts reach the valley, \d+ % get stuck"))
    expect(summary).to_contain_text("SAM and ASAM end alike from")
    canvas, readout = section.locator("[data-map=sam]"), section.locator("#map-readout")
    canvas.hover(position=place(canvas, 0.3, 0.033))
    expect(readout).to_contain_text(
        re.compile(r"w₁ 0\.(3|29)\d*, w₂ 0\.03\d*: .*SAM gets stuck; ASAM reaches the valley")
    )
    page.mouse.move(5, 5)
    expect(readout).to_contain_text("Point at a map")
    canvas.focus()
    canvas.press("ArrowRight")
    expect(readout).to_contain_text("w₁ 0.359, w₂ 0.298")
    expect(readout).to_have_attribute("aria-live", "polite")
    canvas.press("Shift+ArrowUp")
    expect(readout).to_contain_text("w₁ 0.359, w₂ 0.343")
    expect(page.locator(".step")).to_have_text(re.compile("^after"))  # the player keeps its step


def test_a_click_on_a_pixel_adds_a_start_and_plays_its_path(page: Page) -> None:
    section = open_maps(page)
    settled(section)
    canvas = section.locator("[data-map=sam]")
    canvas.click(position=place(canvas, 0.6, 0.3))
    expect(page.locator(".handle")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"starts=0\.2,0\.05;0\.3,0\.033;0\.599,0\.2978"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".plane")).to_be_in_viewport()
    handle, plane = page.locator(".handle").nth(2).bounding_box(), page.locator(".plane").bounding_box()
    assert handle
    assert plane
    assert plane["x"] < handle["x"] < plane["x"] + plane["width"], "the plane shows where it plays"


def test_enter_takes_the_point_of_the_crosshair_until_there_is_no_room(page: Page) -> None:
    section = open_maps(page, "?starts=0.1,0.1;0.1,0.2;0.1,0.3;0.2,0.1;0.2,0.2;0.2,0.3;0.3,0.1")
    settled(section)
    canvas = section.locator("[data-map=sgd]")
    outcomes = page.locator(".outcome").count()
    late: list[Route] = []
    page.route("**/api/toy/paths?*", lambda route: late.append(route))  # Playwright cannot mark a builtin
    canvas.press("ArrowUp")
    canvas.press("Enter")
    expect(page.locator(".handle")).to_have_count(8)
    canvas.press("ArrowUp")
    canvas.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("room for 8 starts")
    expect(page.locator(".outcome")).to_have_count(outcomes)
    for route in late:
        route.continue_()
    expect(page.locator(".outcome")).to_have_count(outcomes // 7 * 8)
    expect(page.get_by_role("alert")).to_contain_text("room for 8 starts")
    expect(page.locator(".handle")).to_have_count(8)
    page.unroute("**/api/toy/paths?*")


def test_the_tabs_by_keyboard(page: Page) -> None:
    section = open_maps(page)
    settled(section)
    tabs = section.get_by_role("tab")
    tabs.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(tabs.nth(0)).to_have_attribute("tabindex", "-1")
    settled(section)
    panel = section.get_by_role("tabpanel", name="Sweep")
    expect(panel.locator(".map-summary")).to_contain_text("SAM reaches the valley for ρ 0 to 0.0513; gets stuck for")
    expect(panel.locator(".map-summary")).to_contain_text("w₂‖w‖/w₁ = 0.0515")
    page.keyboard.press("End")
    expect(tabs.nth(2)).to_be_focused()
    settled(section)
    panel = section.get_by_role("tabpanel", name="Along the valley")
    expect(panel.locator(".map-summary")).to_contain_text("Ellipsoid (ASAM, ρ = 0.5, η = 0): 0.0333 everywhere")
    chart = panel.locator("canvas")
    chart.press("ArrowRight")
    expect(panel.locator(".map-readout")).to_contain_text("log(w₁/w₂) 0.05, at (0.205, 0.195): Sphere 0.0154")
    tabs.nth(2).focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(0)).to_be_focused()
    expect(page.locator(".step")).to_have_text(re.compile("^after"))


def test_the_maps_follow_the_settings_and_ask_for_nothing_twice(page: Page) -> None:
    section = open_maps(page)
    settled(section)
    addresses = asked(page)
    summary = section.locator("[role=tabpanel]:not([hidden]) .map-summary")
    before = summary.text_content() or ""
    field = page.get_by_label("ρ SAM, value", exact=True)
    field.fill("0.2")
    field.press("Enter")
    expect(summary).not_to_have_text(before)
    assert all("rho.sam=0.2" in url for url in addresses)
    settled(section)
    count = len(addresses)
    section.get_by_role("tab", name="Sweep").click()
    section.get_by_role("tab", name="Basins").click()
    page.wait_for_timeout(300)
    assert len([url for url in addresses if "/map?" in url]) == count
    page.get_by_role("button", name="ASAM", exact=True).click()
    expect(section.locator(".map")).to_have_count(3)
    page.get_by_role("button", name="SGD", exact=True).click()
    expect(section.locator(".map")).to_have_count(1)


def test_quantities_details_and_pairs_can_be_chosen(page: Page) -> None:
    section = open_maps(page)
    settled(section)
    summary = section.locator("[role=tabpanel]:not([hidden]) .map-summary")
    section.get_by_label("Quantity of the maps").select_option("step")
    expect(summary).to_contain_text("SGD, steps to the valley: from 0 to")
    expect(section.locator(".map-legend .scale").first).to_contain_text("250")
    section.get_by_label("Detail of the maps").select_option("50")
    expect(section.locator(".map-note").first).to_have_text("50 × 50 starts, 5000 steps each.")
    section.get_by_label("Difference of").select_option("sgd")
    expect(summary).to_contain_text("SGD − ASAM, steps to the valley")
    section.get_by_label("and", exact=True).select_option("sam")
    expect(summary).to_contain_text("SGD − SAM, steps to the valley")
    section.get_by_role("tab", name="Sweep").click()
    panel = section.get_by_role("tabpanel", name="Sweep")
    panel.get_by_label("Parameter to sweep").select_option("rho.elementwise_l2")
    expect(panel.locator(".map-summary")).to_contain_text("from ρ = √2 = 1.41 on")


def test_it_fits_a_phone_in_both_themes(phone: Page) -> None:
    section = open_maps(phone)
    for name in ("Basins", "Sweep", "Along the valley"):
        section.get_by_role("tab", name=name).click()
        settled(section)
        width = section.evaluate("(node) => [node.scrollWidth, node.clientWidth]")
        assert width[0] <= width[1]
        for canvas in section.locator("[role=tabpanel]:not([hidden]) canvas").all():
            pixels = "c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer"
            assert canvas.evaluate(f"(c) => new Set(new Uint32Array({pixels})).size") > 3
    readout = section.locator("[role=tabpanel]:not([hidden]) .map-readout")
    for scheme in ("light", "dark"):
        phone.emulate_media(color_scheme=scheme)
        expect(readout).to_have_css("color", color(scheme, "textColor"))


def test_a_link_opens_the_map_that_was_looked_at(page: Page) -> None:
    section = open_maps(page)
    section.get_by_label("Quantity of the maps").select_option("step")
    section.get_by_label("Detail of the maps").select_option("50")
    section.get_by_label("Difference of").select_option("sgd")
    expect(page).to_have_url(re.compile(r"map=basins&quantity=step&detail=50&pair=sgd,elementwise_l2$"))
    settled(section)
    other = somebody_else(page)
    other.goto(page.url)
    there = other.locator("details.maps")
    settled(there)
    expect(there.get_by_label("Quantity of the maps")).to_have_value("step")
    summary = "[role=tabpanel]:not([hidden]) .map-summary"
    expect(there.locator(summary)).to_have_text(section.locator(summary).inner_text(), use_inner_text=True)
    section.get_by_role("tab", name="Sweep").click()
    section.get_by_label("Parameter to sweep").select_option("lr.sgd")
    expect(page).to_have_url(re.compile(r"map=sweep&.*sweep=lr\.sgd$"))
    page.reload()
    expect(page.locator("details.maps").get_by_label("Parameter to sweep")).to_have_value("lr.sgd")
    page.locator("details.maps summary").click()
    expect(page).not_to_have_url(re.compile("map="))
