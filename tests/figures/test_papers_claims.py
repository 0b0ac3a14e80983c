"""Claims judged from outcomes with known numbers: each rule, each state, and what must not count."""

from dataclasses import replace

import pytest

from samviz.figures.paired import t_quantile
from samviz.figures.papers_claims import Judged, counts, judge
from samviz.figures.papers_evidence import Evidence, chosen
from samviz.figures.sweep import sweep_data
from samviz.papers.claims import CLAIMS, Claim, Side
from samviz.papers.outcomes import Measured
from samviz.papers.published import FIGURES
from samviz.papers.tables import about
from samviz.spec import PRESETS, Arm, Comparison, Sweep
from samviz.spec.measure import Measure
from tests.papers.known import NO_NORM, ON, SAM, changed, header, outcome

PLAIN = Arm()
VIT = changed(network="vit_t", optimizer="adamw", lr=1e-4)


def said(key: str, *outcomes: object, sweeps: object = ()) -> Judged:
    (found,) = [one for one in judge(outcomes, sweeps) if one.claim.key == key]
    return found


def only(found: Judged) -> Evidence:
    (evidence,) = found.evidence
    return evidence


def test_without_runs_nothing_is_tested() -> None:
    judged = judge([])
    assert [one.claim for one in judged] == list(CLAIMS)
    assert counts(judged) == {"confirmed": 0, "contradicted": 0, "open": 0, "untested": len(CLAIMS)}


def test_ahead_beyond_the_interval_confirms_with_the_numbers() -> None:
    found = said("sam-beats-sgd", outcome({PLAIN: [90.0, 91.0, 90.5], SAM: [91.0, 92.4, 91.6]}))
    evidence = only(found)
    assert found.state == "confirmed"
    half = t_quantile(2) * 0.2082 / 3**0.5
    assert evidence.found == f"+1.17 ± {half:.2f} points"
    assert (evidence.contrast, evidence.seeds, evidence.says) == ("SAM-all − SGD", 3, "for")
    assert "without random resize, of which the paper gives no range, before crop and flip" in evidence.differences


def test_behind_beyond_the_interval_contradicts() -> None:
    found = said("sam-beats-sgd", outcome({PLAIN: [91.0, 92.4, 91.6], SAM: [90.0, 91.0, 90.5]}))
    assert (found.state, only(found).says) == ("contradicted", "against")


@pytest.mark.parametrize(
    ("plain", "sam", "why"),
    [
        ([90.0, 91.0, 90.5], [91.0, 90.9, 90.6], "within seed noise"),
        ([90.0], [99.0], "one seed tells nothing of seed noise"),
        ([], [99.0, 98.0], "no seed has finished yet"),
    ],
)
def test_what_is_not_settled_says_why(plain: list[float], sam: list[float], why: str) -> None:
    found = said("sam-beats-sgd", outcome({PLAIN: plain, SAM: sam}))
    assert (found.state, only(found).why) == ("open", why)


def test_runs_that_disagree_settle_nothing() -> None:
    up = outcome({PLAIN: [90.0, 90.1], SAM: [92.0, 92.1]})
    down = outcome({PLAIN: [92.0, 92.1], SAM: [90.0, 90.1]}, id="2")
    noise = outcome({PLAIN: [90.0, 92.0], SAM: [92.0, 90.1]}, id="3")
    assert said("sam-beats-sgd", up, down).state == "open"
    assert said("sam-beats-sgd", up, noise).state == "confirmed"
    assert [one.says for one in said("sam-beats-sgd", noise, down, up).evidence] == ["for", "against", "open"]


def test_a_claim_counts_on_its_own_kind_of_network_and_labels() -> None:
    numbers = {SAM: [90.0, 90.1, 90.0], ON: [92.0, 92.1, 92.1]}
    assert said("on-beats-all-batchnorm", outcome(numbers)).state == "confirmed"
    assert said("on-beats-all-layernorm", outcome(numbers)).state == "untested"
    assert said("on-beats-all-layernorm", outcome(numbers, recipe=VIT)).state == "confirmed"
    noisy = outcome({PLAIN: [60.0, 61.0], SAM: [70.0, 71.1]}, recipe=changed(label_noise=0.4))
    assert said("sam-noise", noisy).state == "confirmed"
    assert said("sam-beats-sgd", noisy).state == "untested"


def test_scopes_are_compared_within_a_variant_and_alike_otherwise() -> None:
    fisher_on = Arm(variant="fisher", scope="norm_only", rho=0.5)
    assert said("on-beats-all-batchnorm", outcome({SAM: [90.0, 90.1], fisher_on: [92.0, 92.1]})).state == "untested"
    late_on = replace(ON, first_epoch=100)
    assert said("on-beats-all-batchnorm", outcome({SAM: [90.0, 90.1], late_on: [92.0, 92.1]})).state == "untested"
    longer = replace(ON, epochs_factor=2)
    assert said("on-beats-all-batchnorm", outcome({SAM: [90.0, 90.1], longer: [92.0, 92.1]})).state == "untested"
    twice = replace(PLAIN, epochs_factor=2)  # as ASAM compares it
    assert said("sam-beats-sgd", outcome({twice: [90.0, 90.1], SAM: [92.0, 92.1]})).state == "confirmed"


