"""On what a look rests, and how each hit is judged: the facts of a decision, and what fits in its entry."""

from dataclasses import replace

import pytest

from broker.consent_ports import AboutPerson, person_key
from broker.domain.consents import Answer, Capacity, Consent
from broker.domain.disclosures import PermittedHit
from broker.domain.households import Hit
from broker.domain.signals import Exclusion
from broker.flows.canonical import canonical, sha256_of
from broker.flows.consent_facts import Consented
from broker.flows.errors import DecisionFailedError
from broker.flows.judging import ConsentWord, Judged, judge_hits, permitted_hits, record_decisions
from broker.flows.policy import PolicyInForce
from broker.flows.standing import with_standing
from broker.ports import Stamp
from broker.protocol.messages import StatutoryProof
from policies import AskFacts, HitFacts
from tests.property.broker.test_consents import DAY, NEEDED, a_consent, yes
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM
from tests.simulators.proposals import a_signal, an_index
from tests.unit.broker.flows.deciders import Watched, erring, permissive, raising
from tests.unit.broker.flows.test_seeing_facts import FAMILY, OURS, PERSON, REGISTER, SECOND, THEIRS

FACTS = AskFacts(
    day=DAY, operation="check", organisation=WIJKTEAM, org_class="wijkteam", role="worker", purpose="proefregio",
    grounds=("TEST-PROEFREGIO", "TOEST"), standing="none", approval="none", families=frozenset({"nlbsn"}),
)  # fmt: skip
PROOF = StatutoryProof.model_validate({"kind": "melding", "reference": "f" * 64, "since": "2026-11-01", "endsOn": None})
TRUDY = an_index("trudy")
GIVEN = a_consent(yes("a", Capacity.PERSON))
REFUSED = a_consent(yes("a", Capacity.PERSON, answer=Answer.REFUSED, until=None))


def consented(record: Consent, *, alone: bool) -> Consented:
    """Return what the asker recorded of the one person it asks about."""
    stamp = Stamp(of=person_key(WIJKTEAM, TRUDY), version=1)
    return Consented(
        asker=WIJKTEAM, persons=(TRUDY,), purpose="volwassene", day=DAY, needed=NEEDED.__getitem__,
        claimed=frozenset({"TOEST"}), alone=alone,
        known={(WIJKTEAM, TRUDY): AboutPerson(consents=(record,), stamp=stamp)},
    )  # fmt: skip


def test_without_anything_nobody_has_standing() -> None:
    """An own signal gives it; nothing gives none, and no fact of consent."""
    assert with_standing(FACTS, own=(), proof=None) == FACTS
    assert with_standing(FACTS, own=("s",), proof=None) == replace(FACTS, standing="own_signal")


def test_a_proof_that_is_stated_is_what_is_relied_on() -> None:
    """With its kind and days, also beside an own signal or a yes: one that does not count is refused openly."""
    stated = replace(
        FACTS, standing="statutory_reference", proof="melding", proof_since=PROOF.since, proof_ends_on=PROOF.ends_on
    )
    assert with_standing(FACTS, own=(), proof=PROOF) == stated
    assert with_standing(FACTS, own=("s",), proof=PROOF) == stated
    beside = with_standing(FACTS, own=("s",), proof=PROOF, consented=consented(GIVEN, alone=True))
    assert beside == replace(stated, consent="given", consent_by=frozenset({"person"}), age="from23")


@pytest.mark.parametrize(
    ("own", "alone", "standing"),
    [((), True, "consent"), ((), False, "consent"), (("s",), True, "consent"), (("s",), False, "own_signal")],
)
def test_a_yes_entitles_to_look(own: tuple[str, ...], alone: bool, standing: str) -> None:  # noqa: FBT001 - a row of a table
    """Beside an own signal only where nothing else is claimed; what she said, by whom, stands among the facts."""
    found = with_standing(FACTS, own=own, proof=None, consented=consented(GIVEN, alone=alone))
    assert (found.standing, found.consent, found.consent_by, found.age) == (
        standing, "given", frozenset({"person"}), "from23",
    )  # fmt: skip


def test_a_no_entitles_to_nothing() -> None:
    """An own signal still does; the no stands among the facts."""
    for alone in (True, False):
        said = consented(REFUSED, alone=alone)
        assert with_standing(FACTS, own=(), proof=None, consented=said).standing == "none"
        beside = with_standing(FACTS, own=("s",), proof=None, consented=said)
        assert (beside.standing, beside.consent) == ("own_signal", "refused")
    parents = a_consent(yes("m", Capacity.GUARDIAN), yes("f", Capacity.GUARDIAN), age="under12")
    assert with_standing(FACTS, own=(), proof=None, consented=consented(parents, alone=True)).custody == "clear"


HITS = (Hit(kind=PERSON, signal=THEIRS), Hit(kind=FAMILY, signal=THEIRS))


def judged(policy: PolicyInForce, *hits: Hit, worker: str = "w", **consents: ConsentWord) -> tuple[Judged, ...]:
    """Return the decisions on these hits; `consents` by the name of a signal's id."""
    said = {THEIRS.id: consents["theirs"]} if consents else None
    return judge_hits(policy, FACTS, hits, register=REGISTER, worker=worker, consents=said)


