"""An oproep keeps what it was sent on, and a ring how it came about: both are decided on anew while it waits."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Oproepen of before are judged by what was kept of them; they are over within five working days."""
    op.add_column("calls", sa.Column("asked_on", sa.String(), nullable=True))
    op.add_column("call_rings", sa.Column("found_as", sa.String(), nullable=True))
