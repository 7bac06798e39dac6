"""What a permit obliges to: beforehand, afterwards, for whom, by when, and when it may wait."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policies import DecisionPoint, Obligation, Permit, Refusal, load_bundle
from tests.unit.policies.arnhem import REGISTER, VIRA, changed_documents
from tests.unit.policies.statutory import TELL_POLICE, TELL_VT, VT_CHECK, VT_NIGHT


def duties(point: DecisionPoint, facts: Any) -> dict[str, Obligation]:  # noqa: ANN401 -- facts of any kind of question
    """The obligations of a permit by id."""
    permit = point.may_ask(facts)
    assert isinstance(permit, Permit)
    return {duty.id: duty for duty in permit.obligations}


def test_what_must_come_first_opens_once_it_was_done(tmp_path: Path) -> None:
    """An obligation of phase vooraf refuses until a fact shows it met, and that fact alone opens it."""
    folder = changed_documents(tmp_path, (VIRA, "fase: achteraf, termijn: P28D", "fase: vooraf"))
    point = load_bundle(folder).decision_point()
    refusal = point.may_ask(REGISTER)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "obligation-unmet"
    other = point.may_ask(replace(REGISTER, fulfilled=frozenset({"herzie_afscherming"})))
    assert isinstance(other, Refusal)
    met = duties(point, replace(REGISTER, fulfilled=frozenset({"informeer_betrokkene"})))
    assert met["informeer_betrokkene"].phase == "vooraf"


def test_a_melding_in_the_making_brings_its_number_within_one_working_day(point: DecisionPoint) -> None:
    """At 02:00 Veilig Thuis looks at once; the reference and the consultation follow within one working day."""
    found = duties(point, VT_NIGHT)
    for name in ("verwijzing_nazenden", "overleg_achteraf"):
        assert (found[name].phase, found[name].term, found[name].working_days) == ("achteraf", "P1D", True)
        assert found[name].record()["working_days"] is True
    assert "verwijzing_nazenden" not in duties(point, VT_CHECK)


def test_acute_danger_is_consulted_and_reviewed_within_a_day(point: DecisionPoint) -> None:
    """Whoever told at once names the consultation within 24 hours, and a colleague reviews it."""
    for facts in (replace(TELL_VT, dossier="acuut"), replace(TELL_POLICE, dossier="acuut")):
        found = duties(point, facts)
        assert (found["noem_overleg"].term, found["beoordeel_spoed"].term) == ("P1D", "P1D")


@pytest.mark.parametrize(
    ("age", "to"),
    [("under12", ("guardian",)), ("12to15", ("guardian", "person")), ("16to17", ("person",)), ("unknown", ())],
)
def test_who_is_informed_depends_on_age(point: DecisionPoint, age: str, to: tuple[str, ...]) -> None:
    """Jeugdwet 7.1.5.1: under 12 the guardian, 12 to 15 both, from 16 the youth."""
    duty = duties(point, replace(REGISTER, age=age))["informeer_betrokkene"]
    assert duty.to == to
    assert duty.record().get("to", []) == list(to)


@pytest.mark.parametrize("facts", [REGISTER, TELL_VT], ids=["with an age table", "without"])
@pytest.mark.parametrize("age", ["under12", "12to15", "unknown"])
def test_contested_custody_is_settled_before_a_guardian_is_told(point: DecisionPoint, facts: Any, age: str) -> None:  # noqa: ANN401 -- facts of any kind of question
    """No parent is informed while it is contested who has authority; anybody who may be 12 or older still is."""
    found = duties(point, replace(facts, age=age, custody="contested"))
    assert found["zoek_gezag_uit"].term == "P7D"
    informed = found.get("informeer_betrokkene")
    assert (informed.to if informed else None) == (None if age == "under12" else ("person",))


@pytest.mark.parametrize("age", ["16to17", "18to22", "from23"])
def test_an_adult_is_informed_whatever_is_contested(point: DecisionPoint, age: str) -> None:
    """Who decides himself never loses his notice for what others contest, on a ground without ages either."""
    found = duties(point, replace(TELL_VT, age=age, custody="contested"))
    assert set(found) == {"informeer_betrokkene"}


@pytest.mark.parametrize("age", ["under12", "12to15"])
def test_custody_nobody_looked_at_is_looked_at_first(point: DecisionPoint, age: str) -> None:
    """Where a guardian is to be told and it is not known who that is, both are duties."""
    found = duties(point, replace(REGISTER, age=age))
    assert {"zoek_gezag_uit", "informeer_betrokkene"} <= set(found)
    assert "guardian" in found["informeer_betrokkene"].to
    assert "zoek_gezag_uit" not in duties(point, REGISTER)


def test_clear_custody_and_a_youth_of_sixteen_change_nothing(point: DecisionPoint) -> None:
    """Custody matters only where a guardian is to be told."""
    assert "zoek_gezag_uit" not in duties(point, replace(REGISTER, age="16to17", custody="contested"))
    assert "zoek_gezag_uit" not in duties(point, replace(REGISTER, age="under12", custody="clear"))


def test_informing_waits_with_approval_and_a_next_look(point: DecisionPoint) -> None:
    """A deferral under UAVG 41 needs an approver, and a day on which somebody looks again."""
    unapproved = duties(point, replace(VT_CHECK, deferral="UAVG-41"))
    assert unapproved["informeer_betrokkene"].deferred_on is None
    found = duties(point, replace(VT_CHECK, deferral="UAVG-41", approval="approved"))
    assert (found["informeer_betrokkene"].deferred_on, found["informeer_betrokkene"].term) == ("UAVG-41", None)
    assert found["informeer_betrokkene"].record()["deferred_on"] == "UAVG-41"
    assert found["herzie_uitstel"].term == "P28D"


def test_the_therapeutic_exception_modifies_informing(point: DecisionPoint) -> None:
    """BW 7:448 withholds from the patient only with all its conditions, and only by who treats (architecture D11)."""
    asked = replace(TELL_VT, deferral="BW-7:448-TE")
    assert duties(point, asked)["informeer_betrokkene"].deferred_on is None
    complete = duties(point, replace(asked, dossier="complete"))
    assert complete["informeer_betrokkene"].deferred_on == "BW-7:448-TE"
    assert complete["herzie_uitstel"].term == "P28D"
    school = replace(asked, dossier="complete", org_class="school")
    assert duties(point, school)["informeer_betrokkene"].deferred_on is None


def test_a_deferral_that_a_duty_does_not_know_puts_nothing_off(point: DecisionPoint) -> None:
    """Registering in the verwijsindex can wait under UAVG 41, not under the Wmo of Veilig Thuis."""
    approved = replace(REGISTER, deferral="WMO-5.3.1", age="under12")
    assert duties(point, approved)["informeer_betrokkene"].deferred_on is None
    assert "herzie_uitstel" not in duties(point, approved)
    asked = replace(REGISTER, deferral="UAVG-41", age="under12")
    assert duties(point, asked)["informeer_betrokkene"].deferred_on == "UAVG-41"


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"deferral": "TOEST"}, "a ground of another kind"),
        ({"deferral": "WAMS"}, "a law not in force"),
        ({"deferral": "UAVG-41", "day": date(2018, 5, 24), "proof_since": date(2018, 5, 24)}, "a law of later"),
    ],
)
def test_only_a_deferral_in_force_puts_off(point: DecisionPoint, facts: dict[str, Any], why: str) -> None:
    """What is no ground for deferral, or not yet, puts nothing off."""
    found = duties(point, replace(VT_CHECK, approval="approved", **facts))
    assert found["informeer_betrokkene"].deferred_on is None, why


def test_obligations_come_once_and_in_order(point: DecisionPoint) -> None:
    """Two rules that oblige to the same do so once; the order is fixed, so records compare."""
    permit = point.may_ask(replace(TELL_VT, dossier="acuut"))
    assert isinstance(permit, Permit)
    names = [duty.id for duty in permit.obligations]
    assert names == sorted(set(names))


@pytest.mark.parametrize("category", ["veiligheid", "gezondheid", "hulp", "schoolgang", "strafrecht"])
def test_whatever_is_told_in_acute_danger_is_reviewed(point: DecisionPoint, category: str) -> None:
    """`acuut` is no key to anything that nobody looks at afterwards, whoever tells it and whatever it is about."""
    permits = 0
    for teller in ("huisarts", "ggz", "school", "woningcorporatie", "politie", "veilig_thuis"):
        for base in (TELL_VT, TELL_POLICE):
            for grounds in (("WMO-5.2.6",), ("WPG-18",), ("CVP",), ("VITAAL",), ("WMO-4.1.1-2",)):
                asked = replace(base, org_class=teller, grounds=grounds, dossier="acuut", category=category, level=4)
                asked = replace(asked, standing="statutory_reference", proof="melding", proof_since=asked.day)
                permit = point.may_ask(asked)
                if isinstance(permit, Permit):
                    permits += 1
                    assert {"noem_overleg", "beoordeel_spoed"} <= {duty.id for duty in permit.obligations}
                    assert permit.level < 4 or category not in {"gezondheid", "strafrecht"}
    assert permits


def test_who_asks_in_acute_danger_asks_as_without_a_dossier(point: DecisionPoint) -> None:
    """Only telling is reviewed afterwards, so acute danger opens no question of Veilig Thuis any further."""
    asked = replace(VT_CHECK, operation="request", category="gezondheid", level=4)
    none, acute, complete = (
        point.may_ask(one).record()["level"]
        for one in (asked, replace(asked, dossier="acuut"), replace(asked, dossier="complete"))
    )
    assert (none, acute, complete) == (3, 3, 4)
