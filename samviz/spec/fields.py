"""Fields of a page's settings: numbers that can be set, and what all pages' addresses have in common.

One table of fields drives the controls on screen, the validation and the tests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samviz.spec import check
from samviz.spec.lesson import LECTURES, LESSON, parse_lecture, parse_lesson


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A number that can be set: its name in addresses, what it means, and what is allowed."""

    key: str
    label: str
    help: str
    low: float
    high: float
    step: float
    """Of the control; a logarithmic control multiplies by 1 + step instead."""
    default: float
    log: bool = False
    whole: bool = False

    def validate(self, value: Any) -> float:
        """Return the value as a number in [low, high] (an int if `whole`); raise ValueError otherwise."""
        if self.whole:
            return check.integer(self.key, value, int(self.low), int(self.high))
        return check.number(self.key, value, self.low, self.high)

    def parse(self, text: str) -> float:
        """Read the value from an address; raise ValueError with the text as it stands there if it is none."""
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            value = text
        return self.validate(value)


def table(*rows: Field) -> dict[str, Field]:
    """Fields by their keys."""
    return {row.key: row for row in rows}


def rho_field(name: str, label: str, default: float, high: float) -> Field:
    """The radius rho.NAME of a variant or region, from 0 to `high`."""
    return Field(
        key=f"rho.{name}",
        label=f"ρ {label}",
        help="Radius of the region, in units of ‖T⁻¹ε‖. 0 is plain descent.",
        low=0,
        high=high,
        step=high / 200,
        default=default,
    )


def eta_field(name: str, label: str, default: float, high: float) -> Field:
    """The stabilizer eta.NAME of a variant or region, from 0 to `high`."""
    what = "Scale of g² in T" if name == "fisher" else "Stabilizer, added to the normalization operator T"
    return Field(
        key=f"eta.{name}", label=f"η {label}", help=f"{what}.", low=0, high=high, step=high / 200, default=default
    )


TARGET = Field(
    key="c",
    label="target c",
    help="The loss is |w₁·ReLU(w₂) − c|.",
    low=0.005,
    high=0.2,
    step=0.001,
    default=0.04,
)


def texts_of(query: Mapping[str, Sequence[str]], known: Iterable[str], page: str) -> dict[str, str]:
    """One text a key; raise ValueError for unknown keys (Streamlit's own apart) and for keys that come twice."""
    known = list(known)
    texts: dict[str, str] = {}
    for key, values in query.items():
        if key.startswith("embed"):
            continue
        if key not in known:
            check.mapping(f"The address of the {page} page", {key: values}, known)
        if len(values) != 1:
            raise ValueError(f"{key} must be given once, but it is given {len(values)} times.")
        texts[key] = values[0]
    return texts


def validated(table: Mapping[str, Field], values: Mapping[str, float]) -> dict[str, float]:
    """All of the table's numbers, the defaults where none is given; raise ValueError for a wrong or unknown one."""
    check.mapping("values", values, table)
    return {key: row.validate(values.get(key, row.default)) for key, row in table.items()}


def as_text(value: float) -> str:
    """A number as it stands in an address."""
    return format(value, ".10g")


GUIDE_MARKS = {"lesson": parse_lesson, "lecture": parse_lecture}
"""What leads through every page: the keys of the address and how their texts are read."""


def check_guide(lesson: int | None, lecture: str) -> None:
    """Raise ValueError unless these are a step of the lesson and a way to show the page to an audience."""
    if lesson is not None:
        check.integer("lesson", lesson, 1, len(LESSON))
    check.choice("lecture", lecture, ("", *LECTURES))


def guide_marks(lesson: int | None, lecture: str) -> dict[str, str]:
    """Both as text, by the keys of the address."""
    return {"lesson": "" if lesson is None else str(lesson), "lecture": lecture}


def parse_numbers(field: str, text: str, form: str) -> tuple[float, ...]:
    """Read numbers with commas between them, written as `form`; raise ValueError with the text otherwise."""
    try:
        return tuple(float(x) for x in text.split(","))
    except ValueError:
        raise check.wrong(field, form, text) from None
