"""Comparisons, jobs, metrics and histograms, as the first version had them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("comparison", sa.Integer, sa.ForeignKey("comparisons.id", ondelete="CASCADE")),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("seed", sa.Integer),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("data_folder", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("resumed", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Float),
        sa.Column("heartbeat", sa.Float),
        sa.Column("pid", sa.Integer),
        sa.Column("pid_created", sa.Float),
        sa.Column("cancel_requested", sa.Float),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("machine", sa.JSON, nullable=False),
        sa.Column("data_label", sa.String),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.String, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("started", sa.Float),
        sa.Column("finished", sa.Float),
        sa.Index("jobs_of_comparison", "comparison"),
        sa.Index("jobs_by_state", "state"),
        sqlite_autoincrement=True,
    )
    own = {
        "metrics": [sa.Column("value", sa.Float)],
        "histograms": [
            sa.Column("low", sa.Float, nullable=False),
            sa.Column("high", sa.Float, nullable=False),
            sa.Column("counts", sa.JSON, nullable=False),
        ],
    }
    for table, columns in own.items():
        op.create_table(
            table,
            sa.Column("row", ROW, primary_key=True),
            sa.Column("run", sa.Integer, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
            sa.Column("arm", sa.String, nullable=False),
            sa.Column("step", sa.Integer, nullable=False),
            sa.Column("name", sa.String, nullable=False),
            sa.Column("epoch", sa.Integer, nullable=False),
            *columns,
            sa.UniqueConstraint("run", "arm", "step", "name"),
            sqlite_autoincrement=True,
        )
