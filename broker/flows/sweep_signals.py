"""End signals whose last day or ground has passed, and forget what nothing needs or may be kept any more (D12, D16).

Nobody asks for this, so nobody is told: the entry's actor is the broker's own housekeeping. Until it is swept, a signal
past its last day matches nothing either; sweeping makes its end durable, recorded, and known to its holder.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from broker.domain.changes import Change, EndSignal, ErasePayloads, ForgetTickets, Task
from broker.domain.erasures import KEPT_S, EntryRange
from broker.domain.errors import StaleDecisionError
from broker.domain.keeping import ForgetRows, TellOver
from broker.domain.letter_chunks import ForgetChunks
from broker.domain.signals import EndReason, Signal, SignalState
from broker.flows.policy import Policies
from broker.flows.withdraw_signal import REVIEW_TASK, owner_of
from broker.ports import (
    BUNDLE,
    Clock,
    Log,
    Proposal,
    SignalStore,
    Stamp,
    StampKey,
    StampKind,
    Turn,
)
from broker.retention_ports import RetentionReader
from policies import Ended

ENDED_TASK = "signal-ended"
FROZEN_TASK = "signal-frozen"
"""For the holder, until the day on which a frozen signal ends: what it rested on has ended."""
MAX_SIGNALS = 24
"""Handles that fit the `subject` payload of an entry, and the `shielded` one: 1,024 bytes each."""
MAX_TICKETS = 200
"""Rows deleted in one transaction, so that no tick waits for it."""
TICKETS_KEPT_S = 30 * 86_400
"""Seconds a spent ticket is kept after its end. A custodian issues one again for a day after it was charged, valid for
ten minutes or as long as its grant, which is the end that is stored; the rest is room for clocks that are wrong."""
MAX_CHUNKS = 20
"""Chunks of attachments deleted in one transaction, each a mebibyte."""
MAX_ROWS = 100
"""Rows of each kind that are forgotten, and of each that somebody is told of, in one transaction."""
MAX_TRIES = 24
"""How often it is read anew when what it would end has moved meanwhile."""
ACTOR = {"schema": "entry-actor/v1", "organisation": None, "role": "housekeeping"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one entry ended or froze, whether it was written at all, and whether more may be left."""

    day: date
    recorded: bool
    more: bool = False
    expiry: int = 0
    age: int = 0
    rules: int = 0
    consent: int = 0
    frozen: int = 0
    tickets: int = 0
    erased: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """One signal that stops being what it was: in which state, why, and by when its holder is to have looked."""

    signal: Signal
    state: SignalState
    reason: EndReason
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is to be ended, frozen and forgotten by one entry, as read on this day under this policy."""

    day: date
    bundle: str
    relies_on: tuple[Stamp, ...]
    stops: tuple[_Stop, ...]
    tickets: tuple[tuple[str, str], ...]
    chunks: tuple[tuple[str, str, str], ...]
    rows: tuple[ForgetRows | TellOver, ...]
    expired: tuple[EntryRange, ...]

    @property
    def anything(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.stops or self.tickets or self.chunks or self.rows or self.expired)

    def swept(self, *, at_most: int) -> Swept:
        """Return what was done, now that it is durable."""
        ended = Counter(stop.reason for stop in self.stops if stop.state is SignalState.ENDED)
        return Swept(
            day=self.day,
            recorded=True,
            more=(
                len(self.stops) == at_most
                or len(self.tickets) == MAX_TICKETS
                or len(self.chunks) == MAX_CHUNKS
                or any(len(one.ids) == MAX_ROWS for one in self.rows)
                or bool(self.expired)
            ),
            expiry=ended[EndReason.EXPIRY],
            age=ended[EndReason.AGE],
            rules=ended[EndReason.RULES],
            consent=ended[EndReason.CONSENT],
            frozen=len(self.stops) - ended.total(),
            tickets=len(self.tickets),
            rows=sum(len(one.ids) for one in self.rows if isinstance(one, ForgetRows)),
            erased=sum(one.last - one.first + 1 for one in self.expired),
        )


async def _found_due(
    *, at_most: int, vouched_at: int | None, policies: Policies, clock: Clock, signals: SignalStore,
    retention: RetentionReader,
) -> _Found:  # fmt: skip
    """Return what is due now, or was when somebody else last vouched for the time."""
    day, now = clock.today(), clock.now()
    if vouched_at is not None:
        # The day in UTC is the one in the Netherlands or the one before it: two hours late at most, never early.
        day = min(day, datetime.fromtimestamp(vouched_at, UTC).date())
        now = min(now, vouched_at)
    stamps = await signals.stamps((StampKey(kind=StampKind.POLICY, key=BUNDLE),))
    policy = policies.at(stamps)
    ended = policy.bundle.all_ended(day)
    gone = {pair for pair, what in ended.items() if what.gone_on <= day}
    past = await retention.due(day=day, at_most=at_most)
    resting = (
        *await retention.resting_on(ended.keys(), state=SignalState.ACTIVE, at_most=at_most),
        *await retention.resting_on(gone, state=SignalState.FROZEN, at_most=at_most),
    )
    stops = {signal.id: _by_rules(signal, ended[signal.purpose, signal.ground], day) for signal in resting}
    # Its own last day is the reason where both have come.
    stops |= {signal.id: _by_day(signal, day) for signal in past}
    return _Found(
        day=day,
        bundle=policy.sha256,
        relies_on=stamps,
        stops=tuple(stops[one] for one in sorted(stops))[:at_most],
        tickets=await retention.forgettable_tickets(expired_before=now - TICKETS_KEPT_S, at_most=MAX_TICKETS),
        chunks=await retention.forgettable_chunks(before=day, at_most=MAX_CHUNKS),
        rows=await retention.overdue_rows(day=day, now=now, at_most=MAX_ROWS),
        expired=await retention.expired_payloads(written_before=now - KEPT_S),
    )


def _by_day(signal: Signal, day: date) -> _Stop:
    reason = signal.ended_by(day) or EndReason.EXPIRY
    return _Stop(signal=signal, state=SignalState.ENDED, reason=reason, due_on=day)


def _by_rules(signal: Signal, ended: Ended, day: date) -> _Stop:
    """Return what the document says: kept out of sight for so many days, and then ended."""
    gone = ended.gone_on <= day
    state = SignalState.ENDED if gone else SignalState.FROZEN
    return _Stop(signal=signal, state=state, reason=EndReason.RULES, due_on=day if gone else ended.gone_on)


async def sweep_signals(
    *, at_most: int, always_recorded: bool, vouched_at: int | None, policies: Policies, clock: Clock,
    signals: SignalStore, retention: RetentionReader, log: Log,
) -> Swept:  # fmt: skip
    """At most `at_most` signals have ended or are frozen, each with a task for its holder, in one entry.

    Args:
        at_most: signals of this entry, 1 to `MAX_SIGNALS`.
        always_recorded: write the entry even when it ends nothing, so that its being there says nothing.
        vouched_at: unix seconds up to which our clock is believed, for an end cannot be undone; None: by an operator.
        policies: say what has ended, and what then happens to the signals that rested on it.

    Raises:
        StaleDecisionError: what is due kept moving; nothing was done.
        NotRecordedError: it could not be read or written; what was done is found at the next sweep.
    """
    # (1) What is due, read before the tick so that nobody's answer waits for it.
    found = await _found_due(
        at_most=at_most, vouched_at=vouched_at, policies=policies, clock=clock, signals=signals, retention=retention
    )  # fmt: skip
    # (2) Nothing to do is no entry, unless silence would tell something.
    if not (found.anything or always_recorded):
        return Swept(day=found.day, recorded=False)
    async with log.turn() as turn:
        return await _in_turn(
            found, at_most=at_most, always_recorded=always_recorded, vouched_at=vouched_at, policies=policies,
            clock=clock, signals=signals, retention=retention, turn=turn,
        )  # fmt: skip


async def _in_turn(
    found: _Found, *, at_most: int, always_recorded: bool, vouched_at: int | None, policies: Policies,
    clock: Clock, signals: SignalStore, retention: RetentionReader, turn: Turn,
) -> Swept:  # fmt: skip
    for tried in range(1, MAX_TRIES + 1):
        if not (found.anything or always_recorded):
            return Swept(day=found.day, recorded=False)
        # (3) Entry, ends and tasks in one transaction; a signal that was renewed or used meanwhile is read anew.
        try:
            await turn.commit(_proposal(found))
        except StaleDecisionError:
            found = await _found_due(
                at_most=at_most, vouched_at=vouched_at, policies=policies, clock=clock, signals=signals,
                retention=retention,
            )  # fmt: skip
            if tried == MAX_TRIES - 1:  # at last without what is erased for its age, which must not hold up an end
                found = replace(found, expired=())
            continue
        return found.swept(at_most=at_most)
    raise StaleDecisionError


def _proposal(found: _Found) -> Proposal:
    forgotten: tuple[Change, ...] = (ForgetTickets(tickets=found.tickets),) if found.tickets else ()
    if found.chunks:
        forgotten = (*forgotten, ForgetChunks(chunks=found.chunks))
    erased = (ErasePayloads(ranges=found.expired),) if found.expired else ()
    return Proposal(
        kind="retention",
        payloads={
            "meta": {
                "schema": "entry-retention/v1",
                "type": "sweep_signals",
                "day": found.day.isoformat(),
                "bundle": found.bundle,
                "outcome": "done",
                "tickets": len(found.tickets),
                **({"chunks": len(found.chunks)} if found.chunks else {}),
                **({"rows": {one.named: len(one.ids) for one in found.rows}} if found.rows else {}),
                **({"erased": [one.document() for one in found.expired]} if found.expired else {}),
            },
            "actor": ACTOR,
            "subject": _ended(stop for stop in found.stops if not stop.signal.shielded),
            "hits": {},
            "shielded": _ended(stop for stop in found.stops if stop.signal.shielded),
        },
        relies_on=found.relies_on,
        changes=(*map(_end, found.stops), *forgotten, *found.rows, *erased),
        tasks=tuple(task for stop in found.stops for task in _tasks(stop, found.day)),
    )


def _tasks(stop: _Stop, day: date) -> Iterable[Task]:
    """Return that its holder is told; and that a reviewer looks where the end of a consent is one of his own making.

    Who recorded it said until when it holds: it may not serve to look, and end without anybody who asks why (D5).
    """
    kinds = [FROZEN_TASK if stop.state is SignalState.FROZEN else ENDED_TASK]
    if stop.reason is EndReason.CONSENT and stop.signal.needs_review_to_withdraw(day):
        kinds.append(REVIEW_TASK)
    signal = stop.signal
    return [
        Task(
            kind=kind, organisation=signal.organisation, due_on=stop.due_on, signal_id=signal.id,
            makers=owner_of(signal),
        )
        for kind in kinds
    ]  # fmt: skip


def _end(stop: _Stop) -> EndSignal:
    return EndSignal(
        signal_id=stop.signal.id,
        state=stop.state,
        reason=stop.reason.value,
        last_standing_on=stop.signal.last_standing_on,
        ends_on=stop.signal.ends_on,
        consent_until=stop.signal.consent_until,
    )


def _ended(stops: Iterable[_Stop]) -> dict[str, object]:
    """Return the handles of what ended, by reason, and of what is frozen; the same form whether any did."""
    found: dict[str, list[str]] = {reason.value: [] for reason in EndReason}
    found[SignalState.FROZEN.value] = []
    for stop in stops:
        found[stop.reason.value if stop.state is SignalState.ENDED else stop.state.value].append(stop.signal.handle)
    return {"schema": "entry-ended/v1", **{name: sorted(handles) for name, handles in found.items()}}
