"""The state of a page in its address: read with a sentence for what is wrong in it, and written by each choice.

Streamlit's own binding of widgets replaces the browser's entry, so that Back would leave the page; written here, each
choice is an entry of its own, and Back and Forward undo and redo it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Self, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from samviz.spec import check
from samviz.ui import guide


class State:
    """What the frozen dataclass of a page's state inherits.

    Its fields are texts, or tuples of texts, which an address holds once for each text; what is as by default is left
    out of the address.
    """

    __slots__ = ()
    PAGE: ClassVar[str]
    """The page's name."""

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> Self:
        """Read an address; ValueError in one sentence where something in it is wrong, unknown or there twice."""
        defaults = {f.name: f.default for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, texts in check.mapping(f"The address of the {cls.PAGE} page", query, defaults).items():
            if isinstance(defaults[name], tuple):
                values[name] = tuple(texts)
            elif len(texts) == 1:
                values[name] = texts[0]
            else:
                raise ValueError(f"{name} must be given once, but it is given {len(texts)} times.")
        return cls(**values)

    def to_query(self) -> dict[str, str | list[str]]:
        """The address of this state."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}

    def changed(self, name: str, value: Any) -> Self:
        """The state with one part changed; a page whose parts depend on each other forgets what belonged to the old."""
        return replace(self, **{name: value})


S = TypeVar("S", bound=State)
_SHOWN = "samviz-shown"
"""Where the session keeps the page and its address, without the guide's marks, as they were last shown or written."""


def read(cls: type[S]) -> S:
    """What the address says, but for the guide's marks and Streamlit's own keys; ValueError as `State.from_query`.

    The address is settled as well.
    """
    others = [key for key in st.query_params if key in guide.MARKS or key.startswith("embed")]
    state = cls.from_query({key: st.query_params.get_all(key) for key in st.query_params if key not in others})
    settle(state.PAGE, state.to_query())
    return state


def latest(state: S) -> S:
    """What was chosen last on a state's page; a fragment, and a press soon after another, come with an older one."""
    page, query = st.session_state.get(_SHOWN, ("", {}))
    if page != state.PAGE:
        return state
    return state.from_query({name: [value] if isinstance(value, str) else value for name, value in query.items()})


def settle(page: str, query: dict[str, str | list[str]]) -> None:
    """Have the address say what is shown: a link to the page that one is on changes that, but not the address.

    Where a link from another page or the browser's Back has led here, it says so already. Writing it then would add
    entries to the history that never were, since the browser still has the other path, or has gone back further.
    """
    before, context = st.session_state.get(_SHOWN), get_script_run_ctx()
    back = context is not None and context.is_history_navigation
    if before is not None and before[0] == page and before[1] != query and not back:
        _put(query)
    st.session_state[_SHOWN] = page, query


def leave(page: str) -> None:
    """Forget what was shown of any other page than this one."""
    if st.session_state.get(_SHOWN, (page,))[0] != page:
        del st.session_state[_SHOWN]


def _write(state: State) -> None:
    st.session_state[_SHOWN] = state.PAGE, state.to_query()
    _put(state.to_query())


def _put(query: dict[str, str | list[str]]) -> None:
    kept = {key: st.query_params[key] for key in guide.MARKS if key in st.query_params}
    st.query_params.from_dict(query | kept)


def bound(state: State, name: str, shown: Any, *, empty: str | None = None, whole: Collection[str] = ()) -> dict:
    """What binds a widget to a part of the address: it shows that part, and a change is a new address.

    `empty` is the option that the address leaves out; of several chosen ones it leaves out all of `whole`, and none.
    """
    key = f"{state.PAGE.lower()}-choice-{name}"
    st.session_state[key] = shown
    known = _several(shown)

    def change() -> None:
        nonlocal known
        value = _several(st.session_state[key])
        # None: what is chosen already was pressed again. As known: the browser still held the widget when something
        # else was pressed, but a link had led to a page without it, so that Streamlit takes its value for a new one.
        if value is None or value == known:
            return
        known = value
        if isinstance(value, tuple) and (not value or set(value) == set(whole)):
            value = ()
        # Several widgets may have been changed while the page was busy: each adds to what the others have chosen.
        _write(latest(state).changed(name, "" if value == empty else value))

    return {"key": key, "on_change": change}


def _several(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
