"""Figures as files: what there is, that it says what the charts say, and that names stay text."""

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samviz.figures.curves import curves_data, curves_figure
from samviz.figures.export import pages
from samviz.figures.measures import axis_data, offered
from samviz.figures.tally import Tally
from samviz.runs import Snapshot, exchange
from samviz.runs.bundle import FIGURE
from tests import synthetic

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;<!--"


class Reader(HTMLParser):
    """The elements of a page with their attributes, and their text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open, []).append(data)


def data(page: bytes) -> list[dict]:
    """The figures in a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.decode(), re.DOTALL)
    return json.loads(found[1])


def tally(snapshot: Snapshot) -> Tally:
    return Tally(snapshot.comparison).add(synthetic.tuples(snapshot.metrics), synthetic.tuples(snapshot.histograms))


def test_there_is_a_page_for_each_figure_and_plotly_once() -> None:
    snapshot = synthetic.snapshot(2, 5)
    files = pages(snapshot)
    assert {name for name in files if not name.endswith(".html")} == {"results.csv", "plotly.min.js"}
    expected = {name.replace("/", "-") for name in offered(tally(snapshot))}
    expected |= {"index", "histograms-gamma", "histograms-beta", "layers-gamma_mean", "layers-beta_mean"}
    assert {name for name in files if name.endswith(".html")} == {f"{name}.html" for name in expected}
    assert all(FIGURE.fullmatch(f"figures/{name}") for name in files)
    assert b"plotly.js v" in files["plotly.min.js"][:200]
    for name in files:
        if name.endswith(".html"):
            reader = Reader(files[name])
            addresses = {a[key] for _, a in reader.elements for key in ("src", "href") if key in a}
            assert addresses <= set(files)  # all that a page needs lies beside it
            assert (name == "index.html") != ("plotly.min.js" in addresses)
    assert pages(snapshot) == files


def test_the_figures_are_those_of_the_live_page() -> None:
    snapshot = synthetic.snapshot(2, 5)
    files, numbers = pages(snapshot), tally(snapshot)
    along = axis_data(numbers, "epoch")
    for name in ("test_accuracy", "weight_norm/conv"):
        (figure,) = data(files[f"{name.replace('/', '-')}.html"])
        own = curves_figure(curves_data(numbers, name, along), name, along)
        assert [trace["y"] for trace in figure["data"]] == [trace["y"] for trace in own["data"]]
        assert [t["name"] for t in figure["data"] if t["showlegend"]] == list(snapshot.comparison.labels.values())
        go.Figure(figure)
    (figure,) = data(files["histograms-gamma.html"])
    steps = figure["layout"]["sliders"][0]["steps"]
    assert [step["label"] for step in steps] == [str(epoch) for epoch in range(6)]
    mine = snapshot.histograms.query("name == 'gamma' and epoch == 2 and arm == 'sgd'")["counts"]
    assert steps[2]["args"][0]["y"][0] == [sum(counts) for counts in zip(*mine, strict=True)]
    assert steps[5]["args"][0]["y"] == [trace["y"] for trace in figure["data"]]
    go.Figure(figure)
    maps = data(files["layers-beta_mean.html"])
    assert [figure["layout"]["title"]["text"] for figure in maps] == list(snapshot.comparison.labels.values())


def test_the_table_tells_mean_and_deviation_as_numbers() -> None:
    spec = synthetic.comparison(3, 4)
    lost = spec.arms[1].key
    snapshot = synthetic.snapshot(3, 4, metrics=synthetic.metrics(spec, diverged={(1, lost): 3}))
    content = pages(snapshot)["results.csv"].decode("utf-8")
    assert content.startswith("\ufeff")  # by which spreadsheets know that it is UTF-8
    rows = list(csv.DictReader(io.StringIO(content[1:], newline="")))
    assert [row["label"] for row in rows] == ["SGD", "SAM-all", "SAM-ON", "SAM no-norm"]
    assert [(row["arm"], row["seeds"], row["diverged"]) for row in rows[:2]] == [("sgd", "3", ""), (lost, "2", "1")]
    final = snapshot.metrics.query("name == 'test_accuracy' and epoch == 4 and arm == 'sgd'")["value"]
    assert float(rows[0]["test_accuracy_mean"]) == pytest.approx(final.mean(), rel=1e-12)
    assert float(rows[0]["test_accuracy_sd"]) == pytest.approx(final.std(), rel=1e-12)
    one = pages(synthetic.snapshot(1, 4))["results.csv"].decode("utf-8-sig").splitlines()[1].split(",")
    assert one[4] == ""  # one seed has no deviation
    assert float(one[3]) > 0


