"""Which tasks of teams are past their last day, and whom that is told: the team itself, and who sees to answering."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from broker.domain.changes import Change
from broker.domain.matches import KeptMatch, TeamOf
from broker.domain.notices import NoticeKind, Notify
from broker.domain.team_tasks import MarkLate, TaskKind, TeamTask
from broker.flows.coordinating import told_now
from broker.flows.meeting import Ids
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, seen_of
from broker.match_ports import FoundMatches, MatchReader
from broker.ports import Stamp
from broker.protocol.register import Register
from broker.task_ports import TaskReader

MAX_TASKS = 24
"""Tasks of one entry: their ids fit its `hits`."""
GIVEN_UP = timedelta(days=91)
"""After its last day, how long a task that cannot be told is looked at again: it would hold up the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A task past its last day; its team is told, or never will be. Coordinators of an answer that stays out too."""

    task: TeamTask
    told: bool = True
    coordinators: tuple[TeamOf, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LateTasks:
    """What is late, at most what fits one entry; `stamps` are what all of it rests on."""

    late: tuple[Late, ...]
    stamps: tuple[Stamp, ...]

    def told(self) -> list[str]:
        """Return the ids of the tasks of which a team is told, in their order."""
        return sorted(one.task.id for one in self.late if one.told)

    def changes(self, day: date, *, ids: Ids) -> Iterable[Change]:
        """Give every mark and notice of it."""
        for one in self.late:
            yield MarkLate(task_id=one.task.id, on=day)
            if one.told:
                yield _to_team(one.task, ids)
            for coordinator in one.coordinators:
                yield _to_coordinator(one.task, coordinator, ids)


async def late_tasks(
    day: date, *, tasks: TaskReader, matches: MatchReader, policy: PolicyInForce, register: Register
) -> LateTasks:
    """Return what is late on this day. Of a match that its team does not see now nothing is told.

    Such a task stays where it is, and keeps no other waiting: what can be told again, because a shield was taken away
    or an organisation may act again, is told then.

    Raises:
        DecisionFailedError: a decision failed.
    """
    late: list[Late] = []
    stamps: dict[Stamp, None] = {}
    after = ("", "")
    while len(late) < MAX_TASKS:
        due = await tasks.late(day=day, after=after, at_most=MAX_TASKS)
        for task in due:
            found = FoundMatches(matches=(), stamps=()) if task.match_id is None else await matches.one(task.match_id)
            stamps |= dict.fromkeys(found.stamps)
            one = _late(task, found.matches, policy=policy, register=register, day=day)
            late += [] if one is None else [one]
        if len(due) < MAX_TASKS:
            break
        after = (due[-1].due_on.isoformat(), due[-1].id)
    return LateTasks(late=tuple(late[:MAX_TASKS]), stamps=tuple(stamps))


def _late(
    task: TeamTask, matches: tuple[KeptMatch, ...], *, policy: PolicyInForce, register: Register, day: date
) -> Late | None:
    """Return whom this task is told to; None where that is nobody today."""
    if task.match_id is None:
        return Late(task=task)
    for match in matches:
        if _seen(match, task, policy=policy, register=register, day=day):
            to = _coordinators(match, task, policy=policy, register=register, day=day)
            return Late(task=task, coordinators=to)
        if not _ended(match) and day <= task.due_on + GIVEN_UP:
            return None
    return Late(task=task, told=False)


def _ended(match: KeptMatch) -> bool:
    """Return whether nobody will ever see this match again."""
    return not match.newer.is_held or not any(link.signal.is_held for link in match.links)


def _seen(match: KeptMatch, task: TeamTask, *, policy: PolicyInForce, register: Register, day: date) -> bool:
    side = match.side_of(task.organisation)
    return side is not None and bool(
        seen_of(match, side, policy=policy, register=register, worker=NOBODY, day=day)[0]
    )  # fmt: skip


def _coordinators(
    match: KeptMatch, task: TeamTask, *, policy: PolicyInForce, register: Register, day: date
) -> tuple[TeamOf, ...]:
    """Return who is told that a casusregisseur did not answer: that there is no contact, and not after what."""
    if task.kind is not TaskKind.REACTION:
        return ()
    return told_now(match, policy=policy, register=register, day=day)


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
        id=ids.of("unanswered", task.id, to.organisation),
        organisation=to.organisation,
        team=to.team,
        kind=NoticeKind.MATCH_OVERDUE,
        about=task.about,
    )
