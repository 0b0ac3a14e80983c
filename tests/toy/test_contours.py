"""Contours and the valley: on their level, within the window, complete, and smooth enough to draw."""

import numpy as np
import pytest

from samviz.toy import contour, loss, valley

OPENING = (0.0, 0.45, 0.0, 0.3)
WINDOWS = [OPENING, (-1.0, 1.0, -0.5, 0.7), (0.05, 4.0, 0.01, 3.0), (-3.0, -0.1, 0.2, 1.0)]


@pytest.mark.parametrize("axes", WINDOWS)
@pytest.mark.parametrize("level", [0.0, 0.01, 0.03, 0.039999999, 0.05, 0.3])
@pytest.mark.parametrize("n", [2, 100])
def test_every_point_has_the_level_and_lies_in_the_window(
    axes: tuple[float, float, float, float], level: float, n: int
) -> None:
    x0, x1, y0, y1 = axes
    for line in contour(level, 0.04, axes, n):
        assert line.shape == (n, 2)
        np.testing.assert_allclose(loss(line), level, atol=1e-12)
        x, y = line.T
        assert ((x >= x0 - 1e-12) & (x <= x1 + 1e-12) & (y >= y0 - 1e-12) & (y <= y1 + 1e-12)).all()
        assert (np.diff(x) > 0).all()
        for end in (line[0], line[-1]):  # nothing is cut off: each line ends at the edge of the window
            assert np.isclose(end[0], [x0, x1], atol=1e-12).any() or np.isclose(end[1], [y0, y1], atol=1e-12).any()


@pytest.mark.parametrize(
    ("level", "axes", "signs"),
    [
        (0.0, OPENING, [1]),
        (0.02, OPENING, [1, 1]),
        (0.05, OPENING, [1]),
        (0.05, (-1.0, 1.0, -1.0, 1.0), [1, -1]),
        (0.02, (-1.0, -0.1, 0.0, 1.0), []),
        (0.02, (0.0, 1.0, -1.0, -0.5), []),
        (0.5, (0.0, 0.2, 0.0, 0.2), []),
    ],
)
def test_both_sides_of_the_valley_are_there(level: float, axes: tuple, signs: list[int]) -> None:
    assert [np.sign(line[:, 0].mean()) for line in contour(level, 0.04, axes)] == signs


def test_a_line_misses_no_part_that_a_scan_of_the_window_finds() -> None:
    """Along each column of the window, the loss crosses the level exactly where the lines do."""
    axes = (-0.5, 0.6, -0.2, 0.5)
    y = np.linspace(1e-6, axes[3], 20_001)
    for level in (0.01, 0.03, 0.06, 0.15):
        lines = contour(level, 0.04, axes, 200)
        for x in (-0.4, -0.2, 0.08, 0.3, 0.55):
            column = loss(np.stack([np.full_like(y, x), y], axis=-1)) - level
            expected = y[1:][np.diff(np.sign(column)) != 0]
            found = sorted(np.interp(x, *line.T) for line in lines if line[0, 0] < x < line[-1, 0])
            np.testing.assert_allclose(found, expected, atol=2e-4)


def test_a_hundred_points_draw_smoothly() -> None:
    (line,) = valley(0.04, (-0.5, 5.0, -0.5, 3.0))
    middle = (line[1:] + line[:-1]) / 2
    bulge = (middle.prod(axis=1) - 0.04) / np.hypot(*middle.T)  # distance of a chord's middle from the valley
    assert abs(bulge).max() < 2e-3  # of a window of 5.5: below half a pixel on a screen of 1400


def test_at_level_c_the_line_is_the_limit_from_above() -> None:
    axes = (-1.0, 1.0, -1.0, 0.5)
    *_, corner = contour(0.04, 0.04, axes)
    np.testing.assert_array_equal(corner, [(-1, 0), (0, 0), (0, 0.5)])
    (above,) = (line for line in contour(0.04 + 1e-10, 0.04, axes) if line[0, 0] < 0)
    assert all(abs(above - point).max(axis=1).min() < 1e-4 for point in corner)
    assert len(contour(0.04, 0.04, OPENING)) == 2
    assert len(contour(0.04, 0.04, (0.1, 1.0, 0.1, 1.0))) == 1


def test_the_valley_is_the_set_of_minimizers() -> None:
    (line,) = valley(0.04, OPENING)
    np.testing.assert_allclose(loss(line), 0, atol=1e-15)
    np.testing.assert_allclose(line[[0, -1]], [(0.04 / 0.3, 0.3), (0.45, 0.04 / 0.45)])
    assert valley(0.04, (-1.0, 0.0, 0.0, 1.0)) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((-1, 0.04, OPENING), "level must be a number from 0 to 1e+12, but it is -1."),
        ((0.1, 0, OPENING), "target must be a number from 1e-06 to 1000, but it is 0."),
        ((0.1, 0.04, (0, 1, 1)), "axes must be a list of 4 to 4 entries, but it is (0, 1, 1)."),
        ((0.1, 0.04, (1, 0, 0, 1)), "axes must be x0 < x1, y0 < y1, but they are (1.0, 0.0, 0.0, 1.0)."),
        ((0.1, 0.04, OPENING, 1), "n must be a whole number from 2 to 1000, but it is 1."),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments: tuple, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        contour(*arguments)
    assert str(caught.value) == sentence
