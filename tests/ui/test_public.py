"""The address for others, and its QR code: read back from the picture, and made for the app's own pages alone."""

import re
from ipaddress import ip_address
from urllib.parse import quote

import numpy as np
import pytest
import zxingcpp
from starlette.applications import Starlette

from samviz.ui import lecture, public
from samviz.ui.access import refusal
from samviz.ui.qr_routes import qr_routes
from tests.asgi import Answer, get

APP = Starlette(routes=qr_routes())
LONG = "/trajectories?starts=0.2,0.05;0.3,0.033&variants=sgd,sam,elementwise_l2&rho.sam=0.1&lr=0.01&at=200&lesson=3"


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(public.SETTING, raising=False)
    monkeypatch.setattr(public, "network_address", lambda: "192.168.0.7")


def code(path: str, host: str = "localhost:8501") -> Answer:
    return get(APP, f"/api/qr.svg?path={quote(path, safe='')}", host=host)


def read(svg: bytes) -> str:
    """What a phone reads in the picture: its squares painted as pixels, and decoded."""
    text = svg.decode()
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', text)[1])
    assert f'fill="#fff" d="M0 0h{size}v{size}h-{size}z"' in text  # light behind and around it, in a dark theme too
    picture = np.full((size, size), 255, np.uint8)
    x, y = 0, 0
    for kind, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", text.split('stroke="#000" d="')[1]):
        if kind == "h":
            picture[y, x : x + int(first)] = 0
            x += int(first)
        elif kind == "M":
            x, y = int(first), int(float(second))
        else:
            x, y = x + int(first), y + int(second)
    (found,) = zxingcpp.read_barcodes(np.kron(picture, np.ones((8, 8), np.uint8)))
    return found.text


@pytest.mark.parametrize("path", ["/", "/trajectories", "/regions?a=3", "/lab?id=example&lesson=9", LONG])
def test_the_code_leads_to_the_page_on_this_computers_network_address(path: str) -> None:
    answer = code(path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert read(answer.body) == f"http://192.168.0.7:8501{path}"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "trajectories",
        "//evil.example/regions",
        "https://evil.example/regions",
        "/regions/../lab",
        "/regions@evil.example",
        "/regions\\evil",
        "/elsewhere",
        "/api/qr.svg",
        "/regions#a",
        "/regions?a=3#b",
        "/regions?a=3 b",
        "/regions?a=\n",
        "/regions?a=é",
        "/regions?" + "a" * 1000,
    ],
)
def test_no_code_leads_anywhere_else(path: str) -> None:
    answer = code(path)
    assert answer.status == 400
    assert answer.json["problem"].startswith("path must be the address of a page of samviz")
    assert len(answer.json["problem"]) < 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "user@evil.example:80", "", ":::"])
def test_the_name_that_was_asked_for_does_not_count(host: str) -> None:
    assert read(code("/regions", host).body) == "http://192.168.0.7/regions"


def test_the_address_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(public.SETTING, "https://samviz.example/")
    assert read(code("/regions?a=3").body) == "https://samviz.example/regions?a=3"


@pytest.mark.parametrize("text", ["samviz.example", "ftp://x", "http://", "https://x/app", "http://x?y", "http://x#y"])
def test_what_is_set_must_be_the_address_of_a_server(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(public.SETTING, text)
    with pytest.raises(ValueError, match=rf"^{public.SETTING} must be an address such as .* but it is .*\.$"):
        public.base("localhost:8501")
    assert public.SETTING in code("/regions").json["problem"]


@pytest.mark.parametrize(
    ("listens", "set_to", "closed"),
    [
        ("127.0.0.1", "", True),
        ("localhost", "", True),
        ("::1", "", True),
        ("127.0.0.1", "https://samviz.example", False),  # a proxy on this computer
        ("0.0.0.0", "", False),
        ("192.168.0.7", "", False),
        (None, "", False),
    ],
)
def test_it_is_known_whether_others_can_come_in(
    monkeypatch: pytest.MonkeyPatch, listens: str | None, set_to: str, closed: bool
) -> None:
    monkeypatch.setattr(public.st, "get_option", {"server.address": listens}.__getitem__)
    monkeypatch.setenv(public.SETTING, set_to)
    assert bool(public.closed()) is closed


def test_the_network_address_is_one() -> None:
    assert ip_address(lecture.network_address()).version == 4


# ---- make lecture --------------------------------------------------------------------------------------------------


def started(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """The arguments that Streamlit gets."""
    given: list[list[str]] = []
    monkeypatch.setattr(lecture.cli, "main", given.append)
    monkeypatch.setattr(lecture, "network_address", lambda: "192.168.0.7")
    lecture.main(arguments)
    return given[0]


def test_the_lecture_listens_to_the_network_and_names_the_hosts_that_it_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = started(monkeypatch, "--server.port", "8600", "--server.headless", "true")
    assert given[given.index("--server.address") + 1] == "0.0.0.0"
    assert given[given.index("--server.port") + 1] == "8600"
    assert given[-2:] == ["--server.headless", "true"]
    hosts = [text.split("=")[1] for text in given if text.startswith("--server.allowedHosts")]
    assert hosts == ["localhost", "127.0.0.1", "::1", "192.168.0.7"]
    said = capsys.readouterr().out
    assert "http://192.168.0.7:8600\n" in said
    assert "http://localhost:8600/trajectories?" in said
    assert public.SETTING in said


def test_the_lecture_says_the_address_that_was_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(public.SETTING, "http://hall.example:80")
    given = started(monkeypatch)
    assert "--server.allowedHosts=hall.example" in given
    assert "http://hall.example:80\n" in capsys.readouterr().out


def test_the_lecture_does_not_start_on_a_wrong_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(public.SETTING, "hall")
    with pytest.raises(SystemExit, match=public.SETTING):
        started(monkeypatch)


def test_the_audience_may_look_and_not_act() -> None:
    assert "another computer" in refusal("192.168.0.7", {"Host": "192.168.0.7:8501"})
    assert refusal(None, {"Host": "localhost:8501"}) == ""
