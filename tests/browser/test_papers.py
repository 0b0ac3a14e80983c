"""The Papers page in a real browser: state and history, links to what redraws a figure, small screens."""

import pytest
from playwright.sync_api import Page, expect

from samviz.runs import Store
from tests import stored, synthetic

pytestmark = pytest.mark.browser


def test_choices_are_in_the_address_and_back_undoes_them(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1600})  # a menu closes where the page is scrolled to it
    page.goto("/papers?table=asam-3")
    chart = page.locator(".plot")
    expect(chart.locator(".legendtext")).to_have_text(["SAM-all", "ASAM, original-all"])  # over SGD
    chart.evaluate("plot => { plot.own = true; }")
    page.get_by_role("combobox", name="Gain over").click()
    page.get_by_role("option", name="SAM-all").click()
    expect(chart.locator(".legendtext")).to_have_text(["SGD", "ASAM, original-all"])
    assert chart.evaluate("plot => plot.own"), "a chart that is mounted anew flickers and forgets its zoom"
    page.get_by_role("radio", name="Values").click()
    expect(page).to_have_url("/papers?table=asam-3&reference=SAM-all&shown=values")
    expect(chart.locator(".scatterlayer .trace")).to_have_count(3)
    page.go_back()
    expect(page).to_have_url("/papers?table=asam-3&reference=SAM-all")
    expect(chart.locator(".barlayer .trace")).to_have_count(2)
    page.go_forward()
    expect(chart.locator(".scatterlayer .trace")).to_have_count(3)


def test_a_figure_leads_to_the_state_that_redraws_it(page: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 4, name="Gamma of mine"))
    page.goto("/papers?view=figures&figure=sam-on-4")
    page.get_by_role("link", name="Gamma of mine").click()
    expect(page).to_have_url(f"/compare?comparisons={id}&view=norm")
    expect(page.locator(".barlayer .trace, .scatterlayer .trace").first).to_be_attached()


def test_a_recipe_is_linked_to_and_opens_in_the_lab(page: Page) -> None:
    page.goto("/papers?view=claims&state=untested")
    page.get_by_role("link", name="The recipe of ASAM Fig. 4").first.click()
    expect(page).to_have_url("/papers?view=figures&figure=asam-4")
    expect(page.get_by_text("Not estimated on this machine yet.")).to_be_visible()
    page.get_by_role("button", name="Open in the Lab").click()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("ASAM Fig. 4")
    page.go_back()
    expect(page).to_have_url("/papers?view=figures&figure=asam-4")
    expect(page.get_by_role("button", name="Open in the Lab")).to_be_visible()


def test_back_from_another_page_leads_to_what_was_left_there(page: Page) -> None:
    page.goto("/compare?view=norm&kind=beta")
    expect(page.locator(".plot").first).to_be_visible()
    page.get_by_role("link", name="Sharpness").first.click()
    expect(page.get_by_role("heading", name="Sharpness")).to_be_visible()
    page.go_back()
    expect(page).to_have_url("/compare?view=norm&kind=beta")


def test_back_in_quick_succession_leaves_the_history_as_it_is(page: Page) -> None:
    page.goto("/compare")
    seen = ["/compare", "/compare?view=curves", "/compare?view=cost", "/compare?view=norm"]
    for name, address in zip(("Curves", "Cost", "γ and β"), seen[1:], strict=True):
        page.get_by_role("radio", name=name, exact=True).click()
        expect(page).to_have_url(address)
    for _ in seen[1:]:
        page.evaluate("history.back()")
        page.wait_for_timeout(100)  # faster than the page is drawn
    expect(page.get_by_role("radio", name="Results")).to_be_checked()
    expect(page).to_have_url("/compare")
    entries = page.evaluate("navigation.entries().map(entry => entry.url.slice(location.origin.length))")
    assert entries[-len(seen) :] == seen


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    for view in ("tables", "runs", "figures", "claims"):
        page.goto(f"/papers?view={view}")
        page.get_by_text("NeurIPS 2023").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        inner = page.get_by_test_id("stMain").evaluate("main => [main.scrollWidth, main.clientWidth]")
        assert inner[0] == inner[1], view