def asked_of(policy: PolicyInForce, *hits: Hit, worker: str = "w", **consents: ConsentWord) -> list[HitFacts]:
    """Return the facts of every question that is asked about these hits, the probe first."""
    point = Watched(inner=policy.decision_point)
    judged(replace(policy, decision_point=point), *hits, worker=worker, **consents)
    return point.seen


def test_a_probe_is_decided_on_before_any_hit(policy: PolicyInForce) -> None:
    """Whatever was hit: about the own organisation, purpose and first ground, so that a failure is everybody's."""
    probe = HitFacts(
        holder=WIJKTEAM, holder_class="wijkteam", kind="person", purpose="proefregio", ground="TEST-PROEFREGIO",
        shielded=False, excluded=False,
    )  # fmt: skip
    assert asked_of(policy) == [probe]
    assert asked_of(policy, *HITS)[0] == probe
    for hits in ((), HITS):
        with pytest.raises(DecisionFailedError):
            judged(erring(policy, "may_see"), *hits)
    with pytest.raises(ZeroDivisionError):
        judged(raising(policy, "may_see"))


def test_the_facts_of_a_hit_are_those_of_its_signal(policy: PolicyInForce) -> None:
    """Holder and class, kind, purpose, ground, shield, exclusion of this worker, and what its person says."""
    signal = replace(
        THEIRS, purpose="vt-melding", ground="WMO-5.1.6", shielded=True,
        exclusions=frozenset({Exclusion(organisation=WIJKTEAM, worker="w")}),
    )  # fmt: skip
    hit = Hit(kind=FAMILY, signal=signal)
    expected = HitFacts(
        holder=GI, holder_class=REGISTER.organisations[GI].org_class, kind="family", purpose="vt-melding",
        ground="WMO-5.1.6", shielded=True, excluded=True, consent="refused",
    )  # fmt: skip
    assert asked_of(policy, hit, theirs="refused")[1:] == [expected]
    assert asked_of(policy, hit)[1:] == [replace(expected, consent="unknown")]
    assert asked_of(policy, hit, worker="x")[1:] == [replace(expected, consent="unknown", excluded=False)]
    left = Hit(kind=PERSON, signal=replace(THEIRS, organisation="9" * 20))
    assert asked_of(policy, left)[1].holder_class == "?"


def test_hits_with_equal_facts_are_one_decision(policy: PolicyInForce) -> None:
    """Each other kind, holder or consent is its own; handles stand in the entry, sorted and once, and never an id."""
    found = judged(permissive(policy), *HITS, Hit(kind=PERSON, signal=SECOND))
    assert [tuple(hit.signal.id for hit in one.hits) for one in found] == [(THEIRS.id, SECOND.id), (THEIRS.id,)]
    assert found[0].entry()["signals"] == sorted({THEIRS.handle, SECOND.handle})
    assert found[0].entry()["decision"] == dict(found[0].record)
    assert THEIRS.id not in repr(found[0].entry())
    apart = judged(permissive(policy), HITS[0], Hit(kind=PERSON, signal=SECOND), theirs="given")
    assert len(apart) == 2


def test_what_is_shielded_is_never_shown(policy: PolicyInForce) -> None:
    """Whatever a document permits; permits come first, and of what is permitted each hit has its level."""
    shielded = Hit(kind=PERSON, signal=replace(a_signal("hidden", organisation=SCHOOL), shielded=True))
    found = judged(permissive(policy), shielded, HITS[0])
    assert [(one.permitted, one.level, one.shielded) for one in found] == [(True, 2, False), (False, 0, True)]
    assert permitted_hits(found) == (PermittedHit(hit=HITS[0], level=2),)


def decisions(number: int) -> list[Judged]:
    """Return so many decisions of one size."""
    return [
        Judged(
            hits=(Hit(kind=PERSON, signal=OURS),), shielded=False, permitted=True, level=2, record={"n": f"{at:04d}"}
        )
        for at in range(number)
    ]


def test_as_many_decisions_stand_in_an_entry_as_fit() -> None:
    """To the last byte that is free; the rest is a number and a hash, and what does not stand there is not shown."""
    some = decisions(5)
    empty = len(canonical({"schema": "s", "decisions": []}))
    each = len(canonical(some[0].entry())) + 1
    whole = record_decisions("s", some, room=empty + 5 * each + 160)
    assert (whole.kept, whole.omitted) == (tuple(some), 0)
    assert whole.payload == {"schema": "s", "decisions": [one.entry() for one in some]}
    less = record_decisions("s", some, room=empty + 5 * each + 159)
    assert (less.kept, less.omitted) == (tuple(some[:4]), 1)
    assert less.payload["omitted"] == {"count": 1, "sha256": sha256_of([some[4].entry()])}
    assert [one.hit.signal.id for one in less.permitted()] == [OURS.id] * 4
    none = record_decisions("s", some, room=0, mute=True)
    assert (none.kept, none.omitted, none.payload["mute"]) == ((), 5, True)
    assert "mute" not in less.payload


def test_nothing_stands_behind_what_did_not_fit() -> None:
    """Once one is left out all after it are: the order of an entry has no holes."""
    large = replace(decisions(1)[0], record={"n": "x" * 500})
    small = decisions(2)
    room = len(canonical({"schema": "s", "decisions": []})) + 2 * (len(canonical(small[0].entry())) + 1) + 160
    found = record_decisions("s", [small[0], large, small[1]], room=room)
    assert (found.kept, found.omitted) == ((small[0],), 2)
