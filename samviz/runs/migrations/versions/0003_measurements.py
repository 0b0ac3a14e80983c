"""What was measured of checkpoints: sharpness, rescalings, slices."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "measurements",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("comparison", sa.Integer, sa.ForeignKey("comparisons.id", ondelete="CASCADE"), nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("weights", sa.String, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("job", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("result", sa.JSON),
        sqlite_autoincrement=True,
    )
    op.create_index("measurements_of_comparison", "measurements", ["comparison"])
