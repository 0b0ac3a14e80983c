"""The form of a new comparison: a draft in the session's state, and the widgets that edit it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from samviz.spec import DATASETS, NETWORKS, PRESETS, Comparison, Recipe, check
from samviz.spec.comparison import MOST_SEEDS
from samviz.spec.networks import Network, check_listed
from samviz.spec.recipe import AUGMENTATIONS, OPTIMIZERS, PRECISIONS, SCHEDULES, SMALLEST
from samviz.ui import access, lab_arms
from samviz.ui.lab_arms import bound, key
from samviz.ui.plain import plain

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
    thirds: int = 1
    """Of a row, how many the widget takes."""
    changed: Callable[[], None] | None = None
    """Callback: what else has to change with it."""


def _optimizer_changed() -> None:
    if st.session_state[key("recipe", "optimizer")] != "sgd":
        st.session_state[key("recipe", "nesterov")] = False


GROUPS = {
    "Data": {
        "train_size": Field(label="Train images", step=1, empty="all", help="Drawn class by class from the seed."),
        "validation_size": Field(
            label="Validation images", step=10, help="Held out of the train images, to choose an epoch by; 0 is none."
        ),
        "test_size": Field(label="Test images", step=1, empty="all"),
        "label_noise": Field(label="Label noise", step=0.05, help="Share of train labels replaced by another class."),
        "augmentation": Field(label="Augmentation", options=AUGMENTATIONS),
        "cutout": Field(label="Cutout", step=4, help="Side in pixels of a square that is blanked out; 0 is none."),
    },
    "Network": {
        "network": Field(
            label="Network",
            options={name: f"{n.label}: {n.note}" for name, n in NETWORKS.items()},
            thirds=3,
            changed=lab_arms.refill,
        ),
        "dropout": Field(label="Dropout", step=0.05, help="Share of the features before the classifier that rest."),
        "precision": Field(label="Precision", options=PRECISIONS, help="Weights stay in fp32."),
    },
    "Training": {
        "epochs": Field(label="Epochs", step=1),
        "batch_size": Field(label="Batch size", step=1, help="Images a step."),
        "m": Field(
            label="m", step=1, empty="whole batch", help="Images that climb together; it divides the batch size."
        ),
        "optimizer": Field(label="Optimizer", options=OPTIMIZERS, changed=_optimizer_changed),
        "momentum": Field(label="Momentum", step=0.05, help="Of SGD; β1 of AdamW."),
        "nesterov": Field(label="Nesterov momentum"),
        "lr": Field(
            label="Learning rate", step=0.01, help="The highest. AdamW wants far less than SGD: 0.0001 in SAM-ON."
        ),
        "schedule": Field(
            label="Schedule", options=SCHEDULES, thirds=2, help="Of the learning rate, after the warm-up."
        ),
        "warmup_epochs": Field(label="Warm-up epochs", step=1, help="In these the learning rate grows from 0."),
        "weight_decay": Field(label="Weight decay", step=1e-4),
        "decay_norm": Field(label="Decay of γ and β, too"),
        "label_smoothing": Field(label="Label smoothing", step=0.05),
    },
}
"""Every field of a recipe under its heading, but the data set and its classes: these have widgets of their own."""
FIELDS = {name: field for group in GROUPS.values() for name, field in group.items()}


def fill(comparison: Comparison, preset: str | None = None) -> None:
    """Put a comparison into the form; call it before the widgets are drawn or from a callback.

    Raises ValueError, and leaves the form as it is, for a network of one's own: that is code, which no page runs.
    """
    state, recipe = st.session_state, comparison.recipe.to_dict()
    check_listed(recipe["network"])
    state[key("preset")] = preset
    state[key("name")] = comparison.name
    state[key("seeds")] = ", ".join(map(str, comparison.seeds))
    state[key("dataset")] = recipe["dataset"]
    state[key("recipe", "classes")] = recipe["classes"] or []
    for name in FIELDS:
        state[key("recipe", name)] = recipe[name]
    lab_arms.fill(comparison.arms)


def ready() -> None:
    """See to it that there is a draft: the first preset in a new session."""
    if key("arms") not in st.session_state:
        fill(PRESETS[FIRST].comparison, FIRST)


def preset() -> None:
    """The presets, with what to expect of the one that is chosen."""

    def chosen() -> None:
        if (name := st.session_state[key("preset")]) is not None:
            fill(PRESETS[name].comparison, name)

    name = st.pills(
        "Preset",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].label,
        wrap=True,
        **bound("preset", changed=chosen),
    )
    if name is not None:
        st.caption(f"{PRESETS[name].note} Source: {PRESETS[name].source}.")
    else:
        st.caption("A recipe of your own.")


def dataset(labels: dict[str, str]) -> str:
    """The choice of data; `labels`: key -> name on screen, with whether it is there."""
    return st.selectbox(
        "Data",
        list(DATASETS),
        format_func=labels.__getitem__,
        **bound("dataset", changed=_data_changed, names=labels),
    )


def choose_builtin() -> None:
    """Callback: take the data that need nothing."""
    st.session_state[key("dataset")] = "builtin"
    _data_changed()


def _data_changed() -> None:
    """Callback: another data set has other classes, its own number of images, and radii of its own."""
    st.session_state[key("recipe", "classes")], st.session_state[key("recipe", "validation_size")] = [], 0
    _fit()
    lab_arms.refill()


def _fit() -> None:
    """Callback: with other classes there may be fewer images than were asked for; take all of them then."""
    state, data = st.session_state, DATASETS[st.session_state[key("dataset")]]
    if (chosen := len(state[key("recipe", "classes")])) == 1:
        return  # on the way to the second one
    train, test = data.sizes(chosen or len(data.classes))

    def at_most(name: str, most: int, otherwise: int | None) -> None:
        if (state[key("recipe", name)] or 0) > most:
            state[key("recipe", name)] = otherwise

    at_most("validation_size", train - SMALLEST, 0)
    left = train - (state[key("recipe", "validation_size")] or 0)
    at_most("train_size", left, None)
    at_most("test_size", test, None)
    at_most("batch_size", state[key("recipe", "train_size")] or left, Recipe().batch_size)
    at_most("m", state[key("recipe", "batch_size")] or 0, None)


def name_and_seeds() -> None:
    """The line of the list, and how often all is repeated."""
    left, right = st.columns([3, 2])
    left.text_input("Name", max_chars=80, **bound("name"))
    right.text_input(
        "Seeds",
        help=f"Up to {MOST_SEEDS} whole numbers. Each is one run: all arms from the same weights on the same batches.",
        **bound("seeds"),
    )


def recipe() -> None:
    """All fields of the recipe, and a way in and out as JSON."""
    with st.expander("Edit the recipe", icon=":material/tune:"):
        for heading, group in GROUPS.items():
            st.markdown(f"**{heading}**")
            if heading == "Data":
                _classes()
            _fields(group)
        st.markdown("**As JSON**", help="A comparison as the button *Save the recipe* writes it.")
        text = st.text_area("Paste a recipe", key=key("paste"), height=120, placeholder='{"name": ..., "recipe": ...}')
        file = st.file_uploader(
            "or choose a file", type="json", key=key("file"), max_upload_size=1, disabled=bool(access.refused())
        )
        st.button("Use this recipe", on_click=_use, args=(text, file), disabled=not text.strip() and file is None)
        if (problem := st.session_state.pop(key("problem"), "")) != "":
            st.error(plain(problem))


def _classes() -> None:
    st.multiselect(
        "Classes",
        DATASETS[st.session_state[key("dataset")]].classes,
        help="Those that are told apart, at least two.",
        placeholder="all",
        select_all=False,
        **bound("recipe", "classes", changed=_fit),
    )


def _fields(group: dict[str, Field]) -> None:
    """A group's fields, three thirds a row."""
    row: list[str] = []
    for name in group:
        if sum(group[other].thirds for other in (*row, name)) > 3:
            _row(row)
            row = []
        row.append(name)
    _row(row)


