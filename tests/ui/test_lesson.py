"""The lesson: each of its claims, worked out again from what the page shows in the step's own state.

A claim's function returns the facts that it has checked. No number may stand in the lesson that is not among them.
"""

import gzip
import json
import re
from collections.abc import Callable
from math import inf
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from starlette.applications import Starlette

from samviz.figures.rescaling import rescaling_page
from samviz.optim import coverage
from samviz.runs import open_store
from samviz.spec import PRESETS
from samviz.spec.glossary import pieces
from samviz.spec.lesson import LESSON, Step, address, parse_lecture, parse_lesson
from samviz.spec.measurement import RescalingOf
from samviz.spec.regions import RegionSettings
from samviz.spec.trajectories import TrajectorySettings
from samviz.toy import descend, one_step, sharpness
from samviz.toy.outcome import SLIDE
from samviz.training.networks import build
from samviz.ui.guide import words
from samviz.ui.live import Cache
from samviz.ui.routes import routes
from samviz.variants import VARIANTS, WEIGHT
from tests.asgi import get
from tests.ui.test_toy_routes import unpack

APP = Starlette(routes=routes())
NUMBERS = sorted(range(1, len(LESSON) + 1))
NUMBER = re.compile(r"−?\d+(?:\.\d+)?")
PAGES = {"trajectories": TrajectorySettings, "regions": RegionSettings}


def query(number: int, **changes: str) -> str:
    """The state of a step, with what the reader tries changed in it."""
    texts = {key: values[0] for key, values in parse_qs(LESSON[number - 1].query).items()} | changes
    return "&".join(f"{key}={text}" for key, text in texts.items())


def settings(number: int) -> TrajectorySettings | RegionSettings:
    step = LESSON[number - 1]
    return PAGES[step.page].from_query(parse_qs(step.query))


def paths(number: int, **changes: str) -> dict[tuple[int, str], dict]:
    """What the Trajectories page gets, by start (from 1) and method: points, and what happened in words."""
    header = unpack(get(APP, f"/api/toy/paths?{query(number, **changes)}").body)
    assert header["problem"] is None
    return {(path["start"] + 1, path["variant"]): path for path in header["paths"]}


def points(path: dict) -> np.ndarray:
    return path["arrays"]["points"].reshape(-1, 2).astype(float)


def rows(number: int, start: int = 1) -> dict[str, str]:
    """The step written out below the picture: numbers by the name of the row."""
    told = get(APP, f"/api/toy/step?{query(number)}").json
    return {row["name"]: row["numbers"] for row in told["paths"][start - 1]["rows"]}


def maxima(number: int, **changes: str) -> dict[str, dict]:
    """The panels of the Regions page by name."""
    answer = get(APP, f"/api/toy/regions?{query(number, **changes)}").json
    assert answer["problem"] is None
    return {panel["name"]: panel for panel in answer["panels"]}


def pair(text: str) -> np.ndarray:
    """The two numbers of "(0.2, −0.05)"."""
    return np.array([float(x.replace("−", "-")) for x in NUMBER.findall(text)])


def example() -> dict:
    """What the Lab page shows of the comparison that ships with samviz."""
    return json.loads(gzip.decompress(Cache(open_store()).page("example").body))


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))


# ---- the claims, in the lesson's order ----------------------------------------------------------------------------


def why_sharpness() -> set[str]:
    shown = unpack(get(APP, f"/api/toy/sharpness/0/5000?{query(1)}").body)
    ends = [float(path["arrays"]["sphere"][-1]) for path in shown["paths"]]
    for path, end in zip(paths(1).values(), ends, strict=True):
        assert path["kind"] == "valley"
        assert path["arrays"]["loss"][-1] < 0.001
        assert sharpness("sam", points(path)[-1], settings(1).rho("sam")) == pytest.approx(end, rel=1e-3)
    assert ends[0] < ends[1]
    return {f"{settings(1).rho('sam'):g}", *(f"{end:#.3g}" for end in ends)}


