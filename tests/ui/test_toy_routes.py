"""The routes of the toy pages: what they send is what samviz.toy computes."""

import json

import numpy as np
import pytest
from starlette.applications import Starlette

from samviz.spec.trajectories import METHODS
from samviz.toy import descend, first_order_sharpness, loss, maximum, sharpness
from samviz.ui.toy_pictures import LINE, landscape, levels
from samviz.ui.toy_routes import thin, toy_routes
from tests.asgi import get

APP = Starlette(routes=toy_routes())


def unpack(body: bytes) -> dict:
    """Read the binary message as the page does."""
    length = int.from_bytes(body[:4], "little")
    header, offset = json.loads(body[4 : 4 + length]), 4 + length
    assert offset % 4 == 0
    for owner in [header, *header["paths"]]:
        owner["arrays"] = {}
        for name, size in owner.get("sizes", {}).items():
            owner["arrays"][name] = np.frombuffer(body, "<f4", size, offset)
            offset += 4 * size
    assert offset == len(body)
    return header


def test_full_paths_are_those_of_the_toy() -> None:
    answer = get(APP, "/api/toy/paths?steps=300&variants=" + ",".join(METHODS))
    assert answer.status == 200
    assert "max-age" in answer.headers["cache-control"]
    header = unpack(answer.body)
    assert header["problem"] is None
    assert [(p["start"], p["variant"]) for p in header["paths"]] == [(s, v) for s in (0, 1) for v in METHODS]
    for path in header["paths"]:
        variant = None if path["variant"] == "sgd" else path["variant"]
        start = [(0.2, 0.05), (0.3, 0.033)][path["start"]]
        rho = float(header["settings"].get(f"rho.{variant}", 0.05))
        expected = descend(start, variant, rho=rho, steps=300)
        arrays = path["arrays"]
        np.testing.assert_allclose(arrays["points"].reshape(-1, 2), expected.points, rtol=1e-6)
        np.testing.assert_allclose(arrays["loss"], expected.loss, rtol=1e-6, atol=1e-9)
        if variant is None:
            assert "perturbed" not in arrays
            continue
        np.testing.assert_allclose(arrays["perturbed"].reshape(-1, 2), expected.perturbed, rtol=1e-6, atol=1e-9)
        assert arrays["half_widths"].size == 600
        assert path["text"].endswith(".")


def test_w_plus_eps_lies_on_the_region_that_is_sent() -> None:
    header = unpack(get(APP, "/api/toy/paths?steps=50&variants=sam,elementwise_l2,elementwise_linf").body)
    for path in header["paths"]:
        arrays = path["arrays"]
        eps = arrays["perturbed"].reshape(-1, 2) - arrays["points"].reshape(-1, 2)[:-1]
        scaled = np.abs(eps) / arrays["half_widths"].reshape(-1, 2)
        size = scaled.max(axis=1) if path["variant"] == "elementwise_linf" else np.hypot(*scaled.T)
        np.testing.assert_allclose(size, 1, atol=2e-4)


def test_moving_paths_are_thin_and_begin_and_end_where_the_full_ones_do() -> None:
    full = unpack(get(APP, "/api/toy/paths").body)["paths"]
    moving = unpack(get(APP, "/api/toy/paths/0.000600000").body)["paths"]
    for a, b in zip(full, moving, strict=True):
        assert list(b["arrays"]) == ["points"]
        points, few = a["arrays"]["points"].reshape(-1, 2), b["arrays"]["points"].reshape(-1, 2)
        assert np.isfinite(few).all(axis=1).sum() <= 800
        assert abs(points[0] - few[0]).max() <= 0.0006
        np.testing.assert_array_equal(points[-1], few[-1])


@pytest.mark.parametrize(("lr", "shorter"), [(0.003, 0.11), (0.05, 1)])
def test_a_thinned_path_paints_what_the_full_one_paints(lr: float, shorter: float) -> None:
    path = descend((0.3, 0.033), "elementwise_l2", rho=0.5, lr=lr, steps=2000).points
    cell = 0.0006
    few = thin(path, cell)
    assert len(few) <= shorter * len(path)
    start, end = few[:-1], few[1:]
    lines = np.isfinite(start + end).all(axis=1)
    start, along = start[lines], (end - start)[lines]
    length = np.maximum((along**2).sum(axis=1), 1e-30)
    for point in path:  # none is farther from the lines than the diagonal of its pixel
        part = np.clip(((point - start) * along).sum(axis=1) / length, 0, 1)
        assert np.hypot(*(start + part[:, None] * along - point).T).min() <= 2**0.5 * cell
    steps = np.hstack([path[:-1], path[1:]])
    for line in np.hstack([start, start + along]):
        assert abs(steps - line).max(axis=1).min() < 1e-12, "nothing is painted that is no step"


