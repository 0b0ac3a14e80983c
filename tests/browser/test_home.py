"""The home page in a real browser: its way into each page."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_the_home_page_leads_to_each_page(page: Page) -> None:
    page.goto("/")
    for name in ("Trajectories", "Regions", "Lab"):
        page.get_by_test_id("stMainBlockContainer").get_by_role("link", name=name).click()
        page.wait_for_url(f"**/{name.lower()}*")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        page.wait_for_timeout(500)  # time for a late error in the console
        expect(page.get_by_test_id("stException")).to_have_count(0)
        if name != "Lab":
            page.get_by_text("Glossary", exact=True).click()
            expect(page.get_by_text("The minimizers of the toy's loss")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_contain_text("at work")
