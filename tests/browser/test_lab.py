"""The Lab page in a real browser, over stored comparisons: scrubbing, failures, lists, strangers, small screens."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from samviz.runs import Store, measuring, process, unbundle
from samviz.runs.engine import writing
from samviz.spec import Arm
from samviz.ui import access
from tests import stored, synthetic
from tests.browser.visitor import color
from tests.runs import test_exchange_measured as known
from tests.serve import PATIENCE

pytestmark = pytest.mark.browser


def drawn(page: Page) -> Locator:
    """The chart of the test accuracy, once it has a curve in it."""
    page.locator("[data-figure=test_accuracy] .scatterlayer .trace").first.wait_for(state="attached")
    return page.locator("[data-figure=test_accuracy]")


def field(page: Page, *parts: str) -> Locator:
    """What is typed or chosen in the form's widgets of this name, whatever their numbers: see lab_arms.bound."""
    return page.locator("[class*=st-key-lab-]" + "".join(f"[class*='-{part}-']" for part in parts) + " input")


def test_the_slider_scrubs_the_histograms_without_the_server(page: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(3, 12, name="Scrubbed"))
    page.goto(f"/lab?id={id}")
    histograms = page.locator("[data-figure=histograms]")
    expect(histograms).to_have_attribute("data-epoch", "12")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    slider = page.get_by_label("Epoch of the histograms")
    slider.fill("4")
    expect(histograms).to_have_attribute("data-epoch", "4")
    expect(page.get_by_label("latest")).not_to_be_checked()
    counts = histograms.evaluate("plot => plot.data.map(trace => [...trace.y])")
    frame = store.snapshot(id).histograms
    frame = frame[frame["name"] == "gamma"]
    for arm, row in zip(store.snapshot(id).comparison.arms, counts, strict=True):
        mine = frame[(frame["arm"] == arm.key) & (frame["epoch"] == 4)]["counts"]
        assert row == [sum(bins) for bins in zip(*mine, strict=True)]
    slider.press("ArrowRight")
    expect(histograms).to_have_attribute("data-epoch", "5")
    page.get_by_label("latest").check()
    expect(histograms).to_have_attribute("data-epoch", "12")
    assert not [url for url in asked if "/live" in url]