def one_step_of_sam() -> set[str]:
    told, s = rows(2), settings(2)
    w, perturbed, g = np.array(s.starts[0]), pair(told["perturbed"]), pair(told["gradient at w"])
    eps = perturbed - w
    assert np.hypot(*eps) == pytest.approx(s.rho("sam"), rel=1e-3)
    np.testing.assert_allclose(eps / np.hypot(*eps), g / np.hypot(*g), atol=1e-3)
    assert float(told["loss at w + ε"]) > float(told["loss at w"])
    there = told["gradient there"]
    assert told["descent"].startswith(f"(0.2, 0.05) − {s.values['lr']:g} · {there}")
    return {"0.2", "0.05", told["loss at w"], told["loss at w + ε"], *NUMBER.findall(told["perturbed"])}


def the_dead_zone() -> set[str]:
    told, (path,) = rows(3), paths(3).values()
    assert pair(told["perturbed"])[1] <= 0
    assert told["gradient there"] == "(0, 0)"
    assert path["kind"] == "dead"
    assert (points(path) == points(path)[0]).all()
    (freed,) = paths(3, **{"rho.sam": "0.03"}).values()
    assert freed["arrays"]["perturbed"][1] > 0
    assert freed["kind"] == "valley"
    return {"0.3", "0.033", "0", "0.03", f"{len(points(path)) - 1}", *NUMBER.findall(told["perturbed"])}


def rescaling() -> set[str]:
    sphere, s = maxima(4)["sphere"], settings(4)
    assert np.prod(sphere["there"]["w"]) == pytest.approx(np.prod(sphere["here"]["w"]))
    assert sphere["there"]["loss"] == pytest.approx(sphere["here"]["loss"])
    assert sphere["verdict"] == "differs"
    assert s.values["a"] == 3
    return {"3", "1", f"{s.rho('sphere'):g}", *sphere["table"][:2]}


def sphere_against_ellipsoid() -> set[str]:
    shown = maxima(5)
    sphere, ellipsoid = shown["sphere"], shown["ellipsoid"]
    np.testing.assert_allclose(sphere["here"]["outline"], ellipsoid["here"]["outline"])
    assert sphere["table"][0] == ellipsoid["table"][0] == ellipsoid["table"][1]
    assert sphere["there"]["w"] == [2, 0.5]
    for w1, w2 in np.random.default_rng(0).uniform(0.1, 2, (40, 2)):
        dragged = maxima(5, w1=f"{w1:.3f}", w2=f"{w2:.3f}")
        assert dragged["cuboid"]["verdict"] == dragged["ellipsoid"]["verdict"] == "same"
    return {"1", "2", "0.5", *sphere["table"][:2]}


def asam() -> set[str]:
    shown, s = paths(6), settings(6)
    assert s.eta("elementwise_l2") == 0
    came = ["(0.250, 0.159)", "(0.323, 0.124)"]
    for start, there in enumerate(came, 1):
        path = shown[start, "elementwise_l2"]
        assert path["text"].startswith(f"Reached the valley at {there}")
        assert abs(points(path)[-1] - pair(there)).max() < SLIDE
    assert "slides along it to (0.200, 0.199)" in shown[1, "sam"]["text"]
    assert shown[2, "sam"]["kind"] == "dead"
    w = np.random.default_rng(1).uniform(0.02, 2, (50, 2))
    for rho in (0.5, 1.41):
        sign = np.sign(np.prod(w, axis=1) - 0.04)[:, None]
        np.testing.assert_allclose(w + one_step(w, "elementwise_l2", rho, 0), (1 + sign * rho / 2**0.5) * w)
        assert 1 - rho / 2**0.5 > 0
    stuck = paths(6, **{"rho.elementwise_l2": "1.5"})
    assert stuck[1, "elementwise_l2"]["kind"] == stuck[2, "elementwise_l2"]["kind"] == "dead"
    assert 1.5 > 2**0.5
    return {"0", "2", "1.5", f"{s.rho('elementwise_l2'):g}", *NUMBER.findall(" ".join(came)), "0.200", "0.199"}


