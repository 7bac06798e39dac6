"""Which duties the rules of a permit bring, each with its phase, term and receivers; on clauses written here."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies import Bundle, Obligation
from policies.catalogue import Validity
from policies.convenant import Duty
from policies.duties import obligations, unmet
from policies.facts import AskFacts
from policies.grounds import AgeRule, Deferral
from policies.ruleset import RuleSet
from tests.unit.policies.arnhem import REGISTER

GROUND, DEFERS = "JW-7.1.4.1", "UAVG-41"
INFORM = Duty(id="informeer_betrokkene", phase="achteraf", term="P28D", working_days=True, deferrable_on=(DEFERS,))
NOTE = Duty(id="noem_overleg", phase="vooraf", term=None, working_days=False, deferrable_on=())
CUSTODY = Obligation(id="zoek_gezag_uit", phase="achteraf", term="P7D")
LOOK_AGAIN = Obligation(id="herzie_uitstel", phase="achteraf", term="P5D")
DAY = REGISTER.day
ADULT = replace(REGISTER, age="16to17")


def ruled(shipped: Bundle, *duties: Duty, deferral: Deferral | None = None, **ground: object) -> RuleSet:
    """Return the shipped rules with one clause that brings these duties, and one ground on which informing waits.

    Args:
        ground: what that ground has besides its deferral; in force for ever and for anybody, unless said here.
    """
    clause = replace(next(iter(shipped.clauses.values())), obligations=duties)
    always = Validity(since=date.min, until=None)
    stated: dict[str, Any] = {"deferral": deferral, "only_by": (), "validity": always, **ground}
    defers = replace(shipped.grounds[DEFERS], **stated)
    return replace(shipped, clauses={"r": clause}, grounds={**shipped.grounds, DEFERS: defers})


def owed(
    rules: RuleSet, facts: AskFacts, *, dossier: str = "none", spoke: Iterable[str] = ("r",)
) -> tuple[Obligation, ...]:
    """Return the obligations that the clause brings to who asks with these facts."""
    return obligations(rules, facts, dossier=dossier, ground=GROUND, spoke=spoke)


WAITS = Deferral(dossiers=("none", "complete"), approval=False, review_term="P5D")


def test_duties_stand_by_name_then_phase_then_term(shipped: Bundle) -> None:
    """The order is that of the record, whatever order the clauses have; the same duty under two terms stays two."""
    late, soon = replace(NOTE, phase="achteraf", term="P9D"), replace(NOTE, phase="achteraf", term="P1D")
    unlimited = replace(NOTE, phase="achteraf", term=None)
    other = replace(NOTE, id="zeg_het")
    expected = [
        ("noem_overleg", "achteraf", None),
        ("noem_overleg", "achteraf", "P1D"),
        ("noem_overleg", "achteraf", "P9D"),
        ("noem_overleg", "vooraf", None),
        ("zeg_het", "vooraf", None),
    ]
    found = owed(ruled(shipped, other, late, NOTE, soon, unlimited, NOTE), ADULT)
    assert [(one.id, one.phase, one.term) for one in found] == expected


def test_duties_that_differ_in_anything_have_one_order(shipped: Bundle) -> None:
    """Records compare byte by byte, so also where only the kind of days or a deferral tells two duties apart."""
    days = [
        replace(NOTE, id=name, phase="achteraf", term="P1D", working_days=working)
        for name in "abcdefgh"
        for working in (True, False)
    ]
    found = owed(ruled(shipped, *days), ADULT)
    assert [(one.id, one.working_days) for one in found] == [(name, w) for name in "abcdefgh" for w in (False, True)]
    twice = (INFORM, replace(INFORM, term=None, working_days=False, deferrable_on=()))
    found = owed(ruled(shipped, *twice, deferral=WAITS), replace(ADULT, deferral=DEFERS))
    assert [(one.id, one.term, one.deferred_on) for one in found] == [
        ("herzie_uitstel", "P5D", None),
        ("informeer_betrokkene", None, None),
        ("informeer_betrokkene", None, DEFERS),
    ]


def test_a_duty_comes_with_its_dossier_only(shipped: Bundle) -> None:
    """What is owed in acute danger alone is owed by nobody else; rules that did not speak oblige to nothing."""
    rules = ruled(shipped, NOTE, replace(NOTE, id="beoordeel_spoed", only_with=("acuut",)))
    assert [one.id for one in owed(rules, ADULT)] == ["noem_overleg"]
    assert [one.id for one in owed(rules, ADULT, dossier="acuut")] == ["beoordeel_spoed", "noem_overleg"]
    assert owed(rules, ADULT, spoke=()) == ()


def test_each_duty_is_as_its_clause_says(shipped: Bundle) -> None:
    """Phase, term and working days are the clause's; only informing names who is told."""
    assert owed(ruled(shipped, INFORM, NOTE), ADULT) == (
        Obligation(id="informeer_betrokkene", phase="achteraf", term="P28D", working_days=True, to=("person",)),
        Obligation(id="noem_overleg", phase="vooraf", term=None),
    )


def test_custody_that_is_not_clear_is_settled_within_a_week(shipped: Bundle) -> None:
    """Afterwards, and once; whom it does not concern is told meanwhile, by the clause's own term."""
    rules = ruled(shipped, INFORM)
    told = Obligation(id="informeer_betrokkene", phase="achteraf", term="P28D", working_days=True)
    contested = {
        age: owed(rules, replace(REGISTER, age=age, custody="contested")) for age in ("under12", "12to15", "unknown")
    }
    assert contested["under12"] == (CUSTODY,)
    assert contested["12to15"] == contested["unknown"] == (replace(told, to=("person",)), CUSTODY)
    unlooked = {age: owed(rules, replace(REGISTER, age=age, custody="unknown")) for age in contested}
    assert unlooked["under12"] == (replace(told, to=("guardian",)), CUSTODY)
    assert unlooked["12to15"] == (replace(told, to=("guardian", "person")), CUSTODY)
    assert unlooked["unknown"] == (told,)


