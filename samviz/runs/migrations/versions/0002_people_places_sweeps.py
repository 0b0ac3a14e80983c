"""Who asked, where it runs, since when it is in its state; notes, sweeps, and a name for the store."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    about = op.create_table(
        "about",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.bulk_insert(about, [{"key": "store", "value": secrets.token_hex(4)}])
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("cancelled", sa.Float),
        sqlite_autoincrement=True,
    )

    for name in ("person", "note"):
        op.add_column("comparisons", _text(name))
    # In SQL, since SQLite can add a reference with its column only, and Alembic leaves out what a deletion does then.
    op.execute("ALTER TABLE comparisons ADD COLUMN sweep INTEGER REFERENCES sweeps (id) ON DELETE CASCADE")
    op.add_column("comparisons", sa.Column("point", sa.JSON))
    op.create_index("comparisons_of_sweep", "comparisons", ["sweep"])

    for name in ("person", "executor", "host", "device", "wanted"):
        op.add_column("jobs", _text(name))
    op.add_column("jobs", sa.Column("changed", sa.Float, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("entered", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("handle", sa.String))
    op.add_column("jobs", sa.Column("claimed", sa.Float))
    op.execute("UPDATE jobs SET changed = coalesce(finished, started, created), claimed = started")
    op.execute("UPDATE jobs SET wanted = 'cancelled' WHERE cancel_requested IS NOT NULL")
    op.execute("UPDATE jobs SET executor = 'local', entered = attempt WHERE attempt > 0")
    op.drop_column("jobs", "pid")
    op.drop_column("jobs", "pid_created")
    op.create_index("jobs_by_person", "jobs", ["person"])


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String, nullable=False, server_default="")
