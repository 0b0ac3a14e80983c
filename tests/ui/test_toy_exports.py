"""What is taken home from the toy pages: the same numbers as on the pages, in files that need nothing else."""

import base64
import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette

from samviz.figures import palette
from samviz.spec.trajectories import METHODS, TrajectorySettings
from samviz.toy import descend, outcome
from samviz.ui.toy_animation import MOST_POINTS, chosen, window
from samviz.ui.toy_exports import toy_export_routes
from samviz.ui.toy_routes import toy_routes
from tests.asgi import get

ROOT = Path(__file__).parents[2]
APP = Starlette(routes=[*toy_export_routes(), *toy_routes()])

STARTS = ";".join(f"{0.1 + 0.05 * i:g},{0.21 + 0.03 * i:g}" for i in range(8))
LARGEST = f"starts={STARTS}&variants={','.join(METHODS)}&steps=10000"


def walked(s: TrajectorySettings, start: int, method: str):
    """The path that a page with these settings shows."""
    rho, eta = (0.0, 0.0) if method == "sgd" else (s.rho(method), s.eta(method))
    numbers = {"lr": s.values["lr"], "steps": s.values["steps"], "lr_decay": s.values["decay"], "target": s.values["c"]}
    return descend(s.starts[start], None if method == "sgd" else method, rho=rho, eta=eta, **numbers)


def settings(query: str) -> TrajectorySettings:
    return TrajectorySettings.from_query({k: [v] for k, v in (pair.split("=") for pair in query.split("&") if pair)})


# ---- CSV -------------------------------------------------------------------------------------------------------------


def cell(text: str) -> float:
    return float(text) if text else np.nan


@pytest.mark.parametrize("query", ["steps=200", f"steps=50&variants={','.join(METHODS)}&lr=1&starts=2,2;0.1,-1&at=3"])
def test_the_csv_holds_exactly_the_numbers_of_the_paths(query: str) -> None:
    answer = get(APP, f"/api/toy/paths.csv?{query}")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="trajectories.csv"'
    assert "max-age" in answer.headers["cache-control"]
    s, rows = settings(query), list(csv.DictReader(answer.body.decode().splitlines()))
    assert list(rows[0]) == ["start", "method", "step", "w1", "w2", "perturbed_w1", "perturbed_w2", "loss"]
    steps = int(s.values["steps"])
    assert len(rows) == len(s.starts) * len(s.variants) * (steps + 1)
    for start in range(len(s.starts)):
        for method in s.variants:
            own = [row for row in rows if (row["start"], row["method"]) == (str(start + 1), method)]
            assert [int(row["step"]) for row in own] == list(range(steps + 1))
            path = walked(s, start, method)
            np.testing.assert_array_equal([(cell(r["w1"]), cell(r["w2"])) for r in own], path.points)
            np.testing.assert_array_equal([cell(r["loss"]) for r in own], path.loss)
            ascents = [(cell(r["perturbed_w1"]), cell(r["perturbed_w2"])) for r in own]
            np.testing.assert_array_equal(ascents[:-1], path.perturbed)
            assert np.isnan(ascents[-1]).all()


# ---- animation -------------------------------------------------------------------------------------------------------


DATA = r'<script type="application/json" id="data">(.*)</script>'


def embedded(html: str) -> dict:
    """The numbers of the file as its script reads them."""
    data = json.loads(re.search(DATA, html)[1])
    for path in data["paths"]:
        for name, kind in (("steps", "<u2"), ("points", "<f4"), ("perturbed", "<f4")):
            if name in path:
                path[name] = np.frombuffer(base64.b64decode(path[name]), kind)
    return data


def animation(query: str) -> str:
    answer = get(APP, f"/api/toy/animation.html?{query}")
    assert answer.status == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="trajectories.html"'
    assert len(answer.body) < 1_000_000
    return answer.body.decode()


@pytest.mark.parametrize(
    "query",
    ["", LARGEST, f"{LARGEST}&lr=0.05", f"{LARGEST}&lr=1&c=0.2", f"{LARGEST}&rho.sam=0.3&view=0.1,0.101,0.2,0.3"],
)
def test_the_animation_is_one_small_file_with_points_of_the_paths(query: str) -> None:
    html, s = animation(query), settings(query)
    program = html.replace(re.search(DATA, html)[1], "")
    assert not re.search(r"https?:|//\w|\b(src|href|url|fetch|import)\s*[=(]", program), "it asks for nothing"
    data = embedded(html)
    assert sum(path["kept"] for path in data["paths"]) <= MOST_POINTS
    pairs = [(start, method) for start in range(len(s.starts)) for method in s.variants]
    for path, (start, method) in zip(data["paths"], pairs, strict=True):
        full, kept = walked(s, start, method), path["steps"]
        assert path["start"] == start + 1
        assert kept[0] == 0
        assert (np.diff(kept.astype(int)) > 0).all()
        assert kept[-1] == path["all"] - 1
        np.testing.assert_array_equal(path["points"].reshape(-1, 2), full.points[kept].astype("<f4"))
        if method != "sgd":
            ascents = full.perturbed[kept[kept < len(full.perturbed)]]
            np.testing.assert_array_equal(path["perturbed"].reshape(-1, 2), ascents.astype("<f4"))
        assert path["text"] == outcome(full, s.values["c"]).sentence
        assert path["color"] == palette.color(None if method == "sgd" else method)


