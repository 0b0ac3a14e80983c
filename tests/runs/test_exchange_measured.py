"""What was measured of a comparison as JSON and back, and texts that are none."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samviz.figures import palette
from samviz.figures.rescaling import rescaling_page
from samviz.figures.sharpness import sharpness_charts, sharpness_rows
from samviz.figures.slices import slice_charts
from samviz.runs import MeasurementView, exchange, exchange_measured, measuring
from samviz.spec.measurement import RescalingOf, SharpnessOf, SliceOf
from tests import measured
from tests.runs.conftest import tiny

SPEC = tiny(epochs=3, seeds=(0, 3))
FIRST, SECOND = (arm.key for arm in SPEC.arms)


def views() -> list[MeasurementView]:
    """One of each kind, the newest first."""
    asked = (*measured.questions(FIRST, SECOND), SliceOf(arm=FIRST, other=SECOND, directions=("line",), points=3))
    line = {"directions": ["line"], "y": [0.0], "loss": [[1.0, None, 2.0]], "accuracy": [[0.0, 50.0, 100.0]]}
    line |= {"lengths": [3.5], "cuts": []}
    return [
        MeasurementView(
            id=str(9 - k),
            comparison="1",
            seed=SPEC.seeds[k % 2],
            weights=f"{k:064x}" if k else "",
            measurement=question,
            created=1_700_000_000.0 + k,
            job=k,
            state="finished",
            reason="",
            progress=1.0,
            result=json.loads(json.dumps(measured.answer(question) | measured.ABOUT | (line if k == 3 else {}))),
        )
        for k, question in enumerate(asked)
    ]


def told(view: MeasurementView) -> tuple:
    """All that a text holds of a measurement."""
    return view.seed, view.weights, view.created, view.measurement, view.state, view.progress, view.result


TEXT = exchange_measured.to_json(views(), SPEC)
LINE, SLICE, SHARPNESS, RESCALING = range(4)


def test_what_is_written_is_what_is_read() -> None:
    waits = replace(views()[0], state="queued", result=None)
    before = views()
    after = exchange_measured.from_json(exchange_measured.to_json([waits, *before], SPEC), SPEC)
    assert list(map(told, reversed(after))) == list(map(told, before))
    assert {(view.id, view.comparison, view.job) for view in after} == {("", "", None)}
    assert exchange_measured.to_json(reversed(after), SPEC) == TEXT
    assert exchange_measured.from_json(exchange_measured.to_json([], SPEC), SPEC) == ()


def test_what_was_really_measured_of_the_example_comes_back() -> None:
    text = (Path(__file__).parents[2] / "assets" / "example.json").read_text("utf-8")
    example = exchange.from_json(text, id="example", revision="1").comparison
    before = measuring.bundled("example")
    after = exchange_measured.from_json(exchange_measured.to_json(before, example), example)
    assert list(map(told, reversed(after))) == list(map(told, before))
    assert {view.measurement.kind for view in after} == {"rescaling", "sharpness", "slice"}


def test_the_same_question_about_the_same_bytes_has_the_first_answer() -> None:
    entries = json.loads(TEXT)
    entries.append(deepcopy(entries[SHARPNESS]) | {"created": 5.0})
    entries.append(deepcopy(entries[SHARPNESS]) | {"weights": "f" * 64})
    after = exchange_measured.from_json(json.dumps(entries), SPEC)
    assert [view.created - 1_700_000_000 for view in after] == [3, 2, 1, 0, 1]
    assert after[-1].weights == "f" * 64


def test_what_is_not_finite_where_weights_diverged_is_none() -> None:
    rescaling, _, in_a_plane, _ = views()
    odd = [
        replace(in_a_plane, result=in_a_plane.result | {"lengths": [nan, inf], "loss": [[None] * 3] * 3}),
        replace(rescaling, result=rescaling.result | {"logits_change": [1.0, nan, inf, 0.0, 2.0]}),
    ]
    odd[1].result["curves"][0]["definition_error"] = nan
    after = exchange_measured.from_json(exchange_measured.to_json(odd, SPEC), SPEC)
    assert after[0].result["curves"][0]["definition_error"] is None
    assert after[0].result["logits_change"] == [1.0, None, None, 0.0, 2.0]
    assert after[1].result["lengths"] == [None, None]
    assert after[1].result["loss"] == [[None] * 3] * 3


def test_what_could_not_be_read_back_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    view = views()[0]
    with pytest.raises(ValueError, match=r"^Measurement 9 could not be read back, so delete it first: epoch must be a"):
        exchange_measured.to_json([replace(view, result=view.result | {"epoch": 4})], SPEC)
    monkeypatch.setattr(exchange_measured, "MOST", 3)
    with pytest.raises(ValueError, match="measurements must be a list of 0 to 3 entries"):
        exchange_measured.to_json(views(), SPEC)


def entry(k: int, **values: Any) -> Callable[[list], None]:
    """Change fields of a measurement."""
    return lambda data: data[k].update(values)


def asked(k: int, **values: Any) -> Callable[[list], None]:
    """Change fields of what was asked."""
    return lambda data: data[k]["measurement"].update(values)


def result(k: int, **values: Any) -> Callable[[list], None]:
    """Change fields of what came out."""
    return lambda data: data[k]["result"].update(values)


def curve(**values: Any) -> Callable[[list], None]:
    """Change fields of a curve."""
    return lambda data: data[RESCALING]["result"]["curves"][1].update(values)


def of_arm(**values: Any) -> Callable[[list], None]:
    """Change fields of a measure of an arm."""
    return lambda data: data[SHARPNESS]["result"]["arms"][SECOND][0].update(values)


def cut(**values: Any) -> Callable[[list], None]:
    """Change fields of a region's cut."""
    return lambda data: data[SLICE]["result"]["cuts"][0].update(values)


