"""A real run, measured by a real worker: equal to the engine's own answer, killed and cancelled on the way."""

from dataclasses import replace

import pytest

from samviz import data
from samviz.runs import UNFINISHED, MeasurementView, Store, exchange_measured
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import checkpoint_folder
from samviz.sharpness import answer
from samviz.spec.measure import Measure
from samviz.spec.measurement import RescalingOf, SharpnessOf, SliceOf
from tests.runs.conftest import ended, processes, tiny, wait

ONE = Measure(variant="sam", rho=0.1, search="one_step")
LONG = tuple(Measure(rho=0.001 * (k + 1), steps=200) for k in range(10))
"""Longer than any test may take."""


def done(store: Store, id: str, measurement: str) -> MeasurementView:
    def found() -> MeasurementView | None:
        (view,) = [view for view in store.measurements(id) if view.id == measurement]
        return None if view.state in UNFINISHED else view

    return wait(found)


def test_every_kind_is_measured_and_survives_its_worker(store: Store) -> None:
    comparison = tiny(1, train_size=64, test_size=50, network="resnet8_half", precision="fp32")
    id = store.submit(comparison, "terminal")
    assert ended(store, id).state == "finished"
    sgd, sam = (arm.key for arm in comparison.arms)

    plain = SharpnessOf(arms=(sgd, sam), measures=(ONE, Measure(steps=2)), images=64, m=32)
    view = done(store, id, store.measure(id, 0, plain))
    assert view.state == "finished", view.reason
    assert (view.result["epoch"], view.result["data_label"]) == (1, "Built-in shapes")
    saved = Checkpoints(checkpoint_folder(store.engine, store.home, store.header(id).runs[0].id)).load()
    *_, own = answer(plain, comparison, 0, saved["state"], data.load("builtin"))
    for arm in (sgd, sam):
        for told, mine in zip(view.result["arms"][arm], own["arms"][arm], strict=True):
            assert told["value"] == pytest.approx(mine["value"], rel=1e-3, abs=1e-6)

    more = [
        RescalingOf(arm=sam, measures=(ONE,), factors=(0.5, 1.0, 2.0), images=32, m=32),
        SliceOf(arm=sgd, other=sam, directions=("line", "gradient"), points=3, images=32, regions=(ONE,), reach=2.0),
    ]
    for asked in more:
        view = done(store, id, store.measure(id, 0, asked))
        assert view.state == "finished", view.reason
    assert (view.result["x"], view.result["y"]) == ([-0.25, 0.5, 1.25], [-2.0, 0.0, 2.0])
    told = exchange_measured.to_json(store.measurements(id), comparison)
    assert len(exchange_measured.from_json(told, comparison)) == 3, "all of it can go to another machine"

    long = store.measure(id, 0, replace(plain, measures=LONG))
    wait(lambda: store.measurements(id)[0].progress > 0)
    (worker,) = processes(store.home, "worker")
    worker.kill()
    wait(lambda: (new := processes(store.home, "worker")) and new[0].pid != worker.pid)
    wait(lambda: store.measurements(id)[0].progress > 0)
    store.cancel_job(store.measurements(id)[0].job)
    assert done(store, id, long).state == "cancelled"
    assert store.header(id).state == "finished", "the run itself is as it was"
