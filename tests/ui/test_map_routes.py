"""The routes of the maps: what they send is what samviz.toy computes, and what they say of it is true."""

import json
import re

import numpy as np
import pytest
from starlette.applications import Starlette

from samviz.figures import palette
from samviz.spec.maps import WINDOW
from samviz.spec.trajectories import SWEEPS
from samviz.toy import along_valley, dead_radius, ends, first_order_sharpness
from samviz.toy.maps import difference, grid, valley_point
from samviz.toy.outcome import KINDS
from samviz.ui.curve_pictures import PLACES
from samviz.ui.map_page import tables
from samviz.ui.map_routes import map_routes
from tests.asgi import get

APP = Starlette(routes=map_routes())


def ask(address: str) -> tuple[dict, dict[str, np.ndarray]]:
    """The header and the arrays of an answer, read as the page does."""
    answer = get(APP, f"/api/toy/{address}")
    assert answer.status == 200
    assert "max-age" in answer.headers["cache-control"]
    length = int.from_bytes(answer.body[:4], "little")
    header, offset, arrays = json.loads(answer.body[4 : 4 + length]), 4 + length, {}
    for name, size in header["sizes"].items():
        arrays[name] = np.frombuffer(answer.body, "<f4", size, offset)
        offset += 4 * size
    assert offset == len(answer.body)
    return header, arrays


# ---- maps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "rho"), [("sgd", 0), ("sam", 0.05), ("elementwise_l2", 0.5), ("fisher", 0.05)])
def test_a_map_is_that_of_the_toy(method: str, rho: float) -> None:
    found = ends(grid(WINDOW, 30), None if method == "sgd" else method, rho=rho, steps=500)
    header, arrays = ask(f"map?method={method}&n=30")
    assert (header["n"], header["steps"], header["scale"], header["window"]) == (30, 500, None, list(WINDOW))
    np.testing.assert_array_equal(arrays["kinds"], found.kind.ravel())
    np.testing.assert_array_equal(arrays["values"], arrays["kinds"])
    header, arrays = ask(f"map?method={method}&n=30&quantity=step")
    np.testing.assert_array_equal(arrays["values"], found.step.ravel())
    assert (header["scale"]["low"], header["scale"]["high"]) == (0, 500)
    _, arrays = ask(f"map?method={method}&n=30&quantity=sharpness&rho.sam=0.05")
    there = np.isfinite(arrays["values"])
    expected = first_order_sharpness("sam", found.points.reshape(-1, 2)[there], 0.05)
    np.testing.assert_allclose(arrays["values"][there], expected, rtol=1e-6)


def test_all_settings_of_the_page_count() -> None:
    query = "method=elementwise_l2&n=20&rho.elementwise_l2=0.3&eta.elementwise_l2=0.1&lr=0.01&steps=90&decay=1&c=0.06"
    header, arrays = ask(f"map?{query}&window=0,1,0,0.5")
    settings = {"rho": 0.3, "eta": 0.1, "lr": 0.01, "steps": 90, "lr_decay": 1.0, "target": 0.06}
    found = ends(grid((0, 1, 0, 0.5), 20), "elementwise_l2", **settings)
    np.testing.assert_array_equal(arrays["kinds"], found.kind.ravel())
    assert header["note"] == "20 × 20 starts, 90 steps each."


def test_it_says_that_the_pages_steps_are_cut() -> None:
    header, _ = ask("map?n=20&steps=5000")
    assert header["note"] == "20 × 20 starts, 500 steps each: the page's 5000 would take too long at this detail."


def test_the_shares_in_words_are_those_of_the_map() -> None:
    header, arrays = ask("map?method=sam&n=40")
    summary = header["summary"]
    assert re.match(r"SAM: \d+ % of starts reach the valley, \d+ % get stuck in the dead half-plane", summary)
    for words, kind in [("of starts reach", "valley"), ("get stuck", "dead"), ("are still", "moving")]:
        share = 100 * (arrays["kinds"] == KINDS.index(kind)).mean()
        assert abs(float(re.search(rf"(\d+) % {words}", summary)[1]) - share) <= 0.5


