"""Which region a match is of, and who sees to it: the matchcoordinators of both sides' municipalities (ADR 44)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from broker.domain.matches import KeptMatch, Link, MatchSide, TeamOf
from broker.domain.signals import Signal
from broker.flows.canonical import canonical
from broker.flows.judging import Recorded
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, may_coordinate, told_to_both
from broker.protocol.register import Register


def coordinators_of(
    match: KeptMatch, *, region: str | None, policy: PolicyInForce, register: Register, day: date
) -> tuple[TeamOf, ...]:
    """Return who coordinates a match that is made now: of each side's own municipality, where both sides are told.

    Where no document says of either side where it is at home, that of the region in whose agreement both are party.

    Args:
        match: as it is made, without coordinators.
        region: in whose agreement both are party.
    """
    if not all(side.told for side in match.sides):
        return ()
    homes = [_home(match, side, region=region, policy=policy, register=register, day=day) for side in match.sides]
    known = homes if any(homes) else [region]
    named = [one for one in (policy.coordinator_of(home) for home in known) if one is not None]
    found = dict.fromkeys(TeamOf(organisation=one.organisation, team=one.team) for one in named)
    return tuple(one for one in found if may_coordinate(match, to=(one.organisation, NOBODY), policy=policy, day=day))


def noted(group: Recorded, made: tuple[KeptMatch, ...], *, room: int) -> tuple[Recorded, tuple[KeptMatch, ...]]:
    """Return a group of an entry with whom of municipalities these matches are told to; nobody, where that has no room.

    What is not in the log is not told (D7).
    """
    told = {one.id: [[to.organisation, to.team] for to in one.coordinators] for one in made if one.coordinators}
    if not told:
        return group, made
    payload = {**group.payload, "coordinated": told}
    if len(canonical(payload)) > room:
        return group, tuple(replace(one, coordinators=()) for one in made)
    return replace(group, payload=payload), made


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
        side for oin in (signal.organisation, team.organisation) if (side := _as_party(oin, register)) is not None
    ]  # fmt: skip
    # A link that one of the two does not see moves nothing that both read.
    purposes = [signal.purpose, *sorted({link.signal.purpose for link in links if link.shown and link.tells})]
    found = (policy.region_of(purpose, sides, day=day) for purpose in purposes)
    return next((region for region in found if region is not None), None)


def _home(
    match: KeptMatch, side: MatchSide, *, region: str | None, policy: PolicyInForce, register: Register, day: date
) -> str | None:
    """Return the region that a side is of, on the purpose of what it met the other by."""
    party = _as_party(side.of.organisation, register)
    if party is None:
        return None
    purposes = sorted({one.purpose for one in match.common() if one.organisation == side.of.organisation})
    found = (policy.home_of(purpose, party, met_in=region, day=day) for purpose in purposes)
    return next((home for home in found if home is not None), None)


def _as_party(oin: str, register: Register) -> tuple[str, str] | None:
    organisation = register.organisations.get(oin)
    return None if organisation is None else (oin, organisation.org_class)
