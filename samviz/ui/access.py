"""Who may act: start, cancel, delete, download, estimate. Until there is a sign-in, a person at this computer.

Three things have to agree, since each can be got round alone: the connection comes from a loopback address (which a
proxy on this computer has too), no header says that somebody forwarded it, and the Host asked for is a loopback name
(which a foreign web page that rebinds its name to 127.0.0.1 cannot fake).
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import streamlit as st

T = TypeVar("T")

FORWARDED = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
)
"""Headers that proxies add; one of them is enough, whatever it says."""

ADVICE = "You can look at everything; to start, cancel, delete, download or estimate, open samviz on its own computer."


def refusal(ip: str | None, headers: Mapping[str, str]) -> str:
    """Why this connection may not act, as one sentence; "" if it may. `ip` None stands for the loopback address."""
    given = {name.lower(): value for name, value in headers.items()}
    if ip is not None and not loopback(ip):
        return f"This browser is on another computer ({ip}). {ADVICE}"
    if any(name in given for name in FORWARDED):
        return f"This connection came through a proxy. {ADVICE}"
    host = _host(given.get("host", ""))
    if host != "localhost" and not loopback(host):
        return f"This page was asked for by a name that is not this computer's own ({host or 'none'}). {ADVICE}"
    return ""


def _host(header: str) -> str:
    """The name in a Host header, without port and brackets; "" where it is malformed."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return ""
    plain = parts.netloc == header and "@" not in header
    return (parts.hostname or "") if plain else ""


def loopback(address: str) -> bool:
    """Whether an IP address is this computer's own, which nobody else can use; False for anything else."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_loopback


def refused() -> str:
    """Why the person at this page may not act; "" if they may."""
    return refusal(*connection())


def connection() -> tuple[str | None, Mapping[str, str]]:
    """The address that the person at this page connects from, as Streamlit knows it, and the headers sent with it."""
    return st.context.ip_address, st.context.headers


def act(action: Callable[[], T]) -> T | None:
    """Do something that changes the store, for a person who may; else, and where it fails, show why and return None.

    The check is made here and not only where a button is drawn: a disabled button is a courtesy, not a lock.
    """
    if why := refused():
        st.error(why)
        return None
    try:
        return action()
    except (ValueError, KeyError) as error:
        st.error(str(error.args[0]) if error.args else str(error))
        return None
