"""The Trajectories page in a real Chromium: drag, play, undo, address, and what wrong values do."""

import re
from math import hypot
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import somebody_else, until

pytestmark = pytest.mark.browser

CANVAS = ".plane > canvas[data-revision]"


def open_page(page: Page, query: str = "") -> None:
    """Open the page by a cold deep link and wait for its paths."""
    page.goto(f"/trajectories{query}")
    page.wait_for_function(
        """() => [...document.querySelectorAll("*")].some((node) => node.shadowRoot?.querySelector(
            ".plane > canvas[data-revision]:not([data-revision='0'])"))""",
        timeout=30_000,
    )


def shown(page: Page, name: str) -> str:
    return page.locator(CANVAS).get_attribute(f"data-{name}") or ""


def picture(page: Page) -> str:
    """The pixels of the paths."""
    return page.locator(CANVAS).evaluate("(canvas) => canvas.toDataURL()")


def grip(page: Page, start: int) -> tuple[float, float]:
    """The middle of a start's handle on screen."""
    box = page.locator(".handle").nth(start - 1).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def set_number(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(f"{label}, value", exact=True)
    field.fill(value)
    field.press("Enter")


def test_it_opens_on_the_papers_example_and_says_what_happened(page: Page) -> None:
    open_page(page)
    sam = [page.locator(f"[data-path='{start}:sam'] .text") for start in (0, 1)]
    expect(sam[0]).to_contain_text("slides along it to (0.200, 0.199)")
    expect(sam[1]).to_contain_text("dead half-plane")
    for start in (0, 1):
        expect(page.locator(f"[data-path='{start}:elementwise_l2']")).to_have_attribute("data-kind", "valley")
    assert page.url.endswith("/trajectories"), "the opening picture needs no settings in its address"


def test_paths_follow_a_dragged_start_while_the_button_is_held(page: Page) -> None:
    open_page(page)
    x, y = grip(page, 1)
    seen = [(shown(page, "ends"), picture(page))]
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((40, -10), (80, -30), (120, -50)):
        before = seen[-1][0]
        page.mouse.move(x + dx, y + dy, steps=4)
        page.wait_for_function(
            """(before) => [...document.querySelectorAll("*")].some((node) => {
                const canvas = node.shadowRoot?.querySelector(".plane > canvas[data-revision]");
                return canvas && canvas.dataset.moving === "true" && canvas.dataset.ends !== before; })""",
            arg=before,
        )
        until(page, lambda: picture(page) != seen[-1][1])  # painted a frame after the numbers
        seen.append((shown(page, "ends"), picture(page)))
        assert page.url.endswith("/trajectories"), "nothing is kept before the release"
    assert len({ends for ends, _ in seen}) == len({pixels for _, pixels in seen}) == 4
    untouched = [ends.split(" ")[3:] for ends, _ in seen]
    assert all(rest == untouched[0] for rest in untouched), "the other start's paths stay"
    page.mouse.up()
    expect(page.locator(CANVAS)).to_have_attribute("data-moving", "false")
    expect(page).to_have_url(re.compile(r"\?starts=0\.2\d+,0\.0\d+;0\.3,0\.033$"))


def test_the_player_by_keys(page: Page) -> None:
    open_page(page)
    canvas, text = page.locator(CANVAS), page.locator(".step")
    expect(text).to_have_text("after 5000 steps")
    page.keyboard.press("Home")
    expect(text).to_have_text("step 1 of 5000: ascent")
    ascent = picture(page)
    page.keyboard.press("ArrowRight")
    expect(text).to_have_text("step 1 of 5000: descent")
    assert picture(page) != ascent
    page.keyboard.press("ArrowRight")
    expect(text).to_have_text("step 2 of 5000: ascent")
    page.keyboard.press("ArrowLeft")
    expect(canvas).to_have_attribute("data-half", "1")
    page.keyboard.press("Shift+ArrowRight")
    expect(canvas).to_have_attribute("data-half", "21")
    page.keyboard.press("End")
    expect(canvas).to_have_attribute("data-half", "10000")
    page.keyboard.press("Space")  # from the end it starts anew
    page.wait_for_timeout(600)
    page.keyboard.press("Space")
    stopped = int(shown(page, "half"))
    assert 100 < stopped < 10_000
    page.wait_for_timeout(200)
    assert int(shown(page, "half")) == stopped
    page.keyboard.press("r")
    expect(text).to_have_text("step 1 of 5000: ascent")
    expect(page).to_have_url(re.compile(r"/trajectories\?at=0$"))
    assert not page.locator('[data-test-script-state="running"]').count(), "Streamlit's own key reruns the page"


def test_the_players_keys_work_from_what_a_hand_has_just_moved(page: Page) -> None:
    open_page(page, "?at=40")
    canvas, pause = page.locator(CANVAS), page.get_by_role("button", name="Pause (")
    for held in (page.locator(".handle").first, page.get_by_label("learning rate", exact=True)):
        held.focus()
        page.keyboard.press("Space")
        expect(pause).to_be_visible()
        page.keyboard.press("Space")
        expect(pause).to_be_hidden()
        page.keyboard.press("Shift+R")
        expect(canvas).to_have_attribute("data-half", "0")
    page.get_by_label("Step", exact=True).fill("7")
    page.get_by_label("Step", exact=True).press("ArrowRight")
    expect(canvas).to_have_attribute("data-half", "15")
    assert not page.locator('[data-test-script-state="running"]').count(), "Streamlit's own key reruns the page"


def test_the_player_by_buttons_speed_and_scrubbing(page: Page) -> None:
    open_page(page)
    canvas = page.locator(CANVAS)
    page.get_by_label("Restart").click()
    expect(canvas).to_have_attribute("data-half", "0")
    page.get_by_label("Half a step forward").click()
    page.get_by_label("Half a step forward").click()
    page.get_by_label("Half a step back").click()
    expect(canvas).to_have_attribute("data-half", "1")
    page.get_by_label("Step", exact=True).fill("1234")
    expect(canvas).to_have_attribute("data-half", "2468")
    page.get_by_label("Speed").select_option("10")
    page.get_by_role("button", name="Play (").click()
    expect(canvas).to_have_attribute("data-half", "10000")
    expect(page.get_by_role("button", name="Play (")).to_be_visible()  # it stops at the end


def test_the_player_shows_both_halves_of_a_slow_step_and_plays_in_a_loop(page: Page) -> None:
    open_page(page, "?steps=10&at=0&speed=0.5")
    canvas = page.locator(CANVAS)
    page.keyboard.press("Space")  # ten steps in 20 seconds
    expect(canvas).to_have_attribute("data-half", "1")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Play in a loop").click()
    page.get_by_label("Speed").select_option("10")
    page.get_by_role("button", name="Play (").click()
    for _ in range(2):
        page.wait_for_function("canvas => canvas.dataset.half > 12", arg=canvas.element_handle())
        page.wait_for_function("canvas => canvas.dataset.half < 8", arg=canvas.element_handle())
    page.get_by_role("button", name="Pause").click()
    expect(page).to_have_url(re.compile(r"speed=10&loop=1$"))


def test_a_link_reproduces_step_view_speed_and_followed_path(page: Page) -> None:
    open_page(page)
    page.keyboard.press("Home")
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    page.get_by_label("Speed").select_option("0.5")
    page.get_by_role("button", name="Zoom in").click()
    page.locator("[data-path='1:sam']").click()
    expect(page).to_have_url(re.compile(r"at=41&speed=0\.5&view=[^&]+&follow=2:sam$"))
    expect(page.locator(".written")).to_contain_text("w − α g′")
    other = somebody_else(page)
    open_page(other, page.url.partition("/trajectories")[2])
    expect(other.locator(".step")).to_have_text("step 21 of 5000: descent")
    expect(other.locator(".written")).to_have_text(page.locator(".written").inner_text(), use_inner_text=True)
    assert shown(other, "ends") == shown(page, "ends")
    until(other, lambda: picture(other) == picture(page))  # painted a frame after the text


def test_a_double_click_adds_a_start_up_to_eight_and_delete_removes_one(page: Page) -> None:
    open_page(page, "?starts=0.05,0.2;0.1,0.2;0.15,0.2;0.2,0.2;0.25,0.2;0.3,0.2")
    box = page.locator(CANVAS).bounding_box()
    assert box
    for i in range(2):
        page.mouse.dblclick(box["x"] + (0.35 + 0.3 * i) * box["width"], box["y"] + 0.45 * box["height"])
        expect(page.locator(".handle")).to_have_count(7 + i)
    expect(page).to_have_url(re.compile(r"starts=([^;]+;){7}[^;&]+"))
    expect(page.locator(".outcome")).to_have_count(24)
    page.mouse.dblclick(box["x"] + 0.1 * box["width"], box["y"] + 0.6 * box["height"])
    expect(page.get_by_role("alert")).to_contain_text("There is room for 8 starts")
    page.locator(".handle").nth(7).focus()
    page.keyboard.press("Delete")
    expect(page.locator(".handle")).to_have_count(7)


def test_the_step_is_written_out_with_the_servers_numbers(page: Page) -> None:
    open_page(page, "?at=0&follow=1:sam")
    written = page.locator(".written")
    g, norm = (-0.05, -0.2), hypot(0.05, 0.2)
    expect(written.locator("tr", has_text="gradient at w")).to_contain_text("(−0.05, −0.2)")
    expect(written.locator("tr", has_text="ε = ρ g")).to_contain_text(f"0.05 · (−0.05, −0.2) / {norm:.4g}")
    w = [x + 0.05 * y / norm for x, y in zip((0.2, 0.05), g, strict=True)]
    expect(written.locator("tr", has_text="perturbed")).to_contain_text(f"({w[0]:.4g}, {w[1]:.4g})")
    expect(written.locator("tr", has_text="largest loss")).to_contain_text(" at (")
    page.keyboard.press("End")
    expect(written).to_contain_text("The path has ended")


def test_the_linked_curves_share_step_pointer_and_zoom(page: Page) -> None:
    open_page(page)
    linked, curves = page.locator(".linked"), page.locator(".curves canvas")
    expect(curves).to_have_count(5)
    expect(linked).to_have_attribute("data-range", "0 5000")
    curves.nth(3).scroll_into_view_if_needed()
    box = curves.nth(3).bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.6 * box["width"], y)
    expect(linked).to_have_attribute("data-hover", re.compile(r"\d+"))
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".step")).to_have_text(re.compile(r"step \d+ of 5000: ascent"))
    drawn = "all => all.map((canvas) => canvas.toDataURL())"
    before = curves.evaluate_all(drawn)
    linked.get_by_role("button", name="Fewer steps").click()
    expect(linked).not_to_have_attribute("data-range", "0 5000")
    expect(page).to_have_url(re.compile(r"range=\d+,\d+$"))
    # Zooming one zooms all.
    until(page, lambda: all(a != b for a, b in zip(before, curves.evaluate_all(drawn), strict=True)))
    linked.get_by_role("button", name="All steps").click()
    expect(linked).to_have_attribute("data-range", "0 5000")


