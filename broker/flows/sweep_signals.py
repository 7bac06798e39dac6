"""End the signals whose last day has passed, and forget what nothing can use any more (D12, D16).

Nobody asks for this, so nobody is told: the entry's actor is the broker's own housekeeping. Until it is swept, a signal
past its last day matches nothing either; sweeping makes its end durable, recorded, and known to its holder.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from broker.domain.changes import EndSignal, ForgetTickets, Task
from broker.domain.errors import StaleDecisionError
from broker.domain.signals import EndReason, Signal, SignalState
from broker.ports import Clock, Log, Proposal, RetentionReader, Turn

ENDED_TASK = "signal-ended"
MAX_SIGNALS = 24
"""Handles that fit the `subject` payload of an entry, and the `shielded` one: 1,024 bytes each."""
MAX_TICKETS = 200
"""Rows deleted in one transaction, so that no tick waits for it."""
TICKETS_KEPT_S = 30 * 86_400
"""Seconds a spent ticket is kept after its end. A custodian issues one again for a day after it was charged, valid for
ten minutes or as long as its grant, which is the end that is stored; the rest is room for clocks that are wrong."""
MAX_TRIES = 24
"""How often it is read anew when what it would end has moved meanwhile."""
ACTOR = {"schema": "entry-actor/v1", "organisation": None, "role": "housekeeping"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one entry ended, whether it was written at all, and whether more may be left: it did all that it could."""

    day: date
    recorded: bool
    more: bool = False
    expiry: int = 0
    age: int = 0
    tickets: int = 0


async def sweep_signals(
    *, at_most: int, always_recorded: bool, bundle: str, clock: Clock, retention: RetentionReader, log: Log
) -> Swept:
    """At most `MAX_SIGNALS` signals past their last day have ended, each with a task for its holder, in one entry.

    Args:
        at_most: signals of this entry, 1 to `MAX_SIGNALS`.
        always_recorded: write the entry even when it ends nothing, so that its being there says nothing.
        bundle: hex hash of the policy in force.

    Raises:
        StaleDecisionError: what is due kept moving; nothing was done.
        NotRecordedError: it could not be read or written; what was done is found at the next sweep.
    """
    for _ in range(MAX_TRIES):
        # (1) What is due, read before the tick so that nobody's answer waits for it.
        today = clock.today()
        due = await retention.due(day=today, at_most=at_most)
        expired_before = clock.now() - TICKETS_KEPT_S
        tickets = await retention.forgettable_tickets(expired_before=expired_before, at_most=MAX_TICKETS)
        # (2) Nothing to do is no entry, unless silence would tell something.
        if not (due or tickets or always_recorded):
            return Swept(day=today, recorded=False)
        proposal = _proposal(due, tickets, today=today, bundle=bundle)
        # (3) Entry, ends and tasks in one transaction; a signal that was renewed or used meanwhile is read anew.
        async with log.turn() as turn:
            written = await _written(proposal, turn=turn)
        if not written:
            continue
        by_age = sum(signal.ended_by(today) is EndReason.AGE for signal in due)
        return Swept(
            day=today,
            recorded=True,
            more=len(due) == at_most or len(tickets) == MAX_TICKETS,
            expiry=len(due) - by_age,
            age=by_age,
            tickets=len(tickets),
        )
    raise StaleDecisionError


async def _written(proposal: Proposal, *, turn: Turn) -> bool:
    """Return whether it is durable; False when something of it has moved and nothing was written."""
    try:
        await turn.commit(proposal)
    except StaleDecisionError:
        return False
    return True


def _proposal(
    due: tuple[Signal, ...], tickets: tuple[tuple[str, str], ...], *, today: date, bundle: str
) -> Proposal:  # fmt: skip
    hidden = [signal for signal in due if signal.shielded]
    seen = [signal for signal in due if not signal.shielded]
    ends = tuple(_end(signal, today) for signal in due)
    forgotten = (ForgetTickets(tickets=tickets),) if tickets else ()
    tasks = (
        Task(kind=ENDED_TASK, organisation=signal.organisation, due_on=today, signal_id=signal.id) for signal in due
    )
    return Proposal(
        kind="retention",
        payloads={
            "meta": {
                "schema": "entry-retention/v1",
                "type": "sweep_signals",
                "day": today.isoformat(),
                "bundle": bundle,
                "outcome": "done",
                "tickets": len(tickets),
            },
            "actor": ACTOR,
            "subject": _ended(seen, today),
            "hits": {},
            "shielded": _ended(hidden, today),
        },
        changes=(*ends, *forgotten),
        tasks=tuple(tasks),
    )


def _end(signal: Signal, today: date) -> EndSignal:
    reason = signal.ended_by(today)
    return EndSignal(
        signal_id=signal.id,
        state=SignalState.ENDED,
        reason=None if reason is None else reason.value,
        last_standing_on=signal.last_standing_on,
        ends_on=signal.ends_on,
    )


def _ended(signals: Iterable[Signal], today: date) -> dict[str, object]:
    """Return the handles of what ended, by reason; the same form whether any did."""
    handles: dict[EndReason, list[str]] = {EndReason.EXPIRY: [], EndReason.AGE: []}
    for signal in signals:
        reason = signal.ended_by(today)
        if reason is not None:
            handles[reason].append(signal.handle)
    return {"schema": "entry-ended/v1", **{reason.value: sorted(held) for reason, held in handles.items()}}
