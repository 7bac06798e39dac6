"""What a side sees by a signal that rests on consent, and what each of its decisions rests on, one by one."""

from dataclasses import replace
from datetime import timedelta

from broker.consent_ports import person_key
from broker.domain.consents import Answer, Capacity
from broker.domain.households import Hit
from broker.domain.matches import Link
from broker.domain.said import RecordedOf, Said
from broker.domain.signals import Exclusion, Signal
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, agreed_by, knows, looks_of, may_see_by
from broker.protocol.register import Register
from policies import AskFacts, HitFacts, Permit
from tests.property.broker.test_consents import DAY, a_consent, yes
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.proposals import a_signal
from tests.unit.broker.flows.deciders import Watched, permissive, permit
from tests.unit.broker.flows.test_seeing_facts import (
    AGREED,
    CHILD,
    FAMILY,
    ON_CONSENT,
    OURS,
    PERSON,
    REGISTER,
    SECOND,
    THEIRS,
    TRUDY,
    a_match,
    asked_of,
    looked,
)

THEIR_YES = replace(AGREED, organisation=GI)
BOTH_SAID = Said(
    persons={ON_CONSENT.id: TRUDY, THEIRS.id: CHILD},
    recorded={
        (WIJKTEAM, TRUDY): RecordedOf(consents=(AGREED,), version=4),
        (WIJKTEAM, CHILD): RecordedOf(consents=(AGREED,), version=4),
        (GI, CHILD): RecordedOf(consents=(THEIR_YES,), version=4),
    },
)


def asked(
    policy: PolicyInForce, own: Signal, *hits: Hit, said: Said = BOTH_SAID, worker: str = NOBODY,
    register: Register = REGISTER,
) -> tuple[AskFacts, list[HitFacts]]:  # fmt: skip
    """Return the facts of who looks, and of each hit, the probe left out."""
    watching, facts, seen = asked_of(policy)
    may_see_by(own, hits, said=said, policy=watching, register=register, worker=worker, day=DAY)
    return facts[0], seen[1:]


def test_who_looks_by_a_yes_looks_with_that_and_not_by_his_signal(policy: PolicyInForce) -> None:
    """What was recorded of the subject of his signal stands among the facts; what his hit says is among its own."""
    facts, hits = asked(policy, ON_CONSENT, Hit(kind=PERSON, signal=THEIRS))
    assert (facts.standing, facts.consent, facts.consent_by, facts.age) == (
        "consent", "given", frozenset({"person"}), "from23",
    )  # fmt: skip
    assert [one.consent for one in hits] == ["given"]
    facts, hits = asked(policy, OURS, Hit(kind=PERSON, signal=THEIRS))
    assert (facts.standing, facts.consent) == ("own_signal", "unknown")
    assert [one.consent for one in hits] == ["unknown"]


def test_each_hit_has_the_word_of_its_own_person_about_its_own_holder(policy: PolicyInForce) -> None:
    """A no to being shown counts for that holder; of who is not known nobody says anything."""
    no = a_consent(yes("a", Capacity.PERSON, answer=Answer.REFUSED, until=None), parties=frozenset({WIJKTEAM, GI}))
    refused = replace(BOTH_SAID, recorded={**BOTH_SAID.recorded, (GI, CHILD): RecordedOf(consents=(no,), version=5)})
    for said, word in ((refused, "refused"), (replace(BOTH_SAID, persons={ON_CONSENT.id: TRUDY}), "unknown")):
        _, hits = asked(policy, ON_CONSENT, Hit(kind=PERSON, signal=THEIRS), said=said)
        assert [one.consent for one in hits] == [word]


def test_families_and_rights_are_those_of_the_organisation(policy: PolicyInForce) -> None:
    """Only families that both its purpose and its line in the register have; a simulated right is one."""
    line = replace(REGISTER.organisations[WIJKTEAM], families=frozenset({"nlbsn", "dmk"}), simulated_bsn_right=True)
    register = replace(REGISTER, organisations={**REGISTER.organisations, WIJKTEAM: line})
    facts, _ = asked(policy, OURS, register=register)
    assert (facts.families, facts.simulated_bsn_right) == (frozenset({"nlbsn"}), True)
    assert not asked(policy, OURS)[0].simulated_bsn_right


