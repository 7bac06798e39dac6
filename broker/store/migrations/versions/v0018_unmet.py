"""Signals that came with an import wait for their turn to be met; an oproep says on whose agreement it rings."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"


def upgrade() -> None:
    """The database knows signals that were not met yet; of those of before, nobody knows which came with an import.

    What rings already rests on nothing that could be taken back: it ends within five working days.
    """
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
    op.add_column("call_rings", sa.Column("rests_on", sa.String(), nullable=False, server_default="[]"))
