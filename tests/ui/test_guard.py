"""What a real server refuses, asked over sockets: foreign names and sites, large bodies, paths that leave a folder."""

import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from samviz.runs import open_store
from samviz.ui.guard import MOST_BYTES
from tests import stored, synthetic
from tests.serve import running_app

MEGABYTE = 2**20
UPLOADS = 1
"""server.maxUploadSize of the app under test, in megabytes; .streamlit/config.toml says 64."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name and port of a running app with one comparison."""
    home = tmp_path_factory.mktemp("guard") / "home"
    stored.put(open_store(home), synthetic.comparison(1, 2, name="Stored"))
    with running_app(home, env={"STREAMLIT_SERVER_MAX_UPLOAD_SIZE": str(UPLOADS)}) as address:
        yield urlsplit(address).netloc


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()


def ask(app: str, path: str, method: str = "GET", body: object = None, chunked: bool = False, **headers: str) -> Answer:
    """One request, with the path as it is; header names with underscores. A header Host replaces the true one."""
    with closing(http.client.HTTPConnection(app, timeout=60)) as connection:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body, encode_chunked=chunked)
        return Answer(connection.getresponse())


PLACES = [
    "/",
    "/lab",
    "/api/comparisons/1/live",
    "/api/comparisons/9/live",
    "/api/toy/step",
    "/api/qr.svg?path=/regions",
    "/assets/plane.js",
    "/vendor/plotly.min.js",
    "/_stcore/health",
    "/media/none",
    "/no/such/page",
]


@pytest.mark.parametrize("path", [*PLACES, "//evil.example/", "/assets/%2e%2e/app.py"])
def test_every_answer_carries_the_headers(app: str, path: str) -> None:
    headers = ask(app, path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    (policy,) = headers.get_all("Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert re.fullmatch(r"'self' blob:( 'sha256-[\w+/]{43}=')+", rules["script-src"])
    assert not re.search(r"https?:|\*|unsafe-eval", policy)


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "192.168.0.7:8501", "user@localhost", "localhost:port", "[::1", ""],
)
def test_a_foreign_name_gets_nothing(app: str, path: str, host: str) -> None:
    answer = ask(app, path, Host=host)
    assert answer.status == 403
    assert b"does not answer to this name" in answer.body
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "127.0.0.1:1", "[::1]:8501"])
def test_the_apps_own_names_are_answered(app: str, host: str) -> None:
    assert ask(app, "/api/comparisons/1/live", Host=host).status == 200


ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "null"},
    {"Origin": "http://[::1"},
    {"Origin": ""},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "NONSENSE"])
@pytest.mark.parametrize("headers", ELSEWHERE)
def test_another_site_changes_nothing(app: str, method: str, headers: dict[str, str]) -> None:
    for path in ("/_stcore/upload_file/session/file", "/api/comparisons/1/live", "/_stcore/agent/interact"):
        answer = ask(app, path, method, **headers)
        assert (answer.status, answer.body) == (403, b"This request comes from another site.")


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout"])
def test_another_site_signs_nobody_in_or_out(app: str, path: str) -> None:
    assert ask(app, path, Sec_Fetch_Site="cross-site").status == 403
    assert ask(app, path, Sec_Fetch_Site="same-origin").status == 302


def test_a_link_from_another_site_opens_a_page(app: str) -> None:
    assert ask(app, "/lab", Sec_Fetch_Site="cross-site").status == 200


