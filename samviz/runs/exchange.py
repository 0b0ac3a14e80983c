"""A comparison as one JSON text, and back: what `export` writes and what the bundled example is read from.

Rows that share seed, arm and name are one entry with parallel lists, which keeps the text small and diffs readable.
Numbers that JSON cannot write (a diverged loss) are the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from math import isfinite
from typing import TYPE_CHECKING, Any

from samviz.runs.views import HISTOGRAM_COLUMNS, METRIC_COLUMNS, RunView, Snapshot
from samviz.spec import Comparison

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "samviz comparison 1"


def to_json(snapshot: Snapshot) -> str:
    """All that is known of a comparison, as text."""
    metrics = [
        {"seed": int(seed), "arm": arm, "name": name}
        | {"epoch": rows["epoch"].tolist(), "step": rows["step"].tolist()}
        | {"value": [value if isfinite(value) else str(value) for value in rows["value"].tolist()]}
        for (seed, arm, name), rows in snapshot.metrics.groupby(["seed", "arm", "name"], sort=False)
    ]
    histograms = [
        {"seed": int(seed), "arm": arm, "name": name, "low": float(low), "high": float(high)}
        | {"epoch": rows["epoch"].tolist(), "counts": [list(counts) for counts in rows["counts"]]}
        for (seed, arm, name, low, high), rows in snapshot.histograms.groupby(
            ["seed", "arm", "name", "low", "high"], sort=False
        )
    ]
    data = {
        "format": FORMAT,
        "comparison": snapshot.comparison.to_dict(),
        "state": snapshot.state,
        "created": snapshot.created,
        "data_label": snapshot.data_label,
        "runs": [asdict(run) for run in snapshot.runs],
        "metrics": metrics,
        "histograms": histograms,
    }
    return json.dumps(data, allow_nan=False) + "\n"


def from_json(text: str, *, id: str, revision: str, bundled: bool = False) -> Snapshot:
    """Read what `to_json` wrote; raises ValueError in one sentence where the text is something else."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f'format must be "{FORMAT}", but it is {data["format"]!r}')
        names = {field.name for field in fields(RunView)}
        return Snapshot(
            id=id,
            revision=revision,
            bundled=bundled,
            comparison=Comparison.from_dict(data["comparison"]),
            state=data["state"],
            created=data["created"],
            data_label=data["data_label"],
            runs=tuple(RunView(**{name: run[name] for name in names if name in run}) for run in data["runs"]),
            metrics=frame(METRIC_COLUMNS, _metric_rows(data["metrics"])),
            histograms=frame(HISTOGRAM_COLUMNS, _histogram_rows(data["histograms"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"This is not the text of an exported comparison: {error}.") from None


def _metric_rows(entries: list[dict[str, Any]]) -> list[tuple]:
    return [
        (entry["seed"], entry["arm"], epoch, step, entry["name"], float(value))
        for entry in entries
        for epoch, step, value in zip(entry["epoch"], entry["step"], entry["value"], strict=True)
    ]


def _histogram_rows(entries: list[dict[str, Any]]) -> list[tuple]:
    return [
        (entry["seed"], entry["arm"], epoch, entry["name"], entry["low"], entry["high"], tuple(counts))
        for entry in entries
        for epoch, counts in zip(entry["epoch"], entry["counts"], strict=True)
    ]


def frame(columns: list[str], rows: list[tuple]) -> pd.DataFrame:
    """Rows as a frame whose types do not depend on whether there are any."""
    import pandas as pd  # here, because workers and supervisors would wait half a second for it and never use it

    types = {
        "comparison": "str",
        "seed": "int64",
        "epoch": "int64",
        "step": "int64",
        "arm": "str",
        "name": "str",
        "counts": "object",
    }
    lists = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame(
        {
            column: pd.Series(values, dtype=types.get(column, "float64"))
            for column, values in zip(columns, lists, strict=True)
        }
    )