@pytest.mark.parametrize("quantity", ["kind", "position", "sharpness", "step"])
def test_a_difference_is_that_of_both_maps(quantity: str) -> None:
    query = f"n=40&quantity={quantity}"
    first, second = (ask(f"map?method={method}&{query}")[1]["values"] for method in ("sam", "elementwise_l2"))
    header, arrays = ask(f"map?method=sam&against=elementwise_l2&{query}")
    assert set(arrays) == {"values"}
    np.testing.assert_allclose(arrays["values"], difference(first, second, quantity), atol=1e-6)
    assert header["summary"].startswith("SAM ")
    if quantity == "kind":
        assert header["legend"] == [
            "end alike",
            "only SAM reaches the valley",
            "only ASAM reaches the valley",
            "end otherwise",
        ]
        alike = 100 * (arrays["values"] == 0).mean()
        assert abs(float(re.search(r"alike from (\d+) %", header["summary"])[1]) - alike) <= 0.5
    else:
        scale = header["scale"]
        assert scale["low"] == -scale["high"] < 0
        beyond = np.nanmean(abs(arrays["values"]) > scale["high"])
        assert beyond < 0.05
        assert ask(f"map?method=sam&against=elementwise_l2&quantity={quantity}&n=20")[0]["scale"] == scale


def test_a_method_does_not_differ_from_itself() -> None:
    for quantity in ("kind", "step"):
        header, arrays = ask(f"map?method=sam&against=sam&n=20&quantity={quantity}")
        assert not np.nan_to_num(arrays["values"]).any()
        assert quantity == "kind" or header["scale"]["high"] == 1


def test_the_lines_of_a_map_lie_where_they_should() -> None:
    lines = ask("map?method=sam&n=20")[0]["lines"]
    for line in lines["valley"]:
        np.testing.assert_allclose(np.prod(np.reshape(line, (-1, 2)), axis=1), 0.04)
    edge = np.reshape(lines["dead"][0], (-1, 2))[1:]
    np.testing.assert_allclose(dead_radius(edge, "sam"), 0.05, rtol=1e-9)
    assert ask("map?method=elementwise_l2&n=20")[0]["lines"]["dead"] == []
    assert ask("map?method=sam&against=sgd&n=20")[0]["lines"]["dead"] == []


@pytest.mark.parametrize("query", ["rho.sam=0", "c=0.2", "window=0.1,0.3,-0.5,-0.1", "window=-2,2,-2,2&steps=10"])
@pytest.mark.parametrize("quantity", ["kind", "position", "sharpness", "step"])
def test_edges_of_the_settings_are_drawn_too(query: str, quantity: str) -> None:
    for against in ("", "&against=sgd"):
        header, _ = ask(f"map?n=15&quantity={quantity}&{query}{against}")
        assert header["summary"].endswith(".")
        assert "nan" not in header["summary"]


# ---- sweeps and the valley ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", SWEEPS)
def test_a_sweep_is_that_of_the_toy(key: str) -> None:
    parameter, method = key.split(".")
    header, arrays = ask(f"sweep?sweep={key}&steps=200")
    defaults = {"rho": 0.05 if method in ("sam", "fisher") else 0.35 if "linf" in method else 0.5}
    for i in (0, 100, 240):
        settings = {**defaults, parameter: float(arrays["values"][i])}
        found = ends((0.2, 0.05), None if method == "sgd" else method, steps=200, **settings)
        np.testing.assert_allclose([arrays["w1"][i], arrays["w2"][i]], found.points, atol=2e-5)
        assert arrays["loss"][i] == pytest.approx(float(found.loss), abs=2e-5)
    assert header["log"] == (parameter == "lr" or key == "eta.fisher")
    assert header["summary"].endswith(".")
    assert header["theory"].startswith("Theory: ")


