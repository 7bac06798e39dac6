"""A letter names the match of its sender that it rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Letters of before name no match."""
    op.add_column("information_requests", sa.Column("match_id", sa.String(), nullable=True))
