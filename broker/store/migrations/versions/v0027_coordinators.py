"""The matchcoordinator of the other side's municipality beside the one, and which names a casusregisseur replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Matches of before keep the one coordinator that they had, and a name of before replaced all earlier ones."""
    op.add_column("matches", sa.Column("coordinator_beside", sa.String(), nullable=True))
    op.add_column("matches", sa.Column("coordinator_beside_team", sa.String(), nullable=True))
    op.create_index("ix_matches_coordinator_beside", "matches", ["coordinator_beside"])
    op.add_column("matches", sa.Column("casusregisseur_over", sa.String(), nullable=True))