def test_settings_undo_redo_and_reset(page: Page) -> None:
    open_page(page)
    opening = shown(page, "ends")
    set_number(page, "ρ SAM", "0.1")
    expect(page).to_have_url(re.compile(r"\?rho\.sam=0\.1$"))
    page.get_by_role("button", name="ASAM, l-infinity").click()
    expect(page).to_have_url(re.compile(r"variants=sgd,sam,elementwise_l2,elementwise_linf"))
    page.get_by_label("learning rate", exact=True).fill("600")
    expect(page).to_have_url(re.compile(r"lr=0\.0\d+"))
    changed = page.url
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    expect(page.locator(CANVAS)).to_have_attribute("data-ends", opening)
    expect(page).to_have_url(re.compile(r"/trajectories$"))
    for _ in range(3):
        page.keyboard.press("Control+Shift+Z")
    expect(page).to_have_url(changed)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator(CANVAS)).to_have_attribute("data-ends", opening)
    page.keyboard.press("Control+z")
    expect(page).to_have_url(changed)


def test_a_moving_slider_moves_the_paths_and_the_valley(page: Page) -> None:
    open_page(page)
    before = shown(page, "ends")
    slider = page.get_by_label("target c", exact=True)
    box = slider.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    for part in (0.3, 0.4, 0.5):
        page.mouse.move(box["x"] + part * box["width"], y)
        expect(page.locator(CANVAS)).not_to_have_attribute("data-ends", before)
        assert shown(page, "moving") == "true"
        before = shown(page, "ends")
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"\?c=0\.\d+$"))


