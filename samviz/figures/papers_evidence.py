"""What one's own comparisons, sweeps and grids say of a claim of the papers: numbers, intervals, differences.

A claim is a contrast: the sum, with signs, of one measure of two arms (or four) of one comparison. Both arms have the
same seeds, batches and length, so it is taken seed by seed, and its mean has a 95 % confidence interval (Student's t).
One comparison speaks

- for "more" (or "less") where the whole interval lies above (below) zero, and against it where it lies on the other
  side;
- for "level" where the whole interval lies within `MARGIN` points of zero, against it where it lies wholly outside;
- against "no gain" where the whole interval lies above zero, and for it where it ends below `MARGIN` points;
- neither way otherwise: that is within seed noise, and so is every comparison with one seed.

A claim about the best radius compares the chosen points of a grid over at least two seeds; these have no interval. The
rank correlations of a grid of networks have one by a bootstrap over the networks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product

from samviz.figures.networks import MeasuredGrid
from samviz.figures.paired import Difference
from samviz.figures.papers_correlation import Pair, pairs_of
from samviz.figures.sweep import Row, Swept
from samviz.papers.claims import MARGIN, Claim
from samviz.papers.matching import recipe_differences
from samviz.papers.outcomes import MEASURES, SHARPNESS, Outcome
from samviz.papers.tables import about
from samviz.runs import Header
from samviz.spec import Arm
from samviz.spec.sweep import RECIPE_FIELDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What one comparison, one pair of them or one sweep says of a claim."""

    id: str
    kind: str
    """comparison or sweep."""
    name: str
    contrast: str
    """ "SAM-ON − SAM-all"."""
    found: str
    """ "+0.82 ± 0.31 points", or the best radii."""
    seeds: int
    says: str
    """for, against or open."""
    why: str
    """Why it is open; "" where it is not."""
    differences: tuple[str, ...]
    """From the paper's recipe."""


def chosen(id: str, data: Swept, header: Header, rows: Iterable[tuple]) -> Outcome | None:
    """A sweep as one comparison of its arms at their chosen points, as the papers compare methods.

    `rows` are (comparison's id, seed, key of the arm as it is trained, name, epoch, value); `header` is of one of its
    comparisons. None where fewer than two arms have a chosen point, or where these differ in more than the radius.
    """
    base, sweep = data.sweep.base, data.sweep
    best = {row.key: row for row in data.rows if row.chosen}
    settings = [{field: getattr(row, field) for field in ("lr", *RECIPE_FIELDS)} for row in best.values()]
    if len(best) < 2 or any(other != settings[0] for other in settings):
        return None
    by_key = {arm.key: arm for arm in base.arms}
    arms = {key: replace(by_key[key], rho=row.rho or 0.0) for key, row in best.items()}
    found: dict[tuple[str, str, int], dict[int, float]] = {}
    for comparison, seed, arm, name, epoch, value in rows:
        if name == "test_accuracy":
            found.setdefault((comparison, arm, seed), {})[epoch] = value
    values: dict[tuple[str, str], dict[int, float]] = {}
    for key, arm in arms.items():
        last = arm.epochs(base.recipe.epochs)
        for seed in base.seeds:
            if last in (epochs := found.get((best[key].comparison, arm.key, seed), {})):
                values.setdefault(("test_accuracy", arm.key), {})[seed] = epochs[last]
    recipe = replace(base.recipe, **{field: value for field, value in settings[0].items() if value is not None})
    joined = replace(base, name=sweep.name, recipe=recipe, arms=tuple(arms.values()))
    return Outcome(header=replace(header, id=id, comparison=joined), values=values, kind="sweep")


