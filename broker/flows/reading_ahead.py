"""What a page of letters rests on, read once, and decisions on equal facts made once: each look at one uses these.

A list decides on every letter that waits as its fetch would. What that reads of one letter it finds here, so that a
page takes one reading, whatever its letters rest on; what two letters ask of the policy alike is decided once.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from broker.consent_ports import OwnConsent
from broker.domain.information_requests import InformationRequest, RequestReply
from broker.exception_ports import OwnException
from broker.flows.policy import DecisionPoint, PolicyInForce
from broker.letter_ports import BasisReader, OwnId, ReadTogether, Wanted
from broker.match_ports import FoundMatches
from broker.ports import OwnSignal, Stamp, StampKey, StampKind
from broker.request_ports import stamps_of
from policies import AskFacts, HitFacts, Permit, Refusal

NO_MATCH = FoundMatches(matches=(), stamps=())


@dataclass(frozen=True, slots=True)
class SignalsAhead:
    """`OwnSignals` of what was read."""

    read: ReadTogether

    async def own(self, *, organisation: str, signal_id: str) -> OwnSignal | None:
        """Return this organisation's own signal. See `OwnSignals.own`."""
        return self.read.signals.get((organisation, signal_id))

    async def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """Return the version of each key. See `OwnSignals.stamps`."""
        return tuple(self.read.stamps[key] for key in keys)


@dataclass(frozen=True, slots=True)
class MatchesAhead:
    """`MatchById` of what was read."""

    read: ReadTogether

    async def one(self, match_id: str) -> FoundMatches:
        """Return the match with this id. See `MatchById.one`."""
        return self.read.matches.get(match_id, NO_MATCH)


@dataclass(frozen=True, slots=True)
class ConsentsAhead:
    """`OwnConsents` of what was read."""

    read: ReadTogether

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """Return this organisation's own record. See `OwnConsents.own`."""
        return self.read.consents.get((organisation, consent_id))


@dataclass(frozen=True, slots=True)
class ExceptionsAhead:
    """`OwnExceptions` of what was read."""

    read: ReadTogether

    async def own(self, *, organisation: str, exception_id: str) -> OwnException | None:
        """Return this organisation's own exception. See `OwnExceptions.own`."""
        return self.read.exceptions.get((organisation, exception_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What a look at one letter of a page reads of."""

    signals: SignalsAhead
    matches: MatchesAhead
    consents: ConsentsAhead
    exceptions: ExceptionsAhead


async def read_ahead(letters: Iterable[InformationRequest], *, organisation: str, resting: BasisReader) -> Ahead:
    """Return everything that looks of this organisation at these letters read: one reading of one moment."""
    read = await resting.together(_wanted(list(letters), organisation))
    return Ahead(
        signals=SignalsAhead(read), matches=MatchesAhead(read), consents=ConsentsAhead(read),
        exceptions=ExceptionsAhead(read),
    )  # fmt: skip


def _wanted(letters: Collection[InformationRequest], organisation: str) -> Wanted:
    stamps = [stamp.of for one in letters for stamp in stamps_of((*one.rests_on, *one.answer_rests_on))]
    sides = sorted({oin for one in letters for oin in (one.sender, one.receiver)})
    keys = (StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii")) for oin in sides)
    named = frozenset((organisation, one) for letter in letters for one in letter.about_signals)
    return Wanted(
        signals=named | _own(letters, lambda one: one.signal_id),
        matches=frozenset(one.match_id for one in letters if one.match_id is not None),
        consents=_own(letters, lambda one: one.consent_id),
        exceptions=_own(letters, lambda one: one.exception_id),
        stamps=tuple(dict.fromkeys((*stamps, *keys))),
    )


def _own(
    letters: Iterable[InformationRequest], named: Callable[[InformationRequest | RequestReply], str | None]
) -> frozenset[OwnId]:
    """Return what the sender of each letter, and who answered it, named of their own."""
    found = [(one.sender, named(one)) for one in letters]
    found += [(one.receiver, named(one.reply)) for one in letters if one.reply is not None]
    return frozenset((organisation, one) for organisation, one in found if one is not None)


class _DecidesOnce:
    """A decision point that answers the same question once: a decision is made of its facts and of nothing else."""

    def __init__(self, point: DecisionPoint) -> None:
        self._point = point
        self._asked: dict[AskFacts, Permit | Refusal] = {}
        self._seen: dict[tuple[AskFacts, HitFacts], Permit | Refusal] = {}

    def may_ask(self, facts: AskFacts) -> Permit | Refusal:
        """Return whether this question may be put. See `DecisionPoint.may_ask`."""
        if facts not in self._asked:
            self._asked[facts] = self._point.may_ask(facts)
        return self._asked[facts]

    def may_see(self, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
        """Return whether this one signal may be shown. See `DecisionPoint.may_see`."""
        if (facts, hit) not in self._seen:
            self._seen[facts, hit] = self._point.may_see(facts, hit)
        return self._seen[facts, hit]


def deciding_once(policy: PolicyInForce) -> PolicyInForce:
    """Return the policy for one page: its decisions, each made once."""
    return replace(policy, decision_point=_DecidesOnce(policy.decision_point))
