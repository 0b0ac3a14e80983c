"""The Regions page in a real Chromium: rescaling, T and p, the table of invariance, space, undo, address, screens."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.visitor import color, somebody_else, until

pytestmark = pytest.mark.browser

CANVAS = ".panels canvas"


def open_page(page: Page, query: str = "") -> None:
    page.goto(f"/regions{query}")
    expect(page.locator(".maxima tbody tr")).to_have_count(3, timeout=30_000)


def row(page: Page, name: str) -> Locator:
    return page.locator(".maxima tbody tr").filter(has_text=name)


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
    expect(page.locator(".below .summary")).to_contain_text("the sphere finds another maximum")


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


def test_settings_undo_redo_reset_and_the_address(page: Page) -> None:
    open_page(page, "?a=2")
    expect(page.get_by_label("rescale a, value")).to_have_value("2")
    before = cells(page, "Sphere")
    rho = page.get_by_label("ρ sphere, value")
    rho.fill("0.25")
    rho.press("Enter")
    expect(page).to_have_url(re.compile(r"\?a=2&rho\.sphere=0\.25$"))
    expect(row(page, "Sphere").locator("td").first).not_to_have_text(before[0])
    sphere = cells(page, "Sphere")
    page.reload()
    expect(row(page, "Sphere").locator("td").first).to_have_text(sphere[0])
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page).to_have_url(re.compile(r"/regions$"))
    page.keyboard.press("Control+z")
    expect(page).to_have_url(re.compile(r"\?a=2&rho\.sphere=0\.25$"))
    page.keyboard.press("Control+y")
    expect(page).to_have_url(re.compile(r"/regions$"))


@pytest.mark.parametrize(("query", "words"), [("a=0", "a must be a number from 0.2 to 5"), ("b=2", "'b'")])
def test_a_wrong_value_in_the_address_is_named_and_the_defaults_are_drawn(page: Page, query: str, words: str) -> None:
    open_page(page, f"?{query}")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.locator(CANVAS).first).to_have_attribute("data-there", "3.0000,0.3333")


# ---- T and p -------------------------------------------------------------------------------------------------------


def test_t_and_p_of_a_panel_follow_their_controls(page: Page) -> None:
    open_page(page)
    caption = page.locator("figcaption").first
    expect(caption).to_have_text("Sphere ‖ε‖2 ≤ ρ, as in SAM")
    expect(row(page, "Sphere")).to_have_attribute("data-verdict", "differs")
    expect(page.get_by_label("η sphere", exact=True)).to_be_hidden()
    page.get_by_label("T sphere", exact=True).select_option("elementwise")
    expect(caption).to_have_text("Ellipsoid (panel 1) ‖T⁻¹ε‖2 ≤ ρ, as in ASAM")
    expect(row(page, "Ellipsoid (panel 1)")).to_have_attribute("data-verdict", "same")
    expect(page.get_by_label("η sphere", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?T\.sphere=elementwise$"))
    number = page.get_by_label("p sphere, value")
    number.fill("∞")
    number.press("Enter")
    expect(caption).to_contain_text("Cuboid (panel 1)")
    expect(page).to_have_url(re.compile(r"T\.sphere=elementwise&p\.sphere=inf$"))
    expect(number).to_have_value("∞")
    expect(page.get_by_label("p sphere", exact=True)).to_have_attribute("aria-valuetext", "∞")
    page.get_by_label("T sphere", exact=True).focus()  # a field of text has an undo of its own
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(caption).to_have_text("Sphere ‖ε‖2 ≤ ρ, as in SAM")
    page.keyboard.press("Control+y")
    expect(page.get_by_label("T sphere", exact=True)).to_have_value("elementwise")


def test_the_region_bends_while_the_slider_of_p_is_held(page: Page) -> None:
    open_page(page)
    slider = page.get_by_label("p ellipsoid", exact=True)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    labels, shots = ["Ellipsoid"], [pictures(page)]
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    for part, label in ((0.25, "Superellipse"), (0.01, "Stretched diamond"), (0.99, "Cuboid (panel 3)")):
        page.mouse.move(box["x"] + part * box["width"], y, steps=4)
        expect(page.locator("figcaption b").nth(2)).to_have_text(label)
        page.wait_for_timeout(150)  # let the last of the moves arrive
        labels.append(label)
        shots.append(pictures(page))
        expect(page.locator(".maxima tbody tr").nth(2)).to_have_attribute("data-verdict", "same")
        assert page.url.endswith("/regions")
    page.mouse.up()
    assert len({shot[2] for shot in shots}) == 4
    assert len({shot[0] for shot in shots}) == 1
    expect(page).to_have_url(re.compile(r"\?p\.ellipsoid=inf$"))


def test_what_a_screen_reader_is_told_follows_the_choice(page: Page) -> None:
    open_page(page, "?p.sphere=1&a=2")
    canvas = page.locator(CANVAS).first
    expect(canvas).to_have_attribute(
        "aria-label", re.compile(r"^Diamond: around w = \(1, 1\) the largest loss is 1\.52")
    )
    expect(page.locator(".below .summary")).to_contain_text("but the diamond finds another maximum")
    expect(canvas).to_have_attribute("role", "img")


# ---- the table of invariance ---------------------------------------------------------------------------------------


def verdicts(page: Page, label: str) -> list[str]:
    found = page.locator(".invariance tbody tr").filter(has=page.get_by_role("rowheader", name=label))
    expect(found).to_have_count(1)
    return [cell.get_attribute("data-verdict") or "" for cell in found.locator("td[data-verdict]").all()]


def test_the_table_tells_which_t_are_invariant_and_follows_a_while_it_is_dragged_and_eta(page: Page) -> None:
    open_page(page)
    table = page.get_by_role("table", name=re.compile("Definition 1"))
    expect(table.get_by_role("row")).to_have_count(8)
    assert table.get_by_role("columnheader").all_inner_texts()[:2] == ["T and p", "toy, a = 3"]
    toy = table.get_by_role("columnheader").nth(1)
    box = page.get_by_label("rescale a", exact=True).bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.84 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2, steps=5)
    expect(toy).to_have_text(re.compile(r"toy, a = (1|2)\.\d+"))
    page.mouse.up()
    assert verdicts(page, "SAM: sphere") == ["fails"] * 5
    assert verdicts(page, "ASAM: ellipsoid") == ["holds"] * 5
    assert verdicts(page, "ASAM, filterwise") == [*["holds"] * 4, "fails"]
    assert verdicts(page, "ASAM, layerwise") == [*["holds"] * 3, "fails", "fails"]
    expect(table).to_contain_text("true where whole filters are scaled")
    eta = page.get_by_label("η ellipsoid, value")
    eta.fill("0.01")
    eta.press("Enter")
    expect(table).to_contain_text("T = |w| + 0.01, p = 2")
    assert verdicts(page, "ASAM: ellipsoid") == ["fails"] * 5
    expect(table).to_contain_text("η = 0.01 is added to what scales with w")
    expect(page.locator(".invariance + .summary")).to_have_text(
        "Scale-invariant under every rescaling that was tried: ASAM, l-infinity: cuboid."
    )
    page.get_by_label("T sphere", exact=True).select_option("fisher")
    expect(table).to_contain_text("Fisher-SAM: Fisher ellipsoid")


# ---- three dimensions ----------------------------------------------------------------------------------------------

PLOT = ".space .plot"
CAMERA = "(plot) => Object.values(plot._fullLayout.scene._scene.getCamera().eye).map((x) => x.toFixed(6)).join()"


def open_space(page: Page) -> Locator:
    page.locator(".space summary").click()
    plot = page.locator(PLOT)
    expect(plot).to_have_attribute("data-revision", re.compile(r"\d+"))
    return plot


def camera(page: Page) -> list[float]:
    return [float(x) for x in page.locator(PLOT).evaluate(CAMERA).split(",")]


def camera_in(url: str) -> list[float]:
    return [float(x) for x in url.partition("camera=")[2].split(",")]


def turn(page: Page, plot: Locator) -> str:
    """Turn the picture by hand; returns where the camera is then."""
    plot.scroll_into_view_if_needed()
    before, box = plot.evaluate(CAMERA), plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.65 * box["width"], box["y"] + 0.6 * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)  # the camera comes to rest
    after = plot.evaluate(CAMERA)
    assert after != before
    return after


def test_plotly_is_loaded_only_when_the_section_is_opened(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page)
    expect(page.locator(".invariance tbody tr")).to_have_count(7)
    assert not any("plotly.min" in url or "/api/toy/space" in url for url in asked)
    open_space(page)
    assert any("plotly.min" in url for url in asked)
    expect(page.locator(".space .summary")).to_contain_text("Maximum loss in the sphere: 2.100082 around w = (1, 1, 1)")
    expect(page).to_have_url(re.compile(r"\?space=1$"))
    asked.clear()
    page.locator(".handle").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"w1=1\.01"))
    assert not any("/api/toy/space" in url for url in asked)  # the picture in space has nothing to do with w1


def test_a_and_b_move_the_region_while_they_are_dragged_and_the_camera_stays(page: Page) -> None:
    open_page(page)
    plot = open_space(page)
    expect(plot).to_have_attribute("data-there", "1.6000,1.0000,0.6250")
    seen_from = turn(page, plot)
    seen = ["1.6000,1.0000,0.6250"]
    for key, part in (("a", 0.3), ("b", 0.8)):
        slider = page.get_by_label(f"{key} in space", exact=True)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box
        y, start = box["y"] + box["height"] / 2, 0.83 if key == "a" else 0.5
        page.mouse.move(box["x"] + start * box["width"], y)
        page.mouse.down()
        page.mouse.move(box["x"] + part * box["width"], y, steps=6)
        expect(plot).not_to_have_attribute("data-there", seen[-1])
        seen.append(plot.get_attribute("data-there") or "")
        page.mouse.up()
    assert len(set(seen)) == 3
    expect(page).to_have_url(re.compile(r"space\.a=0\.\d+&space\.b=1\.\d+&space=1&camera=[-.,\d]+$"))
    page.get_by_label("region in space").select_option("ellipsoid")
    expect(page.locator(".space .summary")).to_contain_text("Maximum loss in the ellipsoid")
    expect(page.locator(".space .summary")).to_contain_text("The rescaling changes nothing.")
    expect(page.locator(".space")).to_have_attribute("data-verdict", "same")
    assert plot.evaluate(CAMERA) == seen_from
    page.keyboard.press("Control+z")
    expect(page.get_by_label("region in space")).to_have_value("sphere")
    expect(page.locator(".space")).to_have_attribute("data-verdict", "differs")
    assert plot.evaluate(CAMERA) == seen_from
    page.get_by_role("button", name="Reset view").click()
    page.wait_for_function(f"([plot, before]) => ({CAMERA})(plot) !== before", arg=[plot.element_handle(), seen_from])


def test_eta_breaks_the_invariance_of_the_regions_that_have_one(page: Page) -> None:
    open_page(page, "?eta.ellipsoid=0.2&space=1&space.region=cuboid&space.eta=0.3")
    expect(row(page, "Ellipsoid")).to_have_attribute("data-verdict", "differs")
    expect(row(page, "Cuboid")).to_have_attribute("data-verdict", "same")
    expect(page.locator(".space")).to_have_attribute("data-verdict", "differs")
    expect(page.get_by_label("η in space", exact=True)).to_be_visible()
    page.get_by_label("region in space").select_option("sphere")
    expect(page.get_by_label("η in space", exact=True)).to_be_hidden()


# ---- the address and the screen ------------------------------------------------------------------------------------


def test_a_number_is_refused_or_kept_while_it_is_being_typed(page: Page) -> None:
    open_page(page)
    number = page.get_by_label("p cuboid, value")
    number.fill("0.5")
    number.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("p.cuboid must be a number from 1 to infinity, but it is '0.5'.")
    expect(number).to_have_value("∞")
    assert page.url.endswith("/regions")

    # An answer does not overwrite it.
    number.fill("1.3")
    with page.expect_response("**/api/toy/regions*"):
        # As an answer that was under way does: without a blur, which would enter the number.
        page.get_by_label("T cuboid", exact=True).evaluate(
            "select => { select.value = 'fisher'; select.dispatchEvent(new Event('change', { bubbles: true })); }"
        )
    expect(page.locator(".maxima")).to_contain_text("Fisher")
    expect(number).to_have_value("1.3")
    number.press("Enter")
    expect(page).to_have_url(re.compile(r"p\.cuboid=1\.3"))


def test_a_link_shows_the_same_page_to_somebody_else(page: Page) -> None:
    open_page(page)
    page.get_by_label("T cuboid", exact=True).select_option("fisher")
    number = page.get_by_label("p cuboid, value")
    number.fill("1.3")
    number.press("Enter")
    open_space(page)
    page.get_by_label("region in space").select_option("cuboid")
    turn(page, page.locator(PLOT))
    expect(page).to_have_url(
        re.compile(r"T\.cuboid=fisher&p\.cuboid=1\.3&space\.region=cuboid&space=1&camera=[-.,\d]+$")
    )
    expect(page.locator(".space .summary")).to_contain_text("in the cuboid")
    expect(page.locator(".invariance")).to_contain_text("p = 1.3")
    until(page, lambda: camera_in(page.url) == pytest.approx(camera(page), abs=1e-4))  # where it came to rest
    other = somebody_else(page)
    other.goto(page.url)
    for selector in (".maxima", ".invariance", ".space .summary"):
        expect(other.locator(selector)).to_have_text(page.locator(selector).inner_text(), use_inner_text=True)
    assert other.locator("figcaption").all_inner_texts() == page.locator("figcaption").all_inner_texts()
    until(other, lambda: pictures(other) == pictures(page))  # painted a frame after the text
    expect(other.locator(PLOT)).to_have_attribute("data-revision", re.compile(r"\d+"))
    assert camera(other) == pytest.approx(camera(page), abs=1e-4)


def test_all_of_it_fits_a_phone_in_light_and_dark(phone: Page) -> None:
    open_page(phone, "?space=1")
    expect(phone.locator(PLOT)).to_have_attribute("data-revision", re.compile(r"\d+"))
    expect(phone.locator(".invariance tbody tr")).to_have_count(7)
    assert phone.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]
    tops = [canvas.bounding_box()["y"] for canvas in phone.locator(CANVAS).all()]
    assert tops[0] < tops[1] < tops[2], "the panels stack"
    for selector in (".invariance td", ".invariance th[scope=row]", ".space .row", "figure .row"):
        for box in [element.bounding_box() for element in phone.locator(selector).all()]:
            assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= 360)
    # a card is still a row with a header, and each of its cells says what column it is
    expect(phone.get_by_role("rowheader", name="ASAM, filterwise")).to_be_visible()
    cell = phone.locator(".invariance td[data-column]").first
    assert "toy, a = 3" in cell.evaluate("(td) => getComputedStyle(td, '::before').content")
    for scheme in ("light", "dark"):
        phone.emulate_media(color_scheme=scheme)
        paper = color(scheme, "backgroundColor")
        expect(phone.get_by_test_id("stApp")).to_have_css("background-color", paper)
        ink = phone.locator(".invariance td b").first.evaluate("(b) => getComputedStyle(b).color")
        assert contrast(ink, paper) > 4.5, scheme


def contrast(one: str, other: str) -> float:
    """Of two colors written rgb(r, g, b), as WCAG 2 has it."""

    def luminance(color: str) -> float:
        channels = [int(x) / 255 for x in re.findall(r"\d+", color)[:3]]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_panels_and_their_numbers_can_be_taken_home(page: Page, tmp_path: Path) -> None:
    open_page(page)
    page.get_by_text("Take it home").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    download.value.save_as(tmp_path / "regions.png")
    png = (tmp_path / "regions.png").read_bytes()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    panel = page.locator(".panels canvas").first.evaluate("(canvas) => [canvas.clientWidth, canvas.clientHeight]")
    assert width > 6 * panel[0], "three panels at twice their size"
    assert height > 2 * panel[1]
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG", exact=True).click()
    download.value.save_as(tmp_path / "regions.svg")
    assert "Ellipsoid" in (tmp_path / "regions.svg").read_text("utf-8")
    page.get_by_role("button", name="Python", exact=True).click()
    expect(page.get_by_text("from samviz.toy import")).to_be_visible()
