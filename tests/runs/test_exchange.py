"""A comparison as JSON and back."""

import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from samviz.runs import METRIC_COLUMNS, exchange
from tests import synthetic


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    keys = [column for column in frame if column not in ("value", "counts")]
    return frame.sort_values(keys).reset_index(drop=True)


def test_what_is_written_is_what_is_read() -> None:
    before = synthetic.snapshot(epochs=4)
    odd = [(0, "sgd", 2, 9, "odd", value) for value in (math.inf, -math.inf, math.nan, 1e-308, 0.1 + 0.2)]
    odd = [(*row[:3], row[3] + k, *row[4:]) for k, row in enumerate(odd)]
    metrics = pd.concat([before.metrics, pd.DataFrame(odd, columns=METRIC_COLUMNS)], ignore_index=True)
    before = replace(before, metrics=metrics)
    text = exchange.to_json(before)
    after = exchange.from_json(text, id=before.id, revision=before.revision, bundled=before.bundled)
    for name in ("id", "comparison", "state", "created", "runs", "data_label", "revision", "bundled"):
        assert getattr(after, name) == getattr(before, name)
    pd.testing.assert_frame_equal(_sorted(after.metrics), _sorted(before.metrics), check_exact=True)
    pd.testing.assert_frame_equal(_sorted(after.histograms), _sorted(before.histograms), check_exact=True)
    assert exchange.to_json(after) == text


@pytest.mark.parametrize(
    "spoil", [lambda d: d.pop("runs"), lambda d: d.update(format="other"), lambda d: d["comparison"].update(seeds=[-1])]
)
def test_another_text_is_refused_in_a_sentence(spoil) -> None:
    data = json.loads(exchange.to_json(synthetic.snapshot(epochs=2)))
    spoil(data)
    for text in (json.dumps(data), "[]", "{", ""):
        with pytest.raises(ValueError, match="not the text of an exported comparison"):
            exchange.from_json(text, id="1", revision="1")
