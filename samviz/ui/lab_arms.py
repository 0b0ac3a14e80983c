"""The arms of the Lab's form: what each row holds in the session's state, and the widgets that edit it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import streamlit as st

from samviz.spec import MASKS, NETWORKS, SCOPES, Arm, default_rho
from samviz.spec.arm import TRAINED
from samviz.spec.comparison import MOST_ARMS
from samviz.spec.recipe import OPTIMIZERS
from samviz.ui import press
from samviz.variants import VARIANTS

BASE = "base"
"""The base optimizer alone, as a method to choose: a selection box cannot hold None."""
NO_MASK = "none"
MASK_NAMES = {NO_MASK: "none"} | MASKS
TRAINED_NAMES = {"all": "all", "fix_norm": "all but γ and β (fix-norm)", "norm_only": "γ and β only"}
SPARSITY = 0.5
"""What a mask starts from."""
WIDTHS = {"method": 180, "scope": 105, "number": 95}
"""Of the widgets of a row, in pixels: on a phone the row breaks after the scope, on a laptop it does not."""
_FIELDS = tuple(field.name for field in fields(Arm) if field.name != "variant")
_MORE = ("epochs_factor", "trained", "mask", "p", "first_epoch", "last_epoch")


def key(*parts: object) -> str:
    """Where the form keeps something in the session's state."""
    return "-".join(["lab", *map(str, parts)])


def bound(
    *parts: object, changed: Callable[..., None] | None = None, args: tuple = (), names: dict[str, str] | None = None
) -> dict[str, Any]:
    """What binds a widget to a value of the draft: it shows the value, and an edit is written there; then `changed`.

    A browser sends all that it shows with each press. Where something else has written the value, the widget is drawn
    as a new one, with a new number in its key, so that what it showed before is no longer heard.

    `names` are those of the options on screen, if they can change: the browser sends the name of what is chosen.
    """
    state, name, drawn = st.session_state, key(*parts), key("drawn", *parts)
    number, called = state.get(drawn, (0, names))
    widget = f"{name}#{number}"
    if widget not in state or state[widget] != state[name] or called != names:
        number += 1
        widget = f"{name}#{number}"
        state[drawn] = number, names
        state[widget] = state[name]
        press.renew()
    known = state[name]

    def change() -> None:
        nonlocal known
        # As known: a widget that is gone, so that Streamlit takes its value for a new one.
        if state[widget] == known:
            return
        known = state[name] = state[widget]
        if changed is not None:
            changed(*args)

    return {"key": widget, "on_change": change}


def setting() -> tuple[str, str]:
    """The column of SAM-ON Table 8 that the radii come from: data set and family of networks."""
    dataset, network = (st.session_state[key(*name)] for name in (("dataset",), ("recipe", "network")))
    return "cifar10" if dataset == "builtin" else dataset, NETWORKS[network].family


def fill(arms: tuple[Arm, ...]) -> None:
    """Put arms into the form, whose data set and network are there already."""
    state = st.session_state
    # New numbers for the arms: edits of an earlier draft cannot leak into this one.
    first = max(state.get(key("arms"), [-1])) + 1
    state[key("arms")] = list(range(first, first + len(arms)))
    for row, arm in zip(state[key("arms")], arms, strict=True):
        _fill_row(row, arm)
    state[key("setting")] = setting()


def _fill_row(row: int, arm: Arm) -> None:
    values = arm.to_dict()
    values |= {
        "method": values.pop("variant") or BASE,
        "mask": arm.mask or NO_MASK,
        "p": "" if arm.p is None else repr(arm.p).removesuffix(".0"),
    }
    for name, value in values.items():
        st.session_state[key("arm", row, name)] = value


def refill() -> None:
    """Callback: the data set or the network is another one. The radii that were its defaults are the new one's."""
    state = st.session_state
    before, state[key("setting")] = state[key("setting")], setting()
    for row in state[key("arms")]:
        method, scope, rho = (state[key("arm", row, name)] for name in ("method", "scope", "rho"))
        if method != BASE and rho == default_rho(method, scope, *before):
            _default_rho(row)


def _default_rho(row: int) -> None:
    method, scope = (st.session_state[key("arm", row, name)] for name in ("method", "scope"))
    st.session_state[key("arm", row, "rho")] = default_rho(method, scope, *setting())


def read(row: int, state: Mapping[str, Any]) -> Arm:
    """The arm in a row; ValueError in one sentence where it is none."""
    values = {name: state[key("arm", row, name)] for name in _FIELDS}
    if (method := state[key("arm", row, "method")]) == BASE:
        return Arm(trained=values["trained"], epochs_factor=values["epochs_factor"])
    values["mask"] = None if values["mask"] == NO_MASK else values["mask"]
    return Arm(variant=method, **values | {"p": _norm(values["p"])})


def _norm(text: str) -> float | str | None:
    """What was typed as p, as far as it is a number: what is allowed is the arm's own business."""
    try:
        return float(text) if text.strip() else None
    except ValueError:
        return text


_HELP = """What differs between the curves; all else is the same for all arms.

The scope says which parameters the ascent perturbs: all, the norm layers only (ON), or all but those (no-norm).
ρ is the radius of the region, η the stabilizer; without an η the method's default is taken. Choosing a method or a
scope fills in ρ from SAM-ON Table 8, and such a ρ follows the data set and the kind of network."""


