"""A letter names the match of its sender that it rests on, and the team that he addressed; an answer its controller."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Letters of before name no match, and are with the team that they say they are with."""
    for column in ("match_id", "asked_team"):
        op.add_column("information_requests", sa.Column(column, sa.String(), nullable=True))
    op.add_column("request_answers", sa.Column("controller", sa.String(), nullable=True))
