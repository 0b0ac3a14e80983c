"""A grid of networks in a real store, trained and measured with made-up numbers as workers do it, without a process."""

from dataclasses import replace

from samviz.figures.gap import MEASURES
from samviz.runs import Store, jobs, measuring
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import checkpoint_folder
from samviz.spec import PRESETS, Arm
from samviz.spec.measurement import SharpnessOf
from samviz.spec.sweep import Sweep
from tests import stored

BASE = replace(PRESETS["quick"].comparison, recipe=replace(PRESETS["quick"].comparison.recipe, epochs=1), arms=(Arm(),))
GRID = Sweep(name="Two by two", base=BASE, lr=(0.1, 0.2), dropout=(0, 0.5))
ASKED = SharpnessOf(arms=("sgd",), measures=MEASURES, images=1024, m=128)


def trained(store: Store, sweep: Sweep = GRID) -> str:
    """A sweep all of whose runs have finished and have a checkpoint; its id."""
    id = store.submit_sweep(sweep)
    for _, member, header in store.sweep(id).members:
        stored.fill(store, int(member), header.comparison)
        for run in header.runs:
            Checkpoints(checkpoint_folder(store.engine, store.home, run.id)).save(32, 1, {}, 1)
    return id


def tell(store: Store, member: str, asked: SharpnessOf, loss: float, values: tuple[float, ...]) -> None:
    """Measure a run as a worker would, with made-up numbers."""
    store.measure(member, 0, asked)
    job = jobs.claim(store.engine)
    job = jobs.enter(store.engine, job.id, job.attempt, "1:1.0")
    found = [{"value": value, "loss": loss, "batches": [value]} for value in values]
    about = {"images": 1024, "m": 128, "epoch": 1, "data_label": "Built-in shapes", "seconds": 1.0}
    measuring.tell(store.engine, job, {"arms": {"sgd": found}} | about)
    jobs.end(store.engine, job, "finished")
