"""Exceptions: to whom comes first, then whether the dossier says enough; each rule at its own edge (D11)."""

from dataclasses import replace
from datetime import date

import pytest

from broker.domain.errors import FieldRuleError
from broker.domain.exceptions import (
    CARE,
    FIVE,
    REST_S,
    SIX,
    STATUTORY,
    TELLS_S,
    Documented,
    ExceptionRecord,
    ExceptionType,
    Routed,
    fault_of,
    missing,
    questions,
    routed,
)

WORKER, AT = "w", 1_000_000
DOSSIER = Documented(
    commitment="f" * 64, answered=frozenset(SIX), consulted="colleague", with_veilig_thuis=False,
    tell_on=date(2026, 12, 1), deferral=None, meldcode_step=4,
)  # fmt: skip
CVP = ExceptionRecord(
    id="e", organisation="1" * 20, controller="1" * 20, team="team-1", worker=WORKER, type=ExceptionType.CVP,
    recipient="politie", recipient_organisation=None, purpose="nood", ground="CVP", category="veiligheid",
    reason="veiligheid", at=AT, approved_by=None, documented=DOSSIER,
)  # fmt: skip
ACUTE = replace(CVP, type=ExceptionType.ACUTE, documented=None)
DOCUMENTED_KINDS = (ExceptionType.CVP, ExceptionType.VITAL, ExceptionType.THERAPEUTIC)


def refused(kind: ExceptionType, recipient: str) -> tuple[str, str]:
    """Return the field and the rule by which this type is not for this recipient."""
    with pytest.raises(FieldRuleError) as broke:
        routed(kind, asker="ggz", recipient=recipient)
    return broke.value.field, broke.value.rule


def test_what_is_acute_goes_to_veilig_thuis_or_the_police() -> None:
    """To Veilig Thuis on its right in law, to the police on the conflict of duties, and to nobody else."""
    for asker in ("ggz", "wijkteam"):
        told = {who: routed(ExceptionType.ACUTE, asker=asker, recipient=who) for who in ("veilig_thuis", "politie")}
        assert told == {
            "veilig_thuis": Routed(purpose="vt-melding", ground="WMO-5.2.6"),
            "politie": Routed(purpose="nood", ground="CVP"),
        }
    rule = ("recipient", "is not told of acute danger: call Veilig Thuis or the police")
    for other in ("gi", "rvdk", "wijkteam", "vertegenwoordiger", ""):
        assert refused(ExceptionType.ACUTE, other) == rule


@pytest.mark.parametrize("kind", DOCUMENTED_KINDS)
@pytest.mark.parametrize("recipient", ["veilig_thuis", "gi", "rvdk"])
def test_where_a_law_lets_one_tell_there_is_no_exception(kind: ExceptionType, recipient: str) -> None:
    """Whatever somebody looks for: a right in law comes first."""
    assert recipient in STATUTORY
    assert routed(kind, asker="ggz", recipient=recipient) is None


def test_who_represents_the_patient_and_nobody_else_hears_the_therapeutic_exception() -> None:
    """A representative is told on no other, and on this one only a representative."""
    rule = ("recipient", "does not fit this type")
    assert refused(ExceptionType.THERAPEUTIC, "politie") == rule
    assert refused(ExceptionType.CVP, "vertegenwoordiger") == rule
    assert refused(ExceptionType.VITAL, "vertegenwoordiger") == rule


@pytest.mark.parametrize("asker", [*sorted(CARE), "gi", "wijkteam"])
def test_care_has_its_own_law_for_a_patient(asker: str) -> None:
    """Who has patients rests on the BW, youth care on the Jeugdwet."""
    found = routed(ExceptionType.THERAPEUTIC, asker=asker, recipient="vertegenwoordiger")
    ground = "BW-7:448-TE" if asker in {"ggz", "verslavingszorg", "huisarts", "jgz", "seh"} else "JW-7.3.2-3"
    assert found == Routed(purpose="patient", ground=ground)


def test_a_life_in_danger_has_its_own_ground() -> None:
    """Anybody else is told in an emergency: on a conflict of duties, or on a life in danger."""
    for recipient in ("politie", "wijkteam", "school"):
        assert routed(ExceptionType.CVP, asker="ggz", recipient=recipient) == Routed(purpose="nood", ground="CVP")
        vital = routed(ExceptionType.VITAL, asker="ggz", recipient=recipient)
        assert vital == Routed(purpose="nood", ground="VITAAL")


