"""A bundle that was in force is known with how it came into force, so that an old release is not taken again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"


def upgrade() -> None:
    """Each bundle has its mark, and a signed one its statement and the day on which that was registered."""
    op.add_column("bundles", sa.Column("mark", sa.String(), nullable=False, server_default="unsigned"))
    op.add_column("bundles", sa.Column("statement", sa.String(), nullable=True))
    op.add_column("bundles", sa.Column("registered_on", sa.String(), nullable=True))
