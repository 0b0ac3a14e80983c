"""Where one's own seeds ended, and how long a recipe would take after their pace."""

from math import nan

import pytest

from samviz.papers.outcomes import Measured, Outcome, hours, hours_timed, outcome, with_sharpness
from samviz.papers.published import figure
from samviz.runs import MeasurementView
from samviz.spec import Arm, Comparison, Sweep
from samviz.spec.measure import Measure
from samviz.spec.measurement import SharpnessOf
from tests import synthetic
from tests.papers.known import NO_NORM, ON, SAM, changed, header


def rows(arm: Arm, seed: int, **names: list[float]) -> list[tuple]:
    return [
        (seed, arm.key, epoch, epoch, name, value) for name, own in names.items() for epoch, value in enumerate(own)
    ]


def test_only_finished_seeds_count() -> None:
    mine = header([SAM, Arm(epochs_factor=2)], changed(epochs=2), seeds=2)
    plain = mine.comparison.arms[1]
    found = outcome(
        mine,
        [
            *rows(SAM, 0, test_accuracy=[10.0, 60.0, 50.0], gamma_mean=[1.0, 0.9, 0.8], seconds=[nan, 2.0, 4.0]),
            *rows(SAM, 1, test_accuracy=[10.0, 70.0], gamma_mean=[1.0, 0.9]),  # not finished
            *rows(plain, 0, test_accuracy=[10.0, 20.0, 30.0, 40.0, 35.0]),
            *rows(plain, 1, test_accuracy=[10.0, 20.0, 30.0]),  # trains twice as long
            (0, "unknown", 2, 2, "test_accuracy", 99.0),
        ],
    )
    assert found.of("test_accuracy", SAM) == {0: 50.0}
    assert found.of("best_accuracy", SAM) == {0: 60.0}
    assert found.of("gamma_mean", SAM) == {0: 0.8}
    assert found.of("seconds", SAM) == {0: 3.0}
    assert found.of("test_accuracy", plain) == {0: 35.0}
    assert found.of("gamma_mean", plain) == {}


def paced(seconds: dict[Arm, float], **changes: object) -> Outcome:
    values = {("seconds", arm.key): {0: own} for arm, own in seconds.items()}
    return Outcome(header=header(list(seconds), changed(**changes), seeds=1), values=values)


def test_hours_scale_with_images_epochs_seeds_and_points() -> None:
    known = paced({Arm(): 1.0, SAM: 2.0, ON: 1.5, NO_NORM: 2.0}, train_size=5000)
    recipe = changed(epochs=20)  # of 50000 images
    work = Comparison(name="Work", recipe=recipe, arms=(Arm(epochs_factor=2), SAM), seeds=(0, 1))
    found = hours(work, [known])
    assert found.hours == pytest.approx((10 * 40 + 20 * 20) * 2 / 3600)
    assert found.source == "Mine, on cpu"
    sweep = Sweep(name="Swept", base=Comparison(name="Work", recipe=recipe, arms=(Arm(), SAM, ON)), rho=(0.1, 0.2, 0.5))
    assert hours(sweep, [known]).hours == pytest.approx((10 + 3 * (20 + 15)) * 20 / 3600)
    late = Arm(variant="sam", rho=0.1, first_epoch=11)
    assert hours(Comparison(name="Late", recipe=recipe, arms=(late,)), [known]).hours == pytest.approx(300 / 3600)


def test_hours_are_unknown_for_another_network_or_another_way_of_training() -> None:
    known = paced({Arm(): 1.0, SAM: 2.0})
    recipe = changed()
    assert hours(Comparison(name="W", recipe=recipe, arms=(SAM,)), [known]) is not None
    assert hours(Comparison(name="W", recipe=recipe, arms=(SAM, ON)), [known]) is None
    assert hours(Comparison(name="W", recipe=changed(network="resnet56"), arms=(SAM,)), [known]) is None
    assert hours(Comparison(name="W", recipe=recipe, arms=(SAM,)), []) is None


def test_a_calibration_of_the_base_gives_the_hours_of_its_sweep() -> None:
    (sweep,) = figure("sam-on", 1).recipes
    result = {"seconds": 4e4, "device": "H100", "arms": {arm.key: 1e4 for arm in sweep.base.arms}}
    timed = hours_timed(sweep, result)
    assert timed.hours == pytest.approx((1 + 3 * len(sweep.rho)) * 1e4 * 3 / 3600)
    assert timed.source == "timed on H100"
    assert hours_timed(sweep.base, result).hours == pytest.approx(4e4 / 3600)


def test_sharpness_after_the_last_epoch_is_taken_in() -> None:
    mine = header([SAM, ON], changed(epochs=3), seeds=2)
    measures = (Measure(), Measure(variant="sam", rho=0.1, normalized=False))

    def view(seed: int, epoch: int, state: str = "finished") -> MeasurementView:
        arms = {arm.key: [{"value": 0.2 + seed}, {"value": 9.0}] for arm in (SAM, ON)}
        asked = SharpnessOf(arms=(SAM.key, ON.key), measures=measures)
        return MeasurementView(id=str(seed), comparison="1", seed=seed, measurement=asked, created=0.0, job=1,
                               state=state, reason="", progress=1.0, result={"epoch": epoch, "arms": arms})  # fmt: skip

    before = Outcome(header=mine, values={("test_accuracy", SAM.key): {0: 60.0, 1: 61.0}})
    found = with_sharpness(before, [view(0, 3), view(1, 2)])  # the second not after the last epoch
    assert found.values == before.values
    published, sphere = (Measured(measure, 2048, 128) for measure in measures)
    assert found.sharpness == {
        published: {SAM.key: {0: 0.2}, ON.key: {0: 0.2}},
        sphere: {SAM.key: {0: 9.0}, ON.key: {0: 9.0}},
    }
    assert (published.published, sphere.published) == (True, False)
    assert with_sharpness(before, [view(0, 3, "running")]) == before


def test_synthetic_rows_are_read_as_the_store_has_them() -> None:
    comparison = synthetic.comparison(2, 3)
    mine = header(comparison.arms, comparison.recipe, seeds=2)
    found = outcome(mine, synthetic.metrics(comparison).itertuples(index=False, name=None))
    assert all(set(found.of("seconds", arm)) == {0, 1} for arm in comparison.arms)
