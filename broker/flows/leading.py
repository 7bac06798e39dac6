"""Which team leads the one plan for a household, as one side of it may know: named in any match on it (D8, ADR 41).

A name that was given in a match counts for whoever sees both teams of that match now, by the very signals they met by,
where these two see each other. So it says of nobody that he is involved: all that it adds is who leads. A name that one
side gave in a match which the other does not see counts for that side alone. Two teams that may not know of each other
can each have been named: both stand, and who comes to know both has the first in front of him (ADR 44).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from broker.domain.matches import KeptMatch, MatchSide, TeamOf
from broker.domain.notices import NoticeKind, Notify
from broker.domain.requests import Requester
from broker.flows.own_match import OwnMatch, seen_now
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, knows, looks_of, shows
from broker.match_ports import MatchReader
from broker.ports import Clock, Stamp
from broker.protocol.register import Register

_Seen = tuple[str, frozenset[str]]
"""An own signal, and the signals of others that are seen by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The matches around some signals, whoever's they are, and by what each is judged anew."""

    matches: tuple[KeptMatch, ...]
    policy: PolicyInForce
    register: Register
    day: date

    def known_to(self, organisation: str, own: Collection[str], *, worker: str) -> tuple[KeptMatch, ...]:
        """Return the matches of which this organisation may know that somebody was named in them.

        Args:
            organisation: that looks.
            own: ids of its signals on the household; those by which it sees the same as by one of these count too.
            worker: who looks, or nobody in particular.

        Raises:
            DecisionFailedError: a decision failed.
        """
        shown = {match.id: self._shown_in(match, organisation, worker=worker) for match in self.matches}
        mine = _tied(frozenset(own), [pair for pairs in shown.values() for pair in pairs])
        signals = mine.union(*(hits for pairs in shown.values() for by, hits in pairs if by in mine))
        of_own = {match_id for match_id, pairs in shown.items() if any(by in mine for by, _ in pairs)}
        others = (match for match in self.matches if match.side_of(organisation) is None)
        of_others = {match.id for match in others if self._both_see(match, signals)}
        return tuple(match for match in self.matches if match.id in of_own | of_others)

    def _shown_in(self, match: KeptMatch, organisation: str, *, worker: str) -> tuple[_Seen, ...]:
        """Return by which signal of its own this organisation sees which others in a match of its own."""
        side = match.side_of(organisation)
        if side is None:
            return ()
        looks = looks_of(match, side, policy=self.policy, register=self.register, worker=worker, day=self.day)
        seen = (look for look in looks if shows(look.judged))
        return tuple((look.own.id, frozenset(hit.signal.id for hit in look.judged.hits)) for look in seen)

    def _both_see(self, match: KeptMatch, signals: frozenset[str]) -> bool:
        """Return whether both teams of a match see each other now, by these signals alone."""
        met = tuple(link for link in match.links if link.shown and link.tells and link.signal.id in signals)
        if match.newer.id not in signals or not met:
            return False
        by_these = replace(match, links=met)
        return all(
            knows(by_these, side, policy=self.policy, register=self.register, day=self.day) for side in match.sides
        )


def _tied(own: frozenset[str], seen: Collection[_Seen]) -> frozenset[str]:
    """Return these own signals, and those by which the same signal of another is seen: they are on one household."""
    while True:
        signals = frozenset().union(*(hits for by, hits in seen if by in own))
        more = own.union(by for by, hits in seen if hits & signals)
        if more == own:
            return own
        own = more


def leaders(matches: Iterable[KeptMatch]) -> tuple[TeamOf, ...]:
    """Return the teams that lead as far as these matches say: one, unless who named the other did not know of it.

    The one that was named first stands in front. A name goes by what replaced it, knowing of it, and by nothing else.
    """
    named = sorted((one.named_in or 0, one.id, one) for one in matches if one.casusregisseur is not None)
    standing = [
        match.casusregisseur
        for entry, _, match in named
        if not any(later > entry and _replaced(entry, by=other) for later, _, other in named)
    ]
    return tuple(dict.fromkeys(team for team in standing if team is not None))


