"""What is taken home, in a real Chromium: pictures, files, the animation, the video, the address and the lines."""

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Download, Page, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

# A page with the true drawings, player and routes, but nothing else: what a test of this part needs.
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>take home</title>
<link rel="stylesheet" href="/assets/controls.css"><link rel="stylesheet" href="/assets/takehome.css">
<style>
:root { --st-text-color: #1c2430; --st-background-color: #ffffff; --st-base-radius: 6px; --st-primary-color: #0b62a4;
  --st-font: sans-serif; --st-red-text-color: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --st-text-color: #e6eaf0; --st-background-color: #11161d;
  --st-primary-color: #6cb6f0; --st-red-text-color: #ff8a80; color-scheme: dark; } }
body { margin: 24px; background: var(--st-background-color); }
.plane { position: relative; height: 300px; } .plane canvas { position: absolute; width: 100%; height: 100%; }
</style>
<div class="samviz"><div class="plane"><canvas></canvas><canvas></canvas></div></div>
<script type="module">
import { fetchPaths } from "/assets/paths.js";
import { View, drawAxes, drawLandscape, mark, outlineRegion, readTheme, strokeLine, wipe } from "/assets/plane.js";
import { Player } from "/assets/player.js";
import { takeHome } from "/assets/takehome.js";

const root = document.querySelector(".samviz");
const [back, front] = root.querySelectorAll("canvas");
const view = new View([-0.02, 0.45, -0.06, 0.255]);
const theme = readTheme(root);
const name = location.search === "?regions" ? "regions" : "trajectories";
window.query = name === "regions" ? "a=2" : "steps=400&variants=sam,elementwise_l2";
const { paths } = await fetchPaths("/api/toy/paths?steps=400&variants=sam,elementwise_l2");
const methods = [
  { key: "sam", label: "SAM", color: "#0072b2", marker: "square" },
  { key: "elementwise_l2", label: "ASAM", color: "#cc79a7", marker: "triangle" },
];
const looks = Object.fromEntries(methods.map((method) => [method.key, method]));
const player = new Player([0.1, 1, 5], () => drawFront(wipe(front)), () => {});
view.resize(back.clientWidth, back.clientHeight);
const edges = view.edges.map((w, i) => `${["x0", "x1", "y0", "y1"][i]}=${w}`).join("&");
const landscape = await (await fetch(`/api/toy/plane?c=0.04&${edges}`)).json();

function drawFront(pen) {
  pen.lineJoin = "round";
  for (const path of paths) {
    const { color, marker } = looks[path.variant];
    pen.strokeStyle = pen.fillStyle = color;
    pen.lineWidth = 2;
    strokeLine(pen, view, path.points.subarray(0, 2 * player.step + 2));
    const [x, y] = [0, 1].map((i) => path.points[2 * player.step + i]);
    outlineRegion(pen, view, view.x(x), view.y(y), 0.05, 0.05, 2);
    mark(pen, marker, view.x(x), view.y(y), 4, theme.background);
  }
}
function drawBack(pen) {
  drawLandscape(pen, view, landscape, theme);
  drawAxes(pen, view, theme);
}
function paint(pen) {
  pen.fillStyle = theme.background;
  pen.fillRect(0, 0, view.width, view.height);
  drawBack(pen);
  drawFront(pen);
}

drawBack(wipe(back));
player.setSteps(400);
player.go(800);
const pictures = name === "regions" ? ["Sphere", "Cuboid & <box>"] : ["Plane"];
const routes = { csv: "/api/toy/paths.csv", html: "/api/toy/animation.html", python: "/api/toy/code" };
window.player = player;
window.source = {
  name,
  pictures: () => pictures.map((name) => ({ name, width: view.width, height: view.height, paint })),
  legend: () => (name === "trajectories" ? methods : []),
  background: () => theme.background,
  query: () => window.query,
  routes: name === "regions" ? { python: routes.python } : routes,
  ...(name === "trajectories" && { player, canvases: () => [back, front] }),
};
root.append(player.bar, takeHome(window.source));
root.dataset.ready = "yes";
</script></html>"""


@pytest.fixture
def home(page: Page) -> Page:
    """The page of this module, opened."""
    open_page(page)
    return page


def open_page(page: Page, name: str = "trajectories") -> None:
    page.route("**/takehome-test*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.goto(f"/takehome-test?{name}")
    expect(page.locator("[data-ready]")).to_be_attached()
    page.get_by_text("Take it home").click()


def button(page: Page, name: str):
    return page.locator(".takehome").get_by_role("button", name=name, exact=True)


def taken(page: Page, name: str, folder: Path) -> Path:
    """Press a button and wait for its file."""
    with page.expect_download() as download:
        button(page, name).click()
    return kept(download.value, folder)


def kept(download: Download, folder: Path) -> Path:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def said(page: Page):
    return page.locator(".takehome").get_by_role("status")


def pixels(path: Path) -> np.ndarray:
    """A picture's red, green and blue, (height, width, 3)."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)


# ---- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), [("trajectories", 1), ("regions", 2)])
def test_svg_and_png_are_one_picture_in_twice_the_size(page: Page, tmp_path: Path, name: str, count: int) -> None:
    page.set_viewport_size({"width": 1001, "height": 900})
    open_page(page, name)
    png = taken(page, "PNG", tmp_path)
    expect(said(page)).to_have_text(f"Saved {name}.png.")
    svg = taken(page, "SVG", tmp_path)
    expect(said(page)).to_have_text(f"Saved {name}.svg.")

    big = pixels(png)
    width, height = count * 953 + (count - 1) * 16, 300 + (28 if count > 1 else 26)  # a caption, or a legend
    assert big.shape == (2 * height, 2 * width, 3)
    root = ET.parse(svg).getroot()
    assert (root.get("width"), root.get("height")) == (str(width), str(height))
    shape = page.context.new_page()
    shape.set_viewport_size({"width": width, "height": height})
    shape.goto(svg.as_uri())
    shape.screenshot(path=tmp_path / "rendered.png")
    small = big.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    difference = abs(small - pixels(tmp_path / "rendered.png"))
    assert difference.mean() < 1.0, "but for how edges are smoothed they are the same"
    for color in ((0, 114, 178), (204, 121, 167), (28, 36, 48)):
        assert (abs(big - color).max(axis=2) < 2).sum() > 100, f"nothing is {color}"


def test_the_svg_holds_paths_text_clips_and_its_address(page: Page, tmp_path: Path) -> None:
    open_page(page, "regions")
    space = "{http://www.w3.org/2000/svg}"
    root = ET.parse(taken(page, "SVG", tmp_path)).getroot()
    assert root.find(f"{space}title").text == "samviz: /takehome-test?a=2"
    background = root.find(f"{space}rect")
    assert (background.get("fill"), background.get("width")) == ("#ffffff", "100%")
    blue = [p for p in root.iter(f"{space}path") if p.get("stroke") == "#0072b2" and p.get("fill") == "none"]
    assert len(blue) == 8, "a path and its region from two starts in two pictures"
    line = [tuple(map(float, pair.split(" "))) for pair in re.findall(r"[ML]([^MLAZ]+)", blue[0].get("d"))]
    assert len(line) == 401
    assert all(re.fullmatch(r"-?\d+(\.\d{1,2})?", number) for number in re.findall(r"[-\d.]+", blue[0].get("d")))
    assert "A" in blue[1].get("d")
    texts = {text.text for text in root.iter(f"{space}text")}
    assert {"Sphere", "Cuboid & <box>", "w₁", "0.2"} <= texts
    clips = {clip.get("id"): clip for clip in root.iter(f"{space}clipPath")}
    used = {node.get("clip-path") for node in root.iter()} - {None}
    assert used == {f"url(#{name})" for name in clips}
    assert sum(clip.get("clip-path") is not None for clip in clips.values()) == 2, "hatching, inside its picture"


PEN = """
async ({ draws }) => {
  const { SvgPen } = await import("/assets/svgpen.js");
  const draw = new Function("pen", draws);
  const pen = new SvgPen(120, 80, { title: "one & two", background: "rgb(240 240 240)" });
  draw(pen);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [120, 80];
  const real = canvas.getContext("2d");
  real.fillStyle = "rgb(240 240 240)";
  real.fillRect(0, 0, 120, 80);
  real.fillStyle = "#000";
  draw(real);
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([pen.toString()], { type: "image/svg+xml" }));
  await image.decode();
  const other = document.createElement("canvas");
  [other.width, other.height] = [120, 80];
  other.getContext("2d").drawImage(image, 0, 0);
  const data = (c) => c.getContext("2d").getImageData(0, 0, 120, 80).data;
  const [a, b] = [data(canvas), data(other)];
  let sum = 0;
  let ink = 0;
  for (let i = 0; i < a.length; i++) {
    sum += Math.abs(a[i] - b[i]);
    if (i % 4 === 0 && Math.abs(a[i] - 240) > 8) ink += 1;
  }
  return { difference: sum / a.length, ink, text: pen.toString() };
}
"""


DRAWINGS = (
    "pen.strokeStyle = '#c00'; pen.lineWidth = 5; pen.lineJoin = 'round'; pen.lineCap = 'round';"
    "pen.beginPath(); pen.lineTo(9, 9); pen.lineTo(60, 70); pen.lineTo(NaN, 3); pen.lineTo(110, 10); pen.stroke();",
    "pen.lineWidth = 3; pen.beginPath(); pen.moveTo(60, 8); pen.lineTo(64, 70); pen.lineTo(68, 8); pen.stroke();",
    "pen.fillStyle = 'rgba(0, 90, 200, 0.5)'; pen.globalAlpha = 0.5;"
    "pen.beginPath(); pen.arc(50, 40, 30, 0, 7); pen.fill();",
    "pen.lineWidth = 4; pen.setLineDash([6, 3]);"
    "pen.beginPath(); pen.ellipse(60, 40, 50, 20, 0.4, 0.5, 4); pen.stroke();",
    "pen.beginPath(); pen.arc(40, 40, 20, 1, 2); pen.arc(90, 40, 20, 0, Math.PI); pen.closePath(); pen.fill();",
    "pen.save(); pen.beginPath(); pen.rect(10, 10, 60, 60); pen.clip(); pen.translate(30, 20);"
    "pen.beginPath(); pen.arc(0, 0, 30, 0, 7); pen.clip(); pen.fillStyle = 'teal'; pen.fillRect(-50, -50, 99, 99);"
    "pen.restore(); pen.fillRect(90, 5, 20, 20); pen.clearRect(0, 0, 0, 0);",
    "pen.font = 'italic 700 20px sans-serif'; pen.textBaseline = 'middle'; pen.textAlign = 'center';"
    "pen.lineWidth = 4; pen.strokeStyle = 'white';"
    "pen.strokeText('a<b & c', 60, 40); pen.fillText('a<b & c', 60, 40);",
    "pen.font = '16px serif'; for (const [i, line] of ['top', 'alphabetic', 'bottom'].entries()) {"
    "pen.textBaseline = line; pen.textAlign = ['left', 'center', 'right'][i]; pen.fillText('Text', 60, 40); }",
)


def test_the_pen_writes_what_a_canvas_paints(home: Page) -> None:
    for draws in DRAWINGS:
        found = home.evaluate(PEN, {"draws": draws})
        assert found["ink"] > 100, draws
        assert found["difference"] < 0.02 * 255 * found["ink"] / (120 * 80) + 0.05, draws
        assert ET.fromstring(found["text"].encode()).find("{http://www.w3.org/2000/svg}title").text == "one & two"


# ---- files of the server ---------------------------------------------------------------------------------------------


def test_the_csv_is_that_of_the_settings(home: Page, tmp_path: Path) -> None:
    path = taken(home, "CSV", tmp_path)
    expect(said(home)).to_have_text("Saved trajectories.csv.")
    assert path.name == "trajectories.csv"
    assert len(path.read_text().splitlines()) == 1 + 4 * 401


def test_the_animation_plays_from_a_file_without_a_network(home: Page, browser: Browser, tmp_path: Path) -> None:
    path = taken(home, "Animation (HTML)", tmp_path)
    expect(said(home)).to_have_text("Saved trajectories.html.")
    context = browser.new_context(offline=True, viewport={"width": 360, "height": 800})
    alone, errors = context.new_page(), []
    alone.on("console", lambda message: errors.append(message.text))
    alone.on("pageerror", lambda error: errors.append(str(error)))
    alone.on("request", lambda request: None if request.url == path.as_uri() else errors.append(request.url))
    alone.goto(path.as_uri())
    picture = alone.locator("#picture")
    step = lambda: int(picture.get_attribute("data-step"))  # noqa: E731
    alone.wait_for_function("document.querySelector('#picture').dataset.step > 20")
    early = picture.screenshot()
    alone.wait_for_function("document.querySelector('#picture').dataset.step > 100")
    alone.keyboard.press("Space")
    assert picture.screenshot() != early
    stopped = step()
    alone.wait_for_timeout(200)
    assert step() == stopped
    alone.keyboard.press("ArrowRight")
    assert step() == stopped + 1
    alone.keyboard.press("Shift+ArrowLeft")
    assert step() == stopped - 99
    alone.keyboard.press("End")
    expect(alone.locator("#text")).to_have_text("step 400 of 400")
    alone.get_by_label("Step").fill("123")
    assert step() == 123
    alone.get_by_label("Speed").select_option("10")
    alone.get_by_role("button", name="Play").click()
    expect(picture).to_have_attribute("data-step", "400")
    expect(alone.get_by_role("button", name="Play")).to_be_visible()
    alone.get_by_label("loop").check()
    alone.get_by_role("button", name="Play").click()
    alone.wait_for_function("document.querySelector('#picture').dataset.step < 300")
    expect(alone.get_by_role("button", name="Pause")).to_be_visible()
    assert alone.evaluate("document.documentElement.scrollWidth") == 360
    expect(alone.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    alone.emulate_media(color_scheme="dark")
    expect(alone.locator("body")).not_to_have_css("background-color", "rgb(255, 255, 255)")
    context.close()
    assert not errors


# ---- video -----------------------------------------------------------------------------------------------------------

WATCH = """
async (text) => {
  const video = document.createElement("video");
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/webm" }));
  video.muted = true;
  const happens = (name) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
  });
  await happens("loadeddata");
  const { duration, videoWidth: width, videoHeight: height } = video;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  const shots = [];
  for (const part of [0.02, 0.1, 0.2, 0.3, 0.98]) {
    video.currentTime = part * duration;
    await happens("seeked");
    pen.drawImage(video, 0, 0);
    let blue = 0;
    const { data } = pen.getImageData(0, 0, width, height);
    for (let i = 0; i < data.length; i += 4) if (data[i + 2] > data[i] + 60) blue += 1;
    shots.push(blue);
  }
  return { duration, width, height, shots };
}
"""


def watched(page: Page, path: Path) -> dict:
    return page.evaluate(WATCH, base64.b64encode(path.read_bytes()).decode())


def test_the_video_shows_the_player_from_its_start_to_its_end(home: Page, tmp_path: Path) -> None:
    home.evaluate("player.speed.value = '5'; player.go(300)")
    with home.expect_download() as download:
        button(home, "Video (WebM)").click()
        expect(button(home, "Cancel")).to_be_focused()
        expect(home.locator(".filming span")).to_have_text(re.compile(r"Recording step \d+ of 400, 1 s"))
    expect(said(home)).to_have_text("Saved trajectories.webm.")
    expect(button(home, "Cancel")).to_be_hidden()
    expect(button(home, "Video (WebM)")).to_be_focused()
    assert home.evaluate("[player.half, player.playing]") == [300, False], "the player is put back"
    path = kept(download.value, tmp_path)
    assert path.stat().st_size > 10_000
    film = watched(home, path)
    assert 2 < film["duration"] < 20, "two seconds and a rest, and a busy machine may be late"
    assert film["width"] == home.evaluate("source.canvases()[0].width")
    assert film["height"] == 300 + 26, "with the legend"
    early, *between, late = film["shots"]
    # The blue path grows, most of it in the beginning; the film's compression moves a count by some percent.
    assert 0 < early < 0.8 * late, film["shots"]
    assert any(1.2 * early < shot < 0.97 * late for shot in between), film["shots"]


def test_a_recording_can_be_canceled_or_paused(home: Page, tmp_path: Path) -> None:
    button(home, "Video (WebM)").click()
    home.wait_for_function("player.half > 0 && player.half < 800")
    home.keyboard.press("Enter")  # Cancel has the focus
    expect(said(home)).to_have_text("Recording canceled.")
    assert home.evaluate("[player.half, player.playing]") == [800, False]
    with home.expect_download() as download:
        button(home, "Video (WebM)").click()
        home.wait_for_function("player.half > 60")
        home.evaluate("player.pause()")
    expect(said(home)).to_have_text(
        re.compile(r"Saved trajectories.webm. It ends at step \d+, where the player was paused.")
    )
    assert watched(home, kept(download.value, tmp_path))["duration"] > 0.5


def test_a_recording_of_a_page_out_of_sight_is_given_up(home: Page) -> None:
    button(home, "Video (WebM)").click()
    home.wait_for_function("player.half > 0 && player.half < 800")
    expect(button(home, "PNG")).to_have_attribute("aria-disabled", "true")
    home.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    home.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(said(home)).to_have_text(re.compile("The page was hidden, which stops a recording: keep it in sight"))
    expect(button(home, "PNG")).to_have_attribute("aria-disabled", "false")
    assert home.evaluate("[player.half, player.playing]") == [800, False]


def test_a_slow_player_is_recorded_for_some_time_only(home: Page) -> None:
    home.evaluate("""() => {
        const real = window.requestAnimationFrame;
        window.requestAnimationFrame = (frame) => real((now) => frame(now + 30_000));
        player.speed.value = "0.1";
    }""")
    with home.expect_download():
        button(home, "Video (WebM)").click()
    expect(said(home)).to_have_text(
        re.compile(r"Saved trajectories.webm. It ends at step 1\d\d, since no video is longer")
    )


def test_a_browser_that_records_nothing_says_what_to_do_instead(home: Page) -> None:
    home.evaluate("delete window.MediaRecorder")
    button(home, "Video (WebM)").click()
    expect(said(home)).to_have_text(re.compile("This browser records no WebM video: use Chrome, .*"))
    expect(button(home, "Cancel")).to_be_hidden()


# ---- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [True, False])
def test_link_and_lines_are_copied(home: Page, secure: bool) -> None:
    home.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not secure:
        home.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    clipboard = "(delete navigator.clipboard, navigator.clipboard.readText())"
    button(home, "Link").press("Enter")
    expect(said(home)).to_have_text("Copied the address.")
    if not secure:
        home.evaluate("window.saved = navigator.clipboard")
    button(home, "Python").press("Enter")
    expect(button(home, "Python")).to_have_attribute("aria-expanded", "true")
    lines = home.get_by_label("Lines of Python")
    expect(lines).to_contain_text("0.003, 400, 0.0")
    home.evaluate("query = 'steps=99'; document.querySelector('.takehome').dispatchEvent(new Event('settings'))")
    expect(lines).to_contain_text("0.003, 99, 0.0")
    button(home, "Copy").press("Enter")
    expect(said(home)).to_have_text("Copied.")
    assert home.evaluate(clipboard) == lines.inner_text()
    button(home, "Python").press("Enter")
    expect(lines).to_be_hidden()
    button(home, "Link").click()
    assert home.evaluate(clipboard).endswith("/takehome-test?steps=99")


def test_a_refusal_of_the_server_is_a_sentence_and_nothing_is_saved(app: str, visitor: Visitor) -> None:
    with visitor.tab(app) as tab:  # not `page`: the browser writes refusals to its console
        page = tab.context.new_page()
        open_page(page)
        page.on("download", lambda _: pytest.fail("a refusal was saved"))
        page.evaluate("query = 'c=7'")
        button(page, "CSV").click()
        expect(said(page)).to_have_text("c must be a number from 0.005 to 0.2, but it is 7.0.")
        expect(said(page)).to_have_class(re.compile("wrong"))
        page.route("**/api/toy/**", lambda route: route.abort())
        button(page, "Python").click()
        expect(said(page)).to_have_text("The app does not answer: see that it still runs, then try again.")
        expect(page.get_by_label("Lines of Python")).to_be_hidden()


def test_by_keyboard_and_only_with_what_the_page_has(home: Page) -> None:
    summary = home.locator(".takehome summary")
    summary.press("Space")
    expect(button(home, "PNG")).to_be_hidden()
    summary.press("Space")
    names = ["PNG", "SVG", "CSV", "Animation (HTML)", "Video (WebM)", "Link", "Python"]
    for name in names:
        home.keyboard.press("Tab")
        expect(button(home, name)).to_be_focused()
    open_page(home, "regions")
    expect(home.locator(".things button")).to_have_text(["PNG", "SVG", "Link", "Python"])
    assert home.evaluate("document.documentElement.scrollWidth <= innerWidth")
