"""Paths that many people ask for at once are those that each would get alone."""

import asyncio
import threading

import numpy as np
import pytest

from samviz.spec.trajectories import METHODS, TrajectorySettings
from samviz.toy.descend import FEW
from samviz.ui.walks import Together, rules, walk_all, walks
from tests.asgi import run


def settings(person: int, **values: float) -> TrajectorySettings:
    start = (0.1 + 0.003 * person, 0.4 - 0.005 * person)
    return TrajectorySettings(starts=(start,), variants=METHODS, values={"steps": 200, **values})


@pytest.mark.parametrize("people", [3, FEW + 20])
def test_a_crowd_gets_the_paths_that_each_gets_alone(people: int) -> None:
    crowd = [settings(person, lr=0.003 if person % 2 else 0.01) for person in range(2 * people)]
    found = walk_all((start, by) for s in crowd for _, start, by in rules(s))
    assert len(found) == 2 * people * len(METHODS)
    for s in crowd[::7]:
        for (_, start, by), (_, variant, path, end) in zip(rules(s), walks(s), strict=True):
            together, outcome = found[start, by]
            assert by.variant == variant
            # NumPy's power and Python's, in the operator of Fisher-SAM, may differ in the last digit.
            near = {"rtol": 1e-9, "atol": 1e-12}
            np.testing.assert_allclose(together.points, path.points, **near)
            np.testing.assert_allclose(together.perturbed, path.perturbed, **near)
            np.testing.assert_allclose(together.loss, path.loss, **near)
            assert outcome == end


def test_jobs_that_come_in_meanwhile_are_done_in_one_go() -> None:
    calls: list[list[int]] = []
    gate = threading.Event()

    def work(jobs: list[int]) -> list[int]:
        calls.append(jobs)
        if len(calls) == 1:
            gate.wait(10)
        return [10 * job for job in jobs]

    async def everybody() -> list[int]:
        together = Together(work)
        first = asyncio.create_task(together.ask(0))
        while not calls:
            await asyncio.sleep(0.001)
        rest = [asyncio.create_task(together.ask(i)) for i in range(1, 6)]
        await asyncio.sleep(0)
        gate.set()
        return [await task for task in (first, *rest)]

    assert run(everybody()) == [0, 10, 20, 30, 40, 50]
    assert calls == [[0], [1, 2, 3, 4, 5]]


def test_who_has_gone_and_who_asked_for_too_much_do_not_stop_the_others() -> None:
    def work(jobs: list[int]) -> list[int]:
        if 13 in jobs:
            raise ValueError("13")
        return jobs

    async def everybody() -> list[int]:
        together = Together(work)
        with pytest.raises(ValueError, match=r"^13$"):
            await together.ask(13)
        gone = asyncio.create_task(together.ask(1))
        stays = asyncio.create_task(together.ask(2))
        await asyncio.sleep(0)
        gone.cancel()
        return [await stays, await together.ask(3)]

    assert run(everybody()) == [2, 3]