@pytest.mark.parametrize(
    ("own", "state"),
    [
        ([90.0, 90.2, 89.9, 90.1], "confirmed"),  # within a point
        ([88.0, 88.3, 87.9, 88.1], "contradicted"),  # wholly outside
        ([91.0, 89.0, 90.9, 89.1], "open"),  # the interval is wider than the margin
    ],
)
def test_level_means_within_a_point(own: list[float], state: str) -> None:
    found = said("no-norm-keeps", outcome({SAM: [90.0, 90.0, 90.1, 89.9], NO_NORM: own}))
    assert found.state == state


def test_no_gain_is_denied_by_a_gain_alone() -> None:
    fixed = replace(SAM, trained="fix_norm")
    assert said("fix-norm", outcome({SAM: [90.0, 90.1, 90.0], fixed: [91.0, 91.4, 91.1]})).state == "confirmed"
    assert said("fix-norm", outcome({SAM: [92.0, 92.1, 92.0], fixed: [91.0, 91.4, 91.1]})).state == "contradicted"
    assert said("fix-norm", outcome({SAM: [90.0, 94.0, 90.0], fixed: [91.0, 91.4, 91.1]})).state == "open"


def test_gamma_and_seconds_are_contrasts_as_well() -> None:
    gamma = outcome({SAM: [0.8, 0.81, 0.8], ON: [0.9, 0.92, 0.9]}, measure="gamma_mean")
    assert said("on-raises-gamma", gamma).state == "confirmed"
    seconds = outcome({SAM: [2.0, 2.1, 2.0], ON: [1.6, 1.7, 1.65]}, measure="seconds")
    found = said("on-is-cheaper", seconds)
    assert found.state == "confirmed"
    assert only(found).found.endswith("s an epoch")
    assert only(found).found.startswith("−0.383 ± ")
    assert only(found).differences[-1] == "timed on a single A100 with PyTorch, here on cpu"


def test_sharpness_is_compared_measure_by_measure() -> None:
    small, large, sphere = (Measured(measure, 2048, 128) for measure in
                            (Measure(), Measure(rho=0.05), Measure(variant="sam", rho=0.1)))  # fmt: skip
    up = {SAM.key: {0: 0.1, 1: 0.12}, ON.key: {0: 0.3, 1: 0.33}}
    down = {SAM.key: {0: 0.1, 1: 0.12}, ON.key: {0: 0.01, 1: 0.02}}
    one = outcome({SAM: [90.0, 90.1], ON: [90.0, 90.1]})
    assert said("on-is-sharper", one).state == "untested"
    assert said("on-is-sharper", replace(one, sharpness={small: up})).state == "confirmed"
    assert said("on-is-sharper", replace(one, sharpness={sphere: up})).state == "untested"
    found = said("on-is-sharper", replace(one, sharpness={small: up, large: down}))
    assert found.state == "open"
    contrasts = [f"SAM-ON − SAM-all, {kind.label}" for kind in (small, large)]
    assert [evidence.contrast for evidence in found.evidence] == contrasts


def test_four_arms_make_one_contrast() -> None:
    late_sam, late_on = (replace(arm, first_epoch=150) for arm in (SAM, ON))
    numbers = {SAM: [90.0, 90.1], ON: [92.0, 92.1], late_sam: [90.0, 90.2], late_on: [90.5, 90.6]}
    found = only(said("on-needs-time", outcome(numbers)))
    assert found.says == "for"
    assert found.found.startswith("+1.55 ± ")  # (2.0 + 2.0) / 2 - (0.5 + 0.4) / 2


def test_m_is_compared_across_comparisons_that_differ_in_nothing_else() -> None:
    small = outcome({SAM: [92.0, 92.1]}, recipe=changed(m=32))
    whole = outcome({SAM: [90.0, 90.2]}, id="2")
    found = said("smaller-m", whole, small)
    assert (found.state, only(found).contrast) == ("confirmed", "SAM-all: m 32 − m 128")
    assert said("smaller-m", small, outcome({SAM: [90.0, 90.2]}, id="2", recipe=changed(lr=0.2))).state == "untested"
    other_images = outcome({SAM: [90.0, 90.2]}, id="2", label="CIFAR-10 (JPEG copy)")
    assert said("smaller-m", small, other_images).state == "untested"


