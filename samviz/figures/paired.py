"""Paired differences: an arm minus the reference, seed by seed, with a confidence interval and a plain verdict."""

from dataclasses import dataclass
from functools import lru_cache
from math import atan, cos, isfinite, nan, pi, sin, sqrt

import numpy as np

LEVEL = 0.95
"""Of the confidence intervals."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An arm's accuracy minus the reference's, in points, over the seeds that both have finished."""

    seeds: tuple[int, ...]
    values: tuple[float, ...]
    """One a seed."""

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        """NaN where there is no seed."""
        return float(np.mean(self.values)) if self.n else nan

    @property
    def sd(self) -> float:
        """Sample standard deviation (n - 1) of the differences; NaN below two seeds."""
        return float(np.std(self.values, ddof=1)) if self.n > 1 else nan

    @property
    def half(self) -> float:
        """Half the width of the 95 % confidence interval of the mean, t sd / sqrt(n); NaN below two seeds."""
        return t_quantile(self.n - 1) * self.sd / sqrt(self.n) if self.n > 1 else nan

    @property
    def settled(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.n > 1 and abs(self.mean) > self.half


def difference(own: dict[int, float], reference: dict[int, float]) -> Difference:
    """The seeds that both have (seed -> accuracy), in the arm's own order."""
    seeds = tuple(seed for seed in own if seed in reference)
    return Difference(seeds, tuple(own[seed] - reference[seed] for seed in seeds))


def verdict(label: str, found: Difference, unit: str = "points") -> str:
    """What the difference says of the arm, in words: "SAM-ON is ahead by 0.8 ± 0.3 points over 5 seeds"."""
    if found.n == 0:
        return f"{label}: no seed has finished with both arms yet"
    if found.n == 1:
        return f"{label}: {signed(found.mean)} {unit} with one seed, which tells nothing of seed noise"
    over = f"{unit} over {found.n} seeds"
    if not found.settled:
        return f"{label}: within seed noise ({signed(found.mean, found.half)} ± {size(found.half)} {over})"
    where = "ahead" if found.mean > 0 else "behind"
    return f"{label} is {where} by {size(abs(found.mean), found.half)} ± {size(found.half)} {over}"


def interval(found: Difference) -> str:
    """The ends of the confidence interval; empty below two seeds."""
    if not isfinite(found.half):
        return ""
    low, high = found.mean - found.half, found.mean + found.half
    return f"{signed(low, found.half)} to {signed(high, found.half)}"


def size(value: float, half: float | None = None) -> str:
    """Points with one digit, or two where the interval (by default the value itself) is narrower than a tenth."""
    return f"{value:.{1 if (value if half is None else half) >= 0.095 else 2}f}"


def signed(value: float, half: float = 1.0) -> str:
    """The same with its sign, as a true minus."""
    sign = "+" if value >= 0 else "−"
    return sign + size(abs(value), half)


@lru_cache
def t_quantile(df: int, level: float = LEVEL) -> float:
    """The t with P(|T| <= t) = level for Student's t with `df` degrees of freedom, 1 or more: 12.7 for 1, 2.78 for 4.

    The probability is a finite sum for whole df (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), and is inverted by
    halving; the tests compare it with scipy, which the app does without.
    """
    low, high = 0.0, 1.0
    while _within(high, df) < level:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, df) < level else (low, middle)
    return high


def _within(t: float, df: int) -> float:
    """P(|T| <= t)."""
    theta = atan(t / sqrt(df))
    term = cos(theta) if df % 2 else 1.0
    total = term if df > 1 else 0.0
    for k in range(2 + df % 2, df - 1, 2):
        term *= (k - 1) / k * cos(theta) ** 2
        total += term
    return (theta + sin(theta) * total) * 2 / pi if df % 2 else sin(theta) * total