def _replaced(entry: int, *, by: KeptMatch) -> bool:
    return by.named_over is None or entry in by.named_over


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who leads, for one own match; the matches that this follows from, and the own ones seen on the household.

    `leaders` are one team, or the one that was named first and those named by who did not know of it; `leading` is the
    own match with the team that leads, where another team does and it is seen.
    """

    leaders: tuple[TeamOf, ...]
    known: tuple[KeptMatch, ...]
    beside: tuple[OwnMatch, ...]
    around: Around

    @property
    def led_by(self) -> TeamOf | None:
        """The team that leads: of several the one that was named first."""
        return self.leaders[0] if self.leaders else None

    @property
    def names(self) -> frozenset[int]:
        """The entries of every name that this side may know of."""
        return frozenset(one.named_in for one in self.known if one.named_in is not None)

    @property
    def leading(self) -> OwnMatch | None:
        """The own match with the team that leads."""
        return self.with_team(self.led_by)

    def with_team(self, team: TeamOf | None) -> OwnMatch | None:
        """Return the own match with this team; None where there is none that is seen."""
        return next((one for one in self.beside if one.other == team), None)

    def would_know(self, of: OwnMatch, *, named: KeptMatch) -> bool:
        """Return whether the other side of an own match may know who is named in this one."""
        side = of.match.other_of(of.side)
        return named.id in {match.id for match in self._known_to(of, side)}

    def led_by_for(self, of: OwnMatch) -> TeamOf | None:
        """Return who leads as the other side of an own match may know."""
        found = leaders(self._known_to(of, of.match.other_of(of.side)))
        return found[0] if found else None

    def _known_to(self, of: OwnMatch, side: MatchSide) -> tuple[KeptMatch, ...]:
        own = {signal.id for signal, _ in of.match.seen_by(side)}
        return self.around.known_to(side.of.organisation, own, worker=NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """Who leads, for each of some own matches; `stamps` are what that rests on."""

    requester: Requester
    around: Around
    clock: Clock
    stamps: tuple[Stamp, ...]

    def of(self, own: OwnMatch) -> Plan:
        """Return who leads for the household of this match. Raises DecisionFailedError."""
        organisation, mine = self.requester.organisation, {signal.id for signal in own.signals}
        around = self.around
        known = around.known_to(organisation, mine, worker=self.requester.worker)
        seen = (
            seen_now(match, self.requester, policy=around.policy, register=around.register, clock=self.clock)
            for match in known
        )
        beside = tuple(one for one in seen if one is not None)
        return Plan(leaders=leaders(known), known=known, beside=beside, around=around)


def led_notice(match: KeptMatch, to: TeamOf, notice_id: str, *, leads: bool) -> Notify:
    """Return the notice about a match of its own that a team leads the plan, or that another one does."""
    return Notify(
        id=notice_id,
        organisation=to.organisation,
        team=to.team,
        kind=NoticeKind.CASUSREGISSEUR if leads else NoticeKind.OTHER_LEADS,
        about=match.id,
    )


async def plans_of(
    owns: Iterable[OwnMatch], requester: Requester, *, matches: MatchReader, policy: PolicyInForce,
    register: Register, clock: Clock,
) -> Plans:  # fmt: skip
    """Return who leads for these own matches: two readings, whatever there is.

    Raises:
        DecisionFailedError: a decision failed.
    """
    mine = {signal.id for own in owns for signal in own.signals}
    # (1) What this side sees by its own signals; (2) every match on what it sees, with the stamps of all of it.
    first = await matches.touching(mine)
    signals = mine.union(
        *(
            {hit.signal.id for judged in one.judged if shows(judged) for hit in judged.hits}
            for match in first.matches
            if (one := seen_now(match, requester, policy=policy, register=register, clock=clock)) is not None
        )
    )
    second = await matches.touching(signals)
    around = Around(matches=second.matches, policy=policy, register=register, day=clock.today())
    stamps = tuple(dict.fromkeys((*first.stamps, *second.stamps)))
    return Plans(requester=requester, around=around, clock=clock, stamps=stamps)
