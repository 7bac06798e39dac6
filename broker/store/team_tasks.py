"""Tasks of teams in the database: written with their cause, kept when they are done."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from audit.database import Connection
from broker.call_ports import order_key
from broker.domain.errors import StaleDecisionError
from broker.domain.team_tasks import ON_A_MATCH, FinishTask, MarkLate, MoveTask, StartTask, TaskKind, TeamTask
from broker.ports import StampKey
from broker.store.connection import Reader
from broker.store.signal_rows import day, iso

_COLUMNS = "id, organisation, team, kind, about, started_on, due_on, statutory_on, regional_on, done_on, told_on"


class StoredTasks:
    """`TaskReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def one(self, task_id: str) -> TeamTask | None:
        """Return this task. See `TaskReader.one`."""
        return next(iter(await self._read("id = ?", task_id)), None)

    async def of_organisation(self, *, organisation: str, after: str, at_most: int) -> tuple[TeamTask, ...]:
        """Return tasks of an organisation. See `TaskReader.of_organisation`."""
        return await self._read("organisation = ? AND id > ? ORDER BY id LIMIT ?", organisation, after, at_most)

    async def of_reference(self, *, organisation: str, reference: str) -> tuple[TeamTask, ...]:
        """Return tasks about a report or order. See `TaskReader.of_reference`."""
        return await self._read("organisation = ? AND about = ? ORDER BY due_on, id", organisation, reference)

    async def on_match(self, match_id: str) -> tuple[TeamTask, ...]:
        """Return the tasks about a match. See `TaskReader.on_match`."""
        kinds = sorted(kind.value for kind in ON_A_MATCH)
        condition = f"about = ? AND done_on IS NULL AND kind IN ({', '.join('?' * len(kinds))}) ORDER BY id"
        return await self._read(condition, match_id, *kinds)

    async def late(self, *, day: date, after: tuple[str, str], at_most: int) -> tuple[TeamTask, ...]:
        """Return tasks past their last day. See `TaskReader.late`."""
        condition = (
            "done_on IS NULL AND told_on IS NULL AND due_on < ? AND (due_on, id) > (?, ?) ORDER BY due_on, id LIMIT ?"
        )
        return await self._read(condition, day.isoformat(), *after, at_most)

    async def _read(self, condition: str, *values: object) -> tuple[TeamTask, ...]:
        def read(connection: Connection) -> tuple[TeamTask, ...]:
            query = f"SELECT {_COLUMNS} FROM team_tasks WHERE {condition}"  # noqa: S608 - column names of ours
            return tuple(_task(row) for row in connection.execute(query, values).fetchall())

        return await self._reader.run(read)


def unanswered_matches(connection: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Return which of these matches wait for an answer of their casusregisseur, who was told that it is late."""
    among, values = connection.dialect.among("about", ids)
    query = f"SELECT about FROM team_tasks WHERE {among} AND kind = ? AND done_on IS NULL AND told_on IS NOT NULL"  # noqa: S608 - no value in it
    rows = connection.execute(query, (*values, TaskKind.REACTION.value)).fetchall()
    return frozenset(row[0] for row in rows)


def _task(row: Sequence[Any]) -> TeamTask:
    task_id, organisation, team, kind, about, started_on, due_on, *days = row
    statutory_on, regional_on, done_on, told_on = (day(one) for one in days)
    first, last = date.fromisoformat(started_on), date.fromisoformat(due_on)
    return TeamTask(
        id=task_id, organisation=organisation, team=team, kind=TaskKind(kind), about=about, started_on=first,
        due_on=last, statutory_on=statutory_on, regional_on=regional_on, done_on=done_on, told_on=told_on,
    )  # fmt: skip


def start_task(connection: Connection, change: StartTask) -> None:
    """The open transaction holds this task, unless the same term runs; a report's, also when it ran before.

    Raises:
        StaleDecisionError: it runs, and the decision saw that it did not.
    """
    task = change.task
    again = "AND done_on IS NULL" if task.match_id is not None else ""
    query = f"SELECT 1 FROM team_tasks WHERE organisation = ? AND kind = ? AND about = ? {again}"  # noqa: S608 - no value in it
    if connection.execute(query, (task.organisation, task.kind.value, task.about)).fetchone() is not None:
        if change.must_be_new:
            raise StaleDecisionError
        return
    values = (
        task.id, task.organisation, task.team, task.kind.value, task.about, iso(task.started_on), iso(task.due_on),
        iso(task.statutory_on), iso(task.regional_on), iso(task.done_on), iso(task.told_on),
    )  # fmt: skip
    query = f"INSERT INTO team_tasks ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})"  # noqa: S608 - column names of ours
    connection.execute(query, values)


def move_task(connection: Connection, change: MoveTask) -> None:
    """In the open transaction an open task ends later. Raises StaleDecisionError: it is done, or was moved."""
    query = "UPDATE team_tasks SET due_on = ?, told_on = NULL WHERE id = ? AND due_on = ? AND done_on IS NULL"
    _changed(connection, query, iso(change.due_on), change.task_id, iso(change.was))


def finish_task(connection: Connection, change: FinishTask) -> tuple[StampKey, ...]:
    """In the open transaction a task is done; returns the stamp that moves where an order was lifted by that.

    Raises:
        StaleDecisionError: it was done already.
    """
    query = "UPDATE team_tasks SET done_on = ? WHERE id = ? AND done_on IS NULL RETURNING kind, organisation, about"
    found = connection.execute(query, (iso(change.on), change.task_id)).fetchall()
    if not found:
        raise StaleDecisionError
    return tuple(order_key(holder, about) for kind, holder, about in found if kind == TaskKind.ORDER.value)


def mark_late(connection: Connection, change: MarkLate) -> None:
    """In the open transaction a team was told. Raises StaleDecisionError: it was already, or has done it."""
    query = "UPDATE team_tasks SET told_on = ? WHERE id = ? AND told_on IS NULL AND done_on IS NULL"
    _changed(connection, query, iso(change.on), change.task_id)


def _changed(connection: Connection, query: str, *values: object) -> None:
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError


TASK_CHANGES: Mapping[type, Callable[[Connection, Any], None]] = {
    StartTask: start_task,
    MoveTask: move_task,
    MarkLate: mark_late,
}
"""How each change of a task is written, but for the one that says itself which stamp it moves."""
