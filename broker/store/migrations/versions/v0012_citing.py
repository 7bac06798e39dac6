"""A letter names the consent or the exception that it cites, so that it is decided anew when it is handed out."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Letters and answers have a consent, letters also an exception; those of before have neither."""
    op.add_column("information_requests", sa.Column("consent_id", sa.String(), nullable=True))
    op.add_column("information_requests", sa.Column("exception_id", sa.String(), nullable=True))
    op.add_column("request_answers", sa.Column("consent_id", sa.String(), nullable=True))