def test_a_worker_is_kept_from_what_is_kept_from_him(policy: PolicyInForce) -> None:
    """By name, in what he looks at himself and in a match of his; the team is not."""
    kept = replace(THEIRS, exclusions=frozenset({Exclusion(organisation=WIJKTEAM, worker="w")}))
    watching, _, seen = asked_of(permissive(policy))
    match = a_match(Link(signal=kept, kind=PERSON, shown=True, tells=True))
    for worker, excluded in (("w", True), ("another", False), (NOBODY, False)):
        _, hits = asked(policy, OURS, Hit(kind=PERSON, signal=kept), worker=worker)
        assert [one.excluded for one in hits] == [excluded]
        seen.clear()
        looks_of(match, match.newer_side, policy=watching, register=REGISTER, worker=worker, day=DAY)
        assert [one.excluded for one in seen if one.holder == GI] == [excluded]


def test_a_decision_that_does_not_name_the_other_side_is_no_knowledge(policy: PolicyInForce) -> None:
    """Level 1 says that somebody is involved, and not who: of such a match the team may be told nothing."""

    def low(question: str, facts: AskFacts) -> Permit:
        return replace(permit(question, facts), level=1)

    point, match = replace(policy, decision_point=Watched(inner=policy.decision_point, before=low)), a_match()
    assert not knows(match, match.newer_side, policy=point, register=REGISTER, day=DAY)
    looks = looks_of(match, match.newer_side, policy=point, register=REGISTER, worker=NOBODY, day=DAY)
    assert len(looks) == 1
    assert agreed_by(match, looks, policy=point, day=DAY) == (frozenset(), None)


def test_what_is_seen_in_several_ways_rests_on_all_of_them(policy: PolicyInForce) -> None:
    """The keys of every look by consent, and the first last day of any, whichever stands first."""
    soon = replace(SECOND, ends_on=DAY + timedelta(days=3))
    later = replace(THEIRS, ends_on=DAY + timedelta(days=20))
    elder = a_signal("elder", organisation=GI)
    said = replace(BOTH_SAID, persons={**BOTH_SAID.persons, soon.id: TRUDY})
    both = (
        Link(signal=later, kind=PERSON, shown=True, tells=True),
        Link(signal=soon, kind=FAMILY, shown=True, tells=True),
    )
    expected = {person_key(oin, one) for oin in (WIJKTEAM, GI) for one in (TRUDY, CHILD)}
    for links in (both, both[::-1]):
        match = a_match(*links, newer=replace(ON_CONSENT, purpose="proefregio"), said=said)
        looks = looked(policy, match, match.newer_side)
        assert len(looks) == 2
        assert agreed_by(match, looks, policy=policy, day=DAY) == (frozenset(expected), soon.ends_on)
    plain = a_match(Link(signal=elder, kind=PERSON, shown=True, tells=True))
    without = looked(policy, plain, plain.newer_side)
    match = a_match(*both, newer=replace(ON_CONSENT, purpose="proefregio"), said=said)
    looks = (*without, *looked(policy, match, match.newer_side))
    assert agreed_by(match, looks, policy=policy, day=DAY) == (frozenset(expected), soon.ends_on)


def test_who_looks_without_consent_rests_on_none(policy: PolicyInForce) -> None:
    """Nothing recorded, and no last day but those of the signals; a yes without a last day has none either."""
    endless = a_consent(yes("a", Capacity.PERSON, until=None), parties=frozenset({WIJKTEAM, GI}))
    said = replace(
        BOTH_SAID, recorded={pair: RecordedOf(consents=(endless,), version=1) for pair in BOTH_SAID.recorded}
    )
    match = a_match(newer=replace(ON_CONSENT, purpose="proefregio"), said=said)
    looks = looked(policy, match, match.newer_side)
    _, last = agreed_by(match, looks, policy=policy, day=DAY)
    assert last == min(ON_CONSENT.last_day, THEIRS.last_day)
