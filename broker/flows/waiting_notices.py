"""Which notices may be told to who fetches them: each judged by what it is about, as a look at that would be (D8)."""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.call_ports import CallReader
from broker.domain.matches import KeptMatch
from broker.domain.notices import ABOUT_A_MATCH, NoticeKind, WaitingNotice
from broker.domain.requests import COORDINATOR, Requester
from broker.domain.signals import Signal
from broker.flows.own_match import seen_now
from broker.flows.own_ring import own_ring
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import told_to_both
from broker.match_ports import InboxReader, MatchReader
from broker.ports import Clock, SignalStore, Stamp
from broker.protocol.register import Register

Place = tuple[str, str]
"""Of what kind of thing a notice tells, and that thing's id."""
Judgement = tuple[bool, tuple[Stamp, ...], tuple[Stamp, ...]]
"""Whether it may be told, the stamps of what was read to judge that, and those of what it is told by.

Where a side does not see a signal of a match, that it goes must not withhold what this side was told (D8).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The notices to tell; what was looked at to decide that, and what those rest on that are told."""

    notices: tuple[WaitingNotice, ...]
    looked_at: tuple[Stamp, ...]
    rests_on: tuple[Stamp, ...]


class Fetching:
    """What judges the notices of one fetch, for the requester as the rules and the register are now."""

    def __init__(
        self, requester: Requester, *, policy: PolicyInForce, register: Register, clock: Clock, signals: SignalStore,
        inbox: InboxReader, matches: MatchReader, calls: CallReader,
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
        self._judged: dict[Place, Judgement] = {}

    async def waiting(self, *, kinds: frozenset[NoticeKind], had: tuple[str, ...], at_most: int) -> Waiting:
        """Return the oldest notices of these kinds that may be told, but for those the organisation has.

        Raises:
            DecisionFailedError: a decision failed.
        """
        hidden: list[str] = []
        while True:
            notices = await self._inbox.waiting(
                organisation=self._requester.organisation, kinds=kinds, without=(*had, *hidden), at_most=at_most
            )
            for place in {_place(one): None for one in notices}:
                if place is not None and place not in self._judged:
                    self._judged[place] = await self.judged(*place)
            unseen = [one.id for one in notices if not self._of(one)[0]]
            if not unseen:
                break
            hidden += unseen
        looked_at = {stamp for _, stamps, _ in self._judged.values() for stamp in stamps}
        rests_on = {stamp for one in notices for stamp in self._of(one)[2]}
        return Waiting(notices=notices, looked_at=_sorted(looked_at), rests_on=_sorted(rests_on))

    async def judged(self, kind: str, about: str) -> Judgement:
        """Return whether what is about this may be told, and on which stamps."""
        if kind == NoticeKind.CALL.value:
            return await self.about_a_ring(about)
        if kind in (NoticeKind.SHIELD_ALERT.value, NoticeKind.WRONGLY_MADE.value):
            return await self.about_an_own_signal(about)
        found = await self._matches.one(about)
        of = {
            name.encode("ascii")
            for match in found.matches
            for one in self._seen(match)
            for name in (one.id, one.organisation)
        }
        told_by = tuple(stamp for stamp in found.stamps if stamp.of.key in of)
        return any(self._sees(match) for match in found.matches), found.stamps, told_by

    async def about_a_ring(self, ring_id: str) -> Judgement:
        """Return whether the worker may see this ring."""
        ring = await self._calls.ring(organisation=self._requester.organisation, ring_id=ring_id)
        if ring is None:
            return False, (), ()
        own = await own_ring(
            ring, self._requester, signals=self._signals, policy=self._policy, register=self._register,
            clock=self._clock,
        )  # fmt: skip
        return own.seen, own.stamps, own.stamps

    async def about_an_own_signal(self, signal_id: str) -> Judgement:
        """Return whether the worker may know of it: who is kept from it is not told that somebody came upon it."""
        requester = self._requester
        own = await self._signals.own(organisation=requester.organisation, signal_id=signal_id)
        if own is None:
            return False, (), ()
        return not own.signal.excludes(requester.organisation, requester.worker), own.stamps, own.stamps

    def _of(self, notice: WaitingNotice) -> Judgement:
        place = _place(notice)
        return (True, (), ()) if place is None else self._judged[place]

    def _seen(self, match: KeptMatch) -> tuple[Signal, ...]:
        """Return the signals of a match by which it is told to who fetches."""
        side = match.side_of(self._requester.organisation)
        if self._requester.role == COORDINATOR or side is None:
            return match.common()
        return tuple(one for own, hit in match.seen_by(side) for one in (own, hit.signal))

    def _sees(self, match: KeptMatch) -> bool:
        requester = self._requester
        if requester.role == COORDINATOR:
            return told_to_both(
                match,
                to=(requester.organisation, requester.worker),
                policy=self._policy,
                register=self._register,
                day=self._clock.today(),
            )
        seen = seen_now(match, requester, policy=self._policy, register=self._register, clock=self._clock)
        return seen is not None


def _place(notice: WaitingNotice) -> Place | None:
    """Return what a notice is judged by, None where whoever fetches is told of it."""
    if notice.kind in ABOUT_A_MATCH:
        return "match", notice.about
    judged = (NoticeKind.CALL, NoticeKind.SHIELD_ALERT, NoticeKind.WRONGLY_MADE)
    return (notice.kind.value, notice.about) if notice.kind in judged else None


def _sorted(stamps: Iterable[Stamp]) -> tuple[Stamp, ...]:
    return tuple(sorted(stamps, key=lambda stamp: (stamp.of.kind.value, stamp.of.key)))
