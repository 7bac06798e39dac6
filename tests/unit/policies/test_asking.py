"""Facts to requests: every column of a request is what the facts say, and nothing else (policies/asking.py)."""

from dataclasses import replace
from datetime import date

import pytest

from policies import AskFacts, Bundle, HitFacts
from policies.asking import agreements, ask_request, consent_state, dossier_state, see_request
from policies.lines import Request
from policies.ruleset import RuleSet
from tests.unit.policies.arnhem import CHECK, DAY, GI, SIGNAL_OF_GI, WIJKTEAM

TELL = replace(
    CHECK, operation="share", recipient="politie", recipient_organisation=GI, category="veiligheid",
    approval="approved", families=frozenset(), standing="none",
)  # fmt: skip
ACUTE = replace(TELL, dossier="acuut", acute_open=False)
GIVEN = replace(CHECK, consent="given", consent_by=frozenset({"person"}), age="from23")


@pytest.fixture(scope="session")
def rules(shipped: Bundle) -> RuleSet:
    """The rules that the shipped documents compile to."""
    return shipped


def test_a_request_has_the_column_of_each_fact(rules: RuleSet) -> None:
    """On no ground, at level 0, outside every agreement and with no consent yet: the walk fills those in."""
    assert ask_request(rules, CHECK) == Request(
        act="check", ask="wijkteam", role="worker", purpose="verwijsindex", cat="betrokkenheid", level="0",
        ground="geen", standing="own_signal", proof="none", approval="none", meldcode="unmet", right="register",
        families="within", party="none", consent="unknown", exc="none", age="unknown", day="20261122", hold="none",
    )  # fmt: skip
    changed = replace(CHECK, role="fg", simulated_bsn_right=True, age="12to15", category="hulp", day=date(2027, 1, 2))
    asked = ask_request(rules, changed)
    assert (asked.role, asked.right, asked.age, asked.cat, asked.day) == (
        "fg", "simulated", "12to15", "hulp", "20270102",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("families", "column"),
    [({"nlbsn", "fam"}, "within"), ({"nlbsn"}, "within"), ({"nlbsn", "addr"}, "beyond"), (set(), "beyond")],
)
def test_families_are_within_what_the_purpose_uses(rules: RuleSet, families: set[str], column: str) -> None:
    """One that the purpose does not use is beyond it, and so is a question without any token."""
    assert ask_request(rules, replace(CHECK, families=frozenset(families))).families == column


@pytest.mark.parametrize(
    ("approval", "demanded", "column"),
    [("approved", True, "met"), ("approved", False, "met"), ("none", False, "met"), ("none", True, "unmet")],
)
def test_the_own_meldcode_is_met_by_approval_or_asks_none(
    rules: RuleSet,
    approval: str,
    demanded: bool,  # noqa: FBT001 - a row of a table
    column: str,
) -> None:
    """Who has no approval meets a meldcode that asks for none."""
    facts = replace(CHECK, approval=approval, meldcode_approval=demanded)  # type: ignore[arg-type]  # one of the words
    assert (ask_request(rules, facts).meldcode, ask_request(rules, facts).approval) == (column, approval)


def test_only_who_tells_names_a_recipient(rules: RuleSet) -> None:
    """A recipient beside another operation is none; about a signal it is its holder."""
    assert ask_request(rules, TELL).hold == "politie"
    assert ask_request(rules, replace(TELL, operation="request")).hold == "none"


def test_a_request_about_a_signal_says_what_it_is(rules: RuleSet) -> None:
    """Its holder, kind, purpose and ground, and whether it is shielded or kept from the asker; an oproep rings it."""
    asked = ask_request(rules, CHECK)
    seen = see_request(asked, SIGNAL_OF_GI)
    assert seen == replace(
        asked, act="see", hold="gi", kind="person", reg="verwijsindex", basis="JW-7.1.4.1", shield="open"
    )
    other = replace(SIGNAL_OF_GI, kind="family", purpose="vt-melding", ground="TOEST", holder_class="school")
    told = see_request(asked, other)
    assert (told.hold, told.kind, told.reg, told.basis) == ("school", "family", "vt-melding", "TOEST")
    for shielded, excluded, shield in ((True, False, "shielded"), (True, True, "shielded"), (False, True, "excluded")):
        assert see_request(asked, replace(SIGNAL_OF_GI, shielded=shielded, excluded=excluded)).shield == shield
    calling = ask_request(rules, replace(CHECK, operation="call"))
    assert (see_request(calling, SIGNAL_OF_GI).act, see_request(asked, SIGNAL_OF_GI).act) == ("ring", "see")