@pytest.mark.parametrize(
    ("query", "words", "marks"),
    [
        ("sweep=rho.sam", "from ρ = w₂‖w‖/w₁ = 0.0515 on the first w + ε lies in the dead", [0.05153882]),
        ("sweep=rho.elementwise_l2", "from ρ = √2 = 1.41 on the first w + ε lies in the dead", [2**0.5]),
        ("sweep=rho.elementwise_linf", "from ρ = 1 on the first", [1.0]),
        ("sweep=eta.elementwise_l2", "with ρ = 0.5, from η = 0.0654 on the first", [0.06535667]),
        ("sweep=eta.elementwise_l2&rho.elementwise_l2=1.5", "lies in the dead half-plane, and no step is made", []),
        ("sweep=eta.fisher", "with ρ = 0.05 the first w + ε is alive at every η here", []),
        ("sweep=eta.fisher&rho.fisher=0.07", "with ρ = 0.07, up to η = ", None),
        ("sweep=lr.sam", "whatever the learning rate; ρ = 0.05 is not beyond it", []),
        ("sweep=lr.sam&starts=0.3,0.033", "from ρ = w₂‖w‖/w₁ = 0.0332 on", []),
        ("sweep=rho.sam&starts=0.3,0.3", "ε points away from the dead half-plane", []),
        ("sweep=rho.sam&starts=0.3,-0.1", "the start itself lies in the dead half-plane", []),
        ("sweep=rho.sam&starts=0.05,0.6", "from ρ = w₂‖w‖/w₁ = 7.22 on", []),
        ("sweep=lr.sgd", "plain descent has no ε", []),
    ],
)
def test_theory_is_marked_and_told(query: str, words: str, marks: list[float] | None) -> None:
    header, arrays = ask(f"sweep?{query}&steps=2000")
    assert words in header["theory"]
    if marks is not None:
        assert [mark["value"] for mark in header["marks"]] == pytest.approx(marks, rel=1e-5)
    for mark in header["marks"]:  # and that is where the path gets stuck
        kinds, values = arrays["kinds"], arrays["values"]
        dead = kinds == KINDS.index("dead")
        beyond = values > mark["value"]
        assert (dead[beyond] if dead[-1] else dead[~beyond]).all()


def test_a_sweep_tells_where_what_happens() -> None:
    header, arrays = ask("sweep?sweep=rho.sam")
    assert header["summary"] == "SAM reaches the valley for ρ 0 to 0.0513; gets stuck for ρ 0.0525 to 0.3."
    assert header["note"] == "From start 1 (0.2, 0.05), 5000 steps a value, 241 values."
    assert header["now"] == 0.05
    assert abs(arrays["position"][arrays["values"] < 0.0515]).min() < 0.01
    chaotic = ask("sweep?sweep=rho.elementwise_l2")[0]["summary"]
    assert re.match(r"ASAM: \d+ % of the values reach the valley, ", chaotic)


def test_the_valley_is_flat_but_for_the_sphere_until_eta_bends_it() -> None:
    header, arrays = ask("valley?rho.sam=0.1&c=0.06")
    exact, linear = along_valley(PLACES, "sam", 0.1, target=0.06)
    np.testing.assert_allclose(arrays["sphere"], exact, rtol=1e-6)
    np.testing.assert_allclose(arrays["sphere_first"], linear, rtol=1e-6)
    np.testing.assert_allclose(np.stack([arrays["w1"], arrays["w2"]], -1), valley_point(PLACES, 0.06), rtol=1e-6)
    for name in ("cuboid", "ellipsoid"):
        assert np.ptp(arrays[name]) <= 1e-8
    told = {region["name"]: region["summary"] for region in header["regions"]}
    assert "at log(w₁/w₂) = 0" in told["sphere"]
    assert told["ellipsoid"].endswith("everywhere on the valley.")
    bent = ask("valley?eta.elementwise_l2=0.1")[0]["regions"][2]["summary"]
    assert "η = 0.1" in bent
    assert "at log(w₁/w₂) = 0" in bent
    assert "0 everywhere" in ask("valley?rho.sam=0")[0]["regions"][0]["summary"]


# ---- refusals, tables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "map?n=5",
        "map?n=1000",
        "map?detail=401",
        "map?steps=100001",
        "map?window=0,9,0,1",
        "map?method=%00",
        "map?n=" + "9" * 5000,
        "map?z=1",
        "sweep?sweep=rho.adam",
        "sweep?starts=1",
        "valley?c=-1",
        "valley?n=50",
    ],
)
def test_a_wrong_value_is_refused_in_a_sentence(address: str) -> None:
    answer = get(APP, f"/api/toy/{address}")
    assert answer.status == 400
    problem = answer.json["problem"]
    assert problem.endswith(".")
    assert "\n" not in problem
    assert len(problem) < 700


def test_the_tables_have_a_color_for_each_kind_and_difference() -> None:
    found = json.loads(json.dumps(tables()))
    assert [kind["key"] for kind in found["kinds"]] == list(KINDS)
    colors = [*palette.END.values(), *palette.DIFFERENCE, *palette.SEQUENTIAL, *palette.DIVERGING, palette.NO_VALUE]
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)
    assert len({*palette.END.values()}) == len(KINDS)
