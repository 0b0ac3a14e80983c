"""What the keyboard has reached can be seen: links that look like text on the Lab and Papers pages."""

import pytest
from playwright.sync_api import Page, expect

from samviz.runs import Store
from tests import stored, synthetic
from tests.browser.visitor import color

pytestmark = pytest.mark.browser

NOTHING = "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize(
    ("place", "around"),
    [
        ("/lab", "[class*=st-key-lab-line]"),
        ("/lab?id={id}", ".st-key-lab-back"),
        ("/papers?view=figures", "[class*=st-key-papers-line]"),
    ],
)
def test_a_link_that_has_the_focus_shows_it(page: Page, store: Store, place: str, around: str) -> None:
    id = stored.put(store, synthetic.comparison(1, 2))
    page.goto(place.format(id=id))
    link = page.locator(around).get_by_role("link").first
    expect(link).to_have_css("background-color", NOTHING)
    page.keyboard.press("Shift")  # a focus is shown to who has used the keyboard last
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", color(scheme, "backgroundColor"))
        link.focus()
        expect(link).not_to_have_css("background-color", NOTHING)
        link.blur()
        expect(link).to_have_css("background-color", NOTHING)
        link.hover()
        expect(link).not_to_have_css("background-color", NOTHING)
        page.mouse.move(0, 0)
        expect(link).to_have_css("background-color", NOTHING)
