"""The color and dash of each arm: fixed by the arm, so that it looks the same on every page.

The hues are Okabe and Ito's, chosen to be told apart with any color vision. The four default arms have one each;
for other variants the hue is the variant's and the dash tells the scope.
"""

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
