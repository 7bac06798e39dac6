"""Tell who has passed a term: coordinators of teams without contact, and teams of their own tasks (D8).

One entry at every pace, whatever there is. Nobody asks for this: the entry's actor is the broker's own housekeeping,
and its form is the same whether something is overdue or not. What does not fit is told at the next pace.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from broker.domain.errors import StaleDecisionError
from broker.domain.matches import KeptMatch, MarkOverdue, TeamOf
from broker.domain.notices import NoticeKind, Notify
from broker.flows.coordinating import told_now
from broker.flows.late_tasks import LateTasks, late_tasks
from broker.flows.meeting import SEED_BYTES, Ids
from broker.flows.policy import Policies
from broker.flows.sweep_signals import ACTOR
from broker.match_ports import MatchReader
from broker.ports import (
    BUNDLE,
    Clock,
    Log,
    Proposal,
    Randomness,
    RegisterReader,
    SignalStore,
    Stamp,
    StampKey,
    StampKind,
    Turn,
)
from broker.task_ports import TaskReader

MAX_MATCHES = 24
"""Matches of one entry: their signals' handles fit its `subject`."""
GIVEN_UP_DAYS = 91
"""Days after its last day from which on a match that could not be told is left: it would hold up the others."""
MAX_TRIES = 24
"""How often it is read anew when what it would tell has moved meanwhile."""
_KEY = StampKey(kind=StampKind.POLICY, key=BUNDLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is overdue on this day under this policy: what of it is told to whom, and what never will be."""

    day: date
    bundle: str
    relies_on: tuple[Stamp, ...]
    told: tuple[tuple[KeptMatch, tuple[TeamOf, ...]], ...]
    over: tuple[KeptMatch, ...]
    tasks: LateTasks


async def sweep_overdue(
    *, vouched_at: int, policies: Policies, clock: Clock, randomness: Randomness, registers: RegisterReader,
    signals: SignalStore, matches: MatchReader, tasks: TaskReader, log: Log,
) -> int:  # fmt: skip
    """Return how many notices were left; each match and task that is past its day is looked at once.

    Args:
        vouched_at: unix seconds up to which our clock is believed.

    Raises:
        StaleDecisionError: what is overdue kept moving; nothing was done.
        NotRecordedError: it could not be read or written; what is overdue is found at the next pace.
    """
    async with log.turn() as turn:
        return await _in_turn(
            vouched_at=vouched_at, policies=policies, clock=clock, randomness=randomness, registers=registers,
            signals=signals, matches=matches, tasks=tasks, turn=turn,
        )  # fmt: skip


async def _in_turn(
    *, vouched_at: int, policies: Policies, clock: Clock, randomness: Randomness, registers: RegisterReader,
    signals: SignalStore, matches: MatchReader, tasks: TaskReader, turn: Turn,
) -> int:  # fmt: skip
    for _ in range(MAX_TRIES):
        # (1) What is past its day, without contact; told is only what both teams know and see now.
        found = await _overdue(
            vouched_at=vouched_at, policies=policies, clock=clock, registers=registers, signals=signals,
            matches=matches, tasks=tasks,
        )  # fmt: skip
        # (2) The entry, the marks and the notices in one transaction.
        try:
            proposal = _proposal(found, ids=Ids(seed=randomness.bytes(SEED_BYTES)))
            await turn.commit(proposal)
        except StaleDecisionError:
            continue
        return sum(isinstance(change, Notify) for change in proposal.changes)
    raise StaleDecisionError


async def _overdue(
    *, vouched_at: int, policies: Policies, clock: Clock, registers: RegisterReader, signals: SignalStore,
    matches: MatchReader, tasks: TaskReader,
) -> _Found:  # fmt: skip
    # The day in UTC is the one in the Netherlands or the one before it: late at most, never early.
    day = min(clock.today(), datetime.fromtimestamp(vouched_at, UTC).date())
    stamps = await signals.stamps((_KEY,))
    policy, register = policies.at(stamps), await registers.register()
    told: list[tuple[KeptMatch, tuple[TeamOf, ...]]] = []
    over: list[KeptMatch] = []
    looked_at: dict[Stamp, None] = {}
    after = ("", "")
    # What cannot be told today, because a side may not act now say, stays where it is and keeps nobody else waiting.
    while len(told) + len(over) < MAX_MATCHES:
        found = await matches.overdue(day=day, after=after, at_most=MAX_MATCHES)
        looked_at |= dict.fromkeys(found.stamps)
        for match in found.matches:
            if coordinators := told_now(match, policy=policy, register=register, day=day):
                told.append((match, coordinators))
            elif _never(match, day=day):
                over.append(match)
        if len(found.matches) < MAX_MATCHES:
            break
        after = max((one.due_on.isoformat(), one.id) for one in found.matches)
    late = await late_tasks(day, tasks=tasks, matches=matches, policy=policy, register=register)
    relies_on = tuple(dict.fromkeys((*stamps, *looked_at, *late.stamps)))
    return _Found(
        day=day, bundle=policy.sha256, relies_on=relies_on, told=tuple(told[:MAX_MATCHES]), over=tuple(over), tasks=late
    )


def _never(match: KeptMatch, *, day: date) -> bool:
    """Return whether nobody will be told that it is overdue any more: a side of it has ended, or it is long past."""
    ended = not match.newer.is_held or not any(link.signal.is_held for link in match.links)
    return ended or day > match.due_on + timedelta(days=GIVEN_UP_DAYS)


def _proposal(found: _Found, *, ids: Ids) -> Proposal:
    matches = [match for match, _ in found.told]
    marks = (MarkOverdue(match_id=match.id, on=found.day) for match in (*matches, *found.over))
    handles = sorted(match.newer.handle for match in matches)
    return Proposal(
        kind="retention",
        payloads={
            "meta": {
                "schema": "entry-overdue/v1",
                "type": "sweep_overdue",
                "day": found.day.isoformat(),
                "bundle": found.bundle,
                "outcome": "done",
            },
            "actor": ACTOR,
            "subject": {"schema": "entry-overdue/v1", "handles": handles},
            "hits": {"schema": "entry-overdue/v1", "tasks": found.tasks.told()},
            "shielded": {},
        },
        relies_on=found.relies_on,
        changes=(
            *marks,
            *(_notice(to, match, ids) for match, coordinators in found.told for to in coordinators),
            *found.tasks.changes(found.day, ids=ids),
        ),
    )


def _notice(to: TeamOf, match: KeptMatch, ids: Ids) -> Notify:
    return Notify(
        id=ids.of(match.id, to.organisation),
        organisation=to.organisation,
        team=to.team,
        kind=NoticeKind.MATCH_OVERDUE,
        about=match.id,
    )
