"""What one side of a match may see of the other: the decision it would get if it looked itself (D8)."""

from collections.abc import Iterable
from datetime import date

from broker.domain.disclosures import CONTACT_LEVEL
from broker.domain.households import Hit, MatchKind
from broker.domain.matches import KeptMatch, MatchSide
from broker.domain.requests import WORKER
from broker.domain.signals import Signal
from broker.flows.judging import Judged, judge_hits
from broker.flows.policy import PolicyInForce
from broker.protocol.register import Register
from policies import AskFacts

NOBODY = ""
"""Stands for the worker where a team is told: who of it must not see a signal is judged when he looks."""


def may_see_by(
    own: Signal, hits: Iterable[Hit], *, policy: PolicyInForce, register: Register, worker: str, day: date
) -> tuple[Judged, ...]:
    """Return the decisions on these hits for the holder of an own signal that holds, as a check of his would get them.

    Nothing is decided, and so nothing seen, for who may not act, and for a purpose that does not match that way.

    Raises:
        DecisionFailedError: a decision failed.
    """
    organisation = register.organisations.get(own.organisation)
    purpose = policy.purposes.get(own.purpose)
    if organisation is None or not organisation.active or purpose is None or not _holds(own, policy, day):
        return ()
    usable = [hit for hit in hits if hit.kind.value in purpose.match_kinds and _holds(hit.signal, policy, day)]
    facts = AskFacts(
        day=day,
        operation="check",
        organisation=own.organisation,
        org_class=organisation.org_class,
        role=WORKER,
        purpose=own.purpose,
        grounds=(own.ground,),
        standing="own_signal",
        approval="none",
        families=frozenset(purpose.families) & frozenset(organisation.families),
        simulated_bsn_right=organisation.simulated_bsn_right,
    )
    return judge_hits(policy, facts, usable, register=register, worker=worker)


def shows(judged: Judged) -> bool:
    """Return whether this decision names the other side."""
    return judged.level >= CONTACT_LEVEL


def seen_of(
    match: KeptMatch, side: MatchSide, *, policy: PolicyInForce, register: Register, worker: str, day: date
) -> tuple[tuple[MatchKind, ...], tuple[Judged, ...]]:
    """Return in which kinds this side sees the other now, none when it does not, and every decision that was made.

    A side that was not told when the match was made is shown nothing.

    Raises:
        DecisionFailedError: a decision failed.
    """
    if not side.told:
        return (), ()
    judged = [
        one
        for own, hit in match.seen_by(side)
        for one in may_see_by(own, [hit], policy=policy, register=register, worker=worker, day=day)
    ]
    return tuple(hit.kind for one in judged if shows(one) for hit in one.hits), tuple(judged)


def knows(match: KeptMatch, side: MatchSide, *, policy: PolicyInForce, register: Register, day: date) -> bool:
    """Return whether this side sees the match now, as a team: only then may it be told anything about it.

    Raises:
        DecisionFailedError: a decision failed.
    """
    return bool(seen_of(match, side, policy=policy, register=register, worker=NOBODY, day=day)[0])


def _holds(signal: Signal, policy: PolicyInForce, day: date) -> bool:
    return signal.active_on(day) and policy.counts(signal, day=day)


def told_to_both(
    match: KeptMatch, *, to: tuple[str, str], policy: PolicyInForce, register: Register, day: date
) -> bool:
    """Return whether both teams were told and see each other now: only then may anybody else know of it.

    Args:
        to: organisation and worker of who would be told; who is kept from a signal is not told of its match.

    Raises:
        DecisionFailedError: a decision failed.
    """
    kept_from = any(signal.excludes(*to) for signal in match.common())
    return not kept_from and all(knows(match, side, policy=policy, register=register, day=day) for side in match.sides)
