"""The routes of the Regions page: any T and p, the table of invariance, the regions in space, and wrong addresses."""

from time import perf_counter

import numpy as np
import pytest
from starlette.applications import Starlette

from samviz.spec.regions import OPERATORS, RegionSettings
from samviz.toy import loss, maximum, product
from samviz.toy.invariance import KINDS
from samviz.ui.invariance_table import FORMULAS, invariance
from samviz.ui.region_routes import region_routes
from samviz.ui.toy_pages import REGION_NORMS, REGION_OPERATORS
from samviz.ui.toy_routes import toy_routes
from samviz.variants import VARIANTS
from tests.asgi import get

APP = Starlette(routes=[*toy_routes(), *region_routes()])
BELOW = ["invariance", "space"]


def panels(query: str) -> dict[str, dict]:
    return {panel["name"]: panel for panel in get(APP, f"/api/toy/regions?{query}").json["panels"]}


def rows(query: str) -> dict[str, dict]:
    return {row["label"]: row for row in get(APP, f"/api/toy/invariance?{query}").json["rows"]}


def verdicts(row: dict) -> list[str]:
    return [cell["verdict"] for cell in row["cells"]]


@pytest.mark.parametrize("T", OPERATORS)
@pytest.mark.parametrize("p", ["1", "1.3", "2", "3", "10", "inf"])
def test_a_panel_shows_any_t_and_p(T: str, p: str) -> None:
    panel = panels(f"T.sphere={T}&p.sphere={p}&eta.sphere=0.1&fisher.sphere=2&a=2")["sphere"]
    eta = {"identity": 0.0, "elementwise": 0.1, "fisher": 2.0}[T]
    for around, w in ((panel["here"], (1.0, 1.0)), (panel["there"], (2.0, 0.5))):
        expected = maximum(OPERATORS[T], np.array(w), 0.5, eta, p=float(p))
        assert around["maximum"] == expected.loss
        np.testing.assert_allclose(around["worst"], expected.points)
        g = np.array(w)[::-1]
        a = 0.5 * {"identity": np.ones(2), "elementwise": np.array(w) + eta, "fisher": (1 + eta * g**2) ** -0.5}[T]
        line = (np.reshape(around["outline"], (-1, 2)) - w) / a
        np.testing.assert_allclose(np.linalg.norm(line, float(p), axis=1), 1, atol=2e-4)
        assert np.linalg.norm(np.array(around["step"]) / a, float(p)) == pytest.approx(1)
        assert loss(np.array(around["worst"][0])) == pytest.approx(around["maximum"])
    assert panel["verdict"] == "differs"
    assert panel["p"] == p.replace("inf", "∞")
    assert panel["norm"] == ("‖ε‖" if T == "identity" else "‖T⁻¹ε‖")


@pytest.mark.parametrize("p", ["1", "1.3", "7", "inf"])
def test_asam_is_invariant_for_every_p_and_sam_for_none(p: str) -> None:
    found = panels(f"p.sphere={p}&p.cuboid={p}&p.ellipsoid={p}&a=2.7")
    assert [found[name]["verdict"] for name in ("sphere", "cuboid", "ellipsoid")] == ["differs", "same", "same"]


def test_captions_and_names_follow_the_choice() -> None:
    opening = panels("")
    assert [p["label"] for p in opening.values()] == ["Sphere", "Cuboid", "Ellipsoid"]
    assert [p["source"] for p in opening.values()] == ["as in SAM", "as in ASAM", "as in ASAM"]
    changed = panels("T.sphere=elementwise&p.cuboid=1&T.ellipsoid=fisher")
    assert [p["label"] for p in changed.values()] == ["Ellipsoid", "Stretched diamond", "Fisher ellipsoid"]
    assert changed["cuboid"]["source"] == "T of ASAM, p of our own"
    assert changed["ellipsoid"]["source"] == "as in Fisher-SAM"
    twice = [p["label"] for p in panels("p.cuboid=2").values()]
    assert twice == ["Sphere", "Ellipsoid (panel 2)", "Ellipsoid (panel 3)"]
    assert panels("p.sphere=1.5")["sphere"]["label"] == "Superellipse"


