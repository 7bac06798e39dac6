"""Decision tables: facts to outcome, rule and level; every shipped rule decides at least one row."""

from dataclasses import replace
from datetime import date

import pytest

from policies import Bundle, DecisionPoint, Permit, Refusal
from tests.unit.policies.amsterdam import AMSTERDAM
from tests.unit.policies.arnhem import (
    CHECK,
    CORPORATIE,
    GI,
    REGISTER,
    SCHOOL,
    SIGNAL_OF_GI,
    TRIAL,
    TRIAL_SIGNAL,
    VEILIG_THUIS,
    WIJKTEAM,
)
from tests.unit.policies.rows import Row, decide
from tests.unit.policies.statutory import RIGHTS, STATUTORY

VIRA = "vira@2026.1.0/"
LEX = "lex@2026.1.0/"
PROEF = "proef@1.0.0/"

GI_REGISTER = replace(REGISTER, organisation=GI, org_class="gi", approval="none")
VT_REGISTER = replace(REGISTER, organisation=VEILIG_THUIS, org_class="veilig_thuis", approval="none")
SCHOOL_REGISTER = replace(REGISTER, organisation=SCHOOL, org_class="school", approval="none", simulated_bsn_right=True)
SCHOOL_CHECK = replace(CHECK, organisation=SCHOOL, org_class="school", simulated_bsn_right=True)
OF_WIJKTEAM = replace(SIGNAL_OF_GI, holder=WIJKTEAM, holder_class="wijkteam")
OF_SCHOOL = replace(SIGNAL_OF_GI, holder=SCHOOL, holder_class="school")