def swept(best: dict[Arm, float], seeds: int = 2, radii: tuple[float, ...] = (0.05, 0.1, 0.5)) -> tuple:
    """A finished grid in which each arm is best at the radius given."""
    base = Comparison(name="Grid", recipe=changed(epochs=2), arms=tuple(best), seeds=tuple(range(seeds)))
    sweep = Sweep(name="Grid", base=base, rho=radii)
    members = [(point, str(k), "finished") for k, point in enumerate(sweep.points())]
    rows = [
        (id, seed, arm.key, "test_accuracy", 2, 90.0 + (arm.rho == best[next(a for a in best if a.key == key)]))
        for point, id, _ in members
        for key, arm in sweep.arms(point).items()
        for seed in base.seeds
    ]
    return "7", sweep_data(sweep, members, rows), header(tuple(best), changed(epochs=2), seeds=seeds)


@pytest.mark.parametrize(
    ("best", "seeds", "state"),
    [
        ({SAM: 0.1, ON: 0.5}, 2, "confirmed"),
        ({SAM: 0.5, ON: 0.1}, 2, "contradicted"),
        ({SAM: 0.1, ON: 0.1}, 2, "open"),
        ({SAM: 0.1, ON: 0.5}, 1, "open"),
    ],
)
def test_the_best_radii_of_a_grid_are_compared(best: dict[Arm, float], seeds: int, state: str) -> None:
    found = said("on-wants-larger-rho", sweeps=[swept(best, seeds)])
    assert found.state == state
    assert only(found).kind == "sweep"
    assert only(found).found == f"best at SAM-ON: ρ {best[ON]:g}, SAM-all: ρ {best[SAM]:g}"


def test_every_claim_names_a_source_a_recipe_and_what_it_is_told_apart_from() -> None:
    assert len({claim.key for claim in CLAIMS}) == len(CLAIMS)
    figures = {(one.paper, one.number) for one in FIGURES}
    for claim in CLAIMS:
        assert claim.source.startswith(("ASAM", "SAM-ON"))
        assert claim.terms or claim.needs
        assert claim.figure is None or claim.figure in figures
        about(*claim.beside[:2])


def trains(claim: Claim, arms: list[Arm]) -> bool:
    return all(any(side.holds(arm) for arm in arms) for _, side in claim.terms)


def test_the_recipe_that_a_claim_leads_to_has_its_arms() -> None:
    recipes = {(one.paper, one.number): one.recipes for one in FIGURES}
    for claim in CLAIMS:
        if claim.terms and claim.figure is not None:
            bases = [work.base if isinstance(work, Sweep) else work for work in recipes[claim.figure]]
            assert any(trains(claim, list(base.arms)) for base in bases), claim.key
        if claim.preset:
            assert trains(claim, list(PRESETS[claim.preset].comparison.arms)), claim.key


def test_a_side_tells_windows_masks_and_what_trains() -> None:
    assert Side().holds(SAM)
    assert not Side().holds(PLAIN)
    assert not Side().holds(replace(SAM, first_epoch=2))
    assert Side(window="late").holds(replace(SAM, first_epoch=2))
    assert Side(window="early").holds(replace(SAM, last_epoch=2))
    assert not Side(window="early").holds(replace(SAM, first_epoch=2, last_epoch=3))
    assert not Side().holds(replace(SAM, trained="fix_norm"))
    mask = Arm(variant="sam", rho=0.1, mask="fisher", sparsity=0.5)
    assert not Side().holds(mask)
    assert Side(mask="fisher", sparse=False).holds(mask)
    assert not Side(mask="fisher", sparse=True).holds(mask)


def test_a_sweep_compares_its_arms_at_their_best_radii() -> None:
    base = Comparison(name="Base", recipe=changed(epochs=2), arms=(PLAIN, SAM, ON), seeds=(0, 1))
    sweep = Sweep(name="Grid", base=base, rho=(0.1, 0.5))
    members = [(point, str(k), "finished") for k, point in enumerate(sweep.points())]
    best = {PLAIN.key: None, SAM.key: 0.1, ON.key: 0.5}
    rows = [
        (id, seed, arm.key, "test_accuracy", epoch, 80.0 + 5 * epoch + seed / 10 + 3 * (point.rho == best[key]))
        for point, id, _ in members
        for key, arm in sweep.arms(point).items()
        for seed in base.seeds
        for epoch in (1, 2)
    ]
    data = sweep_data(sweep, members, rows)
    one = chosen("7", data, header((PLAIN, SAM, ON), changed(epochs=2), seeds=2), rows)
    assert one.header.id == "7"
    assert [(arm.variant, arm.scope, arm.rho) for arm in one.header.comparison.arms] == [
        (None, "all", 0.0), ("sam", "all", 0.1), ("sam", "norm_only", 0.5),
    ]  # fmt: skip
    assert one.of("test_accuracy", one.header.comparison.arms[1]) == {0: 93.0, 1: pytest.approx(93.1)}
    evidence = only(said("on-beats-all-batchnorm", one))
    assert (evidence.kind, evidence.id, evidence.seeds) == ("sweep", "7", 2)
    assert evidence.differences[-1] == "each method at the best of the radii tried"
    assert said("on-raises-gamma", one).state == "untested"
    assert chosen("7", sweep_data(sweep, members, []), header((SAM, ON)), []) is None
