"""A task that follows from an act of its own organisation knows which one, and who did it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Of the tasks of before nobody knows: they are ended as before, by whoever sees them."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("tasks", sa.Column("entry", number, nullable=True))
    op.add_column("tasks", sa.Column("actor", sa.String(), nullable=True))
    where = sa.text("done_at IS NULL")
    op.create_index("ix_tasks_entry", "tasks", ["entry", "organisation"], sqlite_where=where, postgresql_where=where)
