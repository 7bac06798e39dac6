"""Notices that are set aside while many wait, and in which entry a casusregisseur was named."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """None is set aside yet, and whoever was named before was so before all later ones."""
    op.add_column("notices", sa.Column("set_aside_at", NUMBER, nullable=True))
    op.add_column("matches", sa.Column("casusregisseur_entry", NUMBER, nullable=True))
