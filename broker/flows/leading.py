"""Which team leads the one plan for a household, as one side of it may know: named in any match on it (D8, ADR 41).

A name that was given in a match counts for whoever sees both teams of that match now, by the very signals they met by,
where these two see each other. So it says of nobody that he is involved: all that it adds is who leads. A name that one
side gave in a match which the other does not see counts for that side alone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from broker.domain.matches import KeptMatch, TeamOf
from broker.domain.requests import Requester
from broker.flows.own_match import OwnMatch, seen_now
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, knows, looks_of, shows
from broker.match_ports import MatchReader
from broker.ports import Clock, Stamp
from broker.protocol.register import Register


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
            own: ids of its signals on the household.
            worker: who looks, or nobody in particular.

        Raises:
            DecisionFailedError: a decision failed.
        """
        seen = {match.id: self._seen_in(match, organisation, own, worker=worker) for match in self.matches}
        signals = frozenset(own).union(*seen.values())
        others = (match for match in self.matches if match.side_of(organisation) is None)
        of_others = {match.id for match in others if self._both_see(match, signals)}
        return tuple(match for match in self.matches if seen[match.id] or match.id in of_others)

    def _seen_in(self, match: KeptMatch, organisation: str, own: Collection[str], *, worker: str) -> frozenset[str]:
        """Return the signals that this organisation sees in a match of its own, by these signals of its own."""
        side = match.side_of(organisation)
        if side is None:
            return frozenset()
        looks = looks_of(match, side, policy=self.policy, register=self.register, worker=worker, day=self.day)
        by_own = [look.judged for look in looks if look.own.id in own and shows(look.judged)]
        return frozenset(hit.signal.id for judged in by_own for hit in judged.hits)

    def _both_see(self, match: KeptMatch, signals: frozenset[str]) -> bool:
        """Return whether both teams of a match see each other now, by these signals alone."""
        met = tuple(link for link in match.links if link.shown and link.tells and link.signal.id in signals)
        if match.newer.id not in signals or not met:
            return False
        by_these = replace(match, links=met)
        return all(
            knows(by_these, side, policy=self.policy, register=self.register, day=self.day) for side in match.sides
        )


def leader(matches: Iterable[KeptMatch]) -> TeamOf | None:
    """Return the team that was named last in these matches; None where nobody was."""
    named = [match for match in matches if match.casusregisseur is not None]
    last = max(named, key=lambda match: (match.named_in or 0, match.id), default=None)
    return None if last is None else last.casusregisseur


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who leads, for one own match; the matches that this follows from, and the own ones seen on the household.

    `leading` is the own match with the team that leads, where another team does and it is seen.
    """

    led_by: TeamOf | None
    known: tuple[KeptMatch, ...]
    beside: tuple[OwnMatch, ...]
    around: Around

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
        own = {signal.id for signal, _ in of.match.seen_by(side)}
        known = self.around.known_to(side.of.organisation, own, worker=NOBODY)
        return named.id in {match.id for match in known}


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
        return Plan(led_by=leader(known), known=known, beside=beside, around=around)


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
