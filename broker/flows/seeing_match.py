"""What one side of a match may see of the other: the decision it would get if it looked itself (D8).

Where its own signal rests on consent, that decision has what both recorded of the persons, each over its own tokens.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from broker.consent_ports import AboutPerson, person_key
from broker.domain.consents import ConsentState
from broker.domain.disclosures import CONTACT_LEVEL
from broker.domain.households import Hit, MatchKind
from broker.domain.matches import KeptMatch, MatchSide
from broker.domain.requests import WORKER
from broker.domain.said import Said
from broker.domain.signals import Signal
from broker.flows.consent_facts import CONSENT_KIND, Consented
from broker.flows.judging import ConsentWord, Judged, judge_hits
from broker.flows.policy import PolicyInForce
from broker.flows.standing import with_standing
from broker.ports import Stamp, StampKey
from broker.protocol.register import Register
from policies import AskFacts

NOBODY = ""
"""Stands for the worker where a team is told: who of it must not see a signal is judged when he looks."""


def may_see_by(
    own: Signal, hits: Iterable[Hit], *, said: Said, policy: PolicyInForce, register: Register, worker: str, day: date
) -> tuple[Judged, ...]:
    """Return the decisions on these hits for the holder of an own signal that holds, as a check of his would get them.

    Nothing is decided, and so nothing seen, for who may not act, and for a purpose that does not match that way.

    Args:
        said: what was recorded of the persons, which counts where the own signal rests on consent.

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
        standing="none",
        approval="none",
        families=frozenset(purpose.families) & frozenset(organisation.families),
        simulated_bsn_right=organisation.simulated_bsn_right,
    )
    consented = consented_by(own, said, policy=policy, day=day)
    facts = with_standing(facts, own=(own.id,), proof=None, consented=consented)
    words = _words(consented, usable, said)
    return judge_hits(policy, facts, usable, register=register, worker=worker, consents=words)


def consented_by(own: Signal, said: Said, *, policy: PolicyInForce, day: date) -> Consented | None:
    """Return what was recorded for who looks by an own signal that rests on consent; None where it does not."""
    if not on_consent(own, policy):
        return None
    person = said.persons.get(own.id)
    return Consented(
        asker=own.organisation,
        persons=() if person is None else (person,),
        purpose=own.purpose,
        day=day,
        needed=policy.bundle.grounds[own.ground].consenters,
        claimed=frozenset({own.ground}),
        alone=True,
        known={
            pair: AboutPerson(consents=one.consents, stamp=Stamp(of=person_key(*pair), version=one.version))
            for pair, one in said.recorded.items()
        },
    )


def on_consent(signal: Signal, policy: PolicyInForce) -> bool:
    """Return whether a signal rests on what its person agreed to, so that only whom she named may learn of it."""
    ground = policy.bundle.grounds.get(signal.ground)
    return ground is not None and ground.kind == CONSENT_KIND


