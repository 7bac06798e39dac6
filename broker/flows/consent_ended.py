"""What becomes of the own signals about a person that rest on consent alone, when the consent changes (D5).

They end with a no, at once, and with a yes that is none any more because of what turned out of who gave it. Without
one they last as long as the yes does: each keeps its last day, past which it matches nothing, whether housekeeping has
been there or not. A worker who is kept from a signal moves nothing of it, for a no needs no proof: its team is asked
to look, whatever the signal is for. Whose no it is, who relied on an earlier yes is told that it counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from broker.consent_ports import ConsentReader
from broker.domain.changes import EndSignal, RenewSignal, Task
from broker.domain.consent_standing import Standing, lasts_until, standing
from broker.domain.consents import Consent, ConsentEvent, ConsentState, Needed
from broker.domain.households import FoundToken, TokenIndex, TokenRole
from broker.domain.keeping import ENDED, TellRelying, ended_for
from broker.domain.notices import NoticeKind, Notify, notice_id
from broker.domain.signals import EndReason, Signal, SignalState
from broker.flows.consent_facts import CONSENT_KIND, INVOLVEMENT
from broker.flows.consenting import needed_if_any
from broker.flows.policy import PolicyInForce
from broker.flows.sweep_signals import ENDED_TASK
from broker.flows.withdraw_signal import REVIEW_TASK, owner_of
from broker.ports import OwnSignal, SignalStore, Stamp

ENDING = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})
CHECK_TASK = "signal-consent-no"
"""For the team of a signal, where somebody who is kept from it recorded a no of the person it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """What becomes of signals, the tasks that tell of it, their search handles, and the stamps of what was read."""

    changes: tuple[EndSignal | RenewSignal | TellRelying | Notify, ...] = ()
    tasks: tuple[Task, ...] = ()
    handles: tuple[str, ...] = ()
    stamps: tuple[Stamp, ...] = ()


NOTHING_RESTS = Resting()


async def resting_on(
    consents: Iterable[Consent], events: Iterable[ConsentEvent], subject: TokenIndex | None, *, of: Consent,
    needed: Needed | None, worker: str, policy: PolicyInForce, today: date, signals: SignalStore,
) -> Resting:  # fmt: skip
    """Return what ends now that these records say no, and what lasts longer or shorter now that they say yes.

    Nothing ends at once while one named organisation may still be shown. Who relied on an earlier record of what is a
    no now is told.

    Args:
        consents: everything that the organisation recorded about the person, with what is recorded now.
        events: what is answered now.
        subject: who it is; None for a record about nobody known here.
        of: the record that changes.
        needed: who must say yes at which age; None for a purpose that rests on consent no more.
        worker: who records this.
        policy: in force.
        today: the calendar day.
        signals: asked for own ones about this person.
    """
    if subject is None or needed is None:
        return NOTHING_RESTS
    listed, answered = tuple(consents), tuple(events)
    earlier = _without(listed, of, len(answered))
    found = await signals.own_on(organisation=of.organisation, purpose=None, indexes=[subject])
    asked = _to_look_at(found.found, answered, listed, worker=worker, today=today)
    # What he alone recorded moves nothing of what he must not know of; with a colleague's approval it is theirs too.
    known = [
        token.signal
        for token in found.found
        if _rests_on_consent(token, policy, today) and not (asked.alone and token.signal.hidden_from(worker))
    ]
    ends = []
    # Age and custody are facts of the person: what is said of them for one purpose counts for every other.
    for purpose in sorted({of.purpose, *(signal.purpose for signal in known)}):
        weighed = _Weighed(purpose=purpose, needed=needed_if_any(policy, purpose), day=today, reader=worker)
        ends.append(weighed.moves([one for one in known if one.purpose == purpose], listed, earlier))
    return Resting(
        changes=(
            *_relied_on(listed, earlier, answered, of=of, needed=needed, today=today),
            *(change for one in ends for change in one.changes),
            *asked.changes,
        ),
        tasks=(*(task for one in ends for task in one.tasks), *asked.tasks),
        handles=(*(handle for one in ends for handle in one.handles), *(one.handle for one in asked.signals)),
        stamps=found.stamps,
    )