def the_price_of_eta() -> set[str]:
    operator = VARIANTS["elementwise_l2"].operator
    assert operator(0.0, 1.0, 0.0, WEIGHT) == 0
    assert operator(0.0, 1.0, 0.2, WEIGHT) > 0
    assert settings(7).eta("ellipsoid") == 0.2
    tried = maxima(7, **{"eta.ellipsoid": "0.01"})["ellipsoid"]["table"]
    assert VARIANTS["elementwise_l2_orig"].eta == 0.01
    return {"0", "0.2", "0.01", tried[2].lstrip("+"), *maxima(7)["ellipsoid"]["table"][:2]}


def a_large_learning_rate() -> set[str]:
    shown, s = paths(8), settings(8)
    around = ["(0.201, 0.201)", "(0.200, 0.200)"]
    for start, there in enumerate(around, 1):
        path = shown[start, "sgd"]
        assert path["kind"] == "oscillating"
        assert f"around {there}" in path["text"]
        across = np.flatnonzero(np.diff(np.sign(np.prod(points(path), axis=1) - 0.04)))
        assert abs(points(path)[across[0] + 1] - pair(there)).max() > 3 * SLIDE  # it came elsewhere, and slid
        assert len(across) > 100
    sam = points(paths(6)[1, "sam"])[-1]
    assert abs(sam - 0.2).max() < 0.001
    rest = ["(0.251, 0.159)", "(0.323, 0.124)"]
    calm = paths(8, lr="0.003")
    for start, there in enumerate(rest, 1):
        assert calm[start, "sgd"]["kind"] == "valley"
        assert f"valley at {there}" in calm[start, "sgd"]["text"]
        assert abs(points(calm[start, "sgd"])[-1] - pair(there)).max() < SLIDE
    return {f"{s.values['lr']:g}", "0.003", *NUMBER.findall(" ".join(around + rest))}


def to_a_network() -> set[str]:
    shown = example()
    recipe = open_store().snapshot("example").comparison.recipe
    assert recipe.network == "resnet8"
    results = {arm["label"]: result for arm, result in zip(shown["arms"], shown["results"], strict=True)}
    numbers = {results[arm][name].split()[0] for arm in ("SGD", "SAM-all") for name in ("final", "gap")}
    return {"8", str(recipe.train_size), f"{100 * recipe.label_noise:g}", str(recipe.epochs), *numbers}


def sam_on() -> set[str]:
    shown = example()
    results = {arm["label"]: result for arm, result in zip(shown["arms"], shown["results"], strict=True)}
    final = {arm: float(result["final"].split()[0]) for arm, result in results.items()}
    assert final["SGD"] < final["SAM-ON"] < final["SAM-all"]
    means = dict(text.split(", mean ") for text in shown["histograms"]["texts"][-1])
    share = coverage(build("resnet8", 10, 0), "norm_only").share
    # The paper: "on average, SAM-ON outperforms SAM-all for all considered SAM-variants" (section 4.1, Table 1).
    paper = PRESETS["sam_on"].comparison.recipe
    assert paper.label_noise == 0
    data = open_store().snapshot("example")
    spread = [np.count_nonzero(counts) for counts in _gamma(data, "sam:norm_only:rho=0.5")]
    assert spread[0] == 1  # every gamma starts at 1
    assert spread[-1] > 5
    return {f"{100 * share:.3g}", means["SAM-ON"], means["SAM-all"], f"{final['SAM-ON']}", str(paper.epochs)}


def _gamma(snapshot, arm: str) -> list[tuple[int, ...]]:
    """The histograms of gamma of one arm and the first seed, by epoch."""
    h = snapshot.histograms
    chosen = h[(h["arm"] == arm) & (h["name"] == "gamma") & (h["seed"] == 0)].sort_values("epoch")
    return list(chosen["counts"])


