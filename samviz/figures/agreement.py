"""How well two measures of the same networks agree: Kendall's tau, and granulated by hyper-parameter."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class Granulated:
    """The coefficient of one hyper-parameter: psi of Jiang et al. 2020, section 4."""

    psi: float | None
    """The mean over the groups of tau within the group; None where no group has one."""
    groups: int
    """Groups that count: networks that differ in this hyper-parameter alone."""
    alone: int
    """Groups of a single network, which has nothing to be compared with."""
    tied: int
    """Groups in which one of both measures is the same for all, so that it orders nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """What two measures of n networks have to do with each other."""

    n: int
    tau: float | None
    """Over all networks; None below two, and where one of both measures is the same for all."""
    ties: int
    """Pairs that are equal in one of both measures at least."""
    granulated: dict[str, Granulated]
    """By hyper-parameter."""

    @property
    def mean(self) -> float | None:
        """Psi: the mean of the hyper-parameters' coefficients; None unless each has one."""
        values = [one.psi for one in self.granulated.values()]
        return sum(values) / len(values) if values and None not in values else None

    @property
    def chance(self) -> float | None:
        """Two standard deviations of tau over n networks where nothing has to do with anything (Kendall 1938)."""
        n = self.n
        return 2 * sqrt(2 * (2 * n + 5) / (9 * n * (n - 1))) if n > 1 else None


def kendall_tau(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Kendall's tau-b of two lists of n numbers: 1 for the same order, -1 for the reverse.

    The sum of sign(x_i - x_j) sign(y_i - y_j) over the pairs, divided by the root of how many pairs differ in x times
    how many differ in y: without ties that is Kendall's tau of 1938. None where one list has no two values.
    """
    signs_x, signs_y = _signs(x), _signs(y)
    scale = np.count_nonzero(signs_x) * np.count_nonzero(signs_y)
    return float(signs_x @ signs_y / np.sqrt(scale)) if scale else None


def agreement(
    x: Sequence[float], y: Sequence[float], settings: Mapping[str, Sequence], fixed: Sequence = ()
) -> Agreement:
    """How the measures x and y of n networks agree, by hyper-parameter, too.

    `settings` is each hyper-parameter's value of each network. A group has the networks that are alike in all
    hyper-parameters but one, and in `fixed`: what else must not differ within a group, such as the seed.
    """
    rows = list(zip(*settings.values(), strict=True)) if settings else [()] * len(x)
    fixed = list(fixed) or [None] * len(x)
    return Agreement(
        n=len(x),
        tau=kendall_tau(x, y),
        ties=int(np.count_nonzero(_signs(x) * _signs(y) == 0)),
        granulated={
            name: _granulated(x, y, [(*row[:k], *row[k + 1 :], own) for row, own in zip(rows, fixed, strict=True)])
            for k, name in enumerate(settings)
        },
    )


def _granulated(x: Sequence[float], y: Sequence[float], groups: Sequence[tuple]) -> Granulated:
    members: dict[tuple, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    several = [own for own in members.values() if len(own) > 1]
    taus = [kendall_tau([x[i] for i in own], [y[i] for i in own]) for own in several]
    known = [tau for tau in taus if tau is not None]
    return Granulated(
        psi=sum(known) / len(known) if known else None,
        groups=len(known),
        alone=len(members) - len(several),
        tied=len(taus) - len(known),
    )


def _signs(values: Sequence[float]) -> np.ndarray:
    """sign(v_i - v_j) of all pairs i < j, (n (n - 1) / 2,)."""
    v = np.asarray(values, np.float64)
    i, j = np.triu_indices(len(v), 1)
    return np.sign(v[i] - v[j])
