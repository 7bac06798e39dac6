"""A phone call keeps whether it asks or tells, what it cites and what it rests on; an answer its exception."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Calls of before asked, and cited nothing that is taken back."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for column, default in (("kind", "request"), ("rests_on", "[]"), ("role", "worker")):
        op.add_column("phone_calls", sa.Column(column, sa.String(), nullable=False, server_default=default))
    op.add_column("phone_calls", sa.Column("approved", number, nullable=False, server_default="0"))
    for column in ("signal_id", "match_id", "consent_id", "exception_id", "answer_consent_id", "answer_exception_id"):
        op.add_column("phone_calls", sa.Column(column, sa.String(), nullable=True))
    for column in ("consent_id", "answer_consent_id"):
        op.create_index(f"ix_phone_calls_{column}", "phone_calls", [column])
    op.add_column("request_answers", sa.Column("exception_id", sa.String(), nullable=True))
