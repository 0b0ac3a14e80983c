"""The paths of the Trajectories page, kept for a while, and worked out together where many people ask at once."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from samviz.spec.trajectories import PLAIN, TrajectorySettings
from samviz.toy import Outcome, Path, descend, outcome
from samviz.toy.descend import FEW

CROWD = 200
"""Starts that are walked at once: more would take memory and no less time each."""


class Rules(NamedTuple):
    """All that a path follows from beside its start."""

    variant: str
    rho: float
    eta: float
    lr: float
    steps: int
    decay: float
    c: float


Start = tuple[float, float]
Walked = tuple[Path, Outcome]


def rules(s: TrajectorySettings) -> Iterator[tuple[int, Start, Rules]]:
    """Every path that the page shows: index of its start, the start, and its rules."""
    numbers = [s.values[key] for key in ("lr", "steps", "decay", "c")]
    for index, start in enumerate(s.starts):
        for variant in s.variants:
            rho, eta = (0.0, 0.0) if variant == PLAIN else (s.rho(variant), s.eta(variant))
            yield index, start, Rules(variant, rho, eta, *numbers)


def walks(s: TrajectorySettings) -> Iterator[tuple[int, str, Path, Outcome]]:
    """Every path that the page shows: index of its start, method, path and outcome."""
    for index, start, by in rules(s):
        yield index, by.variant, *_walk(start, by)


def walk_all(wanted: Iterable[tuple[Start, Rules]]) -> dict[tuple[Start, Rules], Walked]:
    """Many paths: where enough starts share their rules, they are walked at once."""
    starts: dict[Rules, set[Start]] = defaultdict(set)
    for start, by in wanted:
        starts[by].add(start)
    found: dict[tuple[Start, Rules], Walked] = {}
    for by, together in starts.items():
        if len(together) <= FEW:
            found |= {(start, by): _walk(start, by) for start in together}
            continue
        listed = sorted(together)
        for i in range(0, len(listed), CROWD):
            crowd = listed[i : i + CROWD]
            paths = _descend(np.array(crowd), by)
            # Each path in one piece: what reads it is then twice as fast.
            apart = [np.ascontiguousarray(x.swapaxes(0, 1)) for x in (paths.points, paths.perturbed, paths.loss)]
            for start, *parts in zip(crowd, *apart, strict=True):
                path = Path(*parts)
                found[start, by] = path, outcome(path, by.c)
    return found


@lru_cache(maxsize=96)
def _walk(start: Start, by: Rules) -> Walked:
    """One path and its outcome, kept for a while: most requests change one path of many."""
    path = _descend(np.array(start), by)
    return path, outcome(path, by.c)


def _descend(start: np.ndarray, by: Rules) -> Path:
    variant = None if by.variant == PLAIN else by.variant
    return descend(start, variant, rho=by.rho, eta=by.eta, lr=by.lr, steps=by.steps, lr_decay=by.decay, target=by.c)


Job = TypeVar("Job")
Answer = TypeVar("Answer")


class Together(Generic[Job, Answer]):
    """Jobs that come in while others are worked on are worked on in one go, in a thread of their own.

    One after the other, 200 people who drag would wait for each other: an array of 200 starts takes about as long as
    50 of them one by one.
    """

    def __init__(self, work: Callable[[list[Job]], list[Answer]]) -> None:
        """`work` answers a list of jobs, in their order."""
        self._work = work
        self._waiting: list[tuple[Job, asyncio.Future]] = []
        self._running: asyncio.Task | None = None

    async def ask(self, job: Job) -> Answer:
        """The answer to one job; raises what `work` raised."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, []
                try:
                    answers = await asyncio.to_thread(self._work, [job for job, _ in taken])
                    for (_, future), answer in zip(taken, answers, strict=True):
                        if not future.done():  # who asked may have gone
                            future.set_result(answer)
                except Exception as error:
                    for _, future in taken:
                        if not future.done():
                            future.set_exception(error)
        finally:
            self._running = None