def test_all_routes_of_ours_are_read_only(app: str) -> None:
    for path in ("/lab", "/api/comparisons/1/live", "/api/toy/step", "/api/qr.svg", "/assets/plane.js"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert ask(app, path, method, Origin=f"http://{app}").status == 405


def stream(app: str, *protocols: str, **headers: str) -> ClientConnection:
    """Streamlit's WebSocket, as a page opens it."""
    return connect(
        f"ws://{app}/_stcore/stream",
        subprotocols=["streamlit", *protocols],
        additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
        max_size=None,
        max_queue=None,
        proxy=None,
    )


def session(socket: ClientConnection) -> str:
    """Run the page of a connection, and return Streamlit's id of its session."""
    socket.send(BackMsg(rerun_script={"query_string": ""}).SerializeToString())
    while True:
        message = ForwardMsg.FromString(socket.recv(timeout=60))
        if message.WhichOneof("type") == "new_session":
            return message.new_session.initialize.session_id


@pytest.mark.parametrize("headers", [h for h in ELSEWHERE if h.get("Origin") != ""])
def test_a_page_of_another_site_gets_no_session(app: str, headers: dict[str, str]) -> None:
    """Streamlit alone would take it from a page of another server on this computer, which could then act."""
    with pytest.raises(InvalidStatus) as refused:
        stream(app, **headers)
    assert refused.value.response.status_code == 403


def test_its_own_pages_and_programs_get_a_session(app: str) -> None:
    for headers in ({"Origin": f"http://{app}"}, {}):
        with stream(app, **headers) as socket:
            assert session(socket)


@pytest.mark.parametrize("size", [5 * MEGABYTE, 17 * MEGABYTE])
def test_a_large_message_ends_the_session(app: str, size: int) -> None:
    with stream(app, Origin=f"http://{app}") as socket:
        session(socket)
        with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 what was under way may come first
            socket.send(bytes(size))
            while True:
                socket.recv(timeout=60)
        # Who sends far too much is cut off while still sending, and hears no reason.
        assert (size > 16 * MEGABYTE and closed.value.rcvd is None) or closed.value.rcvd.code == 1009


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/api/toy/step", "/lab", "/assets/plane.js", "/_stcore/agent/interact"])
def test_a_large_body_is_refused_before_it_is_read(app: str, path: str, method: str) -> None:
    own = {"Origin": f"http://{app}"}
    assert ask(app, path, method, Content_Length=str(MOST_BYTES + 1), **own).status == 413
    assert ask(app, path, method, Content_Length="9" * 19, **own).status == 413
    assert ask(app, path, method, iter([b"x"]), chunked=True, Transfer_Encoding="chunked", **own).status == 411


def boundary(size: int) -> tuple[bytes, bytes, dict[str, str]]:
    """What comes before and after a file of so many bytes in a form, and the headers for it."""
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="../../x.zip"\r\n\r\n'
    tail = b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    return head, tail, {"Content_Type": kind, "Content_Length": str(len(head) + size + len(tail))}


def test_uploads_are_bounded_and_need_the_token_the_session_and_the_right(app: str) -> None:
    token = ask(app, "/_stcore/health").headers["Set-Cookie"].split(";")[0].removeprefix("_streamlit_xsrf=")
    known = {"Origin": f"http://{app}", "Cookie": f"_streamlit_xsrf={token}", "X_Xsrftoken": token}
    head, tail, form = boundary(10)
    small = head + bytes(10) + tail
    with stream(app, Origin=f"http://{app}") as socket:
        path = f"/_stcore/upload_file/{session(socket)}/file"
        assert ask(app, path, "PUT", small, **known, **form).status == 204
        assert ask(app, path, "PUT", small, **form, Origin=known["Origin"]).status == 403  # without the token
        assert ask(app, "/_stcore/upload_file/nobody/file", "PUT", small, **known, **form).status == 400
        elsewhere = ask(app, path, "PUT", small, **known, **form, X_Forwarded_For="192.0.2.1")
        assert (elsewhere.status, elsewhere.body) == (403, b"Only who may act can send a file.")
        *_, large = boundary(UPLOADS * MEGABYTE)
        assert ask(app, path, "PUT", **known, **large).status == 413
        unknown = {name: value for name, value in form.items() if name != "Content_Length"}
        pieces = iter([head, *[bytes(MEGABYTE)] * (UPLOADS + 2), tail])
        chunked = ask(app, path, "PUT", pieces, chunked=True, Transfer_Encoding="chunked", **known, **unknown)
        assert chunked.status == 413


FOLDERS = ["assets", "vendor", "static", "media", "component", "_stcore/bidi-components", "app"]
LEAVING = [
    "/{}/../app.py",
    "/{}/%2e%2e/app.py",
    "/{}/..%2fapp.py",
    "/{}/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/{}/..%5capp.py",
    "/{}/%5c..%5capp.py",
    "/{}/....//app.py",
    "/{}/%252e%252e/app.py",
    "/{}//etc/passwd",
    "/{}/%2fetc%2fpasswd",
    "/{}/plane.js%00.png",
    "/{}/%00",
    "/{}/C:%5cwindows%5cwin.ini",
    "/{}/x/../../tests/ui/test_guard.py",
    "/{}/%c0%ae%c0%ae/app.py",
]


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("path", LEAVING)
def test_no_path_leaves_its_folder(app: str, folder: str, path: str) -> None:
    answer = ask(app, path.format(folder))
    nothing = answer.status in (400, 404) and len(answer.body) < 100
    assert nothing or answer.body == ask(app, "/").body  # Streamlit's document, from which its pages start


@pytest.mark.parametrize("id", ["..%2f..%2fsamviz.sqlite3", "%2e%2e", "1%00", "..%5c1", "1;2", "%d9%a1"])
@pytest.mark.parametrize("path", ["/api/comparisons/{}/live", "/api/comparisons/{}/layers?name=gamma"])
def test_an_id_is_no_path(app: str, id: str, path: str) -> None:
    answer = ask(app, path.format(id))
    assert answer.status in (400, 404)
    assert len(answer.body) < 300


def test_no_address_leads_to_another_server(app: str) -> None:
    for path in ("//evil.example/", "//evil.example/%2e%2e", "/%5cevil.example", "/lab/", "/assets", "/auth/login"):
        place = ask(app, path).headers.get("Location", "")
        assert urlsplit(place).netloc in ("", app)


def test_streamlits_interface_for_programs_is_off(app: str) -> None:
    answer = ask(app, "/_stcore/agent/interact", "POST", b"{}", Content_Type="application/json", Content_Length="2")
    assert answer.status == 403
    assert b"does not serve the agent API" in answer.body