def test_a_finished_comparison_is_no_longer_asked_for(page: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(1, 3, name="Done"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/live") else None)
    page.goto(f"/lab?id={id}")
    drawn(page)
    expect(page.locator(".conclusion")).to_contain_text("One seed: no conclusion can be drawn")
    page.wait_for_timeout(2500)  # while it runs a page asks each second
    assert len(asked) <= 2


def test_a_failed_run_shows_its_error_and_the_end_of_its_log(page: Page, store: Store) -> None:
    log = "".join(f"epoch {n}\n" for n in range(60))
    error = "Traceback (most recent call last):\n  File <a>\nRuntimeError: <b>out of memory</b>"
    spec = synthetic.comparison(2, 4, name="Broken")
    id = stored.put(store, spec, reached={0: 2, 1: 4}, ends={0: "failed"}, error=error, log=log)
    page.goto(f"/lab?id={id}")
    expect(page.locator(".pill")).to_have_text("Failed")
    expect(page.locator(".failures summary")).to_have_text("Seed 0 failed: RuntimeError: <b>out of memory</b>")
    expect(page.locator("pre.error")).to_have_text(error)
    expect(page.locator("pre.log")).to_contain_text("epoch 59")
    drawn(page)


def test_a_lost_connection_is_said_quietly_and_heals(page: Page, store: Store) -> None:
    spec = synthetic.comparison(2, 4, name="Interrupted")
    id = stored.put(store, spec, reached={0: 4, 1: 2}, ends={1: "running"})
    page.goto(f"/lab?id={id}")
    drawn(page)
    page.evaluate("() => { window.real = fetch; window.fetch = () => Promise.reject(new TypeError('offline')); }")
    expect(page.locator(".notice")).to_contain_text("The connection to samviz is lost")
    page.evaluate("() => { window.fetch = window.real; }")
    expect(page.locator(".notice")).to_be_hidden()
    stored.end(store, id, 1)


def test_a_comparison_opens_from_the_list_and_is_deleted_after_a_question(page: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(1, 2, name="To be *deleted* [now]"))
    page.goto("/lab")
    page.get_by_role("link", name="To be *deleted* [now]").click()
    page.wait_for_url(f"**/lab?id={id}")
    drawn(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="New comparison")).to_be_visible()
    with pytest.raises(KeyError):
        store.snapshot(id)


def test_a_comparison_is_exported_and_imported(page: Page, store: Store, tmp_path: Path) -> None:
    spec = replace(known.SPEC, name="<script>alert(1)</script> *x*")
    id = stored.put(store, spec)
    with writing(store.engine) as connection:
        for view in reversed(known.views()):
            measuring.take_in(connection, int(id), view, person="")
    page.goto(f"/lab?id={id}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == f"samviz-{id}.zip"
    file = tmp_path / "x.zip"
    download.value.save_as(file)
    assert unbundle.read(file).snapshot.comparison == spec
    assert len(unbundle.read(file).measurements) == 4
    nothing = tmp_path / "nothing.zip"
    nothing.write_bytes(b"nope")
    page.goto("/lab")
    page.get_by_text("Import a comparison").click()
    files = page.locator("input[type=file]").last
    files.set_input_files(nothing)
    page.get_by_role("button", name="Import", exact=True).click()
    refusal = page.get_by_text("The archive cannot be read: File is not a zip file.")
    expect(refusal).to_be_visible()
    files.set_input_files(file)
    expect(refusal).to_have_count(0)  # the server has the other file
    page.get_by_role("button", name="Import", exact=True).dblclick()
    page.wait_for_url(re.compile(rf"id={int(id) + 1}\b"))
    assert [known.told(view) for view in store.measurements(str(int(id) + 1))] == list(map(known.told, known.views()))
    expect(page.get_by_role("heading", name=spec.name)).to_be_visible()
    drawn(page)
    assert {one.id for one in store.comparisons() if one.name == spec.name} == {id, str(int(id) + 1)}


def test_the_form_stands_still_and_keeps_what_was_chosen(page: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(1, 2, name="Once more"))
    page.set_viewport_size({"width": 1400, "height": 2600})  # a list closes when the page scrolls
    page.goto("/lab")
    page.locator(f".st-key-lab-duplicate-{id} button").click()
    expect(field(page, "name").first).to_have_value("Once more")  # for a moment both widgets are there
    # An arm's popover stays open, where it is, while its button tells what is set.
    more, body = page.get_by_test_id("stPopoverButton").nth(2), page.get_by_test_id("stPopoverBody")
    more.click()
    left = body.bounding_box()["x"]
    body.get_by_role("combobox", name="Mask").click()
    page.get_by_role("option", name="SSAM-F").click()
    expect(body.get_by_role("spinbutton", name="Sparsity")).to_have_value("0.5")
    body.get_by_role("spinbutton", name="Times the epochs").fill("2")
    page.keyboard.press("Enter")
    expect(more).to_contain_text("×2, SSAM-F")
    assert body.bounding_box()["x"] == left
    page.keyboard.press("Escape")
    # A method that gets another name on screen is still the same method, also in the run after that.
    page.get_by_text("Edit the recipe").click()
    page.get_by_role("button", name="Start").hover()  # it waits until all has unfolded, which closes a list
    method = field(page, "arm", "method").first
    expect(method).to_have_value("SGD")
    for name, choice in (("optimizer", "AdamW"), ("schedule", "constant")):
        box = field(page, "recipe", name)
        box.click()
        page.get_by_role("option", name=choice).click()
        expect(box).to_have_value(choice)
        expect(method).to_have_value("AdamW")
    expect(field(page, "recipe", "nesterov")).to_be_disabled()


def test_start_is_for_what_is_shown_and_counts_once(page: Page, home: Path, store: Store) -> None:
    before = {one.id for one in store.comparisons()}
    find = "const find = (all, name) => [...document.querySelectorAll(all)].find(e => e.innerText.endsWith(name));"
    page.goto("/lab")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    with process.lock(process.supervisor_lock(home)):  # nothing trains
        field(page, "arm", "method").nth(1).click()
        page.get_by_role("option", name="ASAM", exact=True).wait_for()
        page.evaluate(f"() => {{ {find} find('[role=option]', 'ASAM').click(); find('button', 'Start').click(); }}")
        expect(page.get_by_text("Nothing was started")).to_be_visible()
        expect(field(page, "arm", "rho").nth(1)).to_have_value("2")
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        assert {one.id for one in store.comparisons()} == before
        start = "find('button', 'Start')"
        page.evaluate(f"() => {{ {find} {start}.click(); setTimeout(() => {start}?.click(), 60); }}")
        page.wait_for_url("**/lab?id=*")
        expect(page.locator(".pill")).to_have_text("Queued")
        (id,) = {one.id for one in store.comparisons()} - before
        assert page.url.endswith(f"id={id}")
        assert store.header(id).comparison.arms[1] == Arm(variant="elementwise_l2", rho=2.0)
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".pill")).to_have_text("Cancelled")


def test_nothing_is_wider_than_the_screen(page: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(3, 5))
    for address in ("/", "/lab", f"/lab?id={id}"):
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark")
        page.goto(address)
        page.get_by_role("heading", level=1).wait_for()
        if "id=" in address:
            drawn(page)
        fits(page)
        page.set_viewport_size({"width": 1400, "height": 844})
        fits(page)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        text = page.locator("[data-figure=test_accuracy] .xtick text").first
        expect(text).to_have_css("fill", color(scheme, "textColor"))


def fits(page: Page) -> None:
    page.wait_for_timeout(300)  # for what takes its place late
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0, page.url


def test_a_stranger_behind_a_proxy_may_look_but_not_act(browser: Browser, app: str, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 3, name="Looked at"))
    with forwarding(int(app.rsplit(":", 1)[1])) as address:
        context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/lab")
        expect(page.get_by_text(access.ADVICE)).to_be_visible()
        for name in ("Start", "Estimate the time"):
            expect(page.get_by_role("button", name=name)).to_be_disabled()
        page.locator(f".st-key-lab-line-{id} [data-testid=stPageLink] a").click()
        drawn(page)
        expect(page.get_by_role("button", name="Delete")).to_be_disabled()
        context.close()  # so that the proxy's connections end


@contextmanager
def forwarding(port: int) -> Iterator[str]:
    """A reverse proxy on this computer: it adds X-Forwarded-For to the first request of each connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # either side has closed

    def serve(client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := client.recv(65536)):
                    return
                head += data
            request, rest = head.split(b"\r\n", 1)
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                upstream.sendall(request + b"\r\nX-Forwarded-For: 203.0.113.9\r\n" + rest)
                back = Thread(target=pump, args=(upstream, client))
                back.start()
                pump(client, upstream)
                back.join()

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threads.append(Thread(target=serve, args=(client,)))
            threads[-1].start()

    threads: list[Thread] = []
    accepting = Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for thread in threads:
            thread.join()
        server.close()