ROW = [1.0, 2.0, 3.0]
WRONG = {
    "not a list of objects": (lambda d: d.insert(0, []), "a measurement must be an object"),
    "more than there is": (entry(0, code="x"), "a measurement has no field 'code'"),
    "less than there is": (lambda d: d[0].pop("weights"), "a measurement must have the field weights"),
    "a strange seed": (entry(0, seed=1), "seed of a measurement must be one of 0, 3, but it is 1"),
    "a seed that is true": (entry(0, seed=False), "seed of a measurement must be one of 0, 3, but it is False"),
    "weights": (entry(0, weights="F" * 64), "weights must be a SHA-256 in 64 hexadecimal digits"),
    "weights in a list": (entry(0, weights=[]), "weights must be a SHA-256"),
    "a time": (entry(0, created=-1), "created must be a number from 0 to 1e\\+11, but it is -1"),
    "no question": (entry(0, measurement=None), "measurement must be an object"),
    "a kind": (asked(0, kind="lie"), "kind must be one of sharpness, rescaling, slice, but it is 'lie'"),
    "a strange arm": (asked(SLICE, arm="adam"), "arm of a measurement must be one of sgd, sam:.*, but it is 'adam'"),
    "an arm in a list": (asked(SHARPNESS, arms=[["sgd"]]), "arm of a measurement must be one of"),
    "another end of a line": (asked(LINE, other="adam"), "arm of a measurement must be one of"),
    "too many points": (asked(SLICE, points=202), "points must be a whole number from 2 to 201"),
    "no result": (entry(0, result=None), "result must be an object with named fields, but it is None"),
    "a result in a list": (entry(0, result=[]), "result must be an object"),
    "another kind's result": (asked(SLICE, directions=["gradient"]), "directions must be as it was asked for, .'gradi"),
    "a field too much": (result(SLICE, code="x"), "result has no field 'code'"),
    "a field too few": (lambda d: d[SLICE]["result"].pop("x"), "result must have the field x"),
    "an epoch": (result(SLICE, epoch=4), "epoch must be a whole number from 0 to 3, but it is 4"),
    "a label": (result(SLICE, data_label="a\nb"), "data_label must be a line of 1 to 200 characters"),
    "a long label": (result(SLICE, data_label="a" * 201), "data_label must be a line of 1 to 200 characters"),
    "seconds": (result(SLICE, seconds="12"), "seconds must be a number from 0 to 1e\\+09, but it is '12'"),
    "images": (result(SLICE, images=65), "images must be a whole number from 1 to 64, but it is 65"),
    "m": (result(SHARPNESS, m=64), "m must be a whole number from 1 to 32, but it is 64"),
    "no m": (lambda d: d[RESCALING]["result"].pop("m"), "m must be a whole number from 1 to 32, but it is None"),
    "part of a batch": (result(SHARPNESS, images=63), "images must be a multiple of m, 32, but it is 63"),
    "other batches": (result(SHARPNESS, images=32), "batches of sgd of arms must be a list of exactly 1 entries"),
    # Sharpness
    "an arm too few": (lambda d: d[SHARPNESS]["result"]["arms"].pop("sgd"), "arms must have the field sgd"),
    "an arm too many": (
        lambda d: d[SHARPNESS]["result"]["arms"].update(adam=[]),
        "arms has no field 'adam': it has sgd, sam",
    ),
    "a measure too few": (
        lambda d: d[SHARPNESS]["result"]["arms"]["sgd"].pop(),
        "sgd of arms must be a list of exactly 2 entries",
    ),
    "a text for a number": (of_arm(value="0.25"), "value of sam:.* of arms must be a number from -1e\\+100 to"),
    "a number that is true": (of_arm(loss=True), "loss of sam:.* of arms must be a number"),
    "an endless number": (of_arm(loss=1e300), "loss of sam:.* of arms must be a number"),
    "a huge number": (of_arm(loss=10**400), "loss of sam:.* of arms must be a number"),
    "hardly a number": (of_arm(value=1e-300), "value of sam:.* of arms must be 0 or at least 1e-100 in size"),
    "a text among numbers": (of_arm(batches=[0.1, "x"]), "batches of sam:.* of arms must be a number"),
    "more than a value": (of_arm(more=1), "sam:.* of arms has no field 'more'"),
    # Rescaling
    "other factors": (result(RESCALING, factors=[1, 2, 3, 4, 5]), "factors must be those that were asked for"),
    "true factors": (result(RESCALING, factors=[True] * 5), "factors must be a number"),
    "no kinds": (result(RESCALING, kinds=[]), "kinds must be a list of 1 to 3 entries"),
    "a strange kind": (result(RESCALING, kinds=["x"]), "kinds must be one of before_norm, after_norm, layers"),
    "a kind twice": (result(RESCALING, kinds=["layers"] * 2), "kinds must be different ones"),
    "another kind": (asked(RESCALING, seams=["layers"]), "kinds must be one of layers, but it is 'before_norm'"),
    "another spread": (result(RESCALING, spread="nodes"), "spread must be as it was asked for, common, but it is"),
    "no seams": (result(RESCALING, seams=[]), "seams must be a list of 1 to 5000 entries"),
    "a long seam": (result(RESCALING, seams=["x" * 20_001]), "seams must be a line of 1 to 20000 characters"),
    "a refusal": (result(RESCALING, refused=[1]), "refused must be a line"),
    "half a character": (result(RESCALING, refused=["\ud800"]), "refused must be a line"),
    "an error that is none": (result(RESCALING, epsilon_error=[0, 0, 0, 0, None]), "epsilon_error must be a number"),
    "a negative change": (result(RESCALING, epsilon_error=[0, 0, 0, 0, -1]), "epsilon_error must be a number from 0"),
    "a curve too few": (
        lambda d: d[RESCALING]["result"]["curves"].pop(),
        "curves must be a list of exactly 2 entries",
    ),
    "no curve": (lambda d: d[RESCALING]["result"].pop("curves"), "result must have the field curves"),
    "a short curve": (curve(values=ROW), "values of curves must be a list of exactly 5 entries"),
    "a curve of texts": (curve(values=["1"] * 5), "values of curves must be a number .* or none, but it is '1'"),
    "perhaps": (curve(stays=1), "stays of curves must be true or false, but it is 1"),
    "an error": (curve(definition_error=-1), "definition_error of curves must be a number from 0"),
    "a reason": (curve(reason="<b>\x1b[2J"), "reason of curves must be a line"),
    # Slices
    "a coordinate": (result(SLICE, x=[0, 1, 2e6]), "x must be a number from -1e\\+06 to 1e\\+06, but it is 2000000.0"),
    "too many coordinates": (result(SLICE, x=[*ROW, 4]), "x must be a list of exactly 3 entries"),
    "a line with rows": (result(LINE, y=ROW), "y must be a list of exactly 1 entries"),
    "a row too few": (result(SLICE, loss=[ROW, ROW]), "loss must be a list of exactly 3 entries"),
    "a short row": (result(SLICE, loss=[ROW, ROW, [1.0]]), "loss must be a list of exactly 3 entries"),
    "a deep row": (result(SLICE, loss=[ROW, ROW, [ROW, 1, 1]]), "loss must be a number"),
    "more than all are right": (result(SLICE, accuracy=[ROW, ROW, [1, 2, 101]]), "accuracy must be a number from 0 to"),
    "no accuracy": (result(SLICE, accuracy=[ROW, ROW, [1, 2, None]]), "accuracy must be a number from 0 to 100, but"),
    "lengths": (result(SLICE, lengths=[1.0]), "lengths must be a list of exactly 2 entries"),
    "no cut": (result(SLICE, cuts=[]), "cuts must be a list of exactly 1 entries"),
    "reach": (cut(reach=[1.0, None]), "reach of cuts must be a number from 0"),
    "no outline": (cut(outline=[]), "outline of cuts must be a list of 1 to 1000 entries"),
    "a corner": (cut(outline=[[0, 1], [1]]), "outline of cuts must be a list of exactly 2 entries"),
    "other statistics": (result(SLICE, statistics="estimated"), "statistics must be as it was asked for, kept"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "reason"), WRONG.values(), ids=list(WRONG))
