"""Which tasks of teams are past their last day, and whom that is told: the team itself, and who sees to answering."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from broker.domain.changes import Change
from broker.domain.matches import KeptMatch, TeamOf
from broker.domain.notices import NoticeKind, Notify
from broker.domain.team_tasks import MarkLate, TaskKind, TeamTask
from broker.flows.meeting import Ids
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, seen_of, told_to_both
from broker.match_ports import MatchReader
from broker.ports import Stamp
from broker.protocol.register import Register
from broker.task_ports import TaskReader

MAX_TASKS = 24
"""Tasks of one entry: their ids fit its `hits`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateTasks:
    """Tasks past their last day; those that are told to their team, and those that a coordinator is told of too."""

    due: tuple[TeamTask, ...]
    told: tuple[TeamTask, ...]
    escalated: tuple[tuple[TeamTask, TeamOf], ...]
    stamps: tuple[Stamp, ...] = field(default=())

    def changes(self, day: date, *, ids: Ids) -> Iterable[Change]:
        """Give every mark and notice of it."""
        yield from (MarkLate(task_id=task.id, on=day) for task in self.due)
        yield from (_to_team(task, ids) for task in self.told)
        yield from (_to_coordinator(task, to, ids) for task, to in self.escalated)


async def late_tasks(
    day: date, *, tasks: TaskReader, matches: MatchReader, policy: PolicyInForce, register: Register
) -> LateTasks:
    """Return what is late on this day. Of a match that its team sees no more nothing is told.

    Raises:
        DecisionFailedError: a decision failed.
    """
    due = await tasks.late(day=day, at_most=MAX_TASKS)
    told: list[TeamTask] = []
    escalated: list[tuple[TeamTask, TeamOf]] = []
    stamps: list[Stamp] = []
    for task in due:
        if task.match_id is None:
            told.append(task)
            continue
        found = await matches.one(task.match_id)
        stamps += found.stamps
        for match in found.matches:
            if _seen(match, task, policy=policy, register=register, day=day):
                told.append(task)
                to = _coordinator(match, task, policy=policy, register=register, day=day)
                escalated += [] if to is None else [(task, to)]
    return LateTasks(due=due, told=tuple(told), escalated=tuple(escalated), stamps=tuple(stamps))


def _seen(match: KeptMatch, task: TeamTask, *, policy: PolicyInForce, register: Register, day: date) -> bool:
    side = match.side_of(task.organisation)
    return side is not None and bool(
        seen_of(match, side, policy=policy, register=register, worker=NOBODY, day=day)[0]
    )  # fmt: skip


def _coordinator(
    match: KeptMatch, task: TeamTask, *, policy: PolicyInForce, register: Register, day: date
) -> TeamOf | None:
    """Return who is told that a casusregisseur did not answer: that there is no contact, and not after what."""
    if task.kind is not TaskKind.REACTION or match.coordinator is None:
        return None
    return match.coordinator if told_to_both(match, policy=policy, register=register, day=day) else None


def _to_team(task: TeamTask, ids: Ids) -> Notify:
    return Notify(
        id=ids.of("late", task.id),
        organisation=task.organisation,
        team=task.team,
        kind=NoticeKind.TASK_OVERDUE if task.match_id is None else NoticeKind.FOLLOW_UP_OVERDUE,
        about=task.id if task.match_id is None else task.match_id,
    )


def _to_coordinator(task: TeamTask, to: TeamOf, ids: Ids) -> Notify:
    return Notify(
        id=ids.of("unanswered", task.id),
        organisation=to.organisation,
        team=to.team,
        kind=NoticeKind.MATCH_OVERDUE,
        about=task.about,
    )