def _row(names: list[str]) -> None:
    thirds = [FIELDS[name].thirds for name in names]
    rest = [3 - sum(thirds)] if sum(thirds) < 3 else []
    # A little more than two, so that the columns of rows with one gap and with two stand below each other.
    columns = st.columns([2.035 if n == 2 else n for n in (*thirds, *rest)], vertical_alignment="bottom")
    for column, name in zip(columns, names, strict=False):
        with column:
            _field(name, FIELDS[name])


def _field(name: str, field: Field) -> None:
    shared = {"help": field.help or None} | bound("recipe", name, changed=field.changed)
    if field.options is not None:
        st.selectbox(field.label, list(field.options), format_func=field.options.__getitem__, **shared)
    elif field.step == 0:
        adamw = name == "nesterov" and st.session_state[key("recipe", "optimizer")] != "sgd"
        st.checkbox(field.label, disabled=adamw, **shared)
    else:
        whole = isinstance(field.step, int)
        st.number_input(
            field.label, step=field.step, format="%d" if whole else "%g", placeholder=field.empty or None, **shared
        )
    if name == "network":
        st.caption(_size(NETWORKS[st.session_state[key("recipe", name)]]))


def _size(network: Network) -> str:
    """How large a network is, in words: "78 thousand parameters; ..."."""
    count = network.parameters
    size = f"{count / 1e6:.1f} million" if count >= 1e6 else f"{count / 1e3:.0f} thousand"
    return (
        f"{size} parameters; γ and β, which SAM-ON perturbs, are {100 * network.norm_share:.2g} % of them. "
        f"{network.flops / 1e9:.2g} GFLOPs a sample."
    )


def _use(text: str, file: Any) -> None:
    """Callback: fill the form from a pasted or an uploaded recipe, or keep the one sentence that says what is wrong."""
    try:
        if file is not None:
            text = file.getvalue().decode("utf-8")
        fill(Comparison.from_json(text))
    except UnicodeDecodeError:
        st.session_state[key("problem")] = "The recipe must be a text in UTF-8, but this file is not."
    except ValueError as error:
        st.session_state[key("problem")] = str(error)


def read(state: Mapping[str, Any]) -> Comparison:
    """The comparison in the form, which keeps it in `state`; ValueError in one sentence where it is none."""
    values = {name: state[key("recipe", name)] for name in FIELDS}
    classes = tuple(state[key("recipe", "classes")]) or None
    return Comparison(
        name=state[key("name")],
        recipe=Recipe(dataset=state[key("dataset")], classes=classes, **values),
        arms=tuple(lab_arms.read(row, state) for row in state[key("arms")]),
        seeds=parse_seeds(state[key("seeds")]),
    )


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "0, 1, 2" -> (0, 1, 2); ValueError where there is something else."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdecimal() and len(word) <= 10 for word in words):
        raise ValueError(f"seeds must be whole numbers with commas between them, but they are {text!r}.")
    return tuple(check.integer("seed", int(word), 0, 2**31 - 1) for word in words)
