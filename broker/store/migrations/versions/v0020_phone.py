"""A phone call keeps its proof, wrong belcodes count where they are said, a ring ends with what it rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Calls of before state no proof, and what was tried on them counts no more."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("call_rings", sa.Column("valid_until", sa.String(), nullable=True))
    for column in ("proof", "statement"):
        op.add_column("phone_calls", sa.Column(column, sa.String(), nullable=True))
    op.create_table(
        "belcode_tries",
        sa.Column("seq", number, primary_key=True),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("at", number, nullable=False),
    )
    op.create_index("ix_belcode_tries_organisation", "belcode_tries", ["organisation", "at"])
