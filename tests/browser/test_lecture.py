"""`make lecture` in a real Chromium: the lecturer's view, its QR code, and what the audience may do."""

import re
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from samviz.spec.lesson import LESSON, address
from samviz.ui.public import network_address
from tests.browser.visitor import Visitor
from tests.serve import running_app

pytestmark = pytest.mark.browser

SETTINGS = {"trajectories": "learning rate, value", "regions": "target c, value"}


@pytest.fixture(scope="module")
def hall(own_home: Path, own_port: int) -> Iterator[str]:
    """The lecturer's own address of an app that listens to the network."""
    with running_app(own_home, port=own_port, lecture=True) as started:
        yield started


@pytest.fixture(scope="module")
def outside(hall: str) -> str:
    """The same app as another computer reaches it."""
    if network_address() == "127.0.0.1":
        pytest.skip("this computer is in no network")
    return f"http://{network_address()}:{urlsplit(hall).port}"


@pytest.fixture
def screen(hall: str, visitor: Visitor) -> Iterator[Page]:
    """A projector; fails on any error in the console."""
    with visitor.page(hall) as page:
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.emulate_media(reduced_motion="reduce")
        yield page


def code(picture: Locator) -> str:
    """What a phone reads on the screen."""
    found = zxingcpp.read_barcodes(Image.open(BytesIO(picture.screenshot())))
    return found[0].text if found else ""


def expect_code(page: Page, address: str) -> None:
    """Wait until the code on the screen leads to an address."""
    for _ in range(40):
        if code(page.locator("button.code img")) == address:
            return
        page.wait_for_timeout(250)
    assert code(page.locator("button.code img")) == address


@pytest.mark.parametrize(("number", "scheme"), [(2, "light"), (5, "dark")])
def test_the_lecture_view_is_large_without_settings_and_with_a_code(
    screen: Page, outside: str, number: int, scheme: str
) -> None:
    place = address(number)
    screen.emulate_media(color_scheme=scheme)
    screen.goto(place + "&lecture=1")
    field = screen.get_by_label(SETTINGS[urlsplit(place).path.strip("/")])
    expect(screen.locator(".lesson h2")).to_be_visible()
    expect(field).to_be_hidden()
    expect(screen.get_by_role("heading", level=1)).to_be_hidden()
    assert screen.locator(".lesson .body p").first.evaluate("(p) => parseFloat(getComputedStyle(p).fontSize)") >= 20
    expect_code(screen, outside + place)
    expect(screen.locator(".share .link")).to_have_text(outside + place)
    screen.keyboard.press("h")
    expect(field).to_be_visible()
    expect(screen).to_have_url(re.compile(r"&lecture=controls$"))
    screen.reload()
    expect(field).to_be_visible()
    screen.get_by_role("button", name="Hide the settings").click()
    expect(field).to_be_hidden()
    expect(screen).to_have_url(re.compile(r"&lecture=1$"))


def test_the_code_follows_what_is_shown(screen: Page, outside: str) -> None:
    screen.goto("/regions?lecture=1")
    expect(screen.locator(".lesson")).to_be_hidden()
    expect_code(screen, f"{outside}/regions")
    slider = screen.locator(".rescale").get_by_label("rescale a", exact=True)
    slider.focus()
    screen.keyboard.press("ArrowLeft")
    expect(screen).to_have_url(re.compile(r"\?a=2\.\d+&lecture=1$"))
    expect_code(screen, screen.url.replace("&lecture=1", "").replace("127.0.0.1", network_address()))
    screen.keyboard.press("q")
    large = screen.locator("dialog.code img")
    expect(large).to_be_visible()
    assert code(large) == code(screen.locator("button.code img")) or code(large).startswith(f"{outside}/regions?a=2.")
    screen.keyboard.press("Escape")
    expect(large).to_be_hidden()


def test_the_lecture_view_lasts_through_the_lesson_and_ends_with_a_key(screen: Page) -> None:
    screen.goto(address(8, "1"))
    for key, number in [("PageDown", 9), ("PageDown", 10), ("PageUp", 9), ("PageUp", 8), ("PageUp", 7)]:
        expect(screen.locator(".lesson .count")).to_be_visible()
        screen.keyboard.press(key)
        expect(screen).to_have_url(re.compile(rf"&lesson={number}&lecture=1$"))
        expect(screen.locator(".lesson .count")).to_have_text(f"Step {number} of {len(LESSON)}")
        expect(screen.locator("button.code")).to_be_visible()
    screen.keyboard.press("l")
    expect(screen.locator(".share")).to_be_hidden()
    expect(screen.get_by_role("heading", level=1)).to_be_visible()
    expect(screen).to_have_url(re.compile(r"&lesson=7$"))
    screen.keyboard.press("h")  # nothing outside of the lecture view
    screen.get_by_role("button", name="Lecture view").click()
    expect(screen.locator(".share")).to_be_visible()
    expect(screen).to_have_url(re.compile(r"&lecture=1$"))


def test_a_key_counts_while_the_server_still_reads_the_next_step(screen: Page) -> None:
    screen.goto(address(4, "1"))
    expect(screen.locator(".maxima")).to_contain_text("2.514558")

    def slow(route: Route) -> None:
        screen.wait_for_timeout(700)
        route.continue_()

    screen.route("**/api/toy/regions?*", slow)
    screen.keyboard.press("PageDown")
    expect(screen.locator(".lesson .count")).to_have_text(f"Step 5 of {len(LESSON)}")
    screen.keyboard.press("l")
    expect(screen.locator(".maxima")).to_contain_text("2.068167")
    screen.wait_for_timeout(500)
    expect(screen.locator(".share")).to_be_hidden()
    expect(screen).to_have_url(re.compile(r"&lesson=5$"))


def test_the_audience_opens_the_code_and_may_play_but_not_start_anything(
    outside: str, hall: str, visitor: Visitor
) -> None:
    with visitor.tab(hall) as own:
        phone = own.context.new_page()
        phone.set_viewport_size({"width": 360, "height": 740})
        phone.goto(outside + address(4))
        expect(phone.locator("table.maxima td").first).to_have_text("1.792107")
        phone.goto(f"{outside}/lab")
        expect(phone.get_by_text("This browser is on another computer")).to_be_visible()
        expect(phone.get_by_role("button", name="Start", exact=True)).to_be_disabled()
        own.goto("/lab")
        expect(own.get_by_role("button", name="Start", exact=True)).to_be_enabled()
        # A fresh install is not empty.
        expect(own.get_by_role("heading", name="An example that ships with samviz")).to_be_visible()
        own.locator("[data-figure=test_accuracy] .scatterlayer .trace").first.wait_for(state="attached")
        assert own.locator(".live tbody tr").count() == 4


@pytest.mark.parametrize(("host", "status"), [("localhost", 101), (network_address(), 101), ("evil.example", 403)])
def test_the_app_answers_to_its_own_names_alone(hall: str, host: str, status: int) -> None:
    """A foreign name that leads to this computer gets no session: see Streamlit's server.allowedHosts."""
    port = urlsplit(hall).port
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(request.encode())
        assert s.recv(100).startswith(f"HTTP/1.1 {status}".encode())


def test_who_cannot_be_reached_is_told_so_instead_of_a_code(page: Page) -> None:
    page.goto("/regions?lecture=1")
    expect(page.locator(".share")).to_contain_text("samviz listens to this computer alone: start it with make lecture")
    expect(page.locator("button.code")).to_have_count(0)
