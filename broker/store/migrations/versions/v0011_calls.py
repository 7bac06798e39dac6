"""The oproep: what was sent, and which teams are asked to call."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """The database knows oproepen, none yet."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "calls",
        sa.Column("id", sa.String(), primary_key=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("organisation", "controller", "team", "worker", "purpose")
        ),
        sa.Column("case_ref", sa.String(), nullable=True),
        sa.Column("sent_at", number, nullable=False),
        sa.Column("asked_until", sa.String(), nullable=False),
    )
    op.create_index("ix_calls_organisation", "calls", ["organisation", "id"])
    op.create_table(
        "call_rings",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("call_id", sa.String(), sa.ForeignKey("calls.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("organisation", "team")),
        sa.Column("signal_id", sa.String(), sa.ForeignKey("signals.id"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", number, nullable=True),
    )
    op.create_index("ix_call_rings_organisation", "call_rings", ["organisation", "id"])
    for column in ("call_id", "signal_id"):
        op.create_index(f"ix_call_rings_{column}", "call_rings", [column])