def _words(consented: Consented | None, hits: Iterable[Hit], said: Said) -> dict[str, ConsentWord]:
    """Return what the person of each signal that was hit says, by its id; of nobody who is not known."""
    if consented is None:
        return {}
    known = {hit.signal.id: (hit.signal.organisation, said.persons.get(hit.signal.id)) for hit in hits}
    return {one: consented.of_hit(holder, person) for one, (holder, person) in known.items() if person is not None}


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
    looks = looks_of(match, side, policy=policy, register=register, worker=worker, day=day)
    judged = tuple(look.judged for look in looks)
    return tuple(hit.kind for one in judged if shows(one) for hit in one.hits), judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One decision on what a side sees by this signal of its own."""

    own: Signal
    judged: Judged


def looks_of(
    match: KeptMatch, side: MatchSide, *, policy: PolicyInForce, register: Register, worker: str, day: date
) -> tuple[Look, ...]:
    """Return every decision on what this side sees of the other now; none where it was not told at the start.

    Raises:
        DecisionFailedError: a decision failed.
    """
    if not side.told:
        return ()
    return tuple(
        Look(own=own, judged=one)
        for own, hit in match.seen_by(side, worker=worker)
        for one in may_see_by(own, [hit], said=match.said, policy=policy, register=register, worker=worker, day=day)
    )


def agreed_by(
    match: KeptMatch, looks: Iterable[Look], *, policy: PolicyInForce, day: date
) -> tuple[frozenset[StampKey], date | None]:
    """Return what was recorded of whom that these decisions rest on, and the last day on which all of them hold.

    Of what they show alone. What somebody recorded of a person moves nothing for a side that sees on no consent (D8).
    """
    keys: set[StampKey] = set()
    days: list[date] = []
    for look in (look for look in looks if shows(look.judged)):
        days += [look.own.last_day, *(hit.signal.last_day for hit in look.judged.hits)]
        consented = consented_by(look.own, match.said, policy=policy, day=day)
        if consented is None:
            continue
        persons = {(hit.signal.organisation, match.said.persons[hit.signal.id]) for hit in look.judged.hits}
        of_asker = {*consented.persons, *(person for _, person in persons)}
        keys |= {person_key(*pair) for pair in persons}
        keys |= {person_key(look.own.organisation, person) for person in of_asker}
        last = consented.last_day(persons)
        days += [] if last is None else [last]
    return frozenset(keys), min(days, default=None)


def knows(match: KeptMatch, side: MatchSide, *, policy: PolicyInForce, register: Register, day: date) -> bool:
    """Return whether this side sees the match now, as a team: only then may it be told anything about it.

    Raises:
        DecisionFailedError: a decision failed.
    """
    return bool(seen_of(match, side, policy=policy, register=register, worker=NOBODY, day=day)[0])


def _holds(signal: Signal, policy: PolicyInForce, day: date) -> bool:
    return signal.active_on(day) and policy.counts(signal, day=day)


def may_coordinate(match: KeptMatch, *, to: tuple[str, str], policy: PolicyInForce, day: date) -> bool:
    """Return whether nobody who is concerned kept this match from a coordinator: no holder, and no person.

    What rests on consent is known to whom she named, and a municipality is one of these only if it was named too: in
    what each side recorded of its own signal.

    Args:
        to: organisation and worker of who would be told.
    """
    return all(
        not signal.excludes(*to) and (not on_consent(signal, policy) or _agreed_to(match, signal, to[0], policy, day))
        for signal in match.common()
    )


def _agreed_to(match: KeptMatch, signal: Signal, organisation: str, policy: PolicyInForce, day: date) -> bool:
    """Return whether the person of a signal on consent agrees that its holder tells this organisation."""
    consented, person = consented_by(signal, match.said, policy=policy, day=day), match.said.persons.get(signal.id)
    word = None if consented is None or person is None else consented.of_hit(organisation, person)
    return word == ConsentState.GIVEN.value


def told_to_both(
    match: KeptMatch, *, to: tuple[str, str], policy: PolicyInForce, register: Register, day: date
) -> bool:
    """Return whether both teams were told and see each other now: only then may anybody else know of it.

    Args:
        to: organisation and worker of who would be told; who is kept from a signal is not told of its match.

    Raises:
        DecisionFailedError: a decision failed.
    """
    return may_coordinate(match, to=to, policy=policy, day=day) and all(
        knows(match, side, policy=policy, register=register, day=day) for side in match.sides
    )


def rests_on_for(
    match: KeptMatch, *, to: str, policy: PolicyInForce, register: Register, day: date
) -> tuple[frozenset[StampKey], date | None]:
    """Return what was recorded of whom that a coordinator is told this match by, and the last day on which all holds.

    Args:
        match: of which he may be told now.
        to: his organisation.

    Raises:
        DecisionFailedError: a decision failed.
    """
    agreed = [(signal, match.said.persons[signal.id]) for signal in match.common() if on_consent(signal, policy)]
    keys = frozenset(person_key(side.of.organisation, person) for side in match.sides for _, person in agreed)
    days = [signal.last_day for signal in match.common()]
    for side in match.sides:
        looks = looks_of(match, side, policy=policy, register=register, worker=NOBODY, day=day)
        days += [last for last in (agreed_by(match, looks, policy=policy, day=day)[1],) if last is not None]
    for signal, person in agreed:
        consented = consented_by(signal, match.said, policy=policy, day=day)
        last = None if consented is None else consented.last_day([(to, person)])
        days += [] if last is None else [last]
    return keys, min(days, default=None)
