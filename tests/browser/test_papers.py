"""The Papers page in a real browser: state and history, links to what redraws a figure, small screens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from samviz.runs import Store
from tests import stored, synthetic
from tests.serve import PATIENCE, running_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[str]:
    """An app of this module's own: what its store holds is known."""
    with running_app(home) as address:
        yield address


def test_choices_are_in_the_address_and_back_undoes_them(page: Page) -> None:
    page.goto("/papers?table=asam-3")
    chart = page.get_by_test_id("stPlotlyChart")
    expect(chart.locator(".barlayer .trace")).to_have_count(2)  # SAM and ASAM over SGD
    page.get_by_role("radio", name="Values").click()
    expect(page).to_have_url("/papers?table=asam-3&shown=values")
    expect(chart.locator(".scatterlayer .trace")).to_have_count(3)
    page.go_back()
    expect(page).to_have_url("/papers?table=asam-3")
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


def test_nothing_is_wider_than_a_phone(app: str, browser: Browser) -> None:
    context = browser.new_context(base_url=app, viewport={"width": 390, "height": 844}, color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    for view in ("tables", "runs", "figures", "claims"):
        page.goto(f"/papers?view={view}")
        page.get_by_text("NeurIPS 2023").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        inner = page.get_by_test_id("stMain").evaluate("main => [main.scrollWidth, main.clientWidth]")
        assert inner[0] == inner[1], view
    context.close()
