"""A phone call keeps the proof it was announced on; wrong belcodes are counted where they are said."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Calls of before state no proof, and what was tried on them counts no more."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("phone_calls", sa.Column("proof", sa.String(), nullable=True))
    op.create_table(
        "belcode_tries",
        sa.Column("seq", number, primary_key=True),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("at", number, nullable=False),
    )
    op.create_index("ix_belcode_tries_organisation", "belcode_tries", ["organisation", "at"])
