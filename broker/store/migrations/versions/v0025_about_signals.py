"""A letter or a call on a match keeps the signals of both sides: who is kept from one stays so without the match."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Of those of before nothing is known once their match is gone."""
    for table in ("information_requests", "phone_calls"):
        op.add_column(table, sa.Column("about_signals", sa.String(), nullable=False, server_default="[]"))
