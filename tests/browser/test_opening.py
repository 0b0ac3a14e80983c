"""A hand that is faster than the server: what it does while an address is still read is not written over it."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from samviz.spec.lesson import address
from tests.browser.test_lesson import at
from tests.browser.visitor import until

pytestmark = pytest.mark.browser

PLACES = pytest.mark.parametrize(
    ("place", "answers", "slider", "field", "link", "step"),
    [
        ("trajectories", "**/api/toy/paths?*", "learning rate", "lr", {"c": "0.02", "steps": "300"}, 1),
        ("regions", "**/api/toy/regions?*", "rescale a", "a", {"w1": "2", "c": "0.1"}, 4),
    ],
)


def hold(page: Page, answers: str) -> list[Route]:
    """What is asked from now on, for the test to answer."""
    held: list[Route] = []
    page.route(answers, lambda route: held.append(route))
    return held


def parts(url: str) -> set[str]:
    return set(url.partition("?")[2].split("&"))


@PLACES
def test_a_link_is_read_before_a_slider_changes_what_it_shows(
    page: Page, place: str, answers: str, slider: str, field: str, link: dict[str, str], step: int
) -> None:
    held, query = hold(page, answers), {f"{key}={value}" for key, value in link.items()}
    page.goto(f"/{place}?{'&'.join(query)}")
    control = page.get_by_label(slider, exact=True)
    control.fill("800")
    page.keyboard.press("l")  # a mark, which is written to the address a moment later
    page.wait_for_timeout(300)
    assert parts(page.url) == query
    held[0].continue_()
    page.unroute(answers)
    expect(page.locator(".row[data-field=c] input[type=number]")).to_have_value(link["c"])
    expect(page).to_have_url(re.compile("lecture=1"))
    assert parts(page.url) == {*query, "lecture=1"}
    page.keyboard.press("l")
    with page.expect_request(answers) as asked:
        control.fill("800")
    assert query < parts(page.url)
    assert f"{field}=" in page.url
    assert parts(asked.value.url) == parts(page.url)


@PLACES
def test_a_slider_waits_for_the_next_step_which_is_asked_for_again_where_it_could_not_be_read(
    page: Page, place: str, answers: str, slider: str, field: str, link: dict[str, str], step: int
) -> None:
    page.goto(address(step))
    at(page, step)
    held = hold(page, answers)
    control, undo = page.get_by_label(slider, exact=True), page.get_by_role("button", name="Undo")
    page.get_by_role("button", name="Next").click()
    control.fill("800")
    until(page, lambda: len(held) == 1)
    held[0].fulfill(body="no answer of the app's", content_type="text/plain")
    expect(page.get_by_role("alert")).to_contain_text("reload the page to try again")
    assert page.url.endswith(address(step + 1))
    control.fill("900")
    until(page, lambda: len(held) == 2)
    held[1].continue_()
    page.unroute(answers)
    expect(page.get_by_role("alert")).to_be_hidden()
    at(page, step + 1)
    assert page.url.endswith(address(step + 1))
    expect(undo).to_be_disabled()
    control.fill("800")
    expect(undo).to_be_enabled()
    expect(page).to_have_url(re.compile(rf"\b{field}=.*&lesson={step + 1}$"))
