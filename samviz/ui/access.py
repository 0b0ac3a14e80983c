"""Who may act: start, cancel, delete, download, estimate. A person at this computer, and who has signed in elsewhere.

Whether somebody is at this computer: three things have to agree, since each can be got round alone. The connection
comes from a loopback address (which a proxy on this computer has too), no header says that somebody forwarded it, and
the Host asked for is a loopback name (which a foreign web page that rebinds its name to 127.0.0.1 cannot fake).

Anybody else may look, and may act after signing in (samviz/ui/sign_in.py) in a way that secrets.toml offers. What it
says is asked again at every action, so whoever is taken off the list, or knows only the old passphrase, is out at once.
"""

import hmac
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from samviz.ui.plain import plain

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

ADVICE = (
    "You can look at everything; to start, cancel, delete, download or estimate, open samviz on its own computer or "
    "sign in."
)

SECTION = "access"
"""Of secrets.toml. Not its top level: Streamlit copies that into the environment, which every worker inherits."""
SHORTEST = 12
"""Characters of a passphrase."""
SIGNED_IN = "samviz-signed-in"
"""Where a session keeps (name, digest of the passphrase) of who has signed in with it: on the server, until it ends."""

_sessions: set[str] = set()
"""Streamlit's ids of the sessions that had signed in when they were last asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """The ways to sign in that secrets.toml offers."""

    passphrase: str = ""
    """Empty where there is none."""
    allow: frozenset[str] = frozenset()
    """E-mail addresses, in lower case, of those who may act once st.login knows them."""
    providers: tuple[str, ...] = ()
    """The names of [auth.NAME], or "default" for what stands in [auth] itself."""


def offer() -> Offer:
    """What secrets.toml offers at this moment; ValueError in one sentence where something in it is wrong."""
    if not st.secrets.load_if_toml_exists():
        return Offer()
    said = st.secrets.get(SECTION, {})
    # None of these sentences shows a value, since it may be a secret that somebody mistyped.
    if not isinstance(said, Mapping) or not set(said) <= {"passphrase", "allow"}:
        raise ValueError(f"[{SECTION}] in secrets.toml must have no other fields than passphrase and allow.")
    passphrase, allow = said.get("passphrase", ""), said.get("allow", [])
    if not isinstance(passphrase, str) or 0 < len(passphrase) < SHORTEST:
        raise ValueError(f"passphrase in secrets.toml must be a text of at least {SHORTEST} characters.")
    if not isinstance(allow, list) or not all(isinstance(address, str) and "@" in address for address in allow):
        raise ValueError("allow in secrets.toml must be a list of e-mail addresses.")
    auth = st.secrets.get("auth", {})
    named = [name for name, value in auth.items() if isinstance(value, Mapping) and "client_id" in value]
    providers = ["default", *named] if "client_id" in auth else named
    return Offer(
        passphrase=passphrase,
        allow=frozenset(address.strip().casefold() for address in allow),
        providers=tuple(providers),
    )


def refusal(ip: str | None, headers: Mapping[str, str]) -> str:
    """Why this connection may not act without a sign-in, as one sentence; "" if it may.

    `ip` None stands for the loopback address.
    """
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
    simple = parts.netloc == header and "@" not in header
    return (parts.hostname or "") if simple else ""


def loopback(address: str) -> bool:
    """Whether an IP address is this computer's own, which nobody else can use; False for anything else."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_loopback


def connection() -> tuple[str | None, Mapping[str, str]]:
    """The address that the person at this page connects from, as Streamlit knows it, and the headers sent with it."""
    return st.context.ip_address, st.context.headers


def digest(passphrase: str) -> bytes:
    """Of one length whatever the passphrase, and the same however a keyboard composes an accent."""
    return sha256(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")).digest()


def logged_in() -> str:
    """The address that st.login has established for the person at this page; "" where there is none.

    An address that the provider itself calls unverified is none: anybody can claim it there.
    """
    address = st.user.get("email")
    known = st.user.get("is_logged_in") is True and st.user.get("email_verified", True) in (True, "true")
    return address if known and isinstance(address, str) else ""


def signed_in() -> str:
    """Who may act at this page by having signed in: a name, or an e-mail address; "" for nobody."""
    try:
        offered = offer()
    except ValueError:
        return ""  # samviz/ui/sign_in.py says what is wrong
    name, by = st.session_state.get(SIGNED_IN, ("", b""))
    if name and offered.passphrase and hmac.compare_digest(by, digest(offered.passphrase)):
        return name
    address = logged_in() if offered.providers else ""
    return address if address.casefold() in offered.allow else ""


def person() -> str:
    """Who acts at this page, so that people can take turns: "" for a person at this computer, else who has signed in.

    Raises ValueError with the reason where they may not act.
    """
    why = refusal(*connection())
    if not why:
        return ""
    who, context = signed_in(), get_script_run_ctx()
    if context is not None:
        (_sessions.add if who else _sessions.discard)(context.session_id)
    if not who:
        raise ValueError(why)
    return who


def refused() -> str:
    """Why the person at this page may not act; "" if they may."""
    try:
        person()
    except ValueError as error:
        return str(error)
    return ""


def may_send(session: str, ip: str, headers: Mapping[str, str]) -> bool:
    """Whether a file that comes over this connection for this Streamlit session is from somebody who may act."""
    return not refusal(ip, headers) or session in _sessions


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
        st.error(plain(str(error.args[0]) if error.args else str(error)))
        return None