def evidence(
    claim: Claim,
    outcomes: Sequence[Outcome],
    sweeps: Sequence[tuple[str, Swept, Header]],
    grids: Sequence[MeasuredGrid],
) -> Iterable[Evidence]:
    """All that speaks for a claim or against it, or could not; the arguments are those of `papers_claims.judge`."""
    if claim.crosses == "rho":
        for id, data, header in sweeps:
            if claim.fits(data.sweep.base.recipe):
                yield from _of_radii(claim, id, data, header)
    elif claim.crosses == "networks":
        for grid in grids:
            yield from (_of_networks(grid, pair) for pair in pairs_of(grid.networks))
    elif claim.crosses == "m":
        fitting = [one for one in outcomes if one.kind == "comparison" and claim.fits(one.header.comparison.recipe)]
        for smaller, larger in permutations(fitting, 2):
            yield from _of_m(claim, smaller, larger)
    elif claim.terms:
        for one in outcomes:
            if claim.fits(one.header.comparison.recipe):
                yield from _of_arms(claim, one)


def _of_arms(claim: Claim, one: Outcome) -> Iterable[Evidence]:
    """Every choice of an arm for each side that belong together."""
    arms, labels = one.header.comparison.arms, one.header.comparison.labels
    for chosen in product(*([arm for arm in arms if side.holds(arm)] for _, side in claim.terms)):
        if not _together(claim, chosen):
            continue
        signed = [(sign, arm) for (sign, _), arm in zip(claim.terms, chosen, strict=True)]
        words = "".join(f" {'+' if sign > 0 else '−'} {labels[arm.key]}" for sign, arm in signed).removeprefix(" + ")
        if claim.measure != SHARPNESS:
            found = _contrast([(sign, one.of(claim.measure, arm)) for sign, arm in signed])
            if found.n or one.kind == "comparison":
                yield _told(claim, one, words, found)
            continue
        for kind, values in one.sharpness.items():
            found = _contrast([(sign, values.get(arm.key, {})) for sign, arm in signed])
            if kind.published and found.n:
                yield _told(claim, one, f"{words}, {kind.label}", found)


def _together(claim: Claim, arms: Sequence[Arm]) -> bool:
    """Whether arms differ in what the claim is about: sides of the same variants take the same one of them, and what
    ascends has the same length, η, p and trained parameters."""
    sides = [side for _, side in claim.terms]
    for (one, a), (other, b) in product(zip(sides, arms, strict=True), repeat=2):
        if one.variants == other.variants and a.variant != b.variant:
            return False
        if None in (a.variant, b.variant):
            continue
        same = a.epochs_factor == b.epochs_factor
        if a.variant == b.variant:
            same = same and (a.eta, a.p) == (b.eta, b.p)
        if one.window == other.window:
            same = same and (a.first_epoch, a.last_epoch) == (b.first_epoch, b.last_epoch)
        if not same:
            return False
    return True


def _of_m(claim: Claim, smaller: Outcome, larger: Outcome) -> Iterable[Evidence]:
    """Two comparisons that differ in m alone, arm by arm."""
    one, other = smaller.header.comparison, larger.header.comparison
    sizes = [recipe.m or recipe.batch_size for recipe in (one.recipe, other.recipe)]
    if sizes[0] >= sizes[1] or replace(one.recipe, m=None) != replace(other.recipe, m=None):
        return
    if smaller.header.data_label != larger.header.data_label:
        return
    for arm in one.arms:
        if claim.terms[0][1].holds(arm) and arm in other.arms:
            found = _contrast([(1, smaller.of(claim.measure, arm)),
                               (-1, larger.of(claim.measure, arm))])  # fmt: skip
            words = f"{one.labels[arm.key]}: m {sizes[0]} − m {sizes[1]}"
            yield _told(claim, smaller, words, found)


def _of_networks(grid: MeasuredGrid, pair: Pair) -> Evidence:
    """The rank correlations over a grid of networks, with a bootstrap's interval of their difference."""
    says = "for" if pair.low > 0 else "against" if pair.high < 0 else "open"
    return Evidence(
        id=grid.id,
        kind="sweep",
        name=grid.sweep.name,
        contrast=f"{pair.adaptive.label} against {pair.plain.label}",
        found=pair.found,
        seeds=0,
        says=says,
        why="" if says != "open" else "the interval holds zero",
        differences=(grid.apart,),
    )