def test_the_words_for_those_who_do_not_see_the_picture_are_true() -> None:
    told = panels("a=2")["sphere"]["told"]
    assert told.startswith(
        "Sphere: around w = (1, 1) the largest loss is 1.792107 at (1.35, 1.35); around Aw = (2, 0.5)"
    )
    dead = panels("w1=0.3&w2=0.1&rho.sphere=0.105&c=0.2&p.sphere=1")["sphere"]["told"]
    assert "the largest loss is 0.200000 at (0.3, 0)" in dead
    assert "all over the dead half-plane" in dead
    summary = get(APP, "/api/toy/regions?p.cuboid=1&T.ellipsoid=identity&p.ellipsoid=1&a=2").json["summary"]
    assert summary.endswith(
        "but the sphere and diamond find another maximum around Aw than around w; the stretched diamond does not."
    )


def test_the_opening_table_is_that_of_the_docs() -> None:
    found = rows("")
    assert list(found) == [
        "SAM: sphere",
        "ASAM, l-infinity: cuboid",
        "ASAM: ellipsoid",
        "ASAM, original",
        "ASAM, layerwise",
        "ASAM, filterwise",
        "Fisher-SAM",
    ]
    assert verdicts(found["SAM: sphere"]) == ["fails"] * 5
    assert verdicts(found["ASAM: ellipsoid"]) == verdicts(found["ASAM, l-infinity: cuboid"]) == ["holds"] * 5
    assert verdicts(found["ASAM, original"]) == ["holds", "holds", "fails", "fails", "fails"]
    assert verdicts(found["ASAM, layerwise"]) == ["holds", "holds", "holds", "fails", "fails"]
    assert verdicts(found["ASAM, filterwise"]) == ["holds", "holds", "holds", "holds", "fails"]
    assert verdicts(found["Fisher-SAM"]) == ["fails"] * 5
    assert "input channels" in found["ASAM, filterwise"]["reason"]
    body = get(APP, "/api/toy/invariance").json
    assert len(body["columns"]) == 2 + len(KINDS)
    assert body["columns"][0] == "toy, a = 3"
    assert body["summary"] == (
        "Scale-invariant under every rescaling that was tried: ASAM, l-infinity: cuboid; ASAM: ellipsoid."
    )


def test_the_table_follows_the_settings() -> None:
    eta = rows("eta.ellipsoid=0.01")["ASAM: ellipsoid"]
    assert verdicts(eta) == ["fails"] * 5
    assert eta["T"] == "T = |w| + 0.01, p = 2"
    assert "η = 0.01" in eta["reason"]
    at_rest = rows("a=1")["SAM: sphere"]
    assert verdicts(at_rest) == ["holds", *["fails"] * 4]  # A is the identity
    swapped = rows("T.sphere=fisher&p.sphere=1.3&fisher.sphere=50")
    assert "SAM" in swapped
    assert swapped["Fisher-SAM: superellipse"]["T"] == "T = (1 + 50 g²)^(−1/2), p = 1.3"
    assert verdicts(rows("p.cuboid=1.3")["ASAM: superellipse"]) == ["holds"] * 5
    shared = rows("p.cuboid=2")
    assert "ASAM: ellipsoid (panel 2), ellipsoid (panel 3)" in shared


def test_every_variant_has_a_row_and_a_formula() -> None:
    labels = [row["label"].split(":")[0] for row in invariance(RegionSettings())["rows"]]
    assert sorted(labels) == sorted(v.label for v in VARIANTS.values())
    assert {v.operator for v in VARIANTS.values()} == set(FORMULAS)


def test_the_regions_in_space_are_those_of_the_toy() -> None:
    for region in ("sphere", "cuboid", "ellipsoid"):
        body = get(APP, f"/api/toy/space?space.region={region}&space.a=1.5&space.b=0.8&space.rho=0.4").json
        assert body["verdict"] == ("differs" if region == "sphere" else "same")
        for around, w in (("here", np.ones(3)), ("there", np.array([1.5, 0.8, 1 / 1.2]))):
            largest, worst = product.maximum(region, w, 0.4)
            assert body[around]["maximum"] == pytest.approx(largest, rel=1e-12)
            np.testing.assert_allclose(body[around]["worst"], worst)
            mesh = np.array([body[around]["mesh"][axis] for axis in "xyz"]).T
            np.testing.assert_allclose(mesh, product.mesh(region, w, 0.4)[0], atol=1e-3)
            assert mesh.max() <= body["top"]
        surface = np.array([body["surface"][axis] for axis in "xyz"])
        np.testing.assert_allclose(surface.prod(axis=0), body["here"]["maximum"] + 0.04, rtol=0.05)
        assert region in body["sentence"]
        assert body["sentence"].endswith("changes it." if region == "sphere" else "changes nothing.")
    assert get(APP, "/api/toy/space?space.region=cuboid&space.eta=0.3").json["verdict"] == "differs"


