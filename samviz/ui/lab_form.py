"""The form of a new comparison: a draft in the session's state, and the widgets that edit it."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from samviz.spec import DATASETS, NETWORKS, PRESETS, SCOPES, Arm, Comparison, Recipe, check, default_rho
from samviz.spec.comparison import MOST_ARMS, MOST_SEEDS
from samviz.spec.recipe import AUGMENTATIONS, SCHEDULES
from samviz.variants import VARIANTS

BASE = "sgd"
"""The base optimizer alone, as a method to choose: a selection box cannot hold None."""
METHODS = {BASE: "SGD"} | {key: variant.label for key, variant in VARIANTS.items()}
FIRST = "quick"
"""The preset that a new session opens on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """How one field of a recipe is edited; what is allowed is the recipe's own business."""

    label: str
    help: str = ""
    options: dict[str, str] | None = None
    """Value -> name on screen, for a choice."""
    step: float = 0
    """0 for a choice or a flag, whole for a whole number."""
    empty: str = ""
    """What no number at all means, where that is allowed."""


FIELDS = {
    "network": Field(label="Network", options={key: f"{n.label}: {n.note}" for key, n in NETWORKS.items()}),
    "epochs": Field(label="Epochs", step=1),
    "batch_size": Field(label="Batch size", step=1, help="Images a step."),
    "train_size": Field(label="Train images", step=1, empty="all", help="Drawn class by class from the seed."),
    "test_size": Field(label="Test images", step=1, empty="all"),
    "label_noise": Field(label="Label noise", step=0.05, help="Share of train labels replaced by another class."),
    "augmentation": Field(label="Augmentation", options=AUGMENTATIONS),
    "lr": Field(label="Learning rate", step=0.01),
    "momentum": Field(label="Momentum", step=0.05),
    "weight_decay": Field(label="Weight decay", step=1e-4, help="On every parameter."),
    "schedule": Field(label="Schedule", options=SCHEDULES, help="Of the learning rate."),
    "label_smoothing": Field(label="Label smoothing", step=0.05),
    "nesterov": Field(label="Nesterov momentum"),
}
"""Every field of a recipe but the data set, which has a place of its own in the form."""


def _key(*parts: object) -> str:
    return "-".join(["lab", *map(str, parts)])


def fill(comparison: Comparison, preset: str | None = None) -> None:
    """Put a comparison into the form; call it before the widgets are drawn or from a callback."""
    state = st.session_state
    recipe = comparison.recipe.to_dict()
    state[_key("preset")] = preset
    state[_key("name")] = comparison.name
    state[_key("seeds")] = ", ".join(map(str, comparison.seeds))
    state[_key("dataset")] = recipe["dataset"]
    for name in FIELDS:
        state[_key("recipe", name)] = recipe[name]
    # New numbers for the arms: widgets of an earlier draft cannot leak into this one.
    first = max(state.get(_key("arms"), [-1])) + 1
    state[_key("arms")] = list(range(first, first + len(comparison.arms)))
    for row, arm in zip(state[_key("arms")], comparison.arms, strict=True):
        _fill_arm(row, arm)


def _fill_arm(row: int, arm: Arm) -> None:
    st.session_state[_key("arm", row, "method")] = arm.variant or BASE
    for name in ("scope", "rho", "eta"):
        st.session_state[_key("arm", row, name)] = getattr(arm, name)


def ready() -> None:
    """See to it that there is a draft: the first preset in a new session."""
    if _key("arms") not in st.session_state:
        fill(PRESETS[FIRST].comparison, FIRST)


def preset() -> None:
    """The presets, with what to expect of the one that is chosen."""

    def chosen() -> None:
        if (key := st.session_state[_key("preset")]) is not None:
            fill(PRESETS[key].comparison, key)

    key = st.segmented_control(
        "Preset",
        list(PRESETS),
        format_func=lambda key: PRESETS[key].label,
        key=_key("preset"),
        on_change=chosen,
        persist_state="session",
    )
    if key is not None:
        st.caption(f"{PRESETS[key].note} Source: {PRESETS[key].source}.")
    else:
        st.caption("A recipe of your own.")


def dataset(labels: dict[str, str]) -> str:
    """The choice of data; `labels`: key -> name on screen, with whether it is there."""
    return st.selectbox(
        "Data", list(DATASETS), format_func=labels.__getitem__, key=_key("dataset"), persist_state="session"
    )


def choose_builtin() -> None:
    """Callback: take the data that need nothing, with all their images."""
    st.session_state[_key("dataset")] = "builtin"
    for name in ("train_size", "test_size"):
        st.session_state[_key("recipe", name)] = None


def name_and_seeds() -> None:
    """The line of the list, and how often all is repeated."""
    left, right = st.columns([3, 2])
    left.text_input("Name", key=_key("name"), max_chars=80, persist_state="session")
    right.text_input(
        "Seeds",
        key=_key("seeds"),
        help=f"Up to {MOST_SEEDS} whole numbers. Each is one run: all arms from the same weights on the same batches.",
        persist_state="session",
    )


_ARMS_HELP = """What differs between the curves; all else is the same for all arms.

The scope says which parameters the ascent perturbs: all, the norm layers only (ON), or all but those (no-norm).
ρ is the radius of the region, η the stabilizer; without an η the method's default is taken. Choosing a method or a
scope fills in ρ from SAM-ON Table 8."""


