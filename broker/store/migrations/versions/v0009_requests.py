"""Information requests, their answers, and what is told unasked."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """The database has the tables of asking and answering, empty."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    def texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
        return [sa.Column(name, sa.String(), nullable=nullable) for name in names]

    def numbers(*names: str) -> list[sa.Column[int]]:
        return [sa.Column(name, number, nullable=False) for name in names]

    op.create_table(
        "information_requests",
        sa.Column("id", sa.String(), primary_key=True),
        *texts("kind", "sender", "sender_team", "sender_worker", "sender_role", "controller", "receiver"),
        *texts("receiver_team", "purpose", "grounds", "categories", "bundle", "expires_on", "rests_on", "state"),
        *texts("delivery"),
        *texts("receiver_worker", "proof", "signal_id", nullable=True),
        *numbers("personal", "level", "approved", "sent_at"),
        sa.Column("box", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_information_requests_sender", "information_requests", ["sender"])
    op.create_index("ix_information_requests_receiver", "information_requests", ["receiver"])
    op.create_table(
        "request_answers",
        sa.Column("request_id", sa.String(), primary_key=True),
        *texts("id", "worker", "kind", "categories", "grounds", "bundle", "expires_on", "rests_on", "delivery"),
        *texts("reason", "proof", "signal_id", nullable=True),
        *numbers("level", "approved", "answered_at"),
        sa.Column("box", sa.LargeBinary(), nullable=True),
    )
