"""Signals that came with an import wait for their turn to be met."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"


def upgrade() -> None:
    """The database knows signals that were not met yet; of those of before, nobody knows which came with an import."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "unmet_signals",
        sa.Column("seq", number, primary_key=True),
        sa.Column(
            "signal_id", sa.String(), sa.ForeignKey("signals.id", ondelete="CASCADE"), nullable=False, unique=True
        ),
        sa.Column("organisation", sa.String(), nullable=False),
    )
    op.create_index("ix_unmet_signals_organisation", "unmet_signals", ["organisation", "seq"])
