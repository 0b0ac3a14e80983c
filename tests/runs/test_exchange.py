"""A comparison as JSON and back, and texts that are none."""

import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pandas as pd
import pytest

from samviz.runs import HISTOGRAM_COLUMNS, METRIC_COLUMNS, RunView, Snapshot, exchange
from samviz.runs.exchange import frame
from tests import synthetic

ODD = (math.inf, -math.inf, math.nan, 1e-308, 0.1 + 0.2, -0.0, 5e99)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in an order of their own."""
    keys = [column for column in frame if column not in ("value", "counts")]
    return frame.sort_values(keys).reset_index(drop=True)


def assert_same(after: Snapshot, before: Snapshot) -> None:
    """All that a text holds of a comparison is the same, bit for bit."""
    for name in ("comparison", "state", "created", "runs", "data_label"):
        assert getattr(after, name) == getattr(before, name)
    pd.testing.assert_frame_equal(in_order(after.metrics), in_order(before.metrics), check_exact=True)
    pd.testing.assert_frame_equal(in_order(after.histograms), in_order(before.histograms), check_exact=True)


def odd(epochs: int = 4) -> Snapshot:
    """Seeds out of order, one of them under way and one that waits, and numbers and names that are seldom met."""
    spec = replace(synthetic.comparison(3, epochs), name="=1+1 γ 訓練", seeds=(7, 0, 3))
    reached = {7: epochs, 0: 2}
    rows = [(7, "sgd", 2, 9 + k, "=odd δ", value) for k, value in enumerate(ODD)]
    return synthetic.snapshot(
        comparison=spec,
        state="running",
        runs=(
            synthetic.run(7),
            synthetic.run(0, "running", 0.5, error="Zeile 1\n\tline 2 </script>", log_tail="50 %\r51 %\n"),
            synthetic.run(3, "queued", 0.0, started=None, machine={}, reason="waits"),
        ),
        metrics=pd.concat(
            [synthetic.metrics(spec, reached), pd.DataFrame(rows, columns=METRIC_COLUMNS)], ignore_index=True
        ),
        histograms=synthetic.histograms(spec, reached),
    )


def test_what_is_written_is_what_is_read() -> None:
    before = odd()
    text = exchange.to_json(before)
    after = exchange.from_json(text, id=before.id, revision=before.revision, bundled=before.bundled)
    assert (after.id, after.revision, after.bundled) == (before.id, before.revision, before.bundled)
    assert_same(after, before)
    assert exchange.to_json(after) == text
    again = exchange.from_json(text, id="", revision="")
    pd.testing.assert_frame_equal(again.metrics, after.metrics, check_exact=True)


def test_a_comparison_that_has_not_begun_keeps_its_types() -> None:
    nothing = {"metrics": frame(METRIC_COLUMNS, []), "histograms": frame(HISTOGRAM_COLUMNS, [])}
    before = synthetic.snapshot(2, 3, "queued", **nothing)
    assert_same(exchange.from_json(exchange.to_json(before), id="1", revision="1"), before)


def test_a_text_of_an_earlier_version_lacks_what_runs_have_now() -> None:
    assert set(exchange._RUN) == {field.name for field in fields(RunView)}
    data = json.loads(exchange.to_json(odd()))
    for run in data["runs"]:
        del run["since"], run["host"]
    after = exchange.from_json(json.dumps(data), id="1", revision="1")
    assert {(run.since, run.host) for run in after.runs} == {(0.0, "")}


def test_a_log_may_have_a_nul_and_a_database_may_not() -> None:
    before = synthetic.snapshot(1, 2, runs=(synthetic.run(0, "failed", log_tail="a\0b", error="\0"),))
    (run,) = exchange.from_json(exchange.to_json(before), id="1", revision="1").runs
    assert (run.log_tail, run.error) == ("a\ufffdb", "\ufffd")


def first(what: str, **values: Any) -> Callable[[dict], None]:
    """Change fields of the first entry of a list."""
    return lambda data: data[what][0].update(values)


def named(name: str, **values: Any) -> Callable[[dict], None]:
    """Change fields of the first entry of a metric."""
    return lambda data: next(entry for entry in data["metrics"] if entry["name"] == name).update(values)


def many(what: str, count: int, name: str) -> Callable[[dict], None]:
    """Entries of many names."""
    return lambda data: data[what].extend({**data[what][0], "name": name.format(k)} for k in range(count))


TEXT = exchange.to_json(odd())
WRONG = {
    "no runs": (lambda d: d.pop("runs"), "the text must have the field runs"),
    "more than there is": (lambda d: d.update(code="x"), "the text has no field 'code'"),
    "another format": (lambda d: d.update(format="other"), "format must be"),
    "a wrong recipe": (lambda d: d["comparison"].update(seeds=[-1]), "seed must be a whole number"),
    "a state": (lambda d: d.update(state="exploded"), "state must be one of queued"),
    "a time": (lambda d: d.update(created=1e300), "created must be a number from 0 to 1e\\+11"),
    "an endless time": (lambda d: d.update(created=math.inf), "JSON has no Infinity"),
    "a label": (lambda d: d.update(data_label="a\nb"), "data_label must be a line"),
    "too few runs": (lambda d: d["runs"].pop(), "runs must be a list of 3 to 3 entries"),
    "a run twice": (first("runs", seed=3), r"runs must be of the seeds \[7, 0, 3\], but they are of \[3, 0, 3\]"),
    "progress": (first("runs", progress=2), "progress must be a number from 0 to 1"),
    "an attempt": (first("runs", attempt=0.5), "attempt must be a whole number"),
    "an attempt that a store cannot count on from": (
        first("runs", attempt=2**31 - 1),
        "attempt must be a whole number from 0 to 1000000",
    ),
    "an error": (first("runs", error=["x"]), "error must be a text"),
    "half a character": (first("runs", log_tail="\ud800"), "log_tail must be a text"),
    "a machine": (first("runs", machine={"torch": 2}), "machine.torch must be a text"),
    "metrics": (lambda d: d.update(metrics={}), "metrics must be a list"),
    "a metric": (lambda d: d["metrics"].insert(0, []), "metrics must be an object"),
    "a strange seed": (first("metrics", seed=1), "seed of metrics must be one of 7, 0, 3, but it is 1"),
    "a seed that is true": (first("metrics", seed=True), "seed of metrics must be one of"),
    "a strange arm": (first("metrics", arm="adam"), "arm of metrics must be one of sgd"),
    "an arm in a list": (first("metrics", arm=["sgd"]), "arm of metrics must be one of sgd"),
    "a name": (first("metrics", name="a\x1b[2J"), "name must be a line"),
    "no name": (first("metrics", name=""), "name must be a line"),
    "space around a name": (first("metrics", name=" x"), "name of metrics must be a text without space around it"),
    "an epoch": (first("metrics", epoch=[0.5, 1, 2, 3, 4]), "epoch must be a whole number from 0 to 4"),
    "an epoch too many": (first("metrics", epoch=[0, 1, 2, 3, 5]), "epoch must be a whole number from 0 to 4"),
    "an epoch too large": (first("metrics", epoch=[0, 1, 2, 3, 2**70]), "epoch must be a whole number"),
    "a step": (first("metrics", step=[0, 1, 2, 3, -1]), "step must be a whole number"),
    "a step twice": (first("metrics", step=[0, 1, 2, 3, 3]), "the steps of test_accuracy must differ"),
    "lists of two lengths": (first("metrics", step=[0]), "epoch and step and value of test_accuracy must be lists of"),
    "a value": (first("metrics", value=[0, 1, 2, 3, "Infinity"]), "value of test_accuracy must be a number"),
    "a value that is true": (first("metrics", value=[0, 1, 2, 3, True]), "value of test_accuracy must be a number"),
    "a value too large": (first("metrics", value=[0, 1, 2, 3, 1e300]), "value of test_accuracy must be a number"),
    "a huge value": (first("metrics", value=[0, 1, 2, 3, 10**400]), "value of test_accuracy must be a number"),
    "time that runs backwards": (named("seconds", value=[1, 1, 1, -1]), "value of seconds must be a number from 0"),
    "time that never ends": (named("seconds", value=[1, 1, 1, "inf"]), "value of seconds must be a number from 0"),
    "a layer without end": (named("beta_mean/0", value=[0, 0, 0, 0, "inf"]), "value of beta_mean/0 must be a number"),
    "a metric twice": (lambda d: d["metrics"].append(d["metrics"][0]), "metrics must have one entry for each seed"),
    "too many metrics": (many("metrics", 65, "x{}"), "metrics must be of at most 64 different names"),
    "too many layers": (many("metrics", 2001, "x/{}"), "metrics of layers must be of at most 2000 different names"),
    "counts": (first("histograms", counts=[[1], [1], [1], [1], [0.5]]), "counts of gamma must be a whole number"),
    "negative counts": (first("histograms", counts=[[1], [1], [1], [1], [-1]]), "counts of gamma must be a whole"),
    "too many bins": (first("histograms", counts=[[1]] * 4 + [[1] * 201]), "counts of gamma must be lists of 1 to 200"),
    "no bins": (first("histograms", counts=[[]] * 5), "counts of gamma must be lists of 1 to 200"),
    "other bins": (first("histograms", counts=[[1, 1]] * 5), "the histograms of gamma must have common bins"),
    "other ends": (first("histograms", high=4), "the histograms of gamma must have common bins"),
    "ends": (first("histograms", high=-2), "low of gamma must be less than high, -2, but it is -1"),
    "endless bins": (first("histograms", high="inf"), "high must be a number"),
    "a histogram twice": (lambda d: d["histograms"].append(d["histograms"][0]), "an epoch must have one histogram"),
    "too many histograms": (many("histograms", 9, "x{}"), "histograms must be of at most 8 different names"),
}


@pytest.mark.parametrize(("spoil", "reason"), WRONG.values(), ids=list(WRONG))
def test_another_text_is_refused_in_a_sentence(spoil: Callable[[dict], Any], reason: str) -> None:
    data = json.loads(TEXT)
    spoil(data)
    with pytest.raises(ValueError, match=f"^This is not the text of an exported comparison: {reason}") as error:
        exchange.from_json(json.dumps(data), id="1", revision="1")
    assert str(error.value).count("\n") == 0
    assert str(error.value).endswith(".")
    assert not str(error.value).endswith("..")


@pytest.mark.parametrize("text", ["", "[]", "{", "1e999", "null", '"x"', "[" * 100_000, "\ufeff{}", f"[{'9' * 5000}]"])
def test_what_is_no_object_is_refused_too(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not the text of an exported comparison: "):
        exchange.from_json(text, id="1", revision="1")
