"""Tasks that follow from acts in the database: written with their entry, and found by the ids that they have since."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from audit.database import Connection
from broker.domain.changes import FinishOwed, Task
from broker.domain.errors import StaleDecisionError
from broker.domain.owed import FG, OwedTask, owed_ids
from broker.domain.requests import APPROVER, PRIVACYFUNCTIONARIS, WORKER
from broker.store.connection import Reader

_INSERT = """INSERT INTO tasks (kind, organisation, signal_id, due_on, created_at, shown_id, made_by)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_OPEN = "SELECT id, kind, signal_id, due_on, created_at, shown_id, made_by FROM tasks WHERE done_at IS NULL"
_ONE = f"{_OPEN} AND organisation = ? AND shown_id = ?"
_TO_FG = "(substr(kind, 1, 3) = 'fg-' OR kind = 'disclosed-unwatched')"
_TO_REVIEW = "substr(kind, 1, 7) = 'review-'"
_OF_ROLE = {
    FG: _TO_FG,
    PRIVACYFUNCTIONARIS: _TO_REVIEW,
    APPROVER: f"NOT {_TO_FG}",
    WORKER: f"NOT {_TO_FG} AND NOT {_TO_REVIEW}",
}
"""What `broker.domain.owed.of_role` says, so that nobody's page costs more for the tasks of others."""
_AFTER = {
    role: f"{_OPEN} AND organisation = ? AND shown_id > ? AND {of_role} ORDER BY shown_id LIMIT ?"
    for role, of_role in _OF_ROLE.items()
}


class StoredOwed:
    """`OwedReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def one(self, *, organisation: str, task_id: str) -> OwedTask | None:
        """Return an open task. See `OwedReader.one`."""
        rows = await self._rows(_ONE, organisation, task_id)
        return _task(rows[0], organisation) if rows else None

    async def open_after(self, *, organisation: str, role: str, after: str, at_most: int) -> tuple[OwedTask, ...]:
        """Return open tasks. See `OwedReader.open_after`."""
        rows = await self._rows(_AFTER[role], organisation, after, at_most)
        return tuple(_task(row, organisation) for row in rows)

    async def _rows(self, query: str, *values: object) -> list[Any]:
        return await self._reader.run(lambda connection: connection.execute(query, values).fetchall())


def _task(row: Sequence[Any], organisation: str) -> OwedTask:
    number, kind, signal_id, due_on, created_at, shown_id, made_by = row
    task = Task(
        kind=kind,
        organisation=organisation,
        due_on=date.fromisoformat(due_on),
        signal_id=signal_id,
        makers=frozenset(json.loads(made_by or "[]")),
    )
    return OwedTask(number=number, id=shown_id, task=task, created_at=created_at)


def insert_tasks(connection: Connection, tasks: Sequence[Task], *, now: int, index: int) -> None:
    """The open transaction holds the tasks of the entry at this index."""
    for task, shown_id in zip(tasks, owed_ids(tasks, entry=index), strict=True):
        made_by = json.dumps(sorted(task.makers)) if task.makers else None
        values = (task.kind, task.organisation, task.signal_id, task.due_on.isoformat(), now, shown_id, made_by)
        connection.execute(_INSERT, values)


def finish_owed(connection: Connection, change: FinishOwed, *, now: int) -> None:
    """In the open transaction a task is done. Raises StaleDecisionError: it was done already, or is gone."""
    query = "UPDATE tasks SET done_at = ? WHERE id = ? AND done_at IS NULL"
    if connection.execute(query, (now, change.number)).rowcount != 1:
        raise StaleDecisionError
