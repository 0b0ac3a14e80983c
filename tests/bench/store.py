"""A store of 1000 comparisons with 10 million rows of metrics: how long its list and one comparison take to open.

Opening is what a page asks the store for: the list of all, and all that is known of one that nobody has looked at yet,
with the live page built of it.
"""

import time
from pathlib import Path

from sqlalchemy import insert, select

from samviz.runs import Store
from samviz.runs.engine import writing
from samviz.runs.schema import comparisons, jobs, metrics
from samviz.ui.live import Cache
from tests import stored, synthetic
from tests.bench.table import Row, quantile_row

COMPARISONS, ROWS = 1000, 10_000_000
EPOCHS = 12
SAMPLES = 20


def measure(folder: Path) -> list[Row]:
    """Seconds."""
    count = fill(folder)
    lists, opened, pages = [], [], []
    for k in range(SAMPLES):
        id = str(1 + k * (COMPARISONS // SAMPLES))
        fresh = Store(folder)  # nothing kept from before
        begun = time.perf_counter()
        assert len(fresh.comparisons()) == COMPARISONS + 1
        lists.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        fresh.snapshot(id)
        opened.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        Cache(fresh).page(id)
        pages.append(time.perf_counter() - begun)
        fresh.close()
    size = sum(path.stat().st_size for path in folder.glob("samviz.sqlite3*")) / 1e9
    what = f"{COMPARISONS} comparisons, {count / 1e6:.1f} million rows, {size:.1f} GB"
    return [
        quantile_row(f"{what}: the list", lists, 0.95, 0.5, "s"),
        quantile_row(f"{what}: all numbers of one", opened, 0.95, 1.0, "s"),
        quantile_row(f"{what}: the live page of one", pages, 0.95, 1.0, "s"),
    ]


def fill(folder: Path) -> int:
    """Make a store whose comparisons are copies of one; how many rows of metrics it has."""
    store = Store(folder)
    first = int(stored.put(store, synthetic.comparison(3, EPOCHS, name="Comparison 1")))
    with writing(store.engine) as connection:
        spec = connection.scalar(select(comparisons.c.spec))
        seeds = len(connection.execute(select(jobs.c.id)).all())
        steps = ROWS // COMPARISONS - connection.exec_driver_sql("SELECT count(*) FROM metrics").scalar()
        assert steps > 0
        more = [
            {"run": 1 + k % seeds, "arm": "sgd", "step": k, "name": "batch_loss", "epoch": 1, "value": 1.0}
            for k in range(steps)
        ]
        connection.execute(insert(metrics), more)
    for table, columns in (("metrics", "arm, step, name, epoch, value"), ("histograms", _HISTOGRAM)):
        with writing(store.engine) as connection:
            if table == "metrics":
                for k in range(1, COMPARISONS):
                    _copy(connection, first, k, seeds, spec)
            copies = f"WITH RECURSIVE k(k) AS (VALUES (1) UNION ALL SELECT k + 1 FROM k WHERE k < {COMPARISONS - 1})"
            connection.exec_driver_sql(
                f"INSERT INTO {table} (run, {columns}) {copies} SELECT run + k * {seeds}, {columns} FROM k, {table} "
                f"WHERE run <= {seeds}"
            )
    with store.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM metrics").scalar()


_HISTOGRAM = "arm, step, name, epoch, low, high, counts"


def _copy(connection, first: int, k: int, seeds: int, spec: dict) -> None:
    """The k-th copy of the first comparison and its runs, without their numbers."""
    names = [column.name for column in comparisons.columns if column.name not in ("id", "spec")]
    row = connection.execute(select(*(comparisons.c[name] for name in names)).where(comparisons.c.id == first)).one()
    connection.execute(
        insert(comparisons).values(**row._mapping, id=first + k, spec=spec | {"name": f"Comparison {first + k}"})
    )
    for run in connection.execute(select(jobs).where(jobs.c.comparison == first)).all():
        values = dict(run._mapping) | {"id": run.id + k * seeds, "comparison": first + k}
        connection.execute(insert(jobs).values(**values))