def test_the_view_zooms_pans_and_comes_back(page: Page) -> None:
    open_page(page)
    page.wait_for_load_state("networkidle")
    opening = picture(page)
    page.get_by_role("button", name="Zoom in").click()
    zoomed = picture(page)
    assert zoomed != opening
    box = page.locator(CANVAS).bounding_box()
    assert box
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y - 20)
    page.mouse.up()
    panned = picture(page)
    assert panned not in (zoomed, opening)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_timeout(200)
    assert picture(page) != panned
    page.get_by_role("button", name="Reset view").click()
    assert picture(page) == opening
    expect(page).to_have_url(re.compile(r"/trajectories$"))


def test_starts_are_moved_by_keys_added_set_and_removed(page: Page) -> None:
    open_page(page)
    before = shown(page, "ends")
    page.locator(".handle").nth(1).focus()
    for _ in range(5):
        page.keyboard.press("Shift+ArrowUp")
    expect(page.locator(CANVAS)).not_to_have_attribute("data-ends", before)
    expect(page).to_have_url(re.compile(r"starts=0\.2,0\.05;0\.3,0\.\d+$"))
    page.get_by_role("button", name="Add a start").click()
    expect(page.locator(".handle")).to_have_count(3)
    page.get_by_label("Start 3, w2").fill("0.25")
    page.get_by_label("Start 3, w2").press("Enter")
    expect(page).to_have_url(re.compile(r"starts=0\.2,0\.05;0\.3,0\.\d+;0\.1,0\.25$"))
    page.get_by_label("Remove start 1").click()
    expect(page.locator(".handle")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"starts=0\.3,0\.\d+;0\.1,0\.25$"))