def test_the_animation_says_what_it_shows_and_what_it_leaves_out() -> None:
    data = embedded(animation("rho.sam=0.07&lr=0.01&speed=2&loop=1"))
    assert data["title"] == "Paths on the loss |w₁·ReLU(w₂) − 0.04|"
    assert data["settings"] == [
        "starts (w₁, w₂): (0.2, 0.05), (0.3, 0.033)",
        "learning rate 0.01, steps 5000, lr decay 0, target c 0.04",
        "SAM: ρ 0.07",
        "ASAM: ρ 0.5, η 0",
    ]
    assert data["made"].startswith("This file holds all 30006 points of the paths.")
    assert data["made"].endswith("/trajectories?rho.sam=0.07&lr=0.01")
    assert (data["speed"], data["loop"], data["steps"]) == (2, True, 5000)
    few = embedded(animation(LARGEST))
    assert re.match(r"To stay small, this file holds \d+ of the 640064 points", few["made"])


def test_chosen_steps_keep_the_width_of_a_swing_and_the_way_along_it() -> None:
    swing = np.array([(i * 1e-5, 0.1 * (-1) ** i) for i in range(10_001)])
    steps = chosen(swing, 0.001, 500)
    assert len(steps) <= 500
    assert (steps[0], steps[-1]) == (0, 10_000)
    assert np.diff(steps).max() <= 81
    assert set(np.unique(steps % 2)) == {0, 1}
    assert chosen(swing[:500], 0.001, 500).tolist() == list(range(500))


def test_a_path_that_diverges_ends_where_it_leaves_what_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samviz.ui.toy_animation.FARTHEST", 0.22)
    path = embedded(animation("variants=sgd&starts=0.2,0.05"))["paths"][0]
    assert 1 < path["all"] < 200
    assert path["points"].max() < 0.22


@pytest.mark.parametrize("box", [(0, 1, 0, 1), (-3, 0, 2, 2.1), (0, 1e-6, -1000, 1000)])
def test_the_window_holds_its_box_and_has_one_shape(box: tuple) -> None:
    x0, x1, y0, y1 = window(box)
    assert x0 <= box[0] < box[1] <= x1 + 1e-12
    assert y0 <= box[2] + 1e-12
    assert box[3] <= y1 + 1e-12
    assert (x1 - x0) / (y1 - y0) == pytest.approx(1.5)


# ---- lines of Python -------------------------------------------------------------------------------------------------

QUIET = "import plotly.io\nplotly.io.renderers.default = ''\n"  # `show` opens no browser


def run(code: str, last: str) -> dict:
    """Run the lines in a Python of their own, as somebody who has copied them; `last` gives what comes back."""
    script = f"{QUIET}{code}\nimport json\nprint(json.dumps({last}))\n"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *told, found = done.stdout.splitlines()
    return {"told": told, **json.loads(found)}


@pytest.mark.parametrize(
    "query", ["", f"variants={','.join(METHODS)}&rho.fisher=0.1&lr=0.0123456789&decay=0.3&steps=77&view=0,1,-1,1"]
)
def test_the_lines_of_the_trajectories_page_give_its_numbers(query: str) -> None:
    code = get(APP, f"/api/toy/code?page=trajectories&{query}").json["code"]
    s = settings(query)
    ends = "{f'{label} {number}': path.points[-1].tolist() for (label, number), path in paths.items()}"
    found = run(code, f"{{'ends': {ends}, 'traces': len(figure.data)}}")
    rows = csv.DictReader(get(APP, f"/api/toy/paths.csv?{query}").body.decode().splitlines())
    last = [[float(row["w1"]), float(row["w2"])] for row in rows if int(row["step"]) == s.values["steps"]]
    assert sorted(found["ends"].values()) == sorted(last)
    assert found["traces"] > 2 * len(last)
    assert len(found["told"]) == len(last)
    sentences = {path["text"] for path in embedded(animation(query))["paths"]}
    assert {line.split(": ", 1)[1] for line in found["told"]} == sentences


@pytest.mark.parametrize(
    "query", ["", "a=0.37&w1=1.3&rho.cuboid=0.21&eta.ellipsoid=0.2&T.sphere=fisher&p.sphere=1.5&c=0.1"]
)
def test_the_lines_of_the_regions_page_give_its_numbers(query: str) -> None:
    code = get(APP, f"/api/toy/code?page=regions&{query}").json["code"]
    maxima = "[[found[name, at].loss for at in points] for name in regions]"
    found = run(code, f"{{'maxima': {maxima}, 'names': list(regions), 'traces': len(figure.data)}}")
    panels = get(APP, f"/api/toy/regions?{query}").json["panels"]
    assert found["maxima"] == [[p["here"]["maximum"], p["there"]["maximum"]] for p in panels]
    assert found["names"] == [p["label"] for p in panels]
    assert found["traces"] > 3 * 15


# ---- wrong values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["paths.csv", "animation.html", "code?page=trajectories", "code?page=regions"])
@pytest.mark.parametrize("query", ["c=-1", "c=nan", "c=1&c=2", "z=1", "c=%00", "c=" + "9" * 5000])
def test_a_wrong_value_is_refused_in_one_sentence(route: str, query: str) -> None:
    answer = get(APP, f"/api/toy/{route}{'&' if '?' in route else '?'}{query}")
    assert answer.status == 400
    assert list(answer.json) == ["problem"]
    assert re.match(r"(c|The address of the \w+ page) .*\.$", answer.json["problem"])
    assert len(answer.json["problem"]) < 600


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "page must be one of trajectories, regions, but it is None."),
        ("page=lab", "page must be one of trajectories, regions, but it is 'lab'."),
        ("page=regions&page=lab", "page must be given once, but it is given 2 times."),
    ],
)
def test_lines_are_of_a_page_that_there_is(query: str, problem: str) -> None:
    answer = get(APP, f"/api/toy/code?{query}")
    assert (answer.status, answer.json["problem"]) == (400, problem)