def test_a_path_that_stays_where_it_is_or_diverges_can_be_thinned() -> None:
    rest = np.tile([0.3, 0.033], (50, 1))
    assert np.unique(thin(rest, 0.001), axis=0).tolist() == [[0.3, 0.033]]
    lost = np.array([[0.0, 0.0], [1.0, 1.0], [np.inf, 0.0], [np.nan, np.nan]])
    assert thin(lost, 0.001).tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert thin(lost[2:], 0.001).shape == (1, 2)


def test_a_path_that_diverges_is_sent() -> None:
    header = unpack(get(APP, "/api/toy/paths?lr=1&starts=2,2&steps=10000&variants=sgd,sam").body)
    assert len(header["paths"]) == 2


@pytest.mark.parametrize("route", ["paths", "paths/0.001", "regions"])
@pytest.mark.parametrize("query", ["c=-1", "c=nan", "c=1e9", "c=1&c=2", "z=1", "c=%00", "c=" + "9" * 5000])
def test_a_wrong_value_is_named_and_the_defaults_are_sent(route: str, query: str) -> None:
    answer = get(APP, f"/api/toy/{route}?{query}")
    assert answer.status == 200
    body = answer.json if route == "regions" else unpack(answer.body)
    assert body["problem"].endswith(".")
    assert len(body["problem"]) < 600
    assert body["settings"]["c"] == "0.04"


def test_contours_have_their_loss() -> None:
    body = get(APP, "/api/toy/plane?c=0.04&x0=-0.02&x1=0.45&y0=-0.06&y1=0.26").json
    assert len(body["levels"]) > 5
    for level in body["levels"]:
        for line in level["lines"]:
            points = np.reshape(line, (-1, 2))
            np.testing.assert_allclose(loss(points[points[:, 1] > 0], 0.04), level["loss"], rtol=1e-4)
    for line in body["valley"]:
        np.testing.assert_allclose(np.prod(np.reshape(line, (-1, 2)), axis=1), 0.04, rtol=1e-4)


@pytest.mark.parametrize("c", [0.04, 0.031])
def test_filled_areas_cover_what_is_above_their_loss_and_nothing_else(c: float) -> None:
    axes = (-0.2, 0.45, -0.06, 0.3)
    rng = np.random.default_rng(0)
    points = np.stack([rng.uniform(*axes[:2], 400), rng.uniform(*axes[2:], 400)], axis=-1)
    for level in landscape(c, axes)["levels"]:
        inside = np.zeros(len(points), dtype=bool)
        for area in level["areas"]:
            inside |= _inside(points, np.reshape(area, (-1, 2)))
        values = loss(points, c)
        clear = abs(values - level["loss"]) > 1e-3
        np.testing.assert_array_equal(inside[clear], (values > level["loss"])[clear])