def test_contested_custody_holds_up_nothing_but_informing(shipped: Bundle) -> None:
    """A duty that tells no parent anything stands as it was."""
    assert owed(ruled(shipped, NOTE), replace(REGISTER, age="under12", custody="contested")) == (
        Obligation(id="noem_overleg", phase="vooraf", term=None),
    )


def test_a_minor_whom_his_ground_tells_himself_waits_for_no_custody(shipped: Bundle) -> None:
    """Where the ground informs the person alone, no guardian is told, so nothing about guardians is settled first."""
    himself = AgeRule(consent_by=frozenset({"person"}), inform=("person",))
    rules = ruled(shipped, INFORM)
    ground = replace(rules.grounds[GROUND], ages={**rules.grounds[GROUND].ages, "12to15": himself})
    rules = replace(rules, grounds={**rules.grounds, GROUND: ground})
    found = owed(rules, replace(REGISTER, age="12to15", custody="contested"))
    assert [(one.id, one.to) for one in found] == [("informeer_betrokkene", ("person",))]


def test_what_is_put_off_says_on_which_ground_and_when_somebody_looks_again(shipped: Bundle) -> None:
    """Its own term is gone, its phase and receivers are not; looking again is done afterwards, by the ground's term."""
    rules = ruled(shipped, replace(INFORM, phase="vooraf"), replace(NOTE, phase="achteraf"), deferral=WAITS)
    assert owed(rules, replace(ADULT, deferral=DEFERS)) == (
        LOOK_AGAIN,
        Obligation(id="informeer_betrokkene", phase="vooraf", term=None, to=("person",), deferred_on=DEFERS),
        Obligation(id="noem_overleg", phase="achteraf", term=None),
    )
    child = owed(rules, replace(REGISTER, age="under12", custody="unknown", deferral=DEFERS))
    assert [(one.id, one.to) for one in child] == [
        ("herzie_uitstel", ()),
        ("informeer_betrokkene", ("guardian",)),
        ("noem_overleg", ()),
        ("zoek_gezag_uit", ()),
    ]


def test_a_duty_that_does_not_know_the_ground_is_not_put_off(shipped: Bundle) -> None:
    """A deferral that holds puts off what names it, and nothing else."""
    stubborn = replace(INFORM, deferrable_on=("WMO-5.3.1",))
    (found,) = owed(ruled(shipped, stubborn, deferral=WAITS), replace(ADULT, deferral=DEFERS))
    assert (found.deferred_on, found.term) == (None, "P28D")


@pytest.mark.parametrize(
    ("ground", "deferral", "asked", "waits"),
    [
        ({}, WAITS, {"dossier": "none"}, True),
        ({}, WAITS, {"dossier": "complete"}, True),
        ({}, WAITS, {"dossier": "documented"}, False),
        ({}, None, {"dossier": "none"}, False),
        ({"in_force": False}, WAITS, {"dossier": "none"}, False),
        ({"validity": Validity(since=date.min, until=DAY)}, WAITS, {"dossier": "none"}, False),
        ({"validity": Validity(since=DAY, until=None)}, WAITS, {"dossier": "none"}, True),
        ({"only_by": ("huisarts",)}, WAITS, {"dossier": "none"}, False),
        ({"only_by": ("huisarts", REGISTER.org_class)}, WAITS, {"dossier": "none"}, True),
        ({}, replace(WAITS, approval=True), {"dossier": "none"}, False),
        ({}, replace(WAITS, approval=True), {"approval": "approved", "dossier": "none"}, True),
        ({}, replace(WAITS, approval=True), {"approval": "approved", "dossier": "documented"}, False),
        ({}, WAITS, {"approval": "approved", "dossier": "none"}, True),
    ],
)
def test_informing_waits_only_with_all_that_its_ground_asks(
    shipped: Bundle,
    ground: dict[str, object],
    deferral: Deferral | None,
    asked: dict[str, Any],
    waits: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """In force on that day, by who may, with its dossier, and approved where it asks that: each of them, or no wait."""
    rules = ruled(shipped, INFORM, deferral=deferral, **ground)
    facts = replace(ADULT, deferral=DEFERS, approval=asked.get("approval", "none"))
    found = {one.id: one for one in owed(rules, facts, dossier=asked["dossier"])}
    assert (found["informeer_betrokkene"].deferred_on == DEFERS) is waits
    assert ("herzie_uitstel" in found) is waits


def test_nothing_waits_where_nobody_asks_for_it(shipped: Bundle) -> None:
    """A ground for deferral that was not invoked puts nothing off."""
    (found,) = owed(ruled(shipped, INFORM, deferral=WAITS), ADULT)
    assert (found.deferred_on, found.term) == (None, "P28D")


def test_only_what_comes_first_can_be_unmet() -> None:
    """One duty beforehand that was not done is enough; what is done afterwards hinders nobody."""
    before, after = Obligation(id="a", phase="vooraf", term=None), Obligation(id="b", phase="achteraf", term=None)
    assert not unmet([], REGISTER)
    assert not unmet([after], REGISTER)
    assert unmet([after, before], REGISTER)
    assert not unmet([after, before], replace(REGISTER, fulfilled=frozenset({"a"})))
    assert unmet([before], replace(REGISTER, fulfilled=frozenset({"b"})))
