"""Tasks that follow from acts in the database: read a day at a time, for their ids are told apart within a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from audit.database import Connection
from broker.domain.changes import FinishOwed, Task
from broker.domain.errors import StaleDecisionError
from broker.domain.owed import OwedTask, day_in, listed_on_a_day
from broker.store.connection import Reader

_DAYS = """SELECT DISTINCT due_on FROM tasks WHERE organisation = ? AND done_at IS NULL AND due_on >= ?
    ORDER BY due_on LIMIT ?"""
_OF_DAY = """SELECT id, kind, signal_id, created_at, done_at FROM tasks WHERE organisation = ? AND due_on = ?
    ORDER BY id"""


class StoredOwed:
    """`OwedReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def one(self, *, organisation: str, task_id: str) -> OwedTask | None:
        """Return an open task. See `OwedReader.one`."""
        day = day_in(task_id)
        if day is None:
            return None
        found = await self._reader.run(lambda connection: _of_day(connection, organisation, day))
        return next((one for one in found if one.id == task_id and not one.done), None)

    async def open_after(self, *, organisation: str, after: str, at_most: int) -> tuple[OwedTask, ...]:
        """Return open tasks. See `OwedReader.open_after`."""
        # A text that no id begins with stands before all of them or after all of them, as it compares.
        since = day_in(after) or date.min
        return await self._reader.run(lambda connection: _open(connection, organisation, since, after, at_most))


def _open(
    connection: Connection, organisation: str, since: date, after: str, at_most: int
) -> tuple[OwedTask, ...]:  # fmt: skip
    # Of the first day all may stand before what is asked; each other day has one at least.
    days = connection.execute(_DAYS, (organisation, since.isoformat(), at_most + 1)).fetchall()
    found: list[OwedTask] = []
    for (due_on,) in days:
        of_day = _of_day(connection, organisation, date.fromisoformat(due_on))
        found += [one for one in of_day if not one.done and one.id > after]
        if len(found) >= at_most:
            break
    return tuple(found[:at_most])


def _of_day(connection: Connection, organisation: str, day: date) -> tuple[OwedTask, ...]:
    rows = connection.execute(_OF_DAY, (organisation, day.isoformat())).fetchall()
    return listed_on_a_day([_row(row, organisation, day) for row in rows])


def _row(row: Sequence[Any], organisation: str, day: date) -> tuple[int, Task, int, bool]:
    number, kind, signal_id, created_at, done_at = row
    task = Task(kind=kind, organisation=organisation, due_on=day, signal_id=signal_id)
    return number, task, created_at, done_at is not None


def finish_owed(connection: Connection, change: FinishOwed, *, now: int) -> None:
    """In the open transaction a task is done. Raises StaleDecisionError: it was done already, or is gone."""
    query = "UPDATE tasks SET done_at = ? WHERE id = ? AND done_at IS NULL"
    if connection.execute(query, (now, change.number)).rowcount != 1:
        raise StaleDecisionError