def a_trained_network_rescaled() -> set[str]:
    header, (view, *_) = open_store().header("example"), open_store().measurements("example")
    asked = view.measurement
    assert isinstance(asked, RescalingOf), "what the page opens with"
    assert asked.seams == ("before_norm",)
    assert asked.arm in {arm.key for arm in header.comparison.arms}
    page = rescaling_page(asked, view.result, "")
    assert max(page["logits"]["values"]) < 1e-5
    spreads = {measure: line["spread"] for measure, line in zip(asked.measures, page["lines"], strict=True)}
    assert max(spread for measure, spread in spreads.items() if measure.variant == "sam") > 1e7
    adaptive = [spread for m, spread in spreads.items() if m.variant in ("elementwise_l2", "elementwise_linf")]
    assert {m.model.p for m in spreads if m.variant.startswith("elementwise_l")} == {2, inf}
    assert max(adaptive) < 1.001
    sphere = max(page["lines"], key=lambda line: line["spread"])
    assert max(sphere["ratios"]) == sphere["ratios"][0], "at the left end"
    return {f"{view.result['factors'][0]:g}", f"{view.result['factors'][-1]:g}"}


CLAIMS: tuple[Callable[[], set[str]], ...] = (
    why_sharpness,
    one_step_of_sam,
    the_dead_zone,
    rescaling,
    sphere_against_ellipsoid,
    asam,
    the_price_of_eta,
    a_large_learning_rate,
    to_a_network,
    sam_on,
    a_trained_network_rescaled,
)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_claim_holds_and_every_number_is_one_that_the_page_shows(number: int) -> None:
    facts = CLAIMS[number - 1]()
    step = LESSON[number - 1]
    for found in NUMBER.findall(f"{step.text} {step.attempt}"):
        assert found in facts


# ---- its form ------------------------------------------------------------------------------------------------------


def test_it_has_eight_to_twelve_steps_and_a_claim_for_each() -> None:
    assert 8 <= len(LESSON) <= 12
    assert len(CLAIMS) == len(LESSON)


@pytest.mark.parametrize("step", LESSON, ids=lambda step: step.title)
def test_a_step_is_two_sentences_an_equation_and_one_thing_to_try(step: Step) -> None:
    assert len(re.findall(r"\.(?: |$)", step.text)) == 2
    assert re.search(r"[=≤]", step.equation)
    assert len(re.findall(r"\.(?: |$)", step.attempt)) == 1
    assert pieces(step.text)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_step_is_an_address_that_its_page_takes(number: int) -> None:
    parts = urlsplit(address(number, "1"))
    assert parts.path == f"/{LESSON[number - 1].page}"
    if LESSON[number - 1].page in ("lab", "sharpness"):
        assert parse_qs(parts.query) == {"id": ["example"], "lesson": [str(number)], "lecture": ["1"]}
        return
    s = PAGES[LESSON[number - 1].page].from_query(parse_qs(parts.query))
    assert (s.lesson, s.lecture) == (number, "1")
    assert s.marks()["lesson"] == str(number)


@pytest.mark.parametrize("page", PAGES.values())
@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("lesson", "0", f"lesson must be a whole number from 1 to {len(LESSON)}, but it is 0."),
        ("lesson", "99", f"lesson must be a whole number from 1 to {len(LESSON)}, but it is 99."),
        ("lesson", "two", f"lesson must be a whole number from 1 to {len(LESSON)}, but it is 'two'."),
        ("lecture", "yes", "lecture must be one of 0, 1, controls, but it is 'yes'."),
    ],
)
def test_a_wrong_mark_is_named(page: type, key: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        page.from_query({key: [text]})


def test_marks_are_read_and_no_path_depends_on_them() -> None:
    assert (parse_lesson("3"), parse_lecture("0"), parse_lecture("controls")) == (3, "", "controls")
    s = TrajectorySettings.from_query({"lesson": ["3"], "lecture": ["0"]})
    assert (s.lesson, s.lecture) == (3, "")
    assert s.to_query() == TrajectorySettings().to_query()
    assert RegionSettings(lesson=4, lecture="controls").to_query() == RegionSettings().to_query()


def test_numbers_stay_on_one_line_with_what_belongs_to_them() -> None:
    assert words("At w = (0.2, 0.05) a [radius] of 40 %.") == [
        ["At w\u00a0=\u00a0(0.2,\u00a00.05) a "],
        ["radius", "radius ρ"],
        [" of 40\u00a0%."],
    ]


def test_the_toy_and_the_page_walk_the_same_path() -> None:
    path = points(paths(2)[1, "sam"])
    np.testing.assert_allclose(path, descend((0.2, 0.05), "sam", rho=0.05).points, rtol=1e-6)
