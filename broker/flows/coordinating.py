"""Which region a match is of, and who sees to it: the matchcoordinators of both sides' municipalities (ADR 44)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from broker.domain.matches import KeptMatch, Link, MatchSide, TeamOf
from broker.domain.signals import Signal
from broker.flows.canonical import canonical
from broker.flows.entry_payloads import COORDINATED_ROOM
from broker.flows.judging import Recorded
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, may_coordinate, on_consent, told_to_both
from broker.protocol.register import Register


def coordinators_of(
    match: KeptMatch, *, region: str | None, policy: PolicyInForce, register: Register, day: date
) -> tuple[TeamOf, ...]:
    """Return who coordinates a match that is made now: of each side's own municipality, where both sides are told.

    Where no document says of either side where it is at home, that of the region in whose agreement both are party.
    Without such an agreement nobody, but for whom a person named where all of it is on consent: no municipality has a
    task in what rests on the law between two alone.

    Args:
        match: as it is made, without coordinators.
        region: in whose agreement both are party; None, where there is none.
    """
    agreed = region is not None or all(on_consent(signal, policy) for signal in match.common())
    if not agreed or not all(side.told for side in match.sides):
        return ()
    homes = [_home(match, side, region=region, policy=policy, register=register, day=day) for side in match.sides]
    known = homes if any(homes) else [region]
    named = [one for one in (policy.coordinator_of(home) for home in known) if one is not None]
    found = dict.fromkeys(TeamOf(organisation=one.organisation, team=one.team) for one in named)
    return tuple(one for one in found if may_coordinate(match, to=(one.organisation, NOBODY), policy=policy, day=day))


def noted(group: Recorded, made: tuple[KeptMatch, ...]) -> tuple[Recorded, tuple[KeptMatch, ...]]:
    """Return a group of an entry with whom of municipalities these matches are told to, as many as its room holds.

    What is not in the log is not told (D7). The room is kept for this alone: what nobody of a municipality may see
    takes nothing of it away (D8).
    """
    told: dict[str, list[list[str]]] = {}
    for match in made:
        named = [[to.organisation, to.team] for to in match.coordinators]
        if named and len(canonical({"coordinated": {**told, match.id: named}})) <= COORDINATED_ROOM:
            told[match.id] = named
    if not told:
        return group, tuple(replace(one, coordinators=()) for one in made)
    kept = tuple(one if one.id in told else replace(one, coordinators=()) for one in made)
    return replace(group, payload={**group.payload, "coordinated": told}), kept


def told_now(match: KeptMatch, *, policy: PolicyInForce, register: Register, day: date) -> tuple[TeamOf, ...]:
    """Return the coordinators of this match who may be told of it now, each by a decision of his own.

    Raises:
        DecisionFailedError: a decision failed.
    """
    return tuple(
        one
        for one in match.coordinators
        if told_to_both(match, to=(one.organisation, NOBODY), policy=policy, register=register, day=day)
    )


def region_of(
    signal: Signal, team: TeamOf, links: Iterable[Link], *, policy: PolicyInForce, register: Register, day: date
) -> str | None:
    """Return the region in whose agreement both are party, on the purpose of the new signal or else of another."""
    sides = [
        (oin, organisation.org_class)
        for oin in (signal.organisation, team.organisation)
        if (organisation := register.organisations.get(oin)) is not None
    ]
    # A link that one of the two does not see moves nothing that both read.
    purposes = [signal.purpose, *sorted({link.signal.purpose for link in links if link.shown and link.tells})]
    found = (policy.region_of(purpose, sides, day=day) for purpose in purposes)
    return next((region for region in found if region is not None), None)


def _home(
    match: KeptMatch, side: MatchSide, *, region: str | None, policy: PolicyInForce, register: Register, day: date
) -> str | None:
    """Return the region that a side is of, on the purpose of what it met the other by; who is told is registered."""
    oin = side.of.organisation
    party = (oin, register.organisations[oin].org_class)
    purposes = sorted({one.purpose for one in match.common() if one.organisation == oin})
    found = (policy.home_of(purpose, party, met_in=region, day=day) for purpose in purposes)
    return next((home for home in found if home is not None), None)
