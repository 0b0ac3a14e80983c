"""What is refused before anything else sees it, and the headers that tell a browser what a page may do.

Streamlit refuses foreign Hosts for its WebSocket alone, takes a WebSocket from any page on this computer, whatever its
port, and bounds the uploads of its file widget; it refuses paths that leave a folder. The guard adds what is missing.
"""

import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from samviz.ui import access, document

UPLOADS = "/_stcore/upload_file/"
"""Where Streamlit's file widget sends its files: Streamlit bounds them, by server.maxUploadSize."""
MOST_BYTES = 1_000_000
"""Of the body of any other request; none of them needs one."""
SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
SIGN_IN_OUT = "/auth/"
"""Streamlit's own routes to st.login and st.logout change something although they are GETs."""


def _hashes(*documents: str) -> str:
    """The scripts that stand in documents themselves, as a policy names them."""
    scripts = {script for html in documents for script in re.findall(r"<script>(.*?)</script>", html, re.DOTALL)}
    digests = (b64encode(sha256(script.encode()).digest()).decode() for script in sorted(scripts))
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def policy() -> str:
    """The Content-Security-Policy: everything comes from this server.

    Streamlit makes a module of a component's text, at a blob address; it and plotly write styles into the page.
    """
    scripts = _hashes(document.DOCUMENT.read_text("utf-8"), document.SERVER)
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' blob: {scripts}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def security_headers() -> dict[str, str]:
    """What every answer carries."""
    return {
        "Content-Security-Policy": policy(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _own(origin: str, host: str) -> bool:
    """Whether a page of this origin may change something here: the app's own, or one of server.corsAllowedOrigins."""
    try:
        netloc = urlsplit(origin).netloc
    except ValueError:
        return False
    return (netloc != "" and netloc == host) or is_allowed_origin(origin)


def _cross_site(headers: Headers) -> bool:
    """Whether a page of somebody else has a browser make this request; programs name no origin."""
    if (origin := headers.get("origin")) is not None:
        return not _own(origin, headers.get("host", ""))
    return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def refusal(scope: Scope) -> tuple[int, str] | None:
    """The status and the sentence with which a request is refused; None for one that goes on."""
    headers = Headers(scope=scope)
    if scope["type"] == "websocket":
        return (403, "This page belongs to another site.") if _cross_site(headers) else None
    method, path = scope["method"], scope["path"]
    if not is_host_allowed(headers.get("host")):
        return 403, "samviz does not answer to this name: see server.allowedHosts."
    if (method not in SAFE or path.startswith(SIGN_IN_OUT)) and _cross_site(headers):
        return 403, "This request comes from another site."
    if path.startswith(UPLOADS):
        session = path.removeprefix(UPLOADS).split("/")[0]
        ip = scope["client"][0] if scope["client"] else ""
        if method == "PUT" and not access.may_send(session, ip, headers):
            return 403, "Only who may act can send a file."
        return None
    if "transfer-encoding" in headers:
        return 411, "A request must say how long it is."
    if int(headers.get("content-length", 0)) > MOST_BYTES:
        return 413, f"A request must have at most {MOST_BYTES} bytes."
    return None


class Guard:
    """ASGI middleware around the whole app: what `refusal` refuses goes no further, and no answer lacks the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = security_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        refused = None if scope["type"] == "lifespan" else refusal(scope)
        if refused is None:
            await self._app(scope, receive, guarded)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
        else:
            status, sentence = refused
            await PlainTextResponse(sentence, status)(scope, receive, guarded)
