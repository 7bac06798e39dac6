"""The own involvement that a letter or a call rests on: an own signal, or a match that its own side sees (D5, D8).

A match of another side, one that this side may not see (any more), and one that never was are one and the same: none.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from broker.domain.changes import MarkStanding
from broker.domain.errors import FieldRuleError, NotFoundError
from broker.domain.requests import Requester
from broker.domain.signals import Signal
from broker.flows.changing_match import hindrance
from broker.flows.entry_payloads import Recording
from broker.flows.letters import own_signal
from broker.flows.own_match import OwnMatch, decisions_of, few, own_match
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import seen_of, shows
from broker.letter_ports import MatchById
from broker.match_ports import MatchReader
from broker.ports import Clock, SignalStore, Stamp, StampKind
from broker.protocol.messages import StatutoryProof
from broker.protocol.register import Register
from broker.protocol.roster import Roster

OF_A_SIGNAL = (StampKind.SHIELD, StampKind.LAST_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a letter or a call names of its sender's involvement, of whom it goes to, and from which team."""

    signal_id: str | None
    match_id: str | None
    team: str
    to: str
    to_team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Involvement:
    """How the sender is involved with the household; nothing where it names neither a signal nor a match.

    Attributes:
        signals: the own ones.
        stamps: of everything that was read.
        rests_on: of what may end it: the own signals, and those of the other side that it sees. What it may not see
            is none of them, so that what becomes of that shows in nothing.
        hindered: the problem of who would act on a match that is another team's, or closed.
    """

    signals: tuple[Signal, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    rests_on: tuple[Stamp, ...] = ()
    match: OwnMatch | None = None
    hindered: str | None = None

    def standing(self, purpose: str) -> tuple[Signal, ...]:
        """Return the own signals that entitle, as they do to a check: those for this very purpose."""
        return tuple(signal for signal in self.signals if signal.purpose == purpose)

    @property
    def about_signals(self) -> tuple[str, ...]:
        """The signals of the match that is named, of both sides: from whom one is kept, the letter is kept too."""
        return () if self.match is None else tuple(sorted(self.match.match.signal_ids()))

    def recorded(self, recording: Recording) -> Recording:
        """Return the recording with the signals by which its entry is found, and with what was judged of a match."""
        own = tuple(signal.handle for signal in self.signals)
        if self.match is None:
            return replace(recording, own_handles=own)
        return replace(
            recording, own_handles=own, handles=few(self.match.handles()), hits=decisions_of((self.match,)),
            more={**recording.more, "match": self.match.match.id},
        )  # fmt: skip


class Standing(Protocol):
    """What a letter or a call states of what it stands on."""

    purpose: str
    proof: StatutoryProof | None
    consent_id: str | None


def marks(involved: Involvement, *, command: Standing, day: date) -> tuple[MarkStanding, ...]:
    """Return that these own signals gave standing today, so that none is withdrawn soon without a review (D5).

    Where a proof or a consent is stated, that is what it stands on.
    """
    if command.proof is not None or command.consent_id is not None:
        return ()
    return tuple(MarkStanding(signal_id=signal.id, on=day) for signal in involved.standing(command.purpose))


async def involvement(
    named: Named, *, requester: Requester, policy: PolicyInForce, register: Register, roster: Roster | None,
    clock: Clock, signals: SignalStore, matches: MatchReader,
) -> Involvement:  # fmt: skip
    """Return how the requester's organisation is involved, by what it names.

    Raises:
        NotFoundError: the signal or match is none of its own, is not active or to be seen any more, or never was.
        FieldRuleError: it names both, or another team than the two of the match.
        DecisionFailedError: a decision failed.
    """
    if named.match_id is None:
        own = await own_signal(
            named.signal_id, organisation=requester.organisation, policy=policy, today=clock.today(), signals=signals
        )  # fmt: skip
        if own is None:
            return Involvement()
        if own.signal.hidden_from(requester.worker):
            raise NotFoundError
        return Involvement(signals=(own.signal,), stamps=own.stamps, rests_on=own.stamps)
    if named.signal_id is not None:
        raise FieldRuleError("signalId", "is not for what names a match")
    match = await own_match(
        named.match_id, requester, matches=matches, policy=policy, register=register, clock=clock
    )  # fmt: skip
    _check_sides(named, match)
    return Involvement(
        signals=match.signals, stamps=match.stamps, rests_on=_rests_on(match), match=match,
        hindered=hindrance(match, requester, roster),
    )  # fmt: skip


async def seen_in_match(
    match_id: str, *, organisation: str, worker: str, policy: PolicyInForce, register: Register, clock: Clock,
    matches: MatchById,
) -> tuple[tuple[Signal, ...], tuple[Stamp, ...]]:  # fmt: skip
    """Return the own signals by which this side still sees the match, and the stamps of that.

    Raises:
        NotFoundError: it does not. DecisionFailedError: a decision failed.
    """
    found, day = await matches.one(match_id), clock.today()
    for match in found.matches:
        side = match.side_of(organisation)
        if side is not None and seen_of(match, side, policy=policy, register=register, worker=worker, day=day)[0]:
            return tuple({own.id: own for own, _ in match.seen_by(side, worker=worker)}.values()), found.stamps
    raise NotFoundError


def _check_sides(named: Named, match: OwnMatch) -> None:
    if named.team != match.side.of.team:
        raise FieldRuleError("team", "is not the own team of the match")
    if (named.to, named.to_team) != (match.other.organisation, match.other.team):
        raise FieldRuleError("toTeam", "is not the other team of the match")


def _rests_on(match: OwnMatch) -> tuple[Stamp, ...]:
    seen = {hit.signal.id for judged in match.judged if shows(judged) for hit in judged.hits}
    ids = {one.encode("ascii") for one in seen | {signal.id for signal in match.signals}}
    return tuple(
        stamp
        for stamp in match.stamps
        if stamp.of in match.agreed or (stamp.of.kind in OF_A_SIGNAL and stamp.of.key in ids)
    )
