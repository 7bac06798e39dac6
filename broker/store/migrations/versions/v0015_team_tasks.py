"""Tasks of teams: what runs, for whom, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """The database knows tasks of teams, none yet: terms of what happened before do not run here."""
    op.create_table(
        "team_tasks",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("started_on", sa.String(), nullable=False),
        sa.Column("due_on", sa.String(), nullable=False),
        sa.Column("statutory_on", sa.String(), nullable=True),
        sa.Column("regional_on", sa.String(), nullable=True),
        sa.Column("done_on", sa.String(), nullable=True),
        sa.Column("told_on", sa.String(), nullable=True),
    )
    op.create_index("ix_team_tasks_organisation", "team_tasks", ["organisation", "id"])
    op.create_index("ix_team_tasks_about", "team_tasks", ["about"])
    op.create_index("ix_team_tasks_due_on", "team_tasks", ["due_on"])
