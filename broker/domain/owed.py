"""Tasks that follow from acts, as those who owe them find and end them: whose each is, and under which id."""

import hashlib
from dataclasses import dataclass
from datetime import date

from broker.domain.changes import Task
from broker.domain.requests import APPROVER, PRIVACYFUNCTIONARIS, WORKER

FG = "fg"
OWING_ROLES = frozenset({WORKER, APPROVER, PRIVACYFUNCTIONARIS, FG})
"""Who has tasks of this kind at all."""
_TO_FG = "fg-"
_TO_REVIEW = "review-"
_FG_TOO = frozenset({"disclosed-unwatched"})
"""What the FG is told under another name."""
_DAY_DIGITS = 8
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedTask:
    """A task as it stands: `number` is its row and is told to nobody, for it counts the tasks of everybody."""

    number: int
    id: str
    task: Task
    created_at: int
    done: bool = False


def of_role(kind: str, role: str) -> bool:
    """Return whether a task of this kind is for who asks in this role, before what it is about is looked at."""
    if kind.startswith(_TO_FG) or kind in _FG_TOO:
        return role == FG
    if kind.startswith(_TO_REVIEW):
        return role in {PRIVACYFUNCTIONARIS, APPROVER}
    return role in {WORKER, APPROVER}


def owed_id(task: Task, *, created_at: int, nth: int) -> str:
    """Return the id of a task: the day it is due, and what tells it from its organisation's others of that day.

    It says nothing of other organisations' tasks, and nothing of other signals' ones. In the order of their ids the
    first that is due comes first.

    Args:
        task: as it was written.
        created_at: unix seconds.
        nth: which of those that are alike in all of this, the first is 0.
    """
    parts = ("owed-task", task.organisation, task.kind, task.signal_id or "", str(created_at), str(nth))
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"{task.due_on.toordinal():0{_DAY_DIGITS}x}{digest}"[:_ID_DIGITS]


def day_in(task_id: str) -> date | None:
    """Return the day on which the task with this id is due; None for an id that no task can have."""
    try:
        ordinal = int(task_id[:_DAY_DIGITS], 16)
    except ValueError:
        return None
    return date.fromordinal(ordinal) if date.min.toordinal() <= ordinal <= date.max.toordinal() else None


def listed_on_a_day(rows: list[tuple[int, Task, int, bool]]) -> tuple[OwedTask, ...]:
    """Return the tasks that are due on one day, done or not, in the order of their ids.

    Args:
        rows: number, task, when it was made, whether it is done; all of one organisation and day, by their numbers.
    """
    alike: dict[tuple[Task, int], int] = {}
    found = []
    for number, task, created_at, done in rows:
        nth = alike.get((task, created_at), 0)
        alike[task, created_at] = nth + 1
        task_id = owed_id(task, created_at=created_at, nth=nth)
        found.append(OwedTask(number=number, id=task_id, task=task, created_at=created_at, done=done))
    return tuple(sorted(found, key=lambda one: one.id))
