"""Chunks of attachments, and which of them a letter or an answer names."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """The database knows chunks, none yet; what was sent before has none."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "letter_chunks",
        sa.Column("organisation", sa.String(), primary_key=True),
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("named", number, nullable=False),
        sa.Column("keep_until", sa.String(), nullable=False),
        sa.Column("chunk", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_letter_chunks_keep_until", "letter_chunks", ["keep_until"])
    for table in ("information_requests", "request_answers"):
        op.add_column(table, sa.Column("chunks", sa.String(), nullable=False, server_default="[]"))
