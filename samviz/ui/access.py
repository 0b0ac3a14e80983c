"""Who may act: start, cancel, delete, download, estimate. A person at this computer, and who has signed in elsewhere.

Whether somebody is at this computer: three things have to agree, since each can be got round alone. The connection
comes from a loopback address (which a proxy on this computer has too), no header says that somebody forwarded it, and
the Host asked for is a loopback name (which a foreign web page that rebinds its name to 127.0.0.1 cannot fake).

What passes bytes on and adds nothing, such as a forwarded port, can be told from nobody: whoever comes through it
chooses the Host. Behind one, secrets.toml says local = false, and then being at this computer counts for nothing.

Anybody else may look, and may act after signing in (samviz/ui/sign_in.py) in a way that secrets.toml offers. What it
says is asked again at every action, so whoever is taken off the list, or knows only the old passphrase, is out at once.
"""

import hmac
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.secrets import secrets_singleton

from samviz.ui.plain import plain
from samviz.ui.public import loopback, setting

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

EVERYBODY = (
    "You can look at everything; to start, cancel, delete, download or estimate, sign in: this samviz asks for it on "
    "its own computer, too."
)

SECTION = "access"
"""Of secrets.toml. Not its top level: Streamlit copies that into the environment, which every worker inherits."""
SHORTEST = 12
"""Characters of a passphrase."""
SIGNED_IN = "samviz-signed-in"
"""Where a session keeps (name, digest of the passphrase) of who has signed in with it: on the server, until it ends."""

UNREADABLE = "secrets.toml cannot be read: it must be a text in TOML."


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """The ways to sign in that secrets.toml offers, and who needs none."""

    local: bool
    """Whether a person at this computer acts without a sign-in. Unless the file says so, not behind an address with
    https: something in front of samviz answers to that, and not all that does so says that it forwards."""
    passphrase: str = ""
    """Empty where there is none."""
    allow: frozenset[str] = frozenset()
    """E-mail addresses, in lower case, of those who may act once st.login knows them."""
    providers: tuple[str, ...] = ()
    """The names of [auth.NAME], or "default" for what stands in [auth] itself."""


def _stamp(path: str) -> tuple[int, ...] | None:
    """What changes when a file does; None where there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=1)
def _read_again(stamps: tuple[tuple[int, ...] | None, ...]) -> None:
    """Have Streamlit read its files again, for st.login too, unless it was called with these stamps the last time.

    Streamlit's own watch over them ends for good when a file is gone or is no TOML, and misses one whose time is older.
    """
    secrets_singleton._reset()


def offer() -> Offer:
    """What secrets.toml offers at this moment; ValueError in one sentence where it is unreadable or wrong."""
    local = not setting().startswith("https://")
    stamps = tuple(_stamp(path) for path in st.get_option("secrets.files"))
    _read_again(stamps)
    try:
        found = st.secrets.load_if_toml_exists()
    except (OSError, UnicodeDecodeError):
        raise ValueError(UNREADABLE) from None
    if not found:
        if any(stamps):
            raise ValueError(UNREADABLE)
        return Offer(local=local)
    said = st.secrets.get(SECTION, {})
    # None of these sentences shows a value, since it may be a secret that somebody mistyped.
    if not isinstance(said, Mapping) or not set(said) <= {"passphrase", "allow", "local"}:
        raise ValueError(f"[{SECTION}] in secrets.toml must have no other fields than passphrase, allow and local.")
    passphrase, allow, local = said.get("passphrase", ""), said.get("allow", []), said.get("local", local)
    if not isinstance(local, bool):
        raise ValueError("local in secrets.toml must be true or false.")
    if not isinstance(passphrase, str) or 0 < len(passphrase) < SHORTEST:
        raise ValueError(f"passphrase in secrets.toml must be a text of at least {SHORTEST} characters.")
    if not isinstance(allow, list) or not all(isinstance(address, str) and "@" in address for address in allow):
        raise ValueError("allow in secrets.toml must be a list of e-mail addresses.")
    auth = st.secrets.get("auth", {})
    named = [name for name, value in auth.items() if isinstance(value, Mapping) and "client_id" in value]
    providers = ["default", *named] if "client_id" in auth else named
    return Offer(
        local=local,
        passphrase=passphrase,
        allow=frozenset(address.strip().casefold() for address in allow),
        providers=tuple(providers),
    )


def refusal(ip: str | None, headers: Mapping[str, str]) -> str:
    """Why this is not the connection of a person at this computer, as one sentence; "" if it is.

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


def at_home(ip: str | None, headers: Mapping[str, str]) -> bool:
    """Whether this connection is enough to act: a person's at this computer, where no sign-in is asked of them."""
    try:
        return not refusal(ip, headers) and offer().local
    except ValueError:
        return False


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """What somebody has shown at a page: weighed there, and again when they ask for a file later, without the page."""

    elsewhere: str
    """Why they are not at this computer; "" if they are."""
    name: str
    by: bytes
    """The digest of the passphrase that they signed in with under this name; both empty where they did not."""
    address: str
    """That st.login has established."""

    def who(self) -> str:
        """Who acts: "" for a person at this computer, else the name or the address of who has signed in.

        Raises ValueError with the reason where they may not act at this moment.
        """
        try:
            offered = offer()
        except ValueError as error:
            # The sign-in shows others what is wrong; here it may be the only thing that stands between.
            raise ValueError(self.elsewhere or f"Nobody may act: {error}") from None
        if offered.local and not self.elsewhere:
            return ""
        if self.name and offered.passphrase and hmac.compare_digest(self.by, digest(offered.passphrase)):
            return self.name
        if self.address and offered.providers and self.address.casefold() in offered.allow:
            return self.address
        raise ValueError(self.elsewhere or EVERYBODY)


_sessions: dict[str, Visitor] = {}
"""What those have shown who have signed in, by Streamlit's ids of their sessions."""


def visitor() -> Visitor:
    """What the person at this page has shown by now."""
    name, by = st.session_state.get(SIGNED_IN, ("", b""))
    return Visitor(elsewhere=refusal(*connection()), name=name, by=by, address=logged_in())


def person() -> str:
    """Who acts at this page, so that people can take turns: "" for a person at this computer, else who has signed in.

    Raises ValueError with the reason where they may not act.
    """
    shown, context = visitor(), get_script_run_ctx()
    if context is not None and (shown.name or shown.address):
        _sessions[context.session_id] = shown
    elif context is not None:
        _sessions.pop(context.session_id, None)
    return shown.who()


def refused() -> str:
    """Why the person at this page may not act; "" if they may."""
    try:
        person()
    except ValueError as error:
        return str(error)
    return ""


def may_send(session: str, ip: str, headers: Mapping[str, str]) -> bool:
    """Whether a file that comes over this connection for this Streamlit session is from somebody who may act."""
    if at_home(ip, headers):
        return True
    try:
        return session in _sessions and bool(_sessions[session].who())
    except ValueError:
        return False


def asked_later(make: Callable[[], T]) -> Callable[[], T]:
    """What makes a file when it is asked for, for the person at this page: ValueError if they may not act by then.

    A page that nobody has run again still offers the file, also to somebody who has been shut out.
    """
    shown = visitor()

    def made() -> T:
        shown.who()
        return make()

    return made


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