def show() -> None:
    """One row an arm, with buttons to add and to remove."""
    st.markdown("**Arms**", help=_HELP)
    rows = st.session_state[key("arms")]
    # A container, so that all below keeps its place among the page's elements when a row comes or goes.
    with st.container():
        for row in rows:
            _row(row, alone=len(rows) == 1)

    def add() -> None:
        row = max(rows) + 1
        st.session_state[key("arms")] = [*rows, row]
        _fill_row(row, Arm(variant="elementwise_l2", rho=default_rho("elementwise_l2", "all", *setting())))

    st.button("Add an arm", icon=":material/add:", on_click=add, disabled=len(rows) >= MOST_ARMS, type="tertiary")


def _row(row: int, alone: bool) -> None:
    state = st.session_state
    method = state[key("arm", row, "method")]
    base = method == BASE
    names = {BASE: OPTIMIZERS[state[key("recipe", "optimizer")]]} | {name: v.label for name, v in VARIANTS.items()}

    def chosen() -> None:
        if state[key("arm", row, "method")] not in VARIANTS:
            kept = {name: state[name] for name in (key("arm", row, "trained"), key("arm", row, "epochs_factor"))}
            _fill_row(row, Arm())
            state.update(kept)
        else:
            state[key("arm", row, "eta")], state[key("arm", row, "p")] = None, ""
            _default_rho(row)

    def remove() -> None:
        state[key("arms")] = [other for other in state[key("arms")] if other != row]

    line = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall")
    line.selectbox(
        "Method",
        list(names),
        format_func=names.__getitem__,
        width=WIDTHS["method"],
        **bound("arm", row, "method", changed=chosen, names=names),
    )
    line.selectbox(
        "Scope",
        list(SCOPES),
        format_func=SCOPES.__getitem__,
        disabled=base or state[key("arm", row, "mask")] != NO_MASK,
        width=WIDTHS["scope"],
        **bound("arm", row, "scope", changed=_default_rho, args=(row,)),
    )
    number: dict[str, Any] = {"disabled": base, "format": "%g", "width": WIDTHS["number"]}
    line.number_input("ρ", step=0.05, **number, **bound("arm", row, "rho"))
    default = "" if base else f"{VARIANTS[method].eta:g}"
    line.number_input("η", step=0.01, placeholder=default, **number, **bound("arm", row, "eta"))
    rest = line.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall")
    with rest.popover(_set(row), width="stretch"):
        _more(row, method)
    rest.button(
        "\u2715",
        key=key("arm", row, "remove"),
        help=f"Remove {names[method]}",
        on_click=remove,
        disabled=alone,
        type="tertiary",
    )


def _set(row: int) -> str:
    """What is set beyond the row itself, in a few words; else what there is to open."""
    values = {name: st.session_state[key("arm", row, name)] for name in _MORE}
    parts = [f"\u00d7{factor}"] if (factor := values["epochs_factor"]) not in (None, 1) else []
    if values["trained"] != "all":
        parts.append(TRAINED[values["trained"]])
    if values["mask"] != NO_MASK:
        parts.append(MASKS[values["mask"]])
    if p := values["p"].strip():
        parts.append(f"p {p}")
    first, last = values["first_epoch"], values["last_epoch"]
    if last is not None:
        parts.append(f"epochs {first or 1}\u2013{last}")
    elif first not in (None, 1):
        parts.append(f"from epoch {first}")
    return ", ".join(parts) or "More"


def _more(row: int, method: str) -> None:
    """What else there is to say of an arm; of the base optimizer alone only how it trains."""
    state = st.session_state

    def masked() -> None:
        if state[key("arm", row, "mask")] == NO_MASK:
            state[key("arm", row, "sparsity")] = None
            return
        if state[key("arm", row, "sparsity")] is None:
            state[key("arm", row, "sparsity")] = SPARSITY
        if state[key("arm", row, "scope")] != "all":
            state[key("arm", row, "scope")] = "all"
            _default_rho(row)

    if method != BASE:
        line = _pair()
        line.selectbox(
            "Mask",
            list(MASK_NAMES),
            format_func=MASK_NAMES.__getitem__,
            help="Perturbs single coordinates of all parameters, in place of a scope.",
            **bound("arm", row, "mask", changed=masked),
        )
        line.number_input(
            "Sparsity",
            step=0.05,
            format="%g",
            help="Share of coordinates that the mask leaves alone.",
            disabled=state[key("arm", row, "mask")] == NO_MASK,
            **bound("arm", row, "sparsity"),
        )
        line = _pair()
        line.number_input(
            "First epoch",
            step=1,
            help="Of the ascent; the base optimizer alone trains before.",
            **bound("arm", row, "first_epoch"),
        )
        line.number_input(
            "Last epoch",
            step=1,
            placeholder="the end",
            help="Of the ascent; the base optimizer alone trains after.",
            **bound("arm", row, "last_epoch"),
        )
    line = _pair()
    line.number_input(
        "Times the epochs",
        step=1,
        help="SGD for twice the epochs costs what SAM does.",
        **bound("arm", row, "epochs_factor"),
    )
    if method != BASE:
        line.text_input(
            "p",
            max_chars=20,
            placeholder=f"{VARIANTS[method].p:g}",
            help="Norm of the region: a number from 1 on, or inf.",
            **bound("arm", row, "p"),
        )
    st.selectbox(
        "Trains",
        list(TRAINED_NAMES),
        format_func=TRAINED_NAMES.__getitem__,
        help="Which parameters; γ and β that do not train stay 1 and 0.",
        **bound("arm", row, "trained"),
    )


def _pair() -> Any:
    """Two widgets side by side, on a phone too."""
    return st.container(horizontal=True, wrap=False)
