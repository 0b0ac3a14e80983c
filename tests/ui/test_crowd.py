"""How long viewers are told to wait settles by their number, follows when it changes, and brings them together."""

import heapq

import pytest

from samviz.ui.crowd import PERIODS, Crowd


class Viewers:
    """People who keep to what they are told, on a clock of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.crowd, self.age = Crowd(lambda: self.now), 0.0

    def watch(self, people: int, seconds: float) -> tuple[float, float, list[float]]:
        """The last wait told, and of the last eight seconds: refreshes a second, and when they were."""
        end = self.now + seconds
        due = [(self.now + 3.3 * k / people, k) for k in range(people)]
        heapq.heapify(due)
        told, late = 0.0, []
        while due[0][0] < end:
            self.now, k = heapq.heappop(due)
            told, self.age = self.crowd.turn()
            if self.now > end - 8:
                late.append(self.now)
            heapq.heappush(due, (self.now + told + 0.01 * (k % 7) / 7, k))  # an answer takes its time
        self.now = end
        return told, len(late) / 8, late


@pytest.mark.parametrize(
    ("people", "seconds"), [(1, 1.0), (20, 1.0), (60, 2.0), (75, 2.0), (120, 4.0), (200, 4.0), (1000, 4.0)]
)
def test_the_wait_grows_with_the_crowd(people: int, seconds: float) -> None:
    told, rate, _ = Viewers().watch(people, 60)
    assert told == pytest.approx(seconds, abs=0.02)
    assert rate == pytest.approx(people / seconds, rel=0.13)


def test_all_ask_at_the_same_moments_and_a_page_lasts_for_one_of_them() -> None:
    viewers = Viewers()
    _, _, late = viewers.watch(200, 60)
    assert {round(when, 1) % 4 for when in late} == {0}
    assert 0.1 < viewers.age < 4 - 0.1
    viewers.watch(3, 40)
    assert viewers.age == 0


def test_nobody_waits_so_long_that_a_connection_ends_nor_asks_again_at_once() -> None:
    viewers = Viewers()
    viewers.watch(200, 60)
    for _ in range(400):
        viewers.now += 0.037
        told, _ = viewers.crowd.turn()
        assert 0.5 <= told <= 4.5


def test_it_follows_when_they_go() -> None:
    viewers = Viewers()
    assert viewers.watch(300, 40)[0] == pytest.approx(PERIODS[-1], abs=0.02)
    assert viewers.watch(3, 40)[0] == pytest.approx(PERIODS[0], abs=0.02)
    assert viewers.watch(70, 60)[0] == pytest.approx(2.0, abs=0.02)