def _contrast(terms: Sequence[tuple[int, dict[int, float]]]) -> Difference:
    seeds = tuple(seed for seed in terms[0][1] if all(seed in values for _, values in terms))
    return Difference(seeds, tuple(sum(sign * values[seed] for sign, values in terms) for seed in seeds))


def _told(claim: Claim, one: Outcome, words: str, found: Difference) -> Evidence:
    says, why = _says(claim.expects, found)
    unit = MEASURES[claim.measure]
    numbers = f"{_signed(found.mean, claim)}" if found.n else ""
    if found.n > 1:
        numbers += f" ± {_size(found.half, claim)}"
    more = ["each method at the best of the radii tried"] if one.kind == "sweep" else []
    if claim.measure == "seconds":
        devices = sorted({run.machine["device"] for run in one.header.runs if "device" in run.machine})
        more += [f"{theirs}, here on {' and '.join(devices)}" for theirs in about("sam-on", 5).settings.also]
    return Evidence(
        id=one.header.id,
        kind=one.kind,
        name=one.header.comparison.name,
        contrast=words,
        found=f"{numbers} {unit}".strip() if found.n else "",
        seeds=found.n,
        says=says,
        why=why,
        differences=(*recipe_differences(one.header, *claim.beside), *more),
    )


def _says(expects: str, found: Difference) -> tuple[str, str]:
    """for, against or open, and in the last case why."""
    if found.n == 0:
        return "open", "no seed has finished yet"
    if found.n == 1:
        return "open", "one seed tells nothing of seed noise"
    low, high = found.mean - found.half, found.mean + found.half
    speaks: dict[str, tuple[bool, bool]] = {
        "more": (low > 0, high < 0),
        "less": (high < 0, low > 0),
        "level": (low > -MARGIN and high < MARGIN, low > MARGIN or high < -MARGIN),
        "no gain": (low <= 0 and high < MARGIN, low > 0),
    }
    agrees, denies = speaks[expects]
    return ("for", "") if agrees else ("against", "") if denies else ("open", "within seed noise")


def _of_radii(claim: Claim, id: str, data: Swept, header: Header) -> Iterable[Evidence]:
    """The chosen points of a grid of radii."""
    base = data.sweep.base
    if data.sweep.search != "grid" or len(data.sweep.rho) < 2:
        return
    best = {row.key: row for row in data.rows if row.chosen}
    for first, second in product(*([arm for arm in base.arms if side.holds(arm)] for _, side in claim.terms)):
        if not _together(claim, (first, second)):
            continue
        rows = [best.get(arm.key) for arm in (first, second)]
        says, why = _says_of_radii(rows, len(base.seeds))
        found = ", ".join(f"{row.label}: ρ {row.rho:g}" for row in rows if row is not None)
        yield Evidence(
            id=id,
            kind="sweep",
            name=data.sweep.name,
            contrast=" and ".join(data.sweep.labels[arm.key] for arm in (first, second)),
            found=f"best at {found}" if found else "",
            seeds=min((row.n for row in rows if row is not None), default=0),
            says=says,
            why=why,
            differences=recipe_differences(header, *claim.beside),
        )


def _says_of_radii(rows: Sequence[Row | None], seeds: int) -> tuple[str, str]:
    if None in rows:
        return "open", "not all points have finished"
    if seeds < 2:
        return "open", "one seed tells nothing of seed noise"
    if rows[0].rho == rows[1].rho:
        return "open", "the same radius of those tried"
    return ("for", "") if rows[0].rho > rows[1].rho else ("against", "")


def _size(value: float, claim: Claim) -> str:
    return f"{value:.2f}" if claim.measure == "test_accuracy" else f"{value:.3g}"


def _signed(value: float, claim: Claim) -> str:
    return ("+" if value >= 0 else "−") + _size(abs(value), claim)
