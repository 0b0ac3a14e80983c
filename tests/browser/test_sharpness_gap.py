"""The view of generalization gaps in a real Chromium: its charts, their legend and the choice of the gap."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from samviz.runs import Store
from tests.serve import PATIENCE, running_app
from tests.ui.test_sharpness_gap import ASKED, tell, trained

pytestmark = pytest.mark.browser


def test_four_charts_share_a_legend_and_follow_the_gap(
    home: Path, store: Store, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "resume", lambda self: None)  # nobody else is to take these runs up
    id = trained(store)
    for k, (_, member, _) in enumerate(store.sweep(id).members):
        tell(store, member, ASKED, 1 - k / 10, (k + 1, 9 - k, 5 + k, 2 + k))
    with running_app(home) as address:
        context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"/sharpness?view=gap&sweep={id}")
        points = page.locator(".plot .scatterlayer .point")
        expect(points).to_have_count(4 * 4)
        expect(page.locator(".charts h4").nth(1)).to_have_text("Adaptive sharpness, p = 2: τ = -1.000")
        page.get_by_role("button", name="lr 0.2").click()
        expect(points).to_have_count(4 * 2)
        page.get_by_role("combobox", name="Gap").click()
        page.get_by_role("option", name="train accuracy minus test accuracy (points)").click()
        expect(page.locator(".ytitle").first).to_have_text("train accuracy minus test accuracy (points)")
        assert "gap=accuracy" in page.url
        expect(points).to_have_count(4 * 2)  # what was hidden stays hidden
        context.close()
    assert not errors