def test_another_text_is_refused_in_a_sentence(spoil: Callable[[list], Any], reason: str) -> None:
    data = json.loads(TEXT)
    spoil(data)
    with pytest.raises(
        ValueError, match=f"^This is not the text of what was measured of the comparison: {reason}"
    ) as error:
        exchange_measured.from_json(json.dumps(data), SPEC)
    assert_one_sentence(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[", "1e999", "null", '"x"', "[" * 100_000, "\ufeff[]", f"[{'9' * 5000}]", f"[{'1,' * 5000}1]"]
    + [TEXT.replace("12.3", odd) for odd in ("NaN", "Infinity", "-Infinity", "1e999", "nan")],
    ids=lambda text: ascii(text[:9]),
)
def test_what_is_no_list_is_refused_too(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not the text of what was measured of the comparison: ") as error:
        exchange_measured.from_json(text, SPEC)
    assert_one_sentence(error.value)


def assert_one_sentence(error: ValueError) -> None:
    assert "\n" not in str(error)
    assert str(error).endswith(".")
    assert not str(error).endswith("..")


def places(data: Any, path: tuple = ()) -> list[tuple]:
    """The way to everything in plain data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


PLACES = [place for place in places(json.loads(TEXT)) if place]
ODD = [
    None, True, False, 0, -1, 1, 2, 5, 1e-300, 5e-324, 1e99, 1e300, 10**30, 10**400, -0.0, "", "x", "nan", "inf", "sgd",
    [], {}, [1], [[]], [0.0], {"x": 1}, "\0", "\ud800", "=1+1", "<script>", [None] * 3, [None] * 5, [1e-99] * 5,
]  # fmt: skip


def draw(view: MeasurementView) -> Any:
    """What the Sharpness page shows of it, for a browser."""
    labels, colors = SPEC.labels, {key: look.color for key, look in palette.looks(SPEC.arms).items()}
    match view.measurement:
        case RescalingOf() as question:
            return rescaling_page(question, view.result, labels[question.arm])
        case SharpnessOf() as question:
            charts = sharpness_charts(question, view.result, labels, colors, "x")
            return [chart.figure for chart in charts], [row for _, row in sharpness_rows(question, view.result, labels)]
        case SliceOf() as question:
            return [(chart.figure, chart.note) for chart in slice_charts(question, view.result, "x")]


@settings(deadline=None, derandomize=True, max_examples=300)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from([*ODD, "drop", "twice"])), max_size=2))
def test_whatever_is_changed_is_refused_in_a_sentence_or_can_be_drawn(changes: list[tuple[tuple, Any]]) -> None:
    data = json.loads(TEXT)
    for (*path, last), odd in changes:
        within = data
        try:
            for key in path:
                within = within[key]
            if odd == "drop":
                del within[last]
            elif odd == "twice":
                within.insert(last, deepcopy(within[last]))
            else:
                within[last] = odd
        except (LookupError, TypeError, AttributeError):
            continue  # what it was in is gone
    try:
        after = exchange_measured.from_json(json.dumps(data), SPEC)
    except ValueError as error:
        assert_one_sentence(error)
        return
    for view in after:
        json.dumps(draw(view), allow_nan=False)
    again = exchange_measured.to_json(reversed(after), SPEC)
    assert exchange_measured.from_json(again, SPEC) == after
