"""The sign-in: for a page that is not opened on samviz's own computer, or for all where secrets.toml says so."""

import hmac
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from threading import Lock

import streamlit as st
from streamlit.errors import StreamlitAuthError

from samviz.spec import check
from samviz.ui import access
from samviz.ui.plain import plain

LONGEST_NAME = 40
WITHIN = 300.0
"""Seconds after which a wrong passphrase is forgotten."""
MOST_PER_ADDRESS = 5
"""Wrong passphrases from one address in that time."""
MOST_IN_ALL = 50
"""From all addresses together: an attacker may have many."""

_PASSPHRASE, _NAME, _PROBLEM = "sign-in-passphrase", "sign-in-name", "sign-in-problem"


class Attempts:
    """The wrong passphrases of the last minutes, of all sessions of this process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._wrong: deque[tuple[float, str]] = deque()
        """(time, network), the oldest first; there are never more than MOST_IN_ALL."""

    def begin(self, ip: str | None) -> Callable[[], None]:
        """Count an attempt as a wrong one, and return what takes it back.

        Counted before anything is compared, so that attempts made at once do not pass together. Raises ValueError
        that says when to try again where there were too many.
        """
        network = _network(ip)
        with self._lock:
            now = self._clock()
            while self._wrong and self._wrong[0][0] <= now - WITHIN:
                self._wrong.popleft()
            mine = [when for when, other in self._wrong if other == network]
            if len(mine) >= MOST_PER_ADDRESS:
                raise ValueError(f"There were too many wrong passphrases from your address: {_later(mine[0], now)}.")
            if len(self._wrong) >= MOST_IN_ALL:
                raise ValueError(f"There were too many wrong passphrases: {_later(self._wrong[0][0], now)}.")
            entry = now, network
            self._wrong.append(entry)

        def take_back() -> None:
            with self._lock, suppress(ValueError):
                self._wrong.remove(entry)

        return take_back


def _network(ip: str | None) -> str:
    """What one person has of the network: an IPv4 address, or the 2^64 addresses of a connection over IPv6."""
    try:
        address = ip_address(ip or "127.0.0.1")
    except ValueError:
        return ip or ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def _later(oldest: float, now: float) -> str:
    seconds = ceil(oldest + WITHIN - now)
    return f"try again in {seconds} s" if seconds < 90 else f"try again in {ceil(seconds / 60)} minutes"


attempts = Attempts()
"""Of this server."""


def enter(passphrase: str, name: str) -> None:
    """Sign in the person at this page; ValueError in one sentence where that is refused."""
    name = check.text("name", name, LONGEST_NAME)
    expected = access.offer().passphrase
    if not expected:
        raise ValueError("Nobody can sign in with a passphrase here.")
    ip, _ = access.connection()
    take_back = attempts.begin(ip)
    if not hmac.compare_digest(access.digest(passphrase), access.digest(expected)):
        raise ValueError("This is not the passphrase.")
    take_back()
    st.session_state[access.SIGNED_IN] = name, access.digest(expected)


def show() -> None:
    """Who has signed in, or why one may not act and how to sign in; nothing for who may act without."""
    if not access.at_home(*access.connection()):
        with st.container():  # so that all below keeps its place among the page's elements when somebody signs in
            _show()


def _show() -> None:
    why = access.refused()
    if not why:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Signed in as {access.person()}", width="content")
            st.button("Sign out", icon=":material/logout:", on_click=_leave, type="tertiary")
        return
    st.info(why, icon=":material/lock:")
    try:
        offered = access.offer()
    except ValueError as error:
        if str(error) not in why:
            st.warning(plain(f"Nobody can sign in: {error}"))
        return
    if not offered.passphrase and not (offered.providers and offered.allow):
        st.caption("Nobody can sign in here: no passphrase is set, and nobody is on a list of those who may log in.")
        return
    with st.expander("Sign in", icon=":material/login:", expanded=_PROBLEM in st.session_state):
        if problem := st.session_state.pop(_PROBLEM, ""):
            st.error(plain(problem))
        if offered.passphrase:
            _form()
        if offered.providers and offered.allow:
            _log_in(offered.providers)


def _form() -> None:
    with st.form("sign-in", border=False):
        st.text_input("Passphrase", key=_PASSPHRASE, type="password", max_chars=200, autocomplete="current-password")
        st.text_input("Your name", key=_NAME, max_chars=LONGEST_NAME, help="People who sign in take turns by it.")
        if not (st.context.url or "").startswith("https://"):
            st.caption("This address is not encrypted: whoever listens on this network can overhear the passphrase.")
        st.form_submit_button("Sign in", on_click=_enter)


def _enter() -> None:
    state = st.session_state
    try:
        # A program can press the button of a form without sending what its fields hold.
        enter(state.get(_PASSPHRASE, ""), state.get(_NAME, ""))
    except ValueError as error:
        state[_PROBLEM] = str(error)
    state[_PASSPHRASE] = ""


def _log_in(providers: tuple[str, ...]) -> None:
    if address := access.logged_in():
        st.text(f"You are logged in as {address}, who is not on the list of those who may act here.")
        st.button("Log out", icon=":material/logout:", on_click=_leave)
        return
    for provider in providers:
        label = "Log in" if len(providers) == 1 else plain(f"Log in with {provider}")
        if st.button(label, icon=":material/login:", key=f"sign-in-{provider}"):
            try:
                st.login(provider)
            except StreamlitAuthError as error:
                st.error(plain(str(error)))


def _leave() -> None:
    st.session_state.pop(access.SIGNED_IN, None)
    if st.user.get("is_logged_in") is True:
        st.logout()
