"""The address under which others can open the app: for QR codes, and for who starts it in a lecture hall."""

import os
import socket
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

import streamlit as st

from samviz.spec import check
from samviz.ui.document import PAGES

SETTING = "SAMVIZ_PUBLIC_URL"
"""Environment variable: where the audience finds the app, if that is not this computer's own address."""

LONGEST = 1000
"""Characters of a path in a QR code: with more the squares are too small for a phone at the back of a hall."""

PATHS = {"/", *(f"/{page.stem}" for page in PAGES.glob("*.py") if page.stem != "home")}
"""Of the app's own pages."""


def loopback(address: str) -> bool:
    """Whether an IP address is this computer's own, which nobody else can use; False for anything else."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_loopback


def setting() -> str:
    """SAMVIZ_PUBLIC_URL without a slash at its end, "" if it is not set; ValueError if no server can have it."""
    text = os.environ.get(SETTING, "").strip().rstrip("/")
    parts = urlsplit(text)
    if text and not (parts.scheme in ("http", "https") and parts.netloc and text == f"{parts.scheme}://{parts.netloc}"):
        raise check.wrong(SETTING, "an address such as http://192.168.0.7:8501", text)
    return text


def network_address() -> str:
    """The address of this computer on its local network, or 127.0.0.1 where it is in none."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("203.0.113.1", 9))  # nobody's address: it finds out the way there, and sends nothing
        return s.getsockname()[0]
    with suppress(OSError):
        for *_, (found, _) in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
            if not loopback(found):
                return found
    return "127.0.0.1"


def base(host: str) -> str:
    """Scheme, name and port under which others find the app; `host` is the Host header of the request at hand.

    SAMVIZ_PUBLIC_URL, else this computer's address on its network with the port of the request. Raises ValueError as
    `setting` does.
    """
    port = ""
    with suppress(ValueError):
        port = f":{urlsplit(f'//{host}').port or 80}".removesuffix(":80")
    return setting() or f"http://{network_address()}{port}"


def closed() -> str:
    """Why nobody else can open the app, as one sentence; "" if they can."""
    listens = st.get_option("server.address") or ""
    if (listens == "localhost" or loopback(listens)) and not setting():
        return f"samviz listens to this computer alone: start it with make lecture, or set {SETTING}, to let others in."
    return ""


def share(path: str, host: str) -> str:
    """The full address of a path such as /regions?a=3, for others; `host` as in `base`.

    Raises ValueError unless the path leads to one of the app's own pages: no code made here leads anywhere else.
    """
    place, _, query = path.partition("?")
    plain = len(path) <= LONGEST and all("!" <= c <= "~" and c not in '#\\"<>' for c in query)
    if place not in PATHS or not plain:
        raise check.wrong("path", "the address of a page of samviz, such as /regions?a=3", path)
    return base(host) + path
