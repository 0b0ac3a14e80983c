"""From a pointer that moves a start point to the new paths on screen, and the frames of the player, in Chromium."""

from pathlib import Path

from playwright.sync_api import Page

from tests.bench.table import Row, quantile_row
from tests.serve import chromium, running_app

_FIND = """
    const find = (selector) => {
        for (const node of document.querySelectorAll("*")) {
            const found = node.shadowRoot?.querySelector(selector);
            if (found) return found;
        }
    };"""

# One sample: move the pointer, wait until the canvas holds paths for that place, and until the browser has painted
# them (the second animation frame after). Samples come one after the other, as fast as the page answers.
_DRAG = f"""async (n) => {{{_FIND}
    const handle = find(".handle"), canvas = find(".plane > canvas[data-revision]");
    const box = handle.getBoundingClientRect();
    const at = (x, y) => ({{ bubbles: true, pointerId: 1, button: 0, buttons: 1, clientX: x, clientY: y }});
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    handle.setPointerCapture = () => undefined; // there is no pointer behind the events of a script
    handle.dispatchEvent(new PointerEvent("pointerdown", at(x, y)));
    const seconds = [];
    for (let i = 1; i <= n; i++) {{
        const before = canvas.dataset.revision;
        const start = performance.now();
        handle.dispatchEvent(new PointerEvent("pointermove", at(x + 60 * Math.sin(i / 9), y - 40 * Math.sin(i / 13))));
        while (canvas.dataset.revision === before) await new Promise((done) => setTimeout(done));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        seconds.push(performance.now() - start);
    }}
    handle.dispatchEvent(new PointerEvent("pointerup", at(x, y)));
    return seconds;
}}"""

_FRAMES = f"""async (n) => {{{_FIND}
    const canvas = find(".plane > canvas[data-revision]");
    const gaps = [];
    let before = performance.now(), half = canvas.dataset.half;
    while (gaps.length < n) {{
        await new Promise((done) => requestAnimationFrame(done));
        if (canvas.dataset.half === half) continue;
        half = canvas.dataset.half;
        gaps.push(performance.now() - before);
        before = performance.now();
    }}
    return gaps.slice(1);
}}"""


def _open(page: Page, address: str) -> None:
    page.goto(f"{address}/trajectories")
    page.locator(".outcome").first.wait_for(timeout=60_000)


def drag_latencies(page: Page, n: int = 200) -> list[float]:
    """Milliseconds from a pointer's movement to the painted paths, n times, on an open Trajectories page."""
    page.evaluate(_DRAG, 20)  # warm up
    return page.evaluate(_DRAG, n)


def player_gaps(page: Page, n: int = 120) -> list[float]:
    """Milliseconds between frames of the player at 500 steps a second, on an open Trajectories page."""
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    gaps = page.evaluate(_FRAMES, n)
    page.keyboard.press("Space")
    return gaps


def measure(tmp: Path, n: int = 200) -> list[Row]:
    """The opening picture: three methods, 5000 steps a path."""
    with running_app(tmp / "home") as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        _open(page, address)
        drags, gaps = drag_latencies(page, n), player_gaps(page)
    return [
        quantile_row("drag a start point: new paths on screen", drags, 0.5, 50, "ms"),
        quantile_row("drag a start point: new paths on screen", drags, 0.95, 100, "ms"),
        quantile_row("player: time between frames", gaps, 0.5, 1000 / 30, "ms"),
        quantile_row("player: time between frames", gaps, 0.95, 1000 / 30, "ms"),
    ]
