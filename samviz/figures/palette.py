"""The color and dash of each arm: fixed by the arm, so that it looks the same on every page.

The hues are Okabe and Ito's, chosen to be told apart with any color vision. The four default arms have one each;
for other variants the hue is the variant's and the dash tells the scope. Where two arms of one comparison would look
alike, as those of a sweep over rho, the later ones take other shades and dashes of their hue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from samviz.spec import Arm

SGD = "#7a7f87"

_SCOPE_OF_SAM = {"all": "#0072b2", "norm_only": "#d55e00", "no_norm": "#009e73"}
_VARIANT = {
    "elementwise_l2": "#cc79a7",
    "elementwise_l2_orig": "#e69f00",
    "elementwise_linf": "#56b4e9",
    "layerwise_l2": "#8c6d1f",
    "filterwise_l2": "#6a51a3",
    "fisher": "#a50f15",
}
_MARKER = {
    None: "circle",
    "sam": "square",
    "elementwise_l2": "triangle",
    "elementwise_l2_orig": "diamond",
    "elementwise_linf": "plus",
    "layerwise_l2": "down",
    "filterwise_l2": "cross",
    "fisher": "star",
}
_DASH = {"all": "solid", "norm_only": "dash", "no_norm": "dot"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""Plotly's names of lines."""
_SHADES = ((255, 0.0), (255, 0.36), (0, 0.22))
"""Of a hue: the gray that is mixed in, and its share."""


def color(variant: str | None, scope: str = "all") -> str:
    """The hex color of an arm; variant None is the base optimizer alone."""
    if variant is None:
        return SGD
    return _SCOPE_OF_SAM[scope] if variant == "sam" else _VARIANT[variant]


def marker(variant: str | None) -> str:
    """The shape that marks a point of a variant, for eyes that do not tell the hues."""
    return _MARKER[variant]


def dash(variant: str | None, scope: str = "all") -> str:
    """The plotly line dash of an arm: solid, but for the scopes of variants whose hue is the variant's."""
    return "solid" if variant in (None, "sam") else _DASH[scope]


@dataclass(frozen=True, slots=True)
class Look:
    """How an arm's lines are drawn."""

    color: str
    """Hex."""
    dash: str
    """One of `DASHES`."""


@lru_cache
def looks(arms: tuple[Arm, ...]) -> Mapping[str, Look]:
    """Arm key -> look, no two alike: its own for the first arm that has it, for further ones what is free of its hue.

    There are 18 looks of a hue, and no comparison has as many arms.
    """
    taken: dict[Look, str] = {}
    for arm in arms:
        taken.setdefault(_own(arm), arm.key)
    for arm in arms:
        if taken[_own(arm)] != arm.key:
            taken[next(look for look in _others(arm) if look not in taken)] = arm.key
    found = {key: look for look, key in taken.items()}
    return {arm.key: found[arm.key] for arm in arms}


def _own(arm: Arm) -> Look:
    """The look of an arm that is alone: another shade and dash where more than variant and scope set it apart."""
    shade, line = 0, dash(arm.variant, arm.scope)
    if arm.epochs_factor > 1:
        shade, line = 2, "dash"
    if arm.trained != "all":
        shade, line = 1, "longdashdot"
    if arm.window:
        shade, line = 2, "longdash"
    if arm.mask is not None:
        shade, line = 1, "dashdot"
    return Look(_shaded(color(arm.variant, arm.scope), shade), line)


def _others(arm: Arm) -> Iterable[Look]:
    """All looks of an arm's hue; neighbors differ in shade and in dash."""
    hue, shades, dashes = color(arm.variant, arm.scope), len(_SHADES), len(DASHES)
    for i in range(shades * dashes):
        yield Look(_shaded(hue, (i + i // dashes + 1) % shades), DASHES[(i + 1) % dashes])


def _shaded(hue: str, shade: int) -> str:
    gray, share = _SHADES[shade]
    parts = (round((1 - share) * int(hue[k : k + 2], 16) + share * gray) for k in (1, 3, 5))
    return f"#{''.join(f'{part:02x}' for part in parts)}"


def faint(color: str, alpha: float = 0.16) -> str:
    """A color for areas: the same hue, nearly transparent, so that it works on light and on dark."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


END = {
    "valley": "#009e73",
    "dead": "#3f4650",
    "oscillating": "#f0e442",
    "diverged": "#d55e00",
    "moving": "#56b4e9",
}
"""The areas of a map by how their starts end: told apart by hue with any color vision, and by lightness without."""

DIFFERENCE = ("#d9dde3", "#0072b2", "#e69f00", "#cc79a7")
"""The areas of a map of differences: ending alike, only the first on the valley, only the second, neither."""

NO_VALUE = "#8a9099"
"""Where a map has no value to show."""

SEQUENTIAL = (
    "#440154",
    "#472d7b",
    "#3b528b",
    "#2c728e",
    "#21918c",
    "#28ae80",
    "#5ec962",
    "#addc30",
    "#fde725",
)
"""From low to high: nine colors of viridis, evenly spaced, to interpolate between."""

DIVERGING = (
    "#053061",
    "#2166ac",
    "#67a9cf",
    "#d1e5f0",
    "#f7f7f7",
    "#fee0b6",
    "#fdb863",
    "#b35806",
    "#7f3b08",
)
"""From negative over zero to positive."""
