"""The home page in a real browser: its way into each page."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["Trajectories", "Regions", "Lab"])
def test_the_home_page_leads_to_each_page(page: Page, name: str) -> None:
    page.goto("/")
    main = page.get_by_test_id("stMainBlockContainer")
    main.get_by_role("link", name=name).click(timeout=90_000)
    page.wait_for_url(f"**/{name.lower()}*")
    expect(page.get_by_role("heading", level=1)).to_have_text(name, timeout=90_000)


@pytest.mark.parametrize("address", ["/", "/trajectories", "/regions", "/lab"])
def test_every_page_opens_by_its_address(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=90_000)
    page.wait_for_timeout(2000)  # time for a late error in the console
    expect(page.get_by_test_id("stException")).to_have_count(0)