def _without(listed: Sequence[Consent], of: Consent, answered: int) -> tuple[Consent, ...]:
    """Return the records as they were before so many last answers in one of them; a new record is none of them."""
    return tuple(
        replace(one, events=one.events[:-answered]) if one.id == of.id else one
        for one in listed
        if one.id != of.id or len(one.events) > answered
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """What the records about one person come to for a purpose, for who acts."""

    purpose: str
    needed: Needed | None
    day: date
    reader: str

    def moves(self, signals: Sequence[Signal], listed: Sequence[Consent], earlier: Sequence[Consent]) -> Resting:
        """Return what becomes of these signals: they end with a no, and with a yes that is none any more."""
        if self.needed is None:
            return NOTHING_RESTS
        now = partial(self._said, listed, self.needed)
        until = lasts_until(now, day=self.day)
        if until is not None:
            return Resting(changes=_lasts(signals, until))
        lost = self._said(earlier, self.needed, self.day).state is ConsentState.GIVEN
        return _ends(signals, self.reader, self.day) if lost or now(self.day).state in ENDING else NOTHING_RESTS

    def _said(self, records: Sequence[Consent], needed: Needed, day: date) -> Standing:
        return standing(
            records, purpose=self.purpose, category=INVOLVEMENT, party=None, needed=needed, day=day, reader=self.reader
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToLook:
    """What the teams are asked of signals that are kept from who alone recorded an answer."""

    alone: bool = False
    signals: tuple[Signal, ...] = ()
    changes: tuple[Notify, ...] = ()
    tasks: tuple[Task, ...] = ()


def _to_look_at(
    found: Iterable[FoundToken], events: Sequence[ConsentEvent], consents: Sequence[Consent], *, worker: str,
    today: date,
) -> _ToLook:  # fmt: skip
    """Return that the team of each own signal about this person, whatever it is for, looks at a no of such a worker."""
    if not any(event.kept_from for event in events):
        return _ToLook()
    # Not what is about another, of whom this person is a parent.
    own = {token.signal.id: token.signal for token in found if token.role is TokenRole.SUBJECT}
    hidden = tuple(signal for signal in own.values() if signal.hidden_from(worker))
    if not any(event.answer in ENDED for event in events):
        return _ToLook(alone=True)
    return _ToLook(
        alone=True, signals=hidden, changes=tuple(_asked_to_look(signal, consents) for signal in hidden),
        tasks=_tasks(((CHECK_TASK, signal) for signal in hidden), today),
    )  # fmt: skip


def _asked_to_look(signal: Signal, consents: Sequence[Consent]) -> Notify:
    """Return that the team of a signal that did not end has a notice, which nobody reads who is kept from it."""
    newest = str(max(event.number for one in consents for event in one.events))
    kind = NoticeKind.CONSENT_REFUSED
    return Notify(
        id=notice_id(kind.value, signal.organisation, signal.id, newest), organisation=signal.organisation,
        team=signal.team, kind=kind, about=signal.id,
    )  # fmt: skip


def _relied_on(
    consents: Sequence[Consent], earlier: Sequence[Consent], events: Iterable[ConsentEvent], *, of: Consent,
    needed: Needed, today: date,
) -> tuple[TellRelying, ...]:  # fmt: skip
    """Return that who relied on an earlier record about this person is told that it is a no, or a yes no more.

    What was not fetched yet is withheld by what all records say, at each look.
    """
    named = ended_for(of, events)

    def said(records: Sequence[Consent], one: Consent, party: str, category: str) -> ConsentState:
        return standing(
            records, purpose=one.purpose, category=category, party=party, needed=needed, day=today
        ).state  # fmt: skip

    def is_over(one: Consent, party: str) -> bool:
        is_no = party in named and one.id != of.id
        now = {category: said(consents, one, party, category) for category in one.categories}
        return any(
            (is_no and category in of.categories and state in ENDING)
            or (state is ConsentState.UNKNOWN and said(earlier, one, party, category) is ConsentState.GIVEN)
            for category, state in now.items()
        )

    found = {
        one.id: frozenset(party for party in one.parties if is_over(one, party))
        for one in consents
        if one.purpose == of.purpose
    }
    return tuple(TellRelying(consent_id=one, parties=parties) for one, parties in found.items() if parties)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewable:
    """Until when a signal may rest on consent, from now on: `until` is None where it rests on none.

    `refused` says that it rests on one that is no yes today.
    """

    until: date | None = None
    refused: bool = False
    stamps: tuple[Stamp, ...] = ()


async def renewable(
    own: OwnSignal, *, worker: str, policy: PolicyInForce, today: date, consents: ConsentReader
) -> Renewable:
    """Return what the consents of its own organisation say of renewing a signal, by all that is recorded today."""
    signal, ground = own.signal, policy.bundle.grounds[own.signal.ground]
    if ground.kind != CONSENT_KIND:
        return Renewable()
    about = (await consents.about([(signal.organisation, own.subject)]))[signal.organisation, own.subject]

    def said(day: date) -> Standing:
        return standing(
            about.consents, purpose=signal.purpose, category=INVOLVEMENT, party=None, needed=ground.consenters, day=day,
            reader=worker,
        )  # fmt: skip

    until = lasts_until(said, day=today)
    return Renewable(until=until, refused=until is None, stamps=(about.stamp,))


def _ends(resting: Sequence[Signal], worker: str, today: date) -> Resting:
    # It ends whenever it gave standing: her right to take it back waits for no reviewer, who looks afterwards; so he
    # does where another than who sees to the signal said so, for it may be a no that nobody gave.
    looked = [one for one in resting if one.needs_review_to_withdraw(today) or one.owner not in (None, worker)]
    tasks = [(ENDED_TASK, signal) for signal in resting] + [(REVIEW_TASK, signal) for signal in looked]
    return Resting(
        changes=tuple(
            EndSignal(
                signal_id=signal.id,
                state=SignalState.ENDED,
                reason=EndReason.CONSENT.value,
                last_standing_on=signal.last_standing_on,
            )
            for signal in resting
        ),
        tasks=_tasks(tasks, today),
        handles=tuple(signal.handle for signal in resting),
    )


def _tasks(owed: Iterable[tuple[str, Signal]], today: date) -> tuple[Task, ...]:
    return tuple(
        Task(
            kind=kind, organisation=signal.organisation, due_on=today, signal_id=signal.id, makers=owner_of(signal)
        )
        for kind, signal in owed
    )  # fmt: skip


def _lasts(resting: Sequence[Signal], until: date) -> tuple[RenewSignal, ...]:
    return tuple(
        RenewSignal(signal_id=signal.id, ends_on=None, consent_until=until)
        for signal in resting
        if signal.consent_until != until
    )


def _rests_on_consent(token: FoundToken, policy: PolicyInForce, today: date) -> bool:
    """Return whether this is a signal about the person that consent alone holds up; what has ended is not revived."""
    ground = policy.bundle.grounds.get(token.signal.ground)
    resting = token.role is TokenRole.SUBJECT and ground is not None and ground.kind == CONSENT_KIND
    return resting and token.signal.active_on(today)
