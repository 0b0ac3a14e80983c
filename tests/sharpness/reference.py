"""AutoPGD as Croce & Hein 2020 print it (Algorithm 1), on one NumPy vector: nothing is shared with samviz."""

from collections.abc import Callable
from math import ceil, inf

import numpy as np

Function = Callable[[np.ndarray], float]


def autopgd(f: Function, gradient: Callable, x0: np.ndarray, rho: float, p: float, N: int) -> list[np.ndarray]:
    """The points x_0 to x_N at which f is evaluated to maximize it over ||x||_p <= rho."""

    def P(x: np.ndarray) -> np.ndarray:
        if p == inf:
            return np.clip(x, -rho, rho)
        return x * min(1.0, rho / np.sqrt((x**2).sum()))

    def s(x: np.ndarray) -> np.ndarray:
        g = gradient(x)
        return np.sign(g) if p == inf else g / np.sqrt((g**2).sum())

    ratios = [0.0, 0.22]
    while ratios[-1] < 1:
        ratios.append(ratios[-1] + max(ratios[-1] - ratios[-2] - 0.03, 0.06))
    W = [ceil(round(r * N, 6)) for r in ratios if r <= 1]
    alpha, ratio = 0.75, 0.75
    eta = 2 * rho
    x = [x0, P(x0 + eta * s(x0))]
    tried = list(x)
    f_max, x_max = max(((f(v), v) for v in x), key=lambda pair: pair[0])
    etas, best = {0: eta}, {0: f(x0)}
    for k in range(1, N):
        etas[k], best[k] = eta, max(map(f, tried[: k + 1]))
        z = P(x[k] + eta * s(x[k]))
        x.append(P(x[k] + alpha * (z - x[k]) + (1 - alpha) * (x[k] - x[k - 1])))
        tried.append(x[k + 1])
        if f(x[k + 1]) > f_max:
            f_max, x_max = f(x[k + 1]), x[k + 1]
        if k in W:
            j = W.index(k)
            improved = sum(f(x[i + 1]) > f(x[i]) for i in range(W[j - 1], W[j]))
            first = improved < ratio * (W[j] - W[j - 1])
            second = etas[W[j - 1]] == etas[k] and best[W[j - 1]] == best[k]
            if first or second:
                eta, x[k + 1] = eta / 2, x_max
    return tried
