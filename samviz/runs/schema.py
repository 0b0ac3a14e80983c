"""The tables of the store, the same in SQLite and in PostgreSQL. `migrations/` makes them, step by step."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

REVISION = "0003"
"""The migration that these tables come from: the newest one in `migrations/versions`."""

metadata = MetaData()

about = Table(
    "about",
    metadata,
    Column("key", String, primary_key=True),  # store: a random text that tells this store from all others
    Column("value", String, nullable=False),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("created", Float, nullable=False),
    Column("origin", String, nullable=False),
    Column("person", String, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("cancelled", Float),
    sqlite_autoincrement=True,
)

comparisons = Table(
    "comparisons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("created", Float, nullable=False),
    Column("origin", String, nullable=False),  # app, terminal, or import
    Column("spec", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("person", String, nullable=False),  # who asked for it: "" at the machine itself
    Column("note", String, nullable=False),
    Column("sweep", ForeignKey("sweeps.id", ondelete="CASCADE")),
    Column("point", JSON),  # where in the sweep it lies
    Index("comparisons_of_sweep", "sweep"),
    sqlite_autoincrement=True,  # an id is never given twice, so an address never shows another comparison later
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("comparison", ForeignKey("comparisons.id", ondelete="CASCADE")),
    Column("kind", String, nullable=False),  # train, measure, calibrate, download or sweep
    Column("seed", Integer),  # of a train job
    Column("spec", JSON, nullable=False),  # what to do, as JSON
    Column("data_folder", String),  # SAMVIZ_DATA of the process that asked
    Column("person", String, nullable=False),  # who asked: people take turns
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("changed", Float, nullable=False),  # since when it is in this state
    Column("attempt", Integer, nullable=False),  # times claimed: the fencing token of every write
    Column("entered", Integer, nullable=False),  # the last attempt that a worker has begun to work on
    Column("resumed", Integer, nullable=False),  # the last attempt that took up the run and dropped rows
    Column("losses", Integer, nullable=False),  # workers lost since the last checkpoint
    Column("lease_until", Float),  # seconds since 1970: later than that, a running job has lost its worker
    Column("heartbeat", Float),
    Column("executor", String, nullable=False),  # who started the worker: local or ray; "" before the first claim
    Column("host", String, nullable=False),  # the machine that looks after it
    Column("device", String, nullable=False),  # what it was given there: cpu, cuda:0, or a cluster's ray
    Column("handle", String),  # from which its executor finds the worker again
    Column("cancel_requested", Float),  # when it was asked to stop
    Column("wanted", String, nullable=False),  # as what it shall end then: cancelled or paused
    Column("progress", Float, nullable=False),
    Column("machine", JSON, nullable=False),
    Column("data_label", String),
    Column("result", JSON),
    Column("error", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("claimed", Float),  # when it was last given to a worker
    Column("finished", Float),
    Index("jobs_of_comparison", "comparison"),
    Index("jobs_by_state", "state"),
    Index("jobs_by_person", "person"),
    sqlite_autoincrement=True,
)

ROW = BigInteger().with_variant(Integer, "sqlite")

metrics = Table(
    "metrics",
    metadata,
    Column("row", ROW, primary_key=True),  # grows: what a reader has not seen lies beyond what it has
    Column("run", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("arm", String, nullable=False),
    Column("step", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("value", Float),  # SQLite keeps a NaN as NULL
    UniqueConstraint("run", "arm", "step", "name"),
    sqlite_autoincrement=True,
)

histograms = Table(
    "histograms",
    metadata,
    Column("row", ROW, primary_key=True),  # grows: what a reader has not seen lies beyond what it has
    Column("run", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("arm", String, nullable=False),
    Column("step", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("counts", JSON, nullable=False),
    UniqueConstraint("run", "arm", "step", "name"),
    sqlite_autoincrement=True,
)

measurements = Table(
    "measurements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("comparison", ForeignKey("comparisons.id", ondelete="CASCADE"), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("weights", String, nullable=False),  # SHA-256 of the checkpoint: the same bytes need not be measured twice
    Column("spec", JSON, nullable=False),
    Column("job", Integer, nullable=False),  # that measures it, or has
    Column("created", Float, nullable=False),
    Column("result", JSON),
    Index("measurements_of_comparison", "comparison"),
    sqlite_autoincrement=True,
)
