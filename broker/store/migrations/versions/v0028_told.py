"""Who is called has read what a call is about; who a letter or an answer was handed out to, who alone lets go of it."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Of what was told before nobody knows to whom: as before, it is his whose team it is."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("phone_calls", sa.Column("told_at", number, nullable=True))
    for table in ("information_requests", "request_answers"):
        op.add_column(table, sa.Column("fetched_by", sa.String(), nullable=True))
        op.create_index(f"ix_{table}_exception_id", table, ["exception_id"])
    for column in ("exception_id", "answer_exception_id"):
        op.create_index(f"ix_phone_calls_{column}", "phone_calls", [column])