def test_the_address_survives_a_reload_another_theme_and_a_cold_link(page: Page) -> None:
    query = "?starts=0.1,0.2&variants=sam,fisher&rho.sam=0.1&eta.fisher=10&lr=0.01&steps=500&decay=1&c=0.05"
    open_page(page, query)
    ends = shown(page, "ends")
    expect(page.locator(".outcome")).to_have_count(2)
    expect(page.get_by_label("steps, value", exact=True)).to_have_value("500")
    page.get_by_role("button", name="SGD").click()
    expect(page.locator(".outcome")).to_have_count(3)
    kept = page.url
    assert "variants=sgd,sam,fisher" in kept
    page.emulate_media(color_scheme="dark")  # Streamlit hands the component its data once more
    page.wait_for_timeout(500)
    assert page.url == kept
    page.reload()
    expect(page.locator(".outcome")).to_have_count(3)
    assert set(ends.split()) < set(shown(page, "ends").split())


def test_another_page_does_not_inherit_the_settings(page: Page) -> None:
    open_page(page, "?lr=0.01")
    page.get_by_role("link", name="Regions").click()
    expect(page.locator(".panels")).to_be_visible()
    assert page.url.endswith("/regions")
    page.go_back()
    expect(page.get_by_label("learning rate, value")).to_have_value("0.01")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("rho.sam=-1", ["rho.sam must be a number from 0 to 0.3", "-1"]),
        ("at=10001", ["at must be a whole number from 0 to 10000", "10001"]),
        ("c=0.1&c=0.2", ["c must be given once"]),
    ],
)
def test_a_wrong_value_in_the_address_is_named_and_the_defaults_are_drawn(page: Page, query: str, words: list) -> None:
    open_page(page, f"?{query}")
    alert = page.get_by_role("alert")
    for word in words:
        expect(alert).to_contain_text(word)
    expect(page.locator("[data-path='1:sam'] .text")).to_contain_text("dead half-plane")
    expect(page.locator(".outcome")).to_have_count(6)


def test_a_wrong_number_is_refused_in_a_sentence(page: Page) -> None:
    open_page(page)
    ends = shown(page, "ends")
    set_number(page, "ρ SAM", "-1")
    expect(page.get_by_role("alert")).to_contain_text("rho.sam must be a number from 0 to 0.3, but it is -1")
    expect(page.get_by_label("ρ SAM, value")).to_have_value("0.05")
    assert shown(page, "ends") == ends
    assert page.url.endswith("/trajectories")
    set_number(page, "ρ SAM", "0.06")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?rho\.sam=0\.06$"))


def test_the_picture_and_its_numbers_can_be_taken_home(page: Page, tmp_path: Path) -> None:
    open_page(page, "?at=120&view=0,0.4,-0.1,0.2&steps=300")
    page.get_by_text("Take it home").click()
    saved = {}
    for button in ("PNG", "SVG", "CSV", "Animation (HTML)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=button, exact=True).click()
        saved[button] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[button])
    size = page.locator(CANVAS).evaluate("(canvas) => [canvas.clientWidth, canvas.clientHeight]")
    png = saved["PNG"].read_bytes()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    assert width == 2 * size[0]
    assert height > 2 * size[1], "the legend is below"
    root = ElementTree.parse(saved["SVG"]).getroot()
    assert root.tag.endswith("svg")
    assert "SAM" in "".join(root.itertext())
    lines = saved["CSV"].read_text().splitlines()
    assert lines[0].startswith("start,method,step,w1,w2")
    assert len(lines) == 1 + 6 * 301
    assert saved["Animation (HTML)"].stat().st_size < 1_000_000
    page.get_by_role("button", name="Python", exact=True).click()
    expect(page.get_by_text("from samviz.toy import")).to_be_visible()


def test_all_of_it_fits_a_phone(phone: Page) -> None:
    phone.emulate_media(color_scheme="dark")
    open_page(phone, "?at=120")
    expect(phone.locator(".written")).to_contain_text("ε = ρ g")
    assert phone.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]
    for selector in (".player button", ".player select", ".plane", ".written", ".curves canvas", ".chip", ".row input"):
        for part in phone.locator(selector).all():
            box = part.bounding_box()
            assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= 360), f"{selector}: {box}"
