"""The lesson in a real Chromium: from the home page through all steps by keys, back, terms, and on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from samviz.spec.lesson import LESSON, address
from tests.browser.test_trajectories import set_number
from tests.browser.visitor import color, tap

pytestmark = pytest.mark.browser

LAST = len(LESSON)
NUMBER = re.compile(r"−?\d+\.\d{3,}")
ELSEWHERE = {
    "0.0151": "drawn beside the curve, by tests/ui/test_lesson.py",
    "0.0203": "as above",
    "0.033": "a start",
    "0.861": "of the network, by tests/ui/test_lesson.py",
}
"""Numbers of the lesson that stand in no text of their page, and why they need not."""

DRAWN = {
    "trajectories": ".outcome .text",
    "regions": "table.maxima td",
    "lab": ".results td",
    "sharpness": ".sentences p",
}
"""Page -> what is there once its picture is drawn."""
TEXTS = ".outcome, .written td, table.maxima td, .results td, .sentences p, .annotation-text"


def at(page: Page, number: int) -> None:
    """Wait until step `number` is shown, with its address in place and its picture drawn."""
    step = LESSON[number - 1]
    expect(page.locator(".lesson .count")).to_have_text(f"Step {number} of {LAST}")
    expect(page.locator(".lesson h2")).to_have_text(step.title)
    expect(page).to_have_url(re.compile(rf"/{step.page}\?.*\blesson={number}$"))
    expect(page.locator(DRAWN[step.page]).first).not_to_be_empty()


def texts(page: Page) -> str:
    """All that stands on the page beside the lesson."""
    nodes = page.locator(TEXTS).all_inner_texts()
    return " ".join(nodes).replace("\u00a0", " ")


def test_from_the_home_page_through_all_steps_by_keys_and_back(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Start the lesson").click()
    at(page, 1)
    for number in range(2, LAST + 1):
        page.keyboard.press("PageDown")
        at(page, number)
        for found in NUMBER.findall(LESSON[number - 1].text):
            if found not in ELSEWHERE:
                page.wait_for_function(
                    """([found, texts]) => [document, ...[...document.querySelectorAll("*")].map((n) => n.shadowRoot)]
                        .filter(Boolean).some((root) => [...root.querySelectorAll(texts)]
                            .some((node) => node.textContent.includes(found)))""",
                    arg=[found, TEXTS],
                )
    page.keyboard.press("PageDown")  # there is nothing after the last step
    page.wait_for_timeout(300)
    at(page, LAST)
    for key, number in (("PageUp", LAST - 1), ("p", LAST - 2), ("n", LAST - 1)):
        page.keyboard.press(key)
        at(page, number)


def test_the_browsers_own_back_shows_the_step_before_with_its_settings(page: Page) -> None:
    page.goto(address(1))
    at(page, 1)
    for number in (2, 3, 4, 5):
        page.keyboard.press("n")
        at(page, number)
    page.go_back()
    at(page, 4)
    expect(page.locator(".rescale").get_by_label("rescale a, value")).to_have_value("3")
    page.go_back()
    at(page, 3)
    expect(page.locator(".written")).to_contain_text("(0.2945, −0.0167)")
    page.go_back()
    at(page, 2)
    expect(page.locator(".written")).to_contain_text("(0.1879, 0.001493)")
    page.go_forward()
    at(page, 3)
    expect(page.locator(".handle")).to_have_count(1)


def test_what_the_reader_tries_comes_true_and_can_be_taken_back(page: Page) -> None:
    page.goto(address(3))
    at(page, 3)
    outcome = page.locator(".outcome")
    expect(outcome).to_have_attribute("data-kind", "dead")
    set_number(page, "ρ SAM", "0.03")
    expect(outcome).to_have_attribute("data-kind", "valley")
    expect(page).to_have_url(re.compile(r"rho\.sam=0\.03.*&lesson=3$"))
    page.get_by_role("button", name="Restore").click()
    expect(outcome).to_have_attribute("data-kind", "dead")
    expect(page.locator(".step")).to_have_text("step 1 of 5000: ascent")
    page.go_back()
    expect(outcome).to_have_attribute("data-kind", "valley")
    at(page, 3)


def test_the_player_of_a_step_follows_its_keys(page: Page) -> None:
    page.goto(address(2))
    at(page, 2)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".step")).to_have_text("step 1 of 5000: descent")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".step")).to_have_text("step 11 of 5000: ascent")
    page.keyboard.press("PageUp")
    at(page, 1)
    expect(page.locator(".step")).to_have_text("after 5000 steps")


def test_a_fast_hand_turns_two_pages(page: Page) -> None:
    page.goto(address(1))
    at(page, 1)
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    at(page, 3)
    expect(page.locator(".written")).to_contain_text("(0.2945, −0.0167)")
    page.go_back()
    at(page, 2)
    expect(page.locator(".written")).to_contain_text("(0.1879, 0.001493)")


def test_pages_turn_from_a_slider_but_not_from_a_field(page: Page) -> None:
    page.goto(address(8))
    at(page, 8)
    page.get_by_label("learning rate, value").focus()
    page.keyboard.press("PageUp")
    page.wait_for_timeout(300)
    at(page, 8)
    page.get_by_label("learning rate", exact=True).focus()
    page.keyboard.press("PageUp")
    at(page, 7)


def test_the_buttons_keep_their_place_and_the_focus(page: Page) -> None:
    page.goto(address(1))
    at(page, 1)
    following = page.get_by_role("button", name="Next")
    lesson, button = page.locator(".lesson").bounding_box(), following.bounding_box()
    following.focus()
    for number in (2, 3):
        page.keyboard.press("Enter")
        at(page, number)
        assert page.locator(".lesson").bounding_box() == lesson
        assert following.bounding_box() == button
        expect(following).to_be_focused()
    page.goto(address(LAST))
    expect(page.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")


def test_a_term_explains_itself_by_keyboard(page: Page) -> None:
    page.goto(address(1))
    at(page, 1)
    term = page.locator(".term").first
    expect(term).to_have_text("valley")
    box = page.locator(".term-box")
    expect(box).to_be_hidden()
    term.focus()
    page.keyboard.press("Enter")
    expect(box).to_be_visible()
    expect(box).to_contain_text("The minimizers of the toy's loss")
    place, word = box.bounding_box(), term.bounding_box()
    assert 0 < place["y"] - word["y"] - word["height"] < 12
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", color(scheme, "backgroundColor"))
        for what in (".lesson p", ".lesson .count", ".term-box p", ".term-box .source", ".lesson button.text"):
            assert contrast(page, what) >= 4.5, f"{what}, {scheme}"
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()


def contrast(page: Page, selector: str) -> float:
    """The contrast of a text with what is behind it (WCAG 2), colors as the browser mixes them."""
    return page.locator(selector).last.evaluate(
        """(node) => {
            const pen = new OffscreenCanvas(1, 1).getContext("2d");
            const mix = (colors) => {
                pen.clearRect(0, 0, 1, 1);
                for (const color of colors) { pen.fillStyle = color; pen.fillRect(0, 0, 1, 1); }
                const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((x) => x / 255)
                    .map((x) => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const behind = [];
            for (let n = node; n; n = n.parentElement ?? n.getRootNode().host) {
                behind.unshift(getComputedStyle(n).backgroundColor);
            }
            const [a, b] = [mix(behind), mix([...behind, getComputedStyle(node).color])].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
        }"""
    )


@pytest.mark.parametrize(("number", "scheme"), [(1, "light"), (6, "dark"), (7, "light"), (LAST, "dark")])
def test_a_phone_shows_each_page_of_it_without_overflow(phone: Page, number: int, scheme: str) -> None:
    phone.emulate_media(color_scheme=scheme)
    phone.goto(address(number))
    at(phone, number)
    assert phone.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]
    assert phone.evaluate("matchMedia('(pointer: coarse)').matches")
    tap(phone.locator(".term").first)
    box = phone.locator(".term-box")
    expect(box).to_be_visible()
    place = box.bounding_box()
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 360
    phone.keyboard.press("Escape")
    if number < LAST:
        tap(phone.get_by_role("button", name="Next"))
        at(phone, number + 1)


def test_leaving_the_lesson_keeps_the_settings(page: Page) -> None:
    page.goto(address(4))
    at(page, 4)
    page.get_by_label("Leave the lesson").click()
    expect(page.locator(".lesson")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/regions$"))  # a = 3 is the page's own default
    page.keyboard.press("PageDown")
    page.wait_for_timeout(300)
    expect(page.locator(".lesson")).to_be_hidden()
    page.goto(address(9))
    at(page, 9)
    page.get_by_label("Leave the lesson").click()
    expect(page).to_have_url(re.compile(r"/lab\?id=example$"))
    expect(page.locator(".results td").first).not_to_be_empty()
    expect(page.locator(".lesson")).to_have_count(0)


@pytest.mark.parametrize("place", ["/regions?", "/lab?id=example&"])
def test_a_step_that_is_none_is_named(page: Page, place: str) -> None:
    page.goto(f"{place}lesson=99")
    sentence = page.get_by_text(f"lesson must be a whole number from 1 to {LAST}, but it is 99.")
    expect(sentence).to_be_visible()
    expect(page.locator(".lesson:visible")).to_have_count(0)