@pytest.mark.parametrize(
    "corner", ["space.a=0.5&space.b=0.5", "space.a=2&space.b=2", "space.rho=0", "c=0.2&space.rho=0.9"]
)
@pytest.mark.parametrize("region", ["sphere", "cuboid", "ellipsoid"])
def test_every_corner_of_the_settings_in_space_is_drawn(region: str, corner: str) -> None:
    answer = get(APP, f"/api/toy/space?space.region={region}&space.eta=1&{corner}")
    assert answer.status == 200
    assert answer.json["problem"] is None
    assert len(answer.body) < 80_000


@pytest.mark.parametrize("route", [*BELOW, "regions"])
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("p.sphere=0.5", "p.sphere must be a number from 1 to infinity, but it is '0.5'."),
        ("p.sphere=nan", "p.sphere must be a number from 1 to infinity, but it is 'nan'."),
        ("p.cuboid=two", "p.cuboid must be a number from 1 to infinity, but it is 'two'."),
        ("T.sphere=|w|", "T.sphere must be one of identity, elementwise, fisher, but it is '|w|'."),
        ("fisher.sphere=0", "fisher.sphere must be a number from 0.01 to 1000, but it is 0.0."),
        ("space.region=torus", "space.region must be one of sphere, cuboid, ellipsoid, but it is 'torus'."),
        ("space=3", "space must be one of 0, 1, but it is '3'."),
        ("space.a=9", "space.a must be a number from 0.5 to 2, but it is 9.0."),
        ("p.sphere=1&p.sphere=2", "p.sphere must be given once, but it is given 2 times."),
        ("q=1", "The address of the Regions page has no field 'q'"),
    ],
)
def test_a_wrong_value_is_named_and_the_defaults_are_sent(route: str, query: str, words: str) -> None:
    answer = get(APP, f"/api/toy/{route}?{query}")
    assert answer.status == 200
    assert answer.json["problem"].startswith(words)
    rest = {key: value for key, value in answer.json.items() if key != "problem"}
    assert rest == {key: value for key, value in get(APP, f"/api/toy/{route}").json.items() if key != "problem"}


@pytest.mark.parametrize("route", [*BELOW, "regions"])
def test_answers_may_be_kept_and_cannot_be_posted_to(route: str) -> None:
    answer = get(APP, f"/api/toy/{route}")
    assert "max-age" in answer.headers["cache-control"]
    assert next(r for r in APP.routes if r.path == f"/api/toy/{route}").methods == {"GET", "HEAD"}


def test_the_state_of_the_page_is_told_at_its_opening() -> None:
    body = get(APP, "/api/toy/regions?space=1&T.cuboid=fisher&p.sphere=inf&space.region=cuboid").json
    assert body["marks"]["space"] == "1"
    expected = {"T.cuboid": "fisher", "p.sphere": "inf", "p.cuboid": "inf", "space.region": "cuboid"}
    assert {key: body["settings"][key] for key in expected} == expected


def test_the_choices_on_screen_are_those_of_the_settings() -> None:
    assert set(REGION_OPERATORS) == set(OPERATORS)
    assert sorted(set(REGION_NORMS)) == REGION_NORMS
    assert (REGION_NORMS[0], REGION_NORMS[20], REGION_NORMS[40]) == (1, 2, float("inf"))


def test_the_table_and_the_picture_in_space_keep_up_with_a_hand() -> None:
    """14 and 4 ms for what has not been asked before, on an idle machine of 2 cores; the bound leaves room."""
    get(APP, "/api/toy/invariance")
    for route, query in (("invariance", "eta.ellipsoid="), ("space", "space.rho=")):
        seconds = []
        for i in range(8):
            begin = perf_counter()
            get(APP, f"/api/toy/{route}?{query}{0.31 + i / 1000}")
            seconds.append(perf_counter() - begin)
        assert min(seconds) < 0.15
