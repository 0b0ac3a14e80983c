"""The toy written out from the papers, one number at a time: what the code under test is compared with."""

from math import inf, sqrt

P = {"elementwise_linf": inf}
"""Norms other than 2."""


def value(w, c: float) -> float:
    """|w1 ReLU(w2) - c| (ASAM section 5.1)."""
    return abs(w[0] * max(w[1], 0.0) - c)


def slope(w, c: float) -> tuple[float, float]:
    """Its gradient by the chain rule, with ReLU'(0) = 0 and sign(0) = 0."""
    inner = w[0] * max(w[1], 0.0) - c
    sign = 0.0 if inner == 0 else inner / abs(inner)
    return sign * max(w[1], 0.0), sign * w[0] * (1.0 if w[1] > 0 else 0.0)


def operator(key: str, w, g, eta: float) -> list[float]:
    """Diagonal of T_w of SAM-ON Table 10, where each weight is a layer of its own."""
    if key == "sam":
        return [1.0, 1.0]
    if key == "fisher":
        return [1 / sqrt(1 + eta * x**2) for x in g]
    return [sqrt(x**2) + eta for x in w]


def epsilon(key: str, w, rho: float, eta: float, c: float) -> list[float]:
    """SAM-ON Eq. 4."""
    g = slope(w, c)
    T = operator(key, w, g, eta)
    if P.get(key, 2) == inf:
        return [rho * t * (x > 0) - rho * t * (x < 0) for t, x in zip(T, g, strict=True)]
    norm = sqrt(sum((t * x) ** 2 for t, x in zip(T, g, strict=True)))
    return [rho * t**2 * x / norm if norm else 0.0 for t, x in zip(T, g, strict=True)]