@pytest.mark.parametrize("kind", list(ExceptionType))
def test_a_dossier_answers_every_question_of_its_type(kind: ExceptionType) -> None:
    """Six answers, or five conditions: each that is missing is named, in order, and any one of them is too many."""
    asked = FIVE if kind is ExceptionType.THERAPEUTIC else SIX
    assert questions(kind) == asked
    assert len(asked) == (5 if kind is ExceptionType.THERAPEUTIC else 6)
    assert missing(kind, ()) == asked
    assert missing(kind, [*asked, "more"]) == ()
    whole = replace(DOSSIER, answered=frozenset(asked))
    assert fault_of(kind, whole, worker=WORKER, asker="ggz") is None
    for one in asked:
        rest = frozenset(asked) - {one}
        assert missing(kind, rest) == (one,)
        assert fault_of(kind, replace(whole, answered=rest), worker=WORKER, asker="ggz") == "exception-incomplete"


def test_only_what_is_acute_is_told_without_a_dossier() -> None:
    """The rest of it comes within a day; anything else starts with its dossier."""
    assert fault_of(ExceptionType.ACUTE, None, worker=WORKER, asker="ggz") is None
    for kind in DOCUMENTED_KINDS:
        assert fault_of(kind, None, worker=WORKER, asker="ggz") == "exception-incomplete"


def test_somebody_else_was_consulted() -> None:
    """Nobody consults himself; Veilig Thuis counts for who is not Veilig Thuis, and nobody at all is nobody."""
    nobody = replace(DOSSIER, consulted=None)
    with_vt = replace(nobody, with_veilig_thuis=True)
    for dossier, asker, fault in (
        (DOSSIER, "ggz", None),
        (DOSSIER, "veilig_thuis", None),
        (replace(DOSSIER, consulted=WORKER), "ggz", "exception-own-consultation"),
        (replace(DOSSIER, consulted=WORKER, with_veilig_thuis=True), "ggz", "exception-own-consultation"),
        (nobody, "ggz", "exception-incomplete"),
        (nobody, "veilig_thuis", "exception-incomplete"),
        (with_vt, "ggz", None),
        (with_vt, "veilig_thuis", "exception-own-consultation"),
        (replace(DOSSIER, with_veilig_thuis=True), "veilig_thuis", None),
        (replace(DOSSIER, tell_on=None), "ggz", "exception-incomplete"),
    ):
        assert fault_of(ExceptionType.CVP, dossier, worker=WORKER, asker=asker) == fault
    assert (DOSSIER.named_other, nobody.named_other, with_vt.named_other) == (True, False, True)


def test_how_far_a_dossier_is() -> None:
    """None with an answer missing, documented while nobody was consulted, complete with both."""
    for documented, said in (
        (DOSSIER, "complete"),
        (replace(DOSSIER, consulted=None), "documented"),
        (replace(DOSSIER, answered=frozenset(SIX[1:])), "none"),
        (None, "none"),
    ):
        assert replace(CVP, documented=documented).dossier() == said
    therapy = replace(CVP, type=ExceptionType.THERAPEUTIC)
    assert therapy.dossier() == "none"
    assert replace(therapy, documented=replace(DOSSIER, answered=frozenset(FIVE))).dossier() == "complete"


def test_what_is_acute_is_so_until_its_rest_is_there() -> None:
    """Its rest is the dossier of a conflict of duties; late is after a day, not on its last second."""
    assert (ACUTE.dossier(), ACUTE.waits_for_rest, ACUTE.is_late) == ("acuut", True, False)
    assert (CVP.waits_for_rest, CVP.is_late) == (False, False)
    rested = ACUTE.with_rest(DOSSIER, at=AT + REST_S)
    assert (rested.rest, rested.rest_at) == (DOSSIER, AT + REST_S)
    assert (rested.dossier(), rested.waits_for_rest, rested.is_late) == ("complete", False, False)
    assert ACUTE.with_rest(DOSSIER, at=AT + REST_S + 1).is_late
    half = ACUTE.with_rest(replace(DOSSIER, answered=frozenset(FIVE)), at=AT)
    assert half.dossier() == "none"
    assert (REST_S, TELLS_S) == (24 * 3600, 14 * 24 * 3600)
