"""The oproep and the teams that are asked to call; phone calls with what makes their belcode; webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """The database knows oproepen, phone calls and webhooks, none yet."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _calls(number)
    _phone_calls(number)
    _webhooks(number)


def _calls(number: sa.types.TypeEngine[int]) -> None:
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


def _phone_calls(number: sa.types.TypeEngine[int]) -> None:
    names = (
        "caller", "caller_team", "worker", "controller", "receiver", "receiver_team", "purpose", "grounds",
        "categories",
    )  # fmt: skip
    op.create_table(
        "phone_calls",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in names),
        sa.Column("level", number, nullable=False),
        sa.Column("made_at", number, nullable=False),
        sa.Column("code_key", sa.LargeBinary(), nullable=False),
        sa.Column("tries", number, nullable=False),
        sa.Column("verified_at", number, nullable=True),
        sa.Column("verified_by", sa.String(), nullable=True),
        sa.Column("answered_at", number, nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
    )
    op.create_index("ix_phone_calls_caller", "phone_calls", ["caller", "made_at"])
    op.create_index("ix_phone_calls_receiver", "phone_calls", ["receiver", "made_at"])


def _webhooks(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "webhooks",
        sa.Column("organisation", sa.String(), primary_key=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("since", number, nullable=False),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("organisation", "url")),
        *(sa.Column(name, number, nullable=False) for name in ("made_at", "tries")),
        sa.Column("next_at", number, nullable=True),
    )
    for column in ("organisation", "next_at"):
        op.create_index(f"ix_webhook_deliveries_{column}", "webhook_deliveries", [column])
