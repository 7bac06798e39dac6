"""Which notices may be told to who fetches them: each judged by what it is about, as a look at that would be (D8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from broker.call_ports import CallReader, OwnPhoneCalls
from broker.consent_ports import ConsentReader
from broker.domain.matches import KeptMatch
from broker.domain.notices import ABOUT_A_LETTER, ABOUT_A_MATCH, NoticeKind, WaitingNotice
from broker.domain.requests import COORDINATOR, Requester
from broker.domain.signals import Signal
from broker.flows.kept_letters import kept_from
from broker.flows.own_match import seen_now
from broker.flows.own_ring import own_ring
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import rests_on_for, told_to_both
from broker.match_ports import InboxReader, MatchReader
from broker.ports import Clock, SignalStore, Stamp
from broker.protocol.register import Register
from broker.request_ports import RequestReader

Place = tuple[str, str]
"""Of what kind of thing a notice tells, and that thing's id."""
_MATCH, _LETTER = "match", "letter"
MOST_JUDGED = 252
"""Notices judged in one fetch. Where more wait, those that may not be told are set aside for the next fetches.

Up to so many, whoever fetches is told all that may be told, whatever waits besides (D8).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether something may be told, the stamps of what was read to judge that, and those of what it is told by.

    Where a side does not see a signal of a match, that it goes must not withhold what this side was told (D8).
    `until` is the last day on which that holds.
    """

    told: bool
    looked_at: tuple[Stamp, ...] = ()
    rests_on: tuple[Stamp, ...] = ()
    until: date | None = None


WHOEVER = Judgement(told=True)
"""Of a notice that whoever fetches is told of."""
NEVER = Judgement(told=False)
"""Of what is there no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The notices to tell; what was looked at to decide that, and what those rest on that are told, until which day.

    `aside` are ids of notices that may not be told, where more wait than are judged at once.
    """

    notices: tuple[WaitingNotice, ...]
    looked_at: tuple[Stamp, ...]
    rests_on: tuple[Stamp, ...]
    until: date | None
    aside: tuple[str, ...]


