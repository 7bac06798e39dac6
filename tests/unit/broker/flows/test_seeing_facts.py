"""What one side of a match may see is decided on the very facts of a look of its own, and on no more hits than that."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from broker.consent_ports import person_key
from broker.domain.consents import Capacity
from broker.domain.households import Hit, MatchKind
from broker.domain.matches import KeptMatch, Link, MatchSide, MatchState, TeamOf
from broker.domain.said import NOTHING_SAID, RecordedOf, Said
from broker.domain.signals import Exclusion, Signal, SignalState
from broker.flows.errors import DecisionFailedError
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import (
    NOBODY,
    Look,
    agreed_by,
    consented_by,
    knows,
    looks_of,
    may_see_by,
    on_consent,
    seen_of,
    shows,
    told_to_both,
)
from broker.protocol.register import Register
from policies import AskFacts, HitFacts
from tests.property.broker.test_consents import DAY, a_consent, yes
from tests.simulators.broker_world import documents
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled
from tests.simulators.proposals import a_signal, an_index
from tests.unit.broker.flows.deciders import Watched, erring, permissive

ENROLLED = Enrolled()
REGISTER: Register = documents(ENROLLED).in_force
OURS, THEIRS = a_signal("ours", organisation=WIJKTEAM), a_signal("theirs", organisation=GI)
SECOND = a_signal("their second", organisation=GI)
TRUDY, CHILD = an_index("trudy"), an_index("child")
PERSON, FAMILY = MatchKind.PERSON, MatchKind.FAMILY


def side(oin: str, *, told: bool = True) -> MatchSide:
    """Return the side of this organisation, which saw nothing yet."""
    return MatchSide(of=TeamOf(organisation=oin, team="team-1"), told=told, state=MatchState.NEW, changed_on=DAY)


def a_match(*links: Link, said: Said = NOTHING_SAID, newer: Signal = OURS, told: bool = True) -> KeptMatch:
    """Return a match of our newer signal with theirs."""
    found = links or (Link(signal=THEIRS, kind=PERSON, shown=True, tells=True),)
    return KeptMatch(
        id="m", newer=newer, links=found, newer_side=side(WIJKTEAM), older_side=side(GI, told=told), made_on=DAY,
        due_on=DAY, said=said,
    )  # fmt: skip


def asked_of(policy: PolicyInForce) -> tuple[PolicyInForce, list[AskFacts], list[HitFacts]]:
    """Return the policy, and what it is asked from now on: the facts of the asker and of each hit, with the probe."""
    facts: list[AskFacts] = []
    point = Watched(inner=policy.decision_point, before=lambda _question, asked: facts.append(asked))
    return replace(policy, decision_point=point), facts, point.seen


def seen(
    policy: PolicyInForce, own: Signal, hits: Sequence[Hit], *, register: Register = REGISTER, worker: str = NOBODY,
    said: Said = NOTHING_SAID,
) -> list[str]:  # fmt: skip
    """Return the ids of the signals on which it was decided for the holder of this own signal."""
    judged = may_see_by(own, hits, said=said, policy=policy, register=register, worker=worker, day=DAY)
    return sorted(hit.signal.id for one in judged for hit in one.hits)


def looked(policy: PolicyInForce, match: KeptMatch, by: MatchSide, *, worker: str = NOBODY) -> tuple[Look, ...]:
    """Return every decision on what this side sees under a policy that permits everything."""
    return looks_of(match, by, policy=permissive(policy), register=REGISTER, worker=worker, day=DAY)


def test_the_facts_are_those_of_an_own_look(policy: PolicyInForce) -> None:
    """A worker of the holder checks, on the ground and with the standing of his own signal; nobody approves."""
    watching, facts, hits = asked_of(policy)
    assert seen(watching, OURS, [Hit(kind=FAMILY, signal=THEIRS)]) == [THEIRS.id]
    organisation, purpose = REGISTER.organisations[WIJKTEAM], policy.purposes[OURS.purpose]
    assert set(map(repr, facts)) == {
        repr(
            AskFacts(
                day=DAY,
                operation="check",
                organisation=WIJKTEAM,
                org_class=organisation.org_class,
                role="worker",
                purpose=OURS.purpose,
                grounds=(OURS.ground,),
                standing="own_signal",
                approval="none",
                families=frozenset(purpose.families) & frozenset(organisation.families),
                simulated_bsn_right=organisation.simulated_bsn_right,
            )
        )
    }
    assert [(hit.holder, hit.kind) for hit in hits] == [(WIJKTEAM, "person"), (GI, "family")]


def test_who_may_not_act_sees_nothing(policy: PolicyInForce) -> None:
    """Not in the register, suspended, a purpose that is no more, or an own signal that does not hold: no decision."""
    hits = [Hit(kind=PERSON, signal=THEIRS)]
    suspended = documents(Enrolled(suspended=frozenset({WIJKTEAM}))).in_force
    assert seen(permissive(policy), OURS, hits) == [THEIRS.id]
    assert seen(permissive(policy), OURS, hits, register=suspended) == []
    for own in (
        replace(OURS, organisation="9" * 20),
        replace(OURS, purpose="no-such-purpose"),
        replace(OURS, state=SignalState.WITHDRAWN),
        replace(OURS, state=SignalState.FROZEN),
        replace(OURS, ends_on=DAY - timedelta(days=1)),
    ):
        assert seen(permissive(policy), own, hits) == []
    assert seen(permissive(policy), replace(OURS, ends_on=DAY), hits) == [THEIRS.id]


def test_only_hits_that_hold_and_that_the_purpose_matches_are_decided_on(policy: PolicyInForce) -> None:
    """A kind that the purpose does not use, and a signal that holds no more, are as if they were not there."""
    kinds = policy.purposes[OURS.purpose].match_kinds
    for kind in MatchKind:
        found = seen(permissive(policy), OURS, [Hit(kind=kind, signal=THEIRS)])
        assert found == ([THEIRS.id] if kind.value in kinds else [])
    assert len(kinds) > 0
    over = replace(SECOND, ends_on=DAY - timedelta(days=1))
    hits = [Hit(kind=PERSON, signal=THEIRS), Hit(kind=PERSON, signal=over)]
    assert seen(permissive(policy), OURS, hits) == [THEIRS.id]


def test_a_decision_that_failed_is_not_nothing(policy: PolicyInForce) -> None:
    """An engine that failed is an error, also where nobody was hit."""
    for hits in ([Hit(kind=PERSON, signal=THEIRS)], []):
        with pytest.raises(DecisionFailedError):
            seen(erring(policy, "may_see"), OURS, hits)


def test_a_side_sees_what_it_was_told_of(policy: PolicyInForce) -> None:
    """By which own signal, in which kind; a link that was not shown, and a side that was not told, show nothing."""
    match = a_match(
        Link(signal=THEIRS, kind=PERSON, shown=True, tells=False),
        Link(signal=SECOND, kind=FAMILY, shown=False, tells=True),
    )
    newer, older = (looked(policy, match, one) for one in match.sides)
    assert [(one.own.id, one.judged.hits[0].signal.id) for one in newer] == [(OURS.id, THEIRS.id)]
    assert [(one.own.id, one.judged.hits[0].kind) for one in older] == [(SECOND.id, FAMILY)]
    untold, point = a_match(told=False), permissive(policy)
    seen_by = [seen_of(untold, one, policy=point, register=REGISTER, worker=NOBODY, day=DAY) for one in untold.sides]
    assert seen_by[0][0] == (PERSON,)
    assert all(map(shows, seen_by[0][1]))
    assert seen_by[1] == ((), ())
    assert [knows(untold, one, policy=point, register=REGISTER, day=DAY) for one in untold.sides] == [True, False]


def test_who_is_kept_from_an_own_signal_sees_nothing_by_it(policy: PolicyInForce) -> None:
    """To that worker it is as if it were not there; the team knows."""
    hidden = replace(OURS, exclusions=frozenset({Exclusion(organisation=WIJKTEAM, worker="w")}))
    match = a_match(newer=hidden)
    for worker, kinds in (("w", ()), ("another", (PERSON,)), (NOBODY, (PERSON,))):
        found, _ = seen_of(
            match, match.newer_side, policy=permissive(policy), register=REGISTER, worker=worker, day=DAY
        )
        assert found == kinds


def test_anybody_else_knows_what_both_teams_see(policy: PolicyInForce) -> None:
    """A coordinator is told of a match that both sides know, and of none with a signal from which he is kept."""
    point, to = permissive(policy), (WIJKTEAM, "coordinator")

    def told(match: KeptMatch, *, register: Register = REGISTER, under: PolicyInForce = point) -> bool:
        return told_to_both(match, to=to, policy=under, register=register, day=DAY)

    assert told(a_match())
    assert not told(a_match(told=False))
    assert not told(a_match(Link(signal=THEIRS, kind=PERSON, shown=True, tells=False)))
    assert not told(a_match(Link(signal=THEIRS, kind=PERSON, shown=False, tells=True)))
    kept_from = frozenset({Exclusion(organisation=WIJKTEAM, worker="coordinator")})
    assert not told(a_match(Link(signal=replace(THEIRS, exclusions=kept_from), kind=PERSON, shown=True, tells=True)))
    another = frozenset({Exclusion(organisation=WIJKTEAM, worker="another")})
    assert told(a_match(Link(signal=replace(THEIRS, exclusions=another), kind=PERSON, shown=True, tells=True)))
    for suspended in (WIJKTEAM, GI):
        assert not told(a_match(), register=documents(Enrolled(suspended=frozenset({suspended}))).in_force)


ON_CONSENT = replace(OURS, purpose="volwassene", ground="TOEST")
AGREED = a_consent(yes("a", Capacity.PERSON), parties=frozenset({WIJKTEAM, GI}))
SAID = Said(
    persons={ON_CONSENT.id: TRUDY, THEIRS.id: CHILD},
    recorded={(WIJKTEAM, TRUDY): RecordedOf(consents=(AGREED,), version=4)},
)


def test_what_rests_on_consent_is_looked_at_with_what_was_recorded(policy: PolicyInForce) -> None:
    """The subject of the own signal is who is asked about, by the voices of its ground; on another ground nobody is."""
    assert (on_consent(ON_CONSENT, policy), on_consent(OURS, policy)) == (True, False)
    assert not on_consent(replace(OURS, ground="NO-SUCH-GROUND"), policy)
    assert consented_by(OURS, SAID, policy=policy, day=DAY) is None
    found = consented_by(ON_CONSENT, SAID, policy=policy, day=DAY)
    assert found is not None
    assert (found.asker, found.persons, found.purpose, found.day) == (WIJKTEAM, (TRUDY,), "volwassene", DAY)
    assert (found.claimed, found.alone) == (frozenset({"TOEST"}), True)
    assert found.needed("under12") == frozenset({"guardian"})
    (about,) = found.known.values()
    assert (about.consents, about.stamp.of, about.stamp.version) == ((AGREED,), person_key(WIJKTEAM, TRUDY), 4)
    nobody = consented_by(replace(ON_CONSENT, id="0" * 32), SAID, policy=policy, day=DAY)
    assert nobody is not None
    assert nobody.persons == ()


def test_what_a_side_sees_on_consent_rests_on_exactly_that(policy: PolicyInForce) -> None:
    """The last day is the first of both signals and of the yes; without consent nothing recorded is among it."""
    their = replace(THEIRS, purpose="volwassene", ground="TOEST", ends_on=DAY + timedelta(days=20))
    match = a_match(Link(signal=their, kind=PERSON, shown=True, tells=True), newer=ON_CONSENT, said=SAID)
    looks = looked(policy, match, match.newer_side)
    keys, last = agreed_by(match, looks, policy=policy, day=DAY)
    assert keys == {person_key(GI, CHILD), person_key(WIJKTEAM, CHILD), person_key(WIJKTEAM, TRUDY)}
    assert last == their.ends_on
    longer = replace(their, ends_on=DAY + timedelta(days=90))
    match = a_match(Link(signal=longer, kind=PERSON, shown=True, tells=True), newer=ON_CONSENT, said=SAID)
    looks = looked(policy, match, match.newer_side)
    assert agreed_by(match, looks, policy=policy, day=DAY)[1] == DAY + timedelta(days=30)
    plain = a_match(said=SAID)
    looks = looked(policy, plain, plain.newer_side)
    assert agreed_by(plain, looks, policy=policy, day=DAY) == (frozenset(), min(OURS.ends_on, THEIRS.ends_on))
    assert agreed_by(plain, (), policy=policy, day=DAY) == (frozenset(), None)