ROWS = (
    Row("wijkteam registers with approval", REGISTER, None, "2", VIRA + "signaal-na-overleg"),
    Row("wijkteam registers unapproved", replace(REGISTER, approval="none"), None, "approval-required", None),
    Row("gezinsvoogd registers", GI_REGISTER, None, "2", VIRA + "signaal-eigen-oordeel"),
    Row("Veilig Thuis registers", VT_REGISTER, None, "2", VIRA + "signaal-eigen-oordeel"),
    Row("school registers, right simulated", SCHOOL_REGISTER, None, "2", VIRA + "signaal-school"),
    Row("school without right", replace(SCHOOL_REGISTER, simulated_bsn_right=False), None, "no-bsn-right", None),
    Row("wijkteam checks with own signal", CHECK, None, "2", VIRA + "kijken"),
    Row("wijkteam checks without signal", replace(CHECK, standing="none"), None, "no-standing", None),
    Row("consent is no standing here", replace(CHECK, standing="consent"), None, "no-standing", None),
    Row("a reference is no standing here", replace(CHECK, standing="statutory_reference"), None, "no-standing", None),
    Row("school checks with own signal", SCHOOL_CHECK, None, "2", VIRA + "kijken-school"),
    Row("school never checks without", replace(SCHOOL_CHECK, standing="none"), None, "no-standing", None),
    Row("an approver does not ask", replace(CHECK, role="approver"), None, "role-cannot-ask", None),
    Row(
        "an address is not used",
        replace(CHECK, families=frozenset({"nlbsn", "addr"})),
        None,
        "family-not-in-purpose",
        None,
    ),
    Row("no token is no question", replace(CHECK, families=frozenset()), None, "family-not-in-purpose", None),
    Row("another wijkteam is no party", replace(CHECK, organisation="0" * 20), None, "not-a-party", None),
    Row("a party in another class", replace(CHECK, org_class="gi"), None, "not-a-party", None),
    Row("before the agreement", replace(CHECK, day=date(2024, 12, 31)), None, "not-a-party", None),
    Row("after the agreement", replace(CHECK, day=date(2031, 1, 1)), None, "not-valid-on-this-day", None),
    Row("the last day", replace(CHECK, day=date(2030, 12, 31)), None, "2", VIRA + "kijken"),
    Row("consent is no ground here", replace(CHECK, grounds=("TOEST",)), None, "ground-not-allowed", None),
    Row("one good ground of two", replace(CHECK, grounds=("TOEST", "JW-7.1.4.1")), None, "2", VIRA + "kijken"),
    Row("no ground claimed", replace(CHECK, grounds=()), None, "no-ground", LEX + "geen-grondslag"),
    Row("ggz has no clause", replace(CHECK, org_class="ggz"), None, "class-not-in-purpose", None),
    Row(
        "the corporatie is no listed category",
        replace(CHECK, organisation=CORPORATIE, org_class="woningcorporatie", families=frozenset({"addr"})),
        None,
        "not-a-listed-category",
        LEX + "niet-genoemd",
    ),
    Row(
        "meldpunt overlast neither",
        replace(REGISTER, org_class="meldpunt_overlast"),
        None,
        "not-a-listed-category",
        LEX + "niet-genoemd",
    ),
    Row("wijkteam sees the gezinsvoogd", REGISTER, SIGNAL_OF_GI, "2", VIRA + "zien"),
    Row("a brother's signal too", CHECK, replace(SIGNAL_OF_GI, kind="family"), "2", VIRA + "zien"),
    Row("gezinsvoogd sees the wijkteam", GI_REGISTER, OF_WIJKTEAM, "2", VIRA + "zien"),
    Row("gezinsvoogd sees the school", GI_REGISTER, OF_SCHOOL, "2", VIRA + "zien"),
    Row("school sees the wijkteam", SCHOOL_CHECK, OF_WIJKTEAM, "2", VIRA + "zien-school"),
    Row("school never sees the gezinsvoogd", SCHOOL_CHECK, SIGNAL_OF_GI, "holder-never", VIRA + "gi-nooit-aan-school"),
    Row("nobody sees a shielded signal", CHECK, replace(SIGNAL_OF_GI, shielded=True), "shielded", LEX + "afgeschermd"),
    Row("an excluded asker sees nothing", CHECK, replace(SIGNAL_OF_GI, excluded=True), "excluded", LEX + "uitgesloten"),
    Row(
        "shielded outranks excluded",
        CHECK,
        replace(SIGNAL_OF_GI, excluded=True, shielded=True),
        "shielded",
        LEX + "afgeschermd",
    ),
    Row("an address match is not used", CHECK, replace(SIGNAL_OF_GI, kind="address"), "kind-not-in-purpose", None),
    Row("a member match is not used", CHECK, replace(SIGNAL_OF_GI, kind="member"), "kind-not-in-purpose", None),
    Row("a holder outside the agreement", CHECK, replace(SIGNAL_OF_GI, holder="0" * 20), "not-a-party", None),
    Row("registered on another ground", CHECK, replace(SIGNAL_OF_GI, ground="TOEST"), "other-basis", None),
    Row("a holder without clause", CHECK, replace(SIGNAL_OF_GI, holder_class="ggz"), "holder-not-in-purpose", None),
    Row("who may not ask sees nothing", replace(CHECK, standing="none"), SIGNAL_OF_GI, "may-not-ask", None),
    Row("nor without a ground", replace(CHECK, grounds=()), SIGNAL_OF_GI, "may-not-ask", LEX + "geen-grondslag"),
    Row("trial: anyone registers", replace(TRIAL, operation="register", standing="none"), None, "2", PROEF + "signaal"),
    Row("trial: checks with a signal", TRIAL, None, "2", PROEF + "kijken-signaal"),
    Row(
        "trial: checks with consent",
        replace(TRIAL, standing="consent", consent="given"),
        None,
        "2",
        PROEF + "kijken-toestemming",
    ),
    Row("trial: not without either", replace(TRIAL, standing="none"), None, "no-standing", None),
    Row("trial: sees an address match", TRIAL, TRIAL_SIGNAL, "2", PROEF + "zien"),
    Row("trial: not a shielded one", TRIAL, replace(TRIAL_SIGNAL, shielded=True), "shielded", LEX + "afgeschermd"),
    Row("trial: not of another purpose", TRIAL, replace(TRIAL_SIGNAL, purpose="verwijsindex"), "other-purpose", None),
    Row("the index is for youths", replace(REGISTER, age="from23"), None, "too-old", LEX + "te-oud"),
    Row(
        "trial: its ground opens no index",
        replace(CHECK, grounds=("TEST-PROEFREGIO",)),
        None,
        "ground-not-allowed",
        None,
    ),
    *STATUTORY,
    *AMSTERDAM,
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_decides_as_written(trial_point: DecisionPoint, row: Row) -> None:
    """A decision is the one the documents say, by the rule they name."""
    decision = decide(trial_point, row)
    said = str(decision.level) if isinstance(decision, Permit) else decision.reason
    assert (said, decision.rule) == (row.outcome, row.rule)


def test_every_rule_decides_a_row(trial: Bundle, trial_point: DecisionPoint) -> None:
    """No clause is shipped without a row it decides, or, forbidding a level, lowers."""
    lowering = {
        rule
        for decision in (decide(trial_point, row) for row in ROWS)
        if isinstance(decision, Permit)
        for rule in decision.rules
        if not trial.clauses[rule].allows
    }
    assert {row.rule for row in ROWS} - {None} | lowering == set(trial.clauses)


def test_a_refusal_of_the_corporatie_names_what_is_possible(point: DecisionPoint) -> None:
    """An open refusal says what the asker can do instead: the overleg, Veilig Thuis, and 112."""
    asked = replace(CHECK, organisation=CORPORATIE, org_class="woningcorporatie", families=frozenset({"addr"}))
    refusal = point.may_ask(asked)
    assert isinstance(refusal, Refusal)
    assert [text.id for text in refusal.possible] == ["kan.overleg-zorg-en-overlast", "kan.veilig-thuis", "kan.acuut"]


def test_a_silent_refusal_names_nothing(point: DecisionPoint) -> None:
    """A refusal about a hit never tells the asker what to do about it."""
    refusal = point.may_see(CHECK, replace(SIGNAL_OF_GI, shielded=True))
    assert isinstance(refusal, Refusal)
    assert refusal.possible == ()


def test_a_silent_refusal_keeps_every_rule_that_spoke_of_the_question(point: DecisionPoint) -> None:
    """What the rights desk is not shown is recorded with the rules by which it was allowed to search."""
    refusal = point.may_see(RIGHTS, SIGNAL_OF_GI)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.rules) == ("shows-nothing", (LEX + "inzage-zoeken",))
    assert (refusal.question, refusal.rule, refusal.near_miss) == ("may_see", None, ())
    none = point.may_see(replace(CHECK, grounds=()), SIGNAL_OF_GI)
    assert isinstance(none, Refusal)
    assert (none.rule, none.rules) == (LEX + "geen-grondslag", (LEX + "geen-grondslag",))


def test_registering_brings_the_duty_to_inform(point: DecisionPoint) -> None:
    """A signal in the verwijsindex obliges its holder to inform the family within 28 days."""
    permit = point.may_ask(REGISTER)
    assert isinstance(permit, Permit)
    assert [duty.record() for duty in permit.obligations] == [
        {"id": "informeer_betrokkene", "phase": "achteraf", "term": "P28D"}
    ]


def test_the_purpose_row_of_the_verwijsindex(shipped: Bundle) -> None:
    """The verwijsindex knows youths to 22, two years, parents but no addresses (architecture D10)."""
    purpose = shipped.purposes["verwijsindex"]
    assert (purpose.max_years, purpose.age_limit) == (2, 23)
    assert purpose.match_kinds == {"person", "family"}
    assert purpose.families == {"nlbsn", "fam"}
    assert purpose.needs_assessment
    assert purpose.needs_informing
    assert (purpose.valid_from, purpose.valid_until) == (date(2015, 1, 1), None)
