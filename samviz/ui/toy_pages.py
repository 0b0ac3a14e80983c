"""The two interactive toy pages as one call each: the component with the tables that its controls are made from."""

from dataclasses import asdict

from samviz.figures import palette
from samviz.spec.toy import (
    METHODS,
    MOST_STARTS,
    PLAIN,
    REGION_FIELDS,
    START_LIMIT,
    TRAJECTORY_FIELDS,
    RegionSettings,
    TrajectorySettings,
)
from samviz.ui.components import component
from samviz.variants import VARIANTS

TRAJECTORIES_BOX = (-0.02, 0.45, -0.06, 0.255)
"""What the plane shows at first: both starts, the valley, and the dead half-plane that the sphere reaches into."""

REGION_CAPTIONS = [
    {"name": "sphere", "label": "Sphere", "norm": "‖ε‖", "p": "2", "method": "SAM"},
    {"name": "cuboid", "label": "Cuboid", "norm": "‖T⁻¹ε‖", "p": "∞", "method": "ASAM"},
    {"name": "ellipsoid", "label": "Ellipsoid", "norm": "‖T⁻¹ε‖", "p": "2", "method": "ASAM"},
]

REGION_LEVELS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 10]
"""Losses of the contours behind the regions: fixed, so that nothing but the region moves with the slider."""


def _method(key: str) -> dict:
    if key == PLAIN:
        return {"key": key, "label": "SGD", "color": palette.color(None), "p": 2, "source": "Plain gradient descent"}
    v = VARIANTS[key]
    # JSON knows no infinity: 0 stands for the norm of a box.
    return {"key": key, "label": v.label, "color": palette.color(key), "p": 2 if v.p == 2 else 0, "source": v.source}


def trajectories() -> None:
    """Draw the Trajectories page's component."""
    component("trajectories", "controls")(
        key="trajectories",
        data={
            "methods": [_method(key) for key in METHODS],
            "fields": [asdict(row) for row in TRAJECTORY_FIELDS.values()],
            "defaults": TrajectorySettings().to_query(),
            "box": TRAJECTORIES_BOX,
            "most_starts": MOST_STARTS,
            "start_limit": START_LIMIT,
        },
    )


def regions() -> None:
    """Draw the Regions page's component."""
    component("regions", "controls")(
        key="regions",
        data={
            "fields": [asdict(row) for row in REGION_FIELDS.values()],
            "defaults": RegionSettings().to_query(),
            "regions": REGION_CAPTIONS,
            "levels": REGION_LEVELS,
        },
    )
