"""Sweeps in the store: their comparisons, what they have come to, and the step that finds what to run next.

A step is a job of its own, queued in the transaction that ends a run (`jobs.end`): whoever is killed, it is not
forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.engine import Connection

from samviz.runs import jobs, reading
from samviz.runs.engine import now
from samviz.runs.reading import UnknownError
from samviz.runs.schema import comparisons, sweeps
from samviz.runs.schema import jobs as jobs_table
from samviz.runs.search import Outcome, outcome, propose
from samviz.runs.views import UNFINISHED, SweepSummary, SweepView
from samviz.spec import Point, Sweep

PRUNED = "Every arm diverged with another seed: this one is not run."
COLUMNS = ["comparison", "seed", "arm", "name", "epoch", "value"]
# Of each measure the last epoch's row, and the highest one.
_ROWS = text("""
SELECT comparison, seed, arm, name, epoch, value FROM (
  SELECT jobs.comparison, jobs.seed, m.arm, m.name, m.epoch, m.value,
         max(m.epoch) OVER w AS last, max(m.value) OVER w AS top
  FROM metrics m JOIN jobs ON jobs.id = m.run JOIN comparisons ON comparisons.id = jobs.comparison
  WHERE comparisons.sweep = :sweep AND m.name IN
    ('test_accuracy', 'test_loss', 'train_accuracy', 'validation_accuracy', 'diverged', 'failed')
  WINDOW w AS (PARTITION BY m.run, m.arm, m.name)
) AS picked WHERE epoch = last OR value = top ORDER BY comparison, seed, arm, name, epoch
""")


def add(connection: Connection, sweep: Sweep, origin: str, person: str) -> int:
    """Store a sweep without any comparison; its number."""
    row = {"created": now(connection), "origin": origin, "person": person, "spec": sweep.to_dict()}
    return connection.execute(insert(sweeps).values(**row)).inserted_primary_key[0]


def row(connection: Connection, id: str) -> Any:
    """The row of a sweep; KeyError where there is none."""
    plain = id.isascii() and id.isdecimal() and len(id) < 16
    found = connection.execute(select(sweeps).where(sweeps.c.id == int(id))).one_or_none() if plain else None
    if found is None:
        raise UnknownError(f"There is no sweep {id!r}.")
    return found


def view(connection: Connection, id: str, home: Any) -> SweepView:
    """A sweep and the headers of its comparisons."""
    found = row(connection, id)
    members = tuple(
        (Point.from_dict(member.point), str(member.id), reading.header(connection, member.id, home))
        for member in _members(connection, found.id)
    )
    state, reason = _state(connection, found, [header.state for _, _, header in members])
    sweep = Sweep.from_dict(found.spec)
    return SweepView(
        id=id, sweep=sweep, created=found.created, state=state, reason=reason, person=found.person, members=members
    )


def summaries(connection: Connection) -> list[SweepSummary]:
    """All sweeps, the newest first."""
    states: dict[int, dict[int, list[str]]] = {}
    moment = now(connection)
    question = (
        select(comparisons.c.sweep, comparisons.c.id, jobs_table.c.state, jobs_table.c.lease_until)
        .join(jobs_table, jobs_table.c.comparison == comparisons.c.id)
        .where(comparisons.c.sweep.is_not(None))
    )
    for run in connection.execute(question):
        states.setdefault(run.sweep, {}).setdefault(run.id, []).append(reading.state(run, moment))
    found = []
    for one in connection.execute(select(sweeps).order_by(sweeps.c.id.desc())).all():
        runs = states.get(one.id, {})
        state, _ = _state(connection, one, [reading.overall(of_one) for of_one in runs.values()])
        sweep = Sweep.from_dict(one.spec)
        ended = sum(state not in UNFINISHED for of_one in runs.values() for state in of_one)
        found.append(
            SweepSummary(
                id=str(one.id),
                name=sweep.name,
                created=one.created,
                state=state,
                progress=min(1.0, ended / sweep.runs),
                sweep=sweep,
            )
        )
    return found


def rows(connection: Connection, number: int) -> list[tuple]:
    """What its arms have come to, `COLUMNS`: of each measure the last epoch's and the highest value."""
    return [(str(found[0]), *found[1:]) for found in connection.execute(_ROWS, {"sweep": number})]


def step(connection: Connection, number: int, most: int) -> list[Point]:
    """End what need not run, and say which points to run next, so that at most `most` are under way."""
    found = row(connection, str(number))
    sweep = Sweep.from_dict(found.spec)
    outcomes = _outcomes(connection, number, sweep)
    for id, known in outcomes.items():
        if known.state == "pruned":
            jobs.stop(connection, jobs_table.c.comparison == id, "cancelled", PRUNED)
            jobs.touch(connection, id)
    if found.cancelled is not None:
        return []
    going = sum(known.state == "running" for known in outcomes.values())
    return propose(sweep, list(outcomes.values()), max(0, most - going))


def cancel(connection: Connection, id: str) -> None:
    """Run nothing more of a sweep; nothing where it has ended."""
    found = row(connection, id)
    if _ended(connection, found):
        return
    connection.execute(update(sweeps).where(sweeps.c.id == found.id).values(cancelled=now(connection)))
    for number in connection.scalars(select(comparisons.c.id).where(comparisons.c.sweep == found.id)).all():
        jobs.stop(connection, jobs_table.c.comparison == number, "cancelled")
        jobs.touch(connection, number)


def _ended(connection: Connection, found: Any) -> bool:
    moment = now(connection)
    members = [_member_state(connection, member.id, moment) for member in _members(connection, found.id)]
    return _state(connection, found, members)[0] not in (*UNFINISHED, "paused")


def _members(connection: Connection, number: int) -> Sequence[Row]:
    mine = select(comparisons.c.id, comparisons.c.point).where(comparisons.c.sweep == number)
    return connection.execute(mine.order_by(comparisons.c.id)).all()


def _outcomes(connection: Connection, number: int, sweep: Sweep) -> dict[int, Outcome]:
    """Comparison -> what its point has come to, in the order of their proposals."""
    measured: dict[str, list[tuple]] = {}
    for comparison, *rest in rows(connection, number):
        measured.setdefault(comparison, []).append(tuple(rest))
    moment = now(connection)
    found = {}
    for member in _members(connection, number):
        state = _member_state(connection, member.id, moment)
        point = Point.from_dict(member.point)
        found[member.id] = outcome(sweep, point, state, measured.get(str(member.id), []))
    return found


def _member_state(connection: Connection, comparison: int, moment: float) -> str:
    runs = connection.execute(select(jobs_table).where(jobs_table.c.comparison == comparison)).all()
    return reading.overall([reading.state(run, moment) for run in runs])


def _state(connection: Connection, found: Any, members: list[str]) -> tuple[str, str]:
    """The state of a sweep, and a sentence where it has gone wrong. What was pruned counts as finished."""
    steps = connection.execute(select(jobs_table).where(jobs_table.c.kind == "sweep").order_by(jobs_table.c.id)).all()
    mine = [one for one in steps if one.spec == found.id]
    if any(one.state in UNFINISHED for one in mine) or "running" in members:
        return "running", ""
    if "queued" in members:
        return "queued", ""
    if "paused" in members:
        return "paused", ""
    if mine and mine[-1].state == "failed":
        return "failed", mine[-1].reason
    if found.cancelled is not None:
        return "cancelled", ""
    return ("failed", "") if "failed" in members else ("finished", "")
