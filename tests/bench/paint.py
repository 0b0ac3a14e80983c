"""From `streamlit run app.py` to the first painted page, in a real browser that is already open."""

import time
from pathlib import Path

from tests.bench.table import Row, quantile_row
from tests.serve import chromium, free_port, running_app


def measure(tmp: Path, n: int = 5) -> list[Row]:
    """Start the app n times, each on a fresh home folder; seconds until the home page's heading is on screen."""
    seconds = []
    with chromium() as browser:
        for i in range(n):
            page = browser.new_page()
            port = free_port()
            begun = time.perf_counter()
            with running_app(tmp / f"home{i}", port=port) as address:
                page.goto(address, wait_until="commit")
                page.get_by_role("heading", level=1).first.wait_for(state="visible", timeout=60_000)
                page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
                seconds.append(time.perf_counter() - begun)
                page.close()
    return [quantile_row("first page painted after `streamlit run`", seconds, 0.5, 3, "s")]
