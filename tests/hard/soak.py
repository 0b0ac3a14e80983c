"""`python -m tests.hard.soak [MINUTES]`: an hour of starts, cancels and reloads; does the app stay as it was?

A real browser starts a comparison, looks at it, cancels it (every third one may end) and loads the page again; sessions
of others come and go meanwhile. Each cycle the app's memory, open files, threads and children are written down: of the
time after the warm-up (a sixth of it), the last quarter is compared with the first one. Zombies, workers and
supervisors that stay behind are counted at the end.
"""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
from playwright.sync_api import Page

from samviz.runs import Store, open_store
from samviz.training.hardware import processor
from tests.asgi import run
from tests.hard.watch import arrive, server
from tests.runs.conftest import processes
from tests.serve import PATIENCE, chromium, running_app

OTHERS = 5
"""Sessions that open the page in each cycle, and leave."""
ENDS_EACH = 3
"""Of so many comparisons one is left to come to its end."""
MOST_GROWTH = 5.0
"""Percent of memory."""


def cycle(page: Page, address: str, store: Store, k: int) -> str:
    """Start a comparison, look at it, cancel it or let it end, and load the page again; its state at the end."""
    page.goto(f"{address}/lab")
    page.get_by_label("Name", exact=True).first.fill(f"Soak {k}")
    page.get_by_text("Edit the recipe").click()
    page.locator("[class*=st-key-lab-recipe-epochs-] input").fill("2")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**id=*", timeout=PATIENCE)
    page.locator(".pill").wait_for(timeout=PATIENCE)
    id = page.url.split("id=")[1].split("&")[0]
    page.wait_for_timeout(4000)
    page.reload()
    page.locator(".pill").wait_for(timeout=PATIENCE)
    if k % ENDS_EACH:
        page.get_by_role("button", name="Cancel", exact=True).click()
    deadline = time.monotonic() + 900
    while store.header(id).state in ("queued", "running"):
        assert time.monotonic() < deadline, store.header(id)
        page.wait_for_timeout(200)
    run(arrive(address, f"/lab?id={id}", OTHERS))
    page.goto(f"{address}/trajectories")
    page.wait_for_timeout(500)
    return store.header(id).state


def reading(app: psutil.Process) -> dict[str, float]:
    """The app's process at a moment; a zombie is a child that nobody has waited for."""
    children = app.children(recursive=True)
    zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in children)
    memory = app.memory_info().rss / 1e6
    return {"memory": memory, "files": app.num_fds(), "threads": app.num_threads(), "zombies": zombies}


def main(minutes: float = 60.0) -> int:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder).resolve() / "home"
        os.environ["SAMVIZ_HOME"] = str(home)
        store = open_store(home)
        begun, readings, states = time.monotonic(), [], []
        with running_app(home) as address, chromium() as browser:
            app = server(urlsplit(address).port)
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            while time.monotonic() - begun < 60 * minutes:
                states.append(cycle(page, address, store, len(states)))
                readings.append({"minute": (time.monotonic() - begun) / 60, **reading(app)})
                told = ", ".join(f"{name} {value:.0f}" for name, value in readings[-1].items())
                print(told, file=sys.stderr, flush=True)
            time.sleep(10)
            left = sum(len(processes(home, module)) for module in ("worker", "supervisor"))
            end = reading(app)
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    print(f"{processor()}, {psutil.cpu_count()} cores, Python {platform.python_version()}, {minutes:g} minutes")
    print(f"{len(states)} comparisons started from the page: {counts}\n")
    growth = compare([row for row in readings if row["minute"] > minutes / 6])
    print(f"\nat the end: {end['zombies']:.0f} zombies, {left} workers and supervisors left")
    sound = max(growth.values()) < MOST_GROWTH and not end["zombies"] and not left
    print("sound" if sound else "NOT sound")
    return 0 if sound else 1


def compare(rows: list[dict[str, float]]) -> dict[str, float]:
    """Print the first and the last quarter of the readings side by side; the growth of each in percent.

    Of open files the least counts: Streamlit gives each run of a page's script an event loop, whose three files are
    closed when Python collects its garbage, not before.
    """
    print("| of the app | first quarter after the warm-up | last quarter | change, % |")
    print("|---|---|---|---|")
    quarter, growth = max(1, len(rows) // 4), {}
    for name, what, of in (("memory", "memory, MB, median", np.median), ("files", "open files, least", np.min)):
        first, last = (float(of([row[name] for row in part])) for part in (rows[:quarter], rows[-quarter:]))
        growth[name] = 100 * (last / first - 1)
        print(f"| {what} | {first:.1f} | {last:.1f} | {growth[name]:+.1f} |")
    return growth


if __name__ == "__main__":
    sys.exit(main(*(float(x) for x in sys.argv[1:2])))
