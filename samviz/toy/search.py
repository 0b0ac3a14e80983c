"""Searches along a line, on Python floats: where a function crosses zero, and where it is largest."""

from collections.abc import Callable


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function goes from below 0 to above it between low and high, by bisection to the last digit.

    Where it does not, one of the two ends.
    """
    while high - low > 1e-17 and low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return high


def peak(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that rises and then falls is largest between low and high, by ternary search."""
    for _ in range(60):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if function(left) < function(right) else (low, right)
    return (low + high) / 2
