"""A task keeps whose act it follows from, and the id it is known by; those that are open are found by organisation."""

import datetime
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_RANDOM_BYTES = 12


def upgrade() -> None:
    """Of the tasks of before nobody knows whose they are; each has an id of its own from now on."""
    op.add_column("tasks", sa.Column("shown_id", sa.String(), nullable=True))
    op.add_column("tasks", sa.Column("made_by", sa.String(), nullable=True))
    _name_those_of_before()
    op.drop_index("ix_tasks_organisation", "tasks")
    for name, columns, unique, condition in (
        ("ix_tasks_open", ["organisation", "shown_id"], True, "done_at IS NULL"),
        ("ix_tasks_done_at", ["done_at"], False, "done_at IS NOT NULL"),
        ("ix_tasks_signal_id", ["signal_id"], False, "signal_id IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "tasks", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _name_those_of_before() -> None:
    # By chance, for what is made of the row's number would count the tasks of everybody.
    bind = op.get_bind()
    for number, due_on in bind.execute(sa.text("SELECT id, due_on FROM tasks")).fetchall():
        day = datetime.date.fromisoformat(due_on).toordinal()
        named = {"number": number, "shown": f"{day:08x}{secrets.token_hex(_RANDOM_BYTES)}"}
        bind.execute(sa.text("UPDATE tasks SET shown_id = :shown WHERE id = :number"), named)
