"""What each change of a task does to tasks that live in memory: the rules of `broker.store.team_tasks`."""

from collections.abc import Mapping
from dataclasses import replace

from broker.domain.errors import StaleDecisionError
from broker.domain.team_tasks import FinishTask, MarkLate, MoveTask, StartTask, TaskChange, TeamTask


def after_change(tasks: Mapping[str, TeamTask], change: TaskChange) -> dict[str, TeamTask]:
    """Return the tasks after this change. Raises StaleDecisionError."""
    if isinstance(change, StartTask):
        return _started(tasks, change)
    task = tasks[change.task_id]
    if task.done_on is not None:
        raise StaleDecisionError
    return {**tasks, task.id: _changed(task, change)}


def _started(tasks: Mapping[str, TeamTask], change: StartTask) -> dict[str, TeamTask]:
    new = change.task
    same = [one for one in tasks.values() if _of(one) == _of(new)]
    if [one for one in same if one.done_on is None or new.match_id is None]:
        if change.must_be_new:
            raise StaleDecisionError
        return dict(tasks)
    return {**tasks, new.id: new}


def _of(task: TeamTask) -> tuple[str, str, str]:
    return task.organisation, task.kind.value, task.about


def _changed(task: TeamTask, change: MoveTask | FinishTask | MarkLate) -> TeamTask:
    if isinstance(change, FinishTask):
        return replace(task, done_on=change.on)
    if isinstance(change, MarkLate):
        if task.told_on is not None:
            raise StaleDecisionError
        return replace(task, told_on=change.on)
    if task.due_on != change.was:
        raise StaleDecisionError
    return replace(task, due_on=change.due_on, told_on=None)