def test_a_comparison_without_numbers_has_its_table() -> None:
    full = synthetic.snapshot(2, 3, "queued")
    files = pages(replace(full, metrics=full.metrics[:0], histograms=full.histograms[:0]))
    assert set(files) == {"index.html", "results.csv", "plotly.min.js"}
    assert "no conclusion can be drawn yet" in files["index.html"].decode()


def test_numbers_that_are_none_leave_gaps() -> None:
    snapshot = synthetic.snapshot(2, 3)
    metrics = snapshot.metrics.copy()
    accuracy, loss = metrics["name"] == "test_accuracy", metrics["name"] == "train_loss"
    metrics.loc[accuracy & (metrics["epoch"] == 1), "value"] = math.nan
    metrics.loc[loss & (metrics["epoch"] == 2), "value"] = math.inf
    files = pages(replace(snapshot, metrics=metrics))
    (figure,) = data(files["test_accuracy.html"])
    assert next(trace for trace in figure["data"] if trace["uid"] == "sgd")["x"] == [0, 2, 3]
    (figure,) = data(files["train_loss.html"])
    assert next(trace for trace in figure["data"] if trace["uid"] == "sgd")["x"] == [1, 3]


def test_names_and_notes_are_text() -> None:
    spec = synthetic.comparison(2, 3)
    plain, hostile = (
        replace(synthetic.snapshot(2, 3, note=text, data_label=text), comparison=replace(spec, name=text))
        for text in ("plain", HOSTILE)
    )
    before, after = pages(plain), pages(hostile)
    assert before.keys() == after.keys()
    for name, page in after.items():
        if name.endswith(".html"):
            reader = Reader(page)
            assert reader.elements == Reader(before[name]).elements  # nothing but text has changed
            assert any(HOSTILE in text for text in reader.texts["title"])
    (heading,) = Reader(after["index.html"]).texts["h1"][:1]
    assert heading == HOSTILE
    assert HOSTILE in Reader(after["index.html"]).texts["p"]


def test_what_is_drawn_cannot_end_its_script() -> None:
    """Plotly's own marks, such as <extra></extra>, are among it."""
    snapshot = synthetic.snapshot(1, 2)
    for name, page in pages(snapshot).items():
        if name.endswith(".html") and name != "index.html":
            assert page.decode().count("<script") == page.decode().count("</script") == 3
            assert "<" not in re.search(rb'id="data">(.*?)</script>', page, re.DOTALL)[1].decode()


def paths(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Where in a JSON value there is something to change."""
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from paths(entry, (*path, key))


def places(text: str) -> list[list[tuple]]:
    """These, those that differ by their place in lists together."""
    found: dict[tuple, list[tuple]] = {}
    for path in paths(json.loads(text)):
        found.setdefault(tuple(key if isinstance(key, str) else 0 for key in path), []).append(path)
    return list(found.values())


SMALL = exchange.to_json(synthetic.snapshot(2, 2))
PLACES = places(SMALL)
NUMBERS = [0, -1, 1, 2, 0.5, 2**31, 1e12, 1e100, -1e100, 1e308, 10**400, "nan", "inf", "-inf", True]
TEXTS = [
    "",
    "x",
    "5",
    "x/7",
    "seconds",
    "gradient_evaluations",
    "diverged",
    "lr",
    "test_accuracy",
    "</script>",
    "\ud800",
]
STRANGE = {int: NUMBERS, float: NUMBERS, str: TEXTS, list: [[], [1], None], dict: [{}, [], None], type(None): [0, "x"]}
"""What takes the place of a value."""


@settings(deadline=None, derandomize=True, max_examples=300)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), st.floats(0, 0.999), st.floats(0, 0.999)), max_size=3))
def test_what_is_imported_can_be_drawn(changes: list[tuple[list[tuple], float, float]]) -> None:
    """A text from elsewhere is refused in a sentence, or all its figures are drawn."""
    data = json.loads(SMALL)
    for alike, where, what in changes:
        *way, last = alike[int(where * len(alike))]
        with suppress(KeyError, IndexError, TypeError):  # an earlier change may have taken it away
            there = data
            for key in way:
                there = there[key]
            strange = STRANGE[type(there[last])]
            there[last] = strange[int(what * len(strange))]
    try:
        snapshot = exchange.from_json(json.dumps(data), id="", revision="")
    except ValueError as error:
        snapshot, refusal = None, str(error)
    if snapshot is None:
        assert refusal.startswith("This is not the text of an exported comparison: ")
    else:
        assert "index.html" in pages(snapshot)
