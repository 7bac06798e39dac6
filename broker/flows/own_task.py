"""A task as its own team sees it now: found, and judged anew where it is about a match."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from broker.domain.requests import Requester
from broker.domain.team_tasks import TeamTask
from broker.flows.own_match import OwnMatch, seen_now
from broker.flows.policy import PolicyInForce
from broker.match_ports import MatchReader
from broker.ports import Clock, Stamp
from broker.protocol.messages import TextRef
from broker.protocol.register import Register
from broker.protocol.task_messages import ShownTask, TasksResult


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTask:
    """A task that this organisation may be shown, with the match it is about, if any, and what that rests on."""

    task: TeamTask
    match: OwnMatch | None = None
    stamps: tuple[Stamp, ...] = ()


async def seen_task(
    task: TeamTask, requester: Requester, *, matches: MatchReader, policy: PolicyInForce, register: Register,
    clock: Clock,
) -> OwnTask | None:  # fmt: skip
    """Return a task of the own organisation as it is seen now, None where it is about a match that is seen no more.

    A match that is shielded since is as if it were not there, and so is what was to be done about it.

    Raises:
        DecisionFailedError: a decision failed.
    """
    if task.match_id is None:
        return OwnTask(task=task)
    found = await matches.one(task.match_id)
    seen = [seen_now(one, requester, policy=policy, register=register, clock=clock) for one in found.matches]
    return OwnTask(task=task, match=seen[0], stamps=found.stamps) if seen and seen[0] is not None else None


def tasks_document(
    text: str, tasks: Iterable[TeamTask], *, day: date, more_after: str | None = None
) -> dict[str, object]:  # fmt: skip
    """Return a `tasks/v1` in wire form."""
    result = TasksResult.model_validate(
        {
            "schema": "tasks/v1",
            "outcome": "done",
            "text": TextRef(id=text, params={}),
            "found": [_shown(task, day=day) for task in tasks],
            "more_after": more_after,
        }
    )
    return result.model_dump(mode="json", by_alias=True)


def _shown(task: TeamTask, *, day: date) -> ShownTask:
    return ShownTask.model_validate(
        {
            "task_id": task.id,
            "kind": task.kind.value,
            "team": task.team,
            "match_id": task.match_id,
            "reference": None if task.match_id is not None else task.about,
            "started_on": task.started_on,
            "due_on": task.due_on,
            "statutory_on": task.statutory_on,
            "regional_on": task.regional_on,
            "done_on": task.done_on,
            "state": task.state_on(day).value,
        }
    )
