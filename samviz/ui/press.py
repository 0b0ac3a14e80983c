"""Buttons that start something: a press counts for what the browser shows, and once.

What is pressed may be out of date by the time the press arrives: the form has just been filled, a choice has just
brought a default with it, or the first press of a double click has started it already. Each of these buttons has a
number in its key, which goes up then, so that such a press is for a button that is gone.
"""

from typing import Any

import streamlit as st

_NUMBER = "samviz-press-number"
_LATE = "samviz-press-late"
"""Where the session keeps the number of the button that was pressed, until its page has been drawn again."""
_STARTED = "samviz-press-started"
"""Where it keeps what was started last: the number of the button, the name in the address, the id."""


def renew() -> None:
    """Call it before the buttons are drawn, where they are for something else than the browser shows by now."""
    st.session_state[_NUMBER] = _number() + 1


def button(label: str, key: str, **look: Any) -> bool:
    """A button of this kind: whether it was pressed as it stands; one that is gone says so."""
    number = _number()
    if st.session_state.pop(_LATE, number) != number:
        st.toast("Nothing was started: the form had just changed. Look at it and press again.")
    return st.button(label, key=f"{key}#{number}", on_click=_pressed, args=(number,), **look)


def started(name: str, id: str) -> None:
    """Open what was started, at ?name=id of this page; the buttons that were drawn do not start it once more."""
    st.session_state[_STARTED] = _number(), name, id
    renew()
    st.query_params[name] = id
    st.rerun()


def _number() -> int:
    return st.session_state.get(_NUMBER, 0)


def _pressed(number: int) -> None:
    """Callback, also of a button that is gone: the second press of a double click opens what the first has started."""
    before, name, id = st.session_state.get(_STARTED, (None, "", ""))
    if number == before:
        st.query_params[name] = id
    else:
        st.session_state[_LATE] = number