def arms() -> None:
    """One row an arm, with buttons to add and to remove."""
    st.markdown("**Arms**", help=_ARMS_HELP)
    rows = st.session_state[_key("arms")]
    # A container, so that all below keeps its place among the page's elements when a row comes or goes.
    with st.container():
        for row in rows:
            _arm(row, alone=len(rows) == 1)

    def add() -> None:
        row = max(rows) + 1
        st.session_state[_key("arms")] = [*rows, row]
        _fill_arm(row, Arm(variant="elementwise_l2", rho=default_rho("elementwise_l2", "all")))

    st.button("Add an arm", icon=":material/add:", on_click=add, disabled=len(rows) >= MOST_ARMS, type="tertiary")


def _arm(row: int, alone: bool) -> None:
    state = st.session_state

    def changed() -> None:
        method, scope = state[_key("arm", row, "method")], state[_key("arm", row, "scope")]
        state[_key("arm", row, "eta")] = None
        if method != BASE:
            state[_key("arm", row, "rho")] = default_rho(method, scope)

    def remove() -> None:
        state[_key("arms")] = [other for other in state[_key("arms")] if other != row]

    method = state[_key("arm", row, "method")]
    base = method == BASE
    shared: dict[str, Any] = {"disabled": base, "persist_state": "session"}
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="small")  # on a phone it wraps
    line.selectbox(
        "Method",
        list(METHODS),
        format_func=METHODS.__getitem__,
        key=_key("arm", row, "method"),
        on_change=changed,
        persist_state="session",
        width=200,
    )
    line.selectbox(
        "Scope",
        list(SCOPES),
        format_func=SCOPES.__getitem__,
        key=_key("arm", row, "scope"),
        on_change=changed,
        width=120,
        **shared,
    )
    line.number_input("ρ", key=_key("arm", row, "rho"), step=0.05, format="%g", width=110, **shared)
    default = "" if base else f"{VARIANTS[method].eta:g}"
    line.number_input(
        "η", key=_key("arm", row, "eta"), step=0.01, format="%g", placeholder=default, width=110, **shared
    )
    line.button(
        "\u2715",
        key=_key("arm", row, "remove"),
        help=f"Remove {METHODS[method]}",
        on_click=remove,
        disabled=alone,
        type="tertiary",
    )


def recipe() -> None:
    """All fields of the recipe, and a way in and out as JSON."""
    with st.expander("Edit the recipe", icon=":material/tune:"):
        columns = st.columns(2)
        for k, (name, field) in enumerate(FIELDS.items()):
            with columns[k % 2]:
                _recipe_field(_key("recipe", name), field)
        st.markdown("**As JSON**", help="A comparison as the button *Save the recipe* writes it.")
        text = st.text_area("Paste a recipe", key=_key("paste"), height=120, placeholder='{"name": ..., "recipe": ...}')
        file = st.file_uploader("or choose a file", type="json", key=_key("file"), max_upload_size=1)
        st.button("Use this recipe", on_click=_read, args=(text, file), disabled=not text.strip() and file is None)
        if (problem := st.session_state.pop(_key("problem"), "")) != "":
            st.error(problem)


def _recipe_field(key: str, field: Field) -> None:
    shared: dict[str, Any] = {"key": key, "help": field.help or None, "persist_state": "session"}
    if field.options is not None:
        st.selectbox(field.label, list(field.options), format_func=field.options.__getitem__, **shared)
    elif field.step == 0:
        st.checkbox(field.label, **shared)
    else:
        whole = isinstance(field.step, int)
        st.number_input(
            field.label, step=field.step, format="%d" if whole else "%g", placeholder=field.empty or None, **shared
        )


def _read(text: str, file: Any) -> None:
    """Callback: fill the form from a pasted or an uploaded recipe, or keep the one sentence that says what is wrong."""
    try:
        if file is not None:
            text = file.getvalue().decode("utf-8")
        fill(Comparison.from_json(text))
    except UnicodeDecodeError:
        st.session_state[_key("problem")] = "The recipe must be a text in UTF-8, but this file is not."
    except ValueError as error:
        st.session_state[_key("problem")] = str(error)


def read() -> Comparison:
    """The comparison in the form; ValueError in one sentence where it is none."""
    state = st.session_state
    values = {name: state[_key("recipe", name)] for name in FIELDS}
    return Comparison(
        name=state[_key("name")],
        recipe=Recipe(dataset=state[_key("dataset")], **values),
        arms=tuple(_read_arm(row) for row in state[_key("arms")]),
        seeds=parse_seeds(state[_key("seeds")]),
    )


def _read_arm(row: int) -> Arm:
    method = st.session_state[_key("arm", row, "method")]
    if method == BASE:
        return Arm()
    return Arm(variant=method, **{name: st.session_state[_key("arm", row, name)] for name in ("scope", "rho", "eta")})


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "0, 1, 2" -> (0, 1, 2); ValueError where there is something else."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdecimal() and len(word) <= 10 for word in words):
        raise ValueError(f"seeds must be whole numbers with commas between them, but they are {text!r}.")
    return tuple(check.integer("seed", int(word), 0, 2**31 - 1) for word in words)