def _inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Even-odd rule."""
    inside = np.zeros(len(points), dtype=bool)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def test_levels_are_round_and_few() -> None:
    assert levels(0.04, (-0.02, 0.45, -0.06, 0.26))[:3] == [0.01, 0.02, 0.03]
    assert len(levels(0.04, (-0.02, 0.45, -0.06, 0.26))) <= 12
    assert LINE <= 400


@pytest.mark.parametrize("query", ["", "c=0.04&x0=1&x1=0&y0=0&y1=1", "c=x&x0=0&x1=1&y0=0&y1=1", "c=0.04&x0=0&x1=inf"])
def test_a_window_that_is_none_is_refused(query: str) -> None:
    answer = get(APP, f"/api/toy/plane?{query}")
    assert answer.status == 400
    assert answer.json["problem"]


def test_regions_show_which_maxima_survive_the_rescaling() -> None:
    body = get(APP, "/api/toy/regions?a=2.5").json
    panels = {panel["name"]: panel for panel in body["panels"]}
    assert [panels[name]["verdict"] for name in ("sphere", "cuboid", "ellipsoid")] == ["differs", "same", "same"]
    assert panels["cuboid"]["table"] == ["2.210000", "2.210000", "0"]
    there = maximum("sam", np.array([2.5, 0.4]), 0.5)
    assert panels["sphere"]["there"]["maximum"] == pytest.approx(there.loss, rel=1e-12)
    assert panels["sphere"]["there"]["worst"][0] == pytest.approx(there.points[0].tolist())
    for panel in panels.values():
        for line in panel["red"]:
            points = np.reshape(line, (-1, 2))
            np.testing.assert_allclose(loss(points, 0.04), panel["here"]["maximum"], rtol=1e-4)


@pytest.mark.parametrize("a", [0.2, 0.37, 1, 1.7, 5])
def test_rounding_noise_reads_zero(a: float) -> None:
    for panel in get(APP, f"/api/toy/regions?a={a}").json["panels"][1:]:
        assert panel["table"][2] == "0"


def test_the_summary_says_what_the_table_says() -> None:
    def summary(query: str) -> str:
        return get(APP, f"/api/toy/regions?{query}").json["summary"]

    assert "the sphere finds another maximum" in summary("a=3")
    assert summary("a=1").startswith("A is the identity")
    assert "the sphere, cuboid and ellipsoid find another" in summary("a=3&eta.cuboid=0.2&eta.ellipsoid=0.2")


def test_a_step_is_written_out_for_every_path() -> None:
    answer = json.loads(get(APP, "/api/toy/step?at=41&variants=sgd,sam,elementwise_linf&starts=0.2,0.05").body)
    assert answer["step"] == 20
    assert [(p["start"], p["variant"]) for p in answer["paths"]] == [(0, "sgd"), (0, "sam"), (0, "elementwise_linf")]
    for told in answer["paths"]:
        rho = {"sgd": 0.0, "sam": 0.05, "elementwise_linf": 0.35}[told["variant"]]
        path = descend((0.2, 0.05), None if told["variant"] == "sgd" else told["variant"], rho=rho, steps=5000)
        rows = {row["name"]: row["numbers"].replace("−", "-") for row in told["rows"]}
        w, after = path.points[20], path.points[21]
        assert rows["loss at w"] == f"{path.loss[20]:.4g}"
        assert rows["descent"].endswith(f"= ({after[0]:.4g}, {after[1]:.4g})")
        if told["variant"] == "sgd":
            assert told["worst"] == []
            continue
        assert rows["perturbed"] == f"({path.perturbed[20, 0]:.4g}, {path.perturbed[20, 1]:.4g})"
        highest = maximum(told["variant"], w, rho)
        np.testing.assert_allclose(told["worst"], highest.points)
        assert rows["largest loss"].startswith(f"{highest.loss:.4g} at ")
        assert float(rows["loss at w + ε"]) <= highest.loss * (1 + 1e-3)


def test_ties_of_the_worst_point_are_told() -> None:
    (told,) = json.loads(get(APP, "/api/toy/step?at=0&variants=sam&starts=0.3,0.033").body)["paths"]
    assert told["tie"]  # the sphere reaches the dead half-plane, which has one loss
    assert any("one of several" in row["numbers"] for row in told["rows"])


def test_beyond_its_end_and_where_it_diverged_a_path_has_no_step() -> None:
    assert json.loads(get(APP, "/api/toy/step?steps=10&at=20&variants=sam").body)["paths"][0]["rows"] == []
    answer = json.loads(get(APP, "/api/toy/step?lr=1&starts=2,2&variants=sgd&steps=1000&at=1990").body)
    assert answer["paths"][0]["worst"] == []


def test_sharpness_along_paths_is_that_of_single_points() -> None:
    header = unpack(get(APP, "/api/toy/sharpness/100/400?variants=sam&starts=0.2,0.05").body)
    steps, (told,) = header["arrays"]["steps"], header["paths"]
    path = descend((0.2, 0.05), "sam", rho=0.05, steps=5000)
    assert (steps[0], steps[-1]) == (100, 400)
    chosen = path.points[steps.astype(int)]
    for name, variant, rho in (("sphere", "sam", 0.05), ("ellipsoid", "elementwise_l2", 0.5)):
        exact, linear = told["arrays"][name], told["arrays"][f"{name}_first"]
        np.testing.assert_allclose(exact, [sharpness(variant, w, rho) for w in chosen], rtol=1e-5)
        np.testing.assert_allclose(linear, first_order_sharpness(variant, chosen, rho), rtol=1e-5)


@pytest.mark.parametrize("edges", ["0/0", "5000/5000", "4999/99999", "700/3"])
def test_any_range_of_steps_gives_some(edges: str) -> None:
    header = unpack(get(APP, f"/api/toy/sharpness/{edges}?variants=sam").body)
    steps = header["arrays"]["steps"]
    assert 2 <= len(steps) <= 240
    assert steps[-1] <= 5000
    assert header["problem"] is None