def test_an_agreement_counts_where_both_sides_are_party(rules: RuleSet) -> None:
    """Of the asker alone, with the holder, or with who is told; on that day; else there is none."""
    own = agreements(rules, CHECK, None)
    assert own == rules.shared(purpose="verwijsindex", sides=[(WIJKTEAM, "wijkteam")], day=DAY)
    assert own
    assert agreements(rules, CHECK, SIGNAL_OF_GI) == own
    stranger = replace(SIGNAL_OF_GI, holder="9" * 20)
    assert agreements(rules, CHECK, stranger) == ("none",)
    assert agreements(rules, replace(CHECK, day=date(2001, 1, 1)), None) == ("none",)
    told = replace(CHECK, operation="share", recipient="gi", recipient_organisation=GI)
    assert agreements(rules, told, None) == own
    for other in ({"recipient_organisation": "9" * 20}, {"recipient_organisation": None}, {"recipient": "school"}):
        assert agreements(rules, replace(told, **other), None) == ("none",)
    assert agreements(rules, replace(told, operation="check"), None) == own


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (GIVEN, "given"),
        (replace(GIVEN, consent="refused"), "refused"),
        (replace(GIVEN, consent_by=frozenset()), "unknown"),
        (replace(GIVEN, consent_by=frozenset({"guardian"})), "unknown"),
        (replace(GIVEN, age="under12", consent_by=frozenset({"guardian"}), custody="clear"), "given"),
        (replace(GIVEN, age="under12", consent_by=frozenset({"guardian"}), custody="contested"), "unknown"),
        (replace(GIVEN, age="under12", consent_by=frozenset({"guardian"})), "unknown"),
        (replace(GIVEN, age="12to15", consent_by=frozenset({"guardian"}), custody="clear"), "unknown"),
        (replace(GIVEN, age="12to15", consent_by=frozenset({"guardian", "person"}), custody="clear"), "given"),
        (replace(GIVEN, custody="contested"), "given"),
    ],
)
def test_consent_counts_when_all_gave_it_who_must(rules: RuleSet, facts: AskFacts, state: str) -> None:
    """At this age, on this ground; a guardian's only where it is clear that he has authority."""
    assert consent_state(rules.grounds["TOEST"], facts, None) == state


def test_consent_about_a_signal_is_that_of_its_very_person(rules: RuleSet) -> None:
    """On the ground of consent alone; on another, what the asker has stands, and without a ground what was said."""
    hit: HitFacts = replace(SIGNAL_OF_GI, consent="refused")
    assert consent_state(rules.grounds["TOEST"], GIVEN, hit) == "refused"
    assert consent_state(rules.grounds["JW-7.1.4.1"], GIVEN, hit) == "given"
    assert consent_state(None, GIVEN, hit) == "given"
    assert consent_state(rules.grounds["TOEST"], replace(GIVEN, consent="withdrawn"), hit) == "withdrawn"


def test_acute_danger_is_told_to_who_may_hear_it_once_at_a_time(rules: RuleSet) -> None:
    """Towards anybody else it is misplaced; who asks, or has another open, is as without a dossier."""
    for recipient, state in (
        ("politie", "acuut"),
        ("veilig_thuis", "acuut"),
        ("gi", "acuut_elders"),
        ("none", "acuut_elders"),
    ):
        assert dossier_state(rules, replace(ACUTE, recipient=recipient)) == state
    assert dossier_state(rules, replace(ACUTE, acute_open=True)) == "none"
    asks = replace(ACUTE, operation="request", recipient="none")
    assert dossier_state(rules, replace(asks, org_class="politie")) == "none"
    assert dossier_state(rules, asks) == "acuut_elders"
    for dossier in ("none", "documented", "complete"):
        assert dossier_state(rules, replace(ACUTE, dossier=dossier)) == dossier
    assert ask_request(rules, ACUTE).exc == "acuut"


@pytest.mark.parametrize(
    ("since", "ends_on", "column"),
    [
        (DAY, None, "melding"),
        (None, None, "lapsed"),
        (date(2026, 11, 23), None, "lapsed"),
        (date(2026, 1, 1), None, "lapsed"),
    ],
)
def test_a_proof_counts_on_its_days(rules: RuleSet, since: date | None, ends_on: date | None, column: str) -> None:
    """From its first day, for as long as it can last; after that, or without a first day, it has lapsed."""
    facts = replace(CHECK, proof="melding", proof_since=since, proof_ends_on=ends_on)
    assert ask_request(rules, facts).proof == column


def test_a_proof_with_an_end_of_its_own_counts_until_then(rules: RuleSet) -> None:
    """The last day itself counts; without a last day it has none."""
    for ends_on, column in ((DAY, "maatregel"), (date(2026, 11, 21), "lapsed"), (None, "lapsed")):
        facts = replace(CHECK, proof="maatregel", proof_since=date(2026, 11, 1), proof_ends_on=ends_on)
        assert ask_request(rules, facts).proof == column
