"""The Sharpness page of the bundled example, in a browser that has never been there: opened, and its slider moved."""

import time
from pathlib import Path

from tests.bench.table import Row, quantile_row
from tests.serve import chromium, running_app

# One sample: another a, until its numbers are in the table and the browser has painted them.
_MOVE = """
async (slider, n) => {
    const numbers = slider.getRootNode().querySelector("table");
    const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const took = [];
    for (let k = 0; k < n; k++) {
        const before = numbers.innerText, begun = performance.now();
        slider.value = k % 2 ? slider.min : slider.max;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        while (numbers.innerText === before) await new Promise(requestAnimationFrame);
        await painted();
        took.push(performance.now() - begun);
    }
    return took;
}
"""


def measure(tmp: Path, n: int = 5, moves: int = 100) -> list[Row]:
    """Open the page n times from its address to a slider that can be moved, and move it."""
    seconds, took = [], []
    with chromium() as browser, running_app(tmp) as address:
        for _ in range(n):
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            page = context.new_page()
            begun = time.perf_counter()
            page.goto(f"{address}/sharpness?id=example", wait_until="commit")
            slider = page.get_by_role("slider", name="a")
            slider.wait_for(state="visible", timeout=60_000)
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            seconds.append(time.perf_counter() - begun)
            took += slider.evaluate(_MOVE, moves // n)
            context.close()
    return [
        quantile_row("the Sharpness page opens on the bundled example", seconds, 0.5, 3, "s"),
        quantile_row("its slider moved: new numbers on screen", took, 0.95, 100, "ms"),
    ]
