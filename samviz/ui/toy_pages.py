"""The two interactive toy pages as one call each: the component with the tables that its controls are made from."""

from dataclasses import asdict
from math import inf

from samviz.figures import palette
from samviz.spec.regions import REGION_FIELDS, REGION_NAMES, RegionSettings
from samviz.spec.trajectories import (
    METHODS,
    MOST_STARTS,
    PLAIN,
    SPEEDS,
    START_LIMIT,
    TRAJECTORY_FIELDS,
    TrajectorySettings,
)
from samviz.ui import map_page
from samviz.ui.components import component
from samviz.ui.guide import guide
from samviz.variants import VARIANTS

TRAJECTORIES_BOX = (-0.02, 0.45, -0.06, 0.255)
"""What the plane shows at first: both starts, the valley, and the dead half-plane that the sphere reaches into."""

REGION_OPERATORS = {"identity": "1 (SAM)", "elementwise": "|w| + η (ASAM)", "fisher": "Fisher"}
"""The choices of T_w on the Regions page, by the keys of OPERATORS."""

REGION_NORMS = [*(float(f"{40 / i:.3g}") for i in range(40, 0, -1)), inf]
"""The notches of the slider for p, evenly spaced in 1/p: 1 on the left, 2 in the middle, infinity on the right."""

REGION_LEVELS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 10]
"""Losses of the contours behind the regions: fixed, so that nothing but the region moves with the slider."""


def method(key: str) -> dict:
    """Name, source and looks of one of METHODS, as the browser gets them."""
    if key == PLAIN:
        looks = {"color": palette.color(None), "marker": palette.marker(None)}
        return {"key": key, "label": "SGD", "p": 2, "source": "Plain gradient descent", **looks}
    v, looks = VARIANTS[key], {"color": palette.color(key), "marker": palette.marker(key)}
    # JSON knows no infinity: 0 stands for the norm of a box.
    return {"key": key, "label": v.label, "p": 2 if v.p == 2 else 0, "source": v.source, **looks}


def trajectories() -> None:
    """Draw the Trajectories page's component."""
    component("trajectories", "controls", "guide", "takehome", "maps")(
        key="trajectories",
        data={
            "methods": [method(key) for key in METHODS],
            "fields": [asdict(row) for row in TRAJECTORY_FIELDS.values()],
            "defaults": TrajectorySettings().to_query(),
            "marks": TrajectorySettings().marks(),
            "speeds": SPEEDS,
            "box": TRAJECTORIES_BOX,
            "most_starts": MOST_STARTS,
            "start_limit": START_LIMIT,
            "maps": map_page.tables(),
            "guide": guide(),
        },
    )


def regions() -> None:
    """Draw the Regions page's component."""
    component("regions", "controls", "guide", "takehome")(
        key="regions",
        data={
            "fields": [asdict(row) for row in REGION_FIELDS.values()],
            "defaults": RegionSettings().to_query(),
            "marks": RegionSettings().marks(),
            "regions": REGION_NAMES,
            "operators": REGION_OPERATORS,
            "norms": [f"{p:g}" for p in REGION_NORMS],
            "levels": REGION_LEVELS,
            "guide": guide(),
        },
    )
