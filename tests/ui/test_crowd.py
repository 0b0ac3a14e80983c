"""The interval that viewers are told settles by their number, and follows when they come and go."""

import heapq

import pytest

from samviz.ui.crowd import LONGEST, PER_SECOND, SHORTEST, Crowd


class Viewers:
    """People who keep to what they are told, on a clock of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.crowd = Crowd(lambda: self.now)

    def watch(self, people: int, seconds: float) -> tuple[float, float]:
        """The last interval told, and the refreshes a second in the last ten seconds."""
        end = self.now + seconds
        due = [(self.now + k / people, k) for k in range(people)]
        heapq.heapify(due)
        told, late = 0.0, 0
        while due[0][0] < end:
            self.now, k = heapq.heappop(due)
            told = self.crowd.interval()
            late += self.now > end - 10
            heapq.heappush(due, (self.now + told, k))
        self.now = end
        return told, late / 10


@pytest.mark.parametrize(
    ("people", "seconds"), [(1, 1.0), (20, 1.0), (80, 2.0), (120, 3.0), (200, LONGEST), (1000, LONGEST)]
)
def test_the_interval_grows_with_the_crowd(people: int, seconds: float) -> None:
    told, rate = Viewers().watch(people, 60)
    assert told == pytest.approx(seconds, rel=0.15)
    assert rate == pytest.approx(people / seconds, rel=0.2)


def test_it_follows_when_they_go() -> None:
    viewers = Viewers()
    assert viewers.watch(300, 40)[0] == LONGEST
    assert viewers.watch(3, 40)[0] == SHORTEST
    assert viewers.watch(PER_SECOND * 3, 60)[0] == pytest.approx(3.0, rel=0.15)
