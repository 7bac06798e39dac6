"""End the signals whose last day has passed, and forget what nothing can use any more (D12, D16).

Nobody asks for this, so nobody is told: the entry's actor is the broker's own housekeeping. Until it is swept, a signal
past its last day matches nothing either; sweeping makes its end durable, recorded, and known to its holder.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is to be ended and forgotten by one entry, as read on this day."""

    day: date
    signals: tuple[Signal, ...]
    tickets: tuple[tuple[str, str], ...]

    def swept(self, *, at_most: int) -> Swept:
        """Return what was done, now that it is durable."""
        by_age = sum(signal.ended_by(self.day) is EndReason.AGE for signal in self.signals)
        return Swept(
            day=self.day,
            recorded=True,
            more=len(self.signals) == at_most or len(self.tickets) == MAX_TICKETS,
            expiry=len(self.signals) - by_age,
            age=by_age,
            tickets=len(self.tickets),
        )


async def _found_due(
    *, at_most: int, vouched_at: int | None, clock: Clock, retention: RetentionReader
) -> _Found:  # fmt: skip
    """Return what is due now, or was when somebody else last vouched for the time."""
    day, now = clock.today(), clock.now()
    if vouched_at is not None:
        # The day in UTC is the one in the Netherlands or the one before it: two hours late at most, never early.
        day = min(day, datetime.fromtimestamp(vouched_at, UTC).date())
        now = min(now, vouched_at)
    return _Found(
        day=day,
        signals=await retention.due(day=day, at_most=at_most),
        tickets=await retention.forgettable_tickets(expired_before=now - TICKETS_KEPT_S, at_most=MAX_TICKETS),
    )


async def sweep_signals(
    *, at_most: int, always_recorded: bool, vouched_at: int | None, bundle: str, clock: Clock,
    retention: RetentionReader, log: Log,
) -> Swept:  # fmt: skip
    """At most `at_most` signals past their last day have ended, each with a task for its holder, in one entry.

    Args:
        at_most: signals of this entry, 1 to `MAX_SIGNALS`.
        always_recorded: write the entry even when it ends nothing, so that its being there says nothing.
        vouched_at: unix seconds up to which our clock is believed, for an end cannot be undone; None: by an operator.
        bundle: hex hash of the policy in force.

    Raises:
        StaleDecisionError: what is due kept moving; nothing was done.
        NotRecordedError: it could not be read or written; what was done is found at the next sweep.
    """
    # (1) What is due, read before the tick so that nobody's answer waits for it.
    found = await _found_due(at_most=at_most, vouched_at=vouched_at, clock=clock, retention=retention)
    # (2) Nothing to do is no entry, unless silence would tell something.
    if not (found.signals or found.tickets or always_recorded):
        return Swept(day=found.day, recorded=False)
    async with log.turn() as turn:
        return await _in_turn(
            found, at_most=at_most, always_recorded=always_recorded, vouched_at=vouched_at, bundle=bundle,
            clock=clock, retention=retention, turn=turn,
        )  # fmt: skip


async def _in_turn(
    found: _Found, *, at_most: int, always_recorded: bool, vouched_at: int | None, bundle: str, clock: Clock,
    retention: RetentionReader, turn: Turn,
) -> Swept:  # fmt: skip
    for _ in range(MAX_TRIES):
        if not (found.signals or found.tickets or always_recorded):
            return Swept(day=found.day, recorded=False)
        # (3) Entry, ends and tasks in one transaction; a signal that was renewed or used meanwhile is read anew.
        try:
            await turn.commit(_proposal(found, bundle=bundle))
        except StaleDecisionError:
            found = await _found_due(at_most=at_most, vouched_at=vouched_at, clock=clock, retention=retention)
            continue
        return found.swept(at_most=at_most)
    raise StaleDecisionError


def _proposal(found: _Found, *, bundle: str) -> Proposal:
    day = found.day
    ends = tuple(_end(signal, day) for signal in found.signals)
    forgotten = (ForgetTickets(tickets=found.tickets),) if found.tickets else ()
    tasks = (
        Task(kind=ENDED_TASK, organisation=signal.organisation, due_on=day, signal_id=signal.id)
        for signal in found.signals
    )
    return Proposal(
        kind="retention",
        payloads={
            "meta": {
                "schema": "entry-retention/v1",
                "type": "sweep_signals",
                "day": day.isoformat(),
                "bundle": bundle,
                "outcome": "done",
                "tickets": len(found.tickets),
            },
            "actor": ACTOR,
            "subject": _ended((signal for signal in found.signals if not signal.shielded), day),
            "hits": {},
            "shielded": _ended((signal for signal in found.signals if signal.shielded), day),
        },
        changes=(*ends, *forgotten),
        tasks=tuple(tasks),
    )


def _end(signal: Signal, day: date) -> EndSignal:
    return EndSignal(
        signal_id=signal.id,
        state=SignalState.ENDED,
        reason=str(signal.ended_by(day)),
        last_standing_on=signal.last_standing_on,
        ends_on=signal.ends_on,
    )


def _ended(signals: Iterable[Signal], day: date) -> dict[str, object]:
    """Return the handles of what ended, by reason; the same form whether any did."""
    ended = [(signal.ended_by(day), signal.handle) for signal in signals]
    handles = {reason.value: sorted(handle for why, handle in ended if why is reason) for reason in EndReason}
    return {"schema": "entry-ended/v1", **handles}