class Fetching:
    """What judges the notices of one fetch, for the requester as the rules and the register are now."""

    def __init__(
        self, requester: Requester, *, policy: PolicyInForce, register: Register, clock: Clock, signals: SignalStore,
        inbox: InboxReader, matches: MatchReader, calls: CallReader, phone: OwnPhoneCalls, requests: RequestReader,
        consents: ConsentReader,
    ) -> None:  # fmt: skip
        """Judge by these; nothing was judged yet."""
        self._requester = requester
        self._policy = policy
        self._register = register
        self._clock = clock
        self._signals = signals
        self._inbox = inbox
        self._matches = matches
        self._calls = calls
        self._phone = phone
        self._consents = consents
        self._requests = requests
        self._judged: dict[Place, Judgement] = {}

    async def waiting(self, *, kinds: frozenset[NoticeKind], had: tuple[str, ...], at_most: int) -> Waiting:
        """Return the oldest notices of these kinds that may be told, but for those the organisation has.

        Raises:
            DecisionFailedError: a decision failed.
        """
        oldest = await self._inbox.waiting(
            organisation=self._requester.organisation, kinds=kinds, without=had, at_most=MOST_JUDGED
        )
        told: list[WaitingNotice] = []
        hidden: list[str] = []
        for first in range(0, len(oldest), at_most):
            some = oldest[first : first + at_most]
            await self._judge({place for one in some if (place := _place(one)) is not None})
            told += [one for one in some if self._of(one).told]
            hidden += [one.id for one in some if not self._of(one).told]
            if len(told) >= at_most:
                break
        told = told[:at_most]
        days = [day for one in told if (day := self._of(one).until) is not None]
        return Waiting(
            notices=tuple(told),
            looked_at=_sorted({stamp for one in self._judged.values() for stamp in one.looked_at}),
            rests_on=_sorted({stamp for one in told for stamp in self._of(one).rests_on}),
            until=min(days, default=None),
            aside=tuple(hidden) if len(oldest) == MOST_JUDGED else (),
        )

    async def _judge(self, places: set[Place]) -> None:
        """All that these notices are about is judged; of matches in one reading."""
        new = sorted(places - self._judged.keys())
        matches = await self._about_matches([about for kind, about in new if kind == _MATCH])
        for kind, about in new:
            if kind == NoticeKind.CALL.value:
                self._judged[kind, about] = await self._about_a_ring(about)
            elif kind == NoticeKind.CONSENT_WITHDRAWN.value:
                self._judged[kind, about] = await self._about_an_end(about)
            elif kind == _LETTER:
                self._judged[kind, about] = await self._about_a_letter(about)
            elif kind == _MATCH:
                self._judged[kind, about] = matches.get(about, NEVER)
            else:
                self._judged[kind, about] = await self._about_an_own_signal(about)

    async def _about_matches(self, ids: list[str]) -> Mapping[str, Judgement]:
        """Return of each of these matches whether the requester sees it, in his role."""
        found = await self._matches.among(ids)
        return {match.id: self._about_a_match(match, found.stamps) for match in found.matches}

    def _about_a_match(self, match: KeptMatch, stamps: tuple[Stamp, ...]) -> Judgement:
        requester = self._requester
        if requester.role == COORDINATOR:
            return self._of_a_coordinated(match, stamps)
        own = seen_now(match, requester, policy=self._policy, register=self._register, clock=self._clock)
        if own is None:
            return Judgement(told=False, looked_at=stamps)
        signals = (one for mine, hit in own.pairs for one in (mine, hit.signal))
        agreed = tuple(stamp for stamp in stamps if stamp.of in own.agreed)
        return Judgement(
            told=True, looked_at=stamps, rests_on=(*_of_signals(stamps, signals), *agreed), until=own.until
        )  # fmt: skip

    def _of_a_coordinated(self, match: KeptMatch, stamps: tuple[Stamp, ...]) -> Judgement:
        """Return whether the requester, who coordinates this match, may know of it now, and by what."""
        organisation, worker = self._requester.organisation, self._requester.worker
        policy, register, day = self._policy, self._register, self._clock.today()
        if not told_to_both(match, to=(organisation, worker), policy=policy, register=register, day=day):
            return Judgement(told=False, looked_at=stamps)
        keys, until = rests_on_for(match, to=organisation, policy=policy, register=register, day=day)
        agreed = (stamp for stamp in stamps if stamp.of in keys)
        return Judgement(
            told=True, looked_at=stamps, rests_on=(*_of_signals(stamps, match.common()), *agreed), until=until
        )  # fmt: skip

    async def _about_a_ring(self, ring_id: str) -> Judgement:
        """Return whether the worker may see this ring."""
        ring = await self._calls.ring(organisation=self._requester.organisation, ring_id=ring_id)
        if ring is None:
            return NEVER
        own = await own_ring(
            ring, self._requester, signals=self._signals, calls=self._calls, consents=self._consents,
            policy=self._policy, register=self._register, clock=self._clock,
        )  # fmt: skip
        return Judgement(told=own.seen, looked_at=own.stamps, rests_on=own.stamps, until=own.until)

    async def _about_an_end(self, about: str) -> Judgement:
        """Return whether the worker may know that a consent ended: not, where an own ring is about what he may not."""
        ring = await self._calls.ring(organisation=self._requester.organisation, ring_id=about)
        if ring is None:
            return await self._about_a_letter(about)
        return await self._about_an_own_signal(ring.signal_id)

    async def _about_a_letter(self, about: str) -> Judgement:
        """Return whether he may know of a letter or call: not, where it rests on an own signal kept from him."""
        requester = self._requester
        letter = await self._requests.request(organisation=requester.organisation, request_id=about)
        if letter is None:
            call = await self._phone.phone_call(organisation=requester.organisation, call_id=about)
            if call is None:
                return WHOEVER
            letter = call.as_letter()
        kept, stamps = await kept_from(letter, requester, signals=self._signals, matches=self._matches)
        # Of a match there are stamps of what this side may not see: that one moves withholds nothing here (D8).
        return Judgement(told=not kept, looked_at=stamps, rests_on=stamps if letter.match_id is None else ())

    async def _about_an_own_signal(self, signal_id: str) -> Judgement:
        """Return whether the worker may know of it: who is kept from it is not told that somebody came upon it."""
        requester = self._requester
        own = await self._signals.own(organisation=requester.organisation, signal_id=signal_id)
        if own is None:
            return NEVER
        kept_from = own.signal.excludes(requester.organisation, requester.worker)
        return Judgement(told=not kept_from, looked_at=own.stamps, rests_on=own.stamps)

    def _of(self, notice: WaitingNotice) -> Judgement:
        place = _place(notice)
        return WHOEVER if place is None else self._judged[place]


def _of_signals(stamps: Iterable[Stamp], signals: Iterable[Signal]) -> tuple[Stamp, ...]:
    """Return those of these stamps that are of these signals, or of who holds one."""
    of = {name.encode("ascii") for one in signals for name in (one.id, one.organisation)}
    return tuple(stamp for stamp in stamps if stamp.of.key in of)


def _place(notice: WaitingNotice) -> Place | None:
    """Return what a notice is judged by, None where whoever fetches is told of it."""
    if notice.kind in ABOUT_A_MATCH:
        return _MATCH, notice.about
    if notice.kind in ABOUT_A_LETTER:
        return _LETTER, notice.about
    judged = (
        NoticeKind.CALL, NoticeKind.SHIELD_ALERT, NoticeKind.WRONGLY_MADE, NoticeKind.CONSENT_WITHDRAWN,
        NoticeKind.CONSENT_REFUSED,
    )  # fmt: skip
    return (notice.kind.value, notice.about) if notice.kind in judged else None


def _sorted(stamps: Iterable[Stamp]) -> tuple[Stamp, ...]:
    return tuple(sorted(stamps, key=lambda stamp: (stamp.of.kind.value, stamp.of.key)))
