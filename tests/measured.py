"""Measurements with made-up numbers in a real store, told as a worker tells them but without a process."""

from typing import Any

from samviz.runs import Store, jobs, measuring
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import checkpoint_folder
from samviz.spec import Comparison
from samviz.spec.measure import Measure
from samviz.spec.measurement import Measurement, RescalingOf, SharpnessOf, SliceOf
from tests import stored

SPHERE = Measure(variant="sam", rho=0.1, search="one_step")
CUBOID = Measure()
FACTORS = (0.1, 0.5, 1.0, 2.0, 10.0)
ABOUT = {"epoch": 3, "data_label": "Built-in shapes", "seconds": 12.3}


def put(store: Store, comparison: Comparison) -> str:
    """A finished comparison whose runs have a checkpoint each."""
    id = stored.put(store, comparison)
    for run in store.header(id).runs:
        Checkpoints(checkpoint_folder(store.engine, store.home, run.id)).save(8, 1, {"seed": run.seed}, 1)
    return id


def questions(arm: str, other: str) -> tuple[Measurement, ...]:
    """One of each kind."""
    return (
        RescalingOf(arm=arm, measures=(SPHERE, CUBOID), factors=FACTORS, images=64, m=32),
        SharpnessOf(arms=(arm, other), measures=(SPHERE, CUBOID), images=64, m=32),
        SliceOf(arm=arm, regions=(SPHERE,), points=3, images=64),
    )


def tell(store: Store, id: str, seed: int, asked: Measurement) -> str:
    """Ask, and answer at once; returns the measurement's id."""
    found = store.measure(id, seed, asked)
    claimed = jobs.claim(store.engine)
    assert claimed is not None
    job = jobs.enter(store.engine, claimed.id, claimed.attempt, "1:1.0")
    measuring.tell(store.engine, job, answer(asked) | ABOUT)
    jobs.end(store.engine, job, "finished")
    return found


def answer(asked: Measurement) -> dict[str, Any]:
    """What a worker would tell, with other numbers: the sphere's sharpness is a, the other ones stay."""
    match asked:
        case RescalingOf():
            moves = {"values": list(asked.factors), "stays": False, "definition_error": 9.0, "reason": "T = 1 stays."}
            stays = moves | {"values": [0.5] * len(FACTORS), "stays": True, "definition_error": 0.0}
            curves = [moves if measure.variant == "sam" else stays for measure in asked.measures]
            return {
                "factors": list(asked.factors), "kinds": ["before_norm"], "spread": asked.spread,
                "seams": ["conv1 -> bn1"], "refused": ["bn3: the output is the logits."], "curves": curves,
                "logits_change": [1e-7, 2e-7, 0.0, 3e-7, 1e-7], "epsilon_error": [0.0] * 5, "images": 64, "m": 32,
            }  # fmt: skip
        case SharpnessOf():
            of_one = [{"value": 0.25, "loss": 1.5, "batches": [0.2, 0.3]} for _ in asked.measures]
            return {"arms": dict.fromkeys(asked.arms, of_one), "images": 64, "m": 32}
        case SliceOf():
            square = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)]
            return {
                "directions": list(asked.directions), "x": [-1.0, 0.0, 1.0], "y": [-1.0, 0.0, 1.0],
                "loss": [[3.0, 2.0, 3.0], [2.0, 1.0, 2.0], [3.0, 2.0, 3.0]], "accuracy": [[50.0] * 3] * 3,
                "lengths": [2.0, 2.0], "cuts": [{"reach": [1.0, 1.0], "outline": square}], "statistics": "kept",
                "images": 64,
            }  # fmt: skip
