"""Who may do what, in a real Chromium: the sign-in by passphrase and by a login provider, and what a page cannot do."""

import json
import re
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from playwright.sync_api import Page, expect

from samviz.runs import Store
from tests import stored, synthetic
from tests.browser.visitor import Visitor
from tests.serve import running_app

pytestmark = pytest.mark.browser

PASSPHRASE = "a horse in the hall"


class Provider(ThreadingHTTPServer):
    """A login provider (OpenID Connect) that takes everybody for `email` without asking."""

    daemon_threads = True
    email = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.key = ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256", "use": "sig"})


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if place.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(place.query).items()}
            # The nonce serves as the code, since it has to come back in the token.
            back = urlencode({"code": query["nonce"], "state": query["state"]})
            self._send(302, {}, Location=f"{query['redirect_uri']}?{back}")
        elif place.path == "/keys":
            self._send(200, KeySet([self.server.key]).as_dict(private=False))
        elif place.path == "/page":
            self._send(200, "<!doctype html><title>Another site</title>")
        else:
            at = self.server.address
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            known = {"issuer": at, "id_token_signing_alg_values_supported": ["ES256"]}
            self._send(200, known | {name: f"{at}/{place}" for name, place in names.items()})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        now, at = int(time.time()), self.server
        claims = {"iss": at.address, "sub": at.email, "aud": "samviz", "iat": now, "exp": now + 60, "email": at.email}
        token = jwt.encode({"alg": "ES256", "kid": "1"}, claims | {"nonce": form["code"][0]}, at.key)
        self._send(200, {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": token})

    def _send(self, status: int, body: object, **headers: str) -> None:
        kind, text = ("text/html", body) if isinstance(body, str) else ("application/json", json.dumps(body))
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as started:
        Thread(target=started.serve_forever, daemon=True).start()
        yield started
        started.shutdown()


@pytest.fixture(scope="module")
def home(own_home: Path) -> Path:
    return own_home


@pytest.fixture(scope="module")
def hall(home: Path, store: Store, provider: Provider, own_port: int) -> Iterator[str]:
    """The audience's address of a lecture that offers both ways to sign in."""
    address = f"http://hall.localhost:{own_port}"  # Chromium finds it at 127.0.0.1, and it is no name of this computer
    secrets = home / "secrets.toml"
    secrets.write_text(
        f"""
[access]
passphrase = "{PASSPHRASE}"
allow = ["ada@example.org"]

[auth]
redirect_uri = "{address}/oauth2callback"
cookie_secret = "a secret that nobody can guess, of this test"
client_id = "samviz"
client_secret = "another one"
server_metadata_url = "{provider.address}/.well-known/openid-configuration"
""",
        "utf-8",
    )
    env = {"SAMVIZ_PUBLIC_URL": address, "STREAMLIT_SECRETS_FILES": str(secrets)}
    with running_app(home, port=own_port, lecture=True, env=env):
        yield address


@pytest.fixture
def phone(hall: str, visitor: Visitor) -> Iterator[Page]:
    """A browser in the audience, whose console may tell what was refused."""
    with visitor.tab(hall) as page:
        yield page


def sign_in(page: Page, passphrase: str) -> None:
    summary = page.locator("summary", has_text="Sign in")
    field = page.get_by_label("Passphrase", exact=True)
    if not field.is_visible():
        summary.click()
    field.fill(passphrase)
    page.get_by_role("textbox", name="Your name").fill("Grace")
    page.get_by_test_id("stForm").get_by_role("button", name="Sign in").click()


def to_the_lab(page: Page) -> None:
    page.get_by_test_id("stMainBlockContainer").get_by_role("link", name="Lab").click()


def delete(page: Page, id: str) -> None:
    page.locator(f".st-key-lab-delete-{id} button").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()


def send(page: Page) -> int:
    """Send a file to the server as the recipe's form does; returns the status of the answer."""
    with page.expect_response("**/_stcore/upload_file/**") as answer:
        page.locator("input[type=file]").first.set_input_files(
            [{"name": "recipe.json", "mimeType": "application/json", "buffer": b"{}"}]
        )
    return answer.value.status


def test_the_passphrase_lets_its_own_session_act_and_nobody_else(phone: Page, store: Store) -> None:
    id = stored.put(store, synthetic.comparison(1, 2, name="To be deleted"))
    start = phone.get_by_role("button", name="Start", exact=True)
    phone.goto("/lab")
    expect(phone.get_by_text("by a name that is not this computer's own (hall.localhost)")).to_be_visible()
    expect(phone.locator(f".st-key-lab-delete-{id} button")).to_be_disabled()
    phone.locator("summary", has_text="Edit the recipe").click()
    expect(phone.locator("input[type=file]").first).to_be_disabled()
    sign_in(phone, "a horse in the barn")
    expect(phone.get_by_text("This is not the passphrase.")).to_be_visible()
    expect(phone.get_by_text("can overhear the passphrase")).to_be_visible()
    expect(start).to_be_disabled()
    sign_in(phone, PASSPHRASE)
    expect(phone.get_by_text("Signed in as Grace")).to_be_visible()
    expect(start).to_be_enabled()
    assert send(phone) == 204
    other = phone.context.new_page()
    other.goto("/lab")
    expect(other.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    other.close()
    delete(phone, id)
    expect(phone.get_by_text("To be deleted")).to_have_count(0)
    with pytest.raises(KeyError):
        store.header(id)
    phone.get_by_role("button", name="Sign out").click()
    expect(start).to_be_disabled()


def test_who_logs_in_and_is_on_the_list_may_act_until_signing_out(phone: Page, hall: str, provider: Provider) -> None:
    provider.email = "Ada@example.org"
    phone.goto("/lab")
    phone.locator("summary", has_text="Sign in").click()
    phone.get_by_role("button", name="Log in").click()
    phone.wait_for_url(f"{hall}/")  # where Streamlit leads who comes back from the provider
    to_the_lab(phone)
    start = phone.get_by_role("button", name="Start", exact=True)
    expect(phone.get_by_text("Signed in as Ada@example.org")).to_be_visible()
    expect(start).to_be_enabled()
    phone.get_by_role("button", name="Sign out").click()
    phone.wait_for_url(f"{hall}/")
    to_the_lab(phone)
    expect(start).to_be_disabled()
    expect(phone.get_by_text("Ada@example.org")).to_have_count(0)


NAMES = [
    "<img src=x onerror=window.hit=1>",
    "<script>window.hit=1</script> &lt;b&gt; &copy;",
    "![x](http://evil.example/x.png) [y](http://evil.example)",
    "https://evil.example www.evil.example eve@evil.example",
    ":material/home: :red[red] :smile: :streamlit: :red-badge[x]",
    "$x^2$ **b** _i_ ~~s~~ `c` | a | \\(x\\) [^1] [x]",
    "a -> b <- c -- d >= e <= f",
    "1. first # second - third",
]


@pytest.fixture(scope="module")
def named(store: Store) -> dict[str, str]:
    """Comparisons with such names, by id."""
    return {stored.put(store, synthetic.comparison(1, 2, name=name)): name for name in NAMES}


def seen(text: str) -> str:
    return text.replace("\u2060", "").strip()


def test_a_name_is_shown_as_it_is_and_does_nothing(phone: Page, named: dict[str, str]) -> None:
    phone.goto("/lab")
    for id, name in named.items():
        label = phone.locator(f".st-key-lab-line-{id} [data-testid=stPageLink]")
        expect(label).to_be_visible()
        assert seen(label.inner_text()) == name
        assert label.locator("img, a a, script, code, em, del, .katex, [data-testid=stIconMaterial]").count() == 0
        assert label.locator("a").count() == 1
    for id, name in list(named.items())[::2]:
        phone.locator(f".st-key-lab-line-{id} [data-testid=stPageLink] a").click()
        phone.wait_for_url(f"**/lab?id={id}")
        title = phone.get_by_role("heading", level=1).filter(has_not_text="Lab")
        expect(title).to_be_visible()
        assert seen(title.inner_text()) == name
        assert title.locator("img, a, script, code, em, del, .katex, [data-testid=stIconMaterial]").count() == 0
        assert phone.evaluate("window.hit") is None
        phone.go_back()


def test_an_address_puts_no_link_into_the_page(phone: Page) -> None:
    for key in ("id", "sweep", "lesson"):
        phone.goto(f"/lab?{key}=[log in here](http://evil.example)")
        expect(phone.get_by_text(re.compile(r"\[log in here\]\(http:"))).to_be_visible()
        expect(phone.locator("a[href*=evil]")).to_have_count(0)


def test_whatever_gets_into_a_page_runs_no_script_and_reaches_no_other_server(phone: Page, provider: Provider) -> None:
    phone.goto("/regions")
    expect(phone.locator("table.maxima td").first).to_be_visible()
    tried = phone.evaluate(
        """async (other) => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
            const add = (html) => document.body.insertAdjacentHTML("beforeend", html);
            add('<img src="x" onerror="window.hit = 1"><a id="bait" href="javascript:window.hit = 2">x</a>');
            add(`<img src="${other}/x.png"><iframe src="${other}/page"></iframe>`);
            document.getElementById("bait").click();
            const script = document.createElement("script");
            script.src = `${other}/x.js`;
            document.body.append(script);
            let failed = [];
            await fetch(`${other}/page`, { mode: "no-cors" }).catch(() => failed.push("fetch"));
            // Not at once: what the test's own call runs may be made of text.
            setTimeout(() => { try { new Function("return 1")(); } catch { failed.push("Function"); } }, 0);
            await new Promise((done) => setTimeout(done, 300));
            return { blocked: [...new Set(blocked)].sort(), failed, hit: window.hit ?? null };
        }""",
        provider.address,
    )
    assert tried["hit"] is None
    assert tried["failed"] == ["fetch", "Function"]
    assert set(tried["blocked"]) >= {"img-src", "frame-src", "connect-src", "script-src-attr", "script-src-elem"}


def test_a_page_of_another_site_can_neither_frame_the_app_nor_open_a_session(
    phone: Page, provider: Provider, hall: str
) -> None:
    phone.goto(f"{provider.address}/page")
    own = hall.replace("hall.localhost", "localhost")
    outcome = phone.evaluate(
        """(app) => new Promise((done) => {
            const socket = new WebSocket(app.replace("http", "ws") + "/_stcore/stream", ["streamlit"]);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })""",
        own,
    )
    assert outcome == "refused"
    phone.set_content(f'<iframe src="{own}/lab"></iframe>')
    expect(phone.locator("iframe")).to_be_visible()
    phone.wait_for_timeout(500)
    assert phone.frames[1].url.startswith("chrome-error:")
