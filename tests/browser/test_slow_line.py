"""What becomes of presses whose answers take long to arrive."""

from playwright.sync_api import Page, expect

LATE = """
const listen = WebSocket.prototype.addEventListener;
WebSocket.prototype.addEventListener = function (type, heard, ...more) {
  const late = (event) => setTimeout(heard, window.delay ?? 0, event);
  return listen.call(this, type, type === "message" ? late : heard, ...more);
};
"""
"""Has all that the server says heard `window.delay` milliseconds later."""


def test_presses_that_come_before_the_answers_lose_no_connection(page: Page) -> None:
    page.add_init_script(LATE)
    page.goto("/compare?view=curves")
    expect(page.locator(".plot").first).to_be_visible()
    page.evaluate("window.delay = 4000")
    for name in ("Cost", "γ and β", "Results", "Curves"):
        page.get_by_role("radio", name=name, exact=True).click()
        page.wait_for_timeout(700)
    expect(page.get_by_role("radio", name="Epochs")).to_be_hidden()  # an answer has come
    expect(page.get_by_role("radio", name="Epochs")).to_be_checked()
    expect(page.get_by_role("radio", name="Curves", exact=True)).to_be_checked()
    expect(page.locator(".plot").first).to_be_visible()
    expect(page).to_have_url("/compare?view=curves")
