"""`python -m tests.measured_example HOME ID`: measure the runs of the bundled example, and write assets/measured.json.

The runs are comparison ID in HOME; docs/first-comparison.json is its recipe. Its numbers must be those of
assets/example.json: what was measured belongs to what is shown.
"""

import json
import sys
import time
from pathlib import Path

from samviz.cli.terminal import table
from samviz.figures.measured import measured_table
from samviz.runs import UNFINISHED, Store, open_store
from samviz.runs.looking import EXAMPLE_ID
from samviz.runs.measuring import BUNDLED
from samviz.spec import Comparison, measurement
from samviz.spec.measure import Measure
from samviz.spec.measurement import Measurement, RescalingOf, SharpnessOf, SliceOf, factors_up_to
from samviz.spec.questions import FIRST_SEARCHES

SEEDS = (0, 1, 2)
"""All are measured as in SAM-ON's tables; all else only of the first."""
SPHERE = {"variant": "sam", "rho": 0.05}
ELLIPSOID = {"variant": "elementwise_l2", "rho": 0.5}
CUBOID = {"variant": "elementwise_linf", "rho": 0.005}
ORIGINAL = {"variant": "elementwise_l2_orig", "rho": 0.5}
FILTERS = {"variant": "filterwise_l2", "rho": 0.5, "eta": 0.0}
LAYERS = {"variant": "layerwise_l2", "rho": 0.025}
"""Regions; the radii are those of SAM-ON Table 8 for CIFAR-10 and ResNets, but for the sphere's, the filters', and
the ellipsoid's, which is the original ASAM's there."""


def measures() -> tuple[Measure, ...]:
    """Each region by n steps, the two of ASAM's Fig. 1 by one step as well, and SAM-ON's own measure."""
    plain = {"normalized": False}
    both = [Measure(**region, search=s, **plain) for region in (SPHERE, ELLIPSOID) for s in ("one_step", "ascent")]
    more = [Measure(**region, search="ascent", **plain) for region in (CUBOID, ORIGINAL, FILTERS, LAYERS)]
    return (*both, *more, Measure(**CUBOID))


def searched(*regions: dict) -> tuple[Measure, ...]:
    """Each region by one step and by AutoPGD, as in SAM-ON Table 7."""
    return tuple(Measure(**region, search=search) for region in regions for search in FIRST_SEARCHES)


def questions(comparison: Comparison) -> list[tuple[int, Measurement]]:
    """(seed, what is asked), the first thing to be shown last; sharpness as in SAM-ON Tables 7 and 14 (appendix D)."""
    arms = {(arm.variant, arm.scope): arm.key for arm in comparison.arms}
    plain, norm_only = arms[None, "all"], arms["sam", "norm_only"]
    table_14 = tuple(Measure(**CUBOID | {"rho": rho}) for rho in (0.003, 0.007))
    regions = tuple(Measure(**region) for region in (SPHERE, ELLIPSOID, FILTERS))
    few = {"measures": measures(), "images": 128, "m": 128}
    keys, (first, *others) = tuple(arm.key for arm in comparison.arms), SEEDS
    asked = [
        SliceOf(arm=plain, directions=("line",), other=norm_only, statistics="estimated", points=41),
        SliceOf(arm=norm_only, regions=regions),
        SliceOf(arm=norm_only, reach=1.0),
        SharpnessOf(arms=keys, measures=(*searched(SPHERE, ELLIPSOID, CUBOID, FILTERS), *table_14)),
        RescalingOf(arm=norm_only, factors=factors_up_to(10), spread="nodes", **few),
        RescalingOf(arm=norm_only, factors=factors_up_to(100), seams=("before_norm",), **few),
    ]
    beside = [(seed, SharpnessOf(arms=keys, measures=(*searched(CUBOID), *table_14))) for seed in others]
    return [*beside, *((first, one) for one in asked)]


def answered(store: Store, id: str, seed: int, asked: Measurement) -> dict:
    """The entry of a question, once it is answered."""
    number = store.measure(id, seed, asked)
    while (view := {view.id: view for view in store.measurements(id)}[number]).state in UNFINISHED:
        time.sleep(1)
    if view.state != "finished":
        raise SystemExit(f"The measurement {number} is {view.state}: {view.reason}")
    print(f"{asked.kind}: {view.result['seconds']:.0f} s", flush=True)
    table(measured_table(asked, {seed: view.result}, store.header(id).comparison.labels))
    return {
        "seed": seed, "measurement": measurement.to_dict(asked), "created": view.created, "result": view.result
    }  # fmt: skip


def accuracies(store: Store, id: str) -> set[tuple]:
    """(seed, arm, epoch, test accuracy) of a comparison."""
    rows = store.news(id).metrics
    return {(seed, arm, epoch, value) for seed, arm, epoch, _, name, value in rows if name == "test_accuracy"}


def main(home: str, id: str) -> None:
    store = open_store(Path(home))
    if accuracies(store, id) != accuracies(store, EXAMPLE_ID):
        raise SystemExit(f"The runs of comparison {id} are other ones than those of the bundled example.")
    entries = [answered(store, id, *asked) for asked in questions(store.header(id).comparison)]
    text = json.dumps(entries[::-1], separators=(",", ":"))
    BUNDLED.write_text(text + "\n", "utf-8")
    print(f"{BUNDLED}: {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main(*sys.argv[1:])
