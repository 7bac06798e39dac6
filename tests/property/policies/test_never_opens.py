"""Properties over all facts: losing, blurring or inventing a fact never opens what the documents close."""

import warnings
from dataclasses import fields, replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies import AskFacts, HitFacts, InsecureTestBundleWarning, Permit, load_bundle

with warnings.catch_warnings():
    warnings.simplefilter("ignore", InsecureTestBundleWarning)
    BUNDLE = load_bundle(insecure_test_bundle=True)
POINT = BUNDLE.decision_point()

OINS = [f"0000009900000000{number}000" for number in (1, 2, 3, 4, 5)]
CLASSES = ["wijkteam", "gi", "veilig_thuis", "school", "ggz", "woningcorporatie"]
GROUNDS = sorted(BUNDLE.grounds)
PURPOSES = ["proefregio", "verwijsindex"]
"""The purposes read by hand here; tests of the statutory ones stand beside this file."""
FAMILIES = ["nlbsn", "fam", "addr"]
BLURRED: dict[str, Any] = {
    "day": None,
    "organisation": "",
    "org_class": "",
    "role": "",
    "purpose": "",
    "grounds": (),
    "standing": "none",
    "families": frozenset(),
    "operation": "",
    "consent": "unknown",
    "consent_by": frozenset(),
}
"""Each fact taken away, in the form that carries least."""

ask_facts = st.builds(
    AskFacts,
    day=st.dates(date(2014, 1, 1), date(2035, 1, 1)) | st.just(date(2026, 11, 22)),
    operation=st.sampled_from(["register", "check"]),
    organisation=st.sampled_from(OINS),
    org_class=st.sampled_from(CLASSES),
    role=st.sampled_from(["worker", "worker", "approver"]),
    purpose=st.sampled_from(PURPOSES),
    grounds=st.lists(st.sampled_from(GROUNDS), max_size=3).map(tuple),
    standing=st.sampled_from(["none", "own_signal", "statutory_reference", "consent"]),
    approval=st.sampled_from(["none", "approved"]),
    families=st.frozensets(st.sampled_from(FAMILIES)),
    simulated_bsn_right=st.booleans(),
    consent=st.sampled_from(["unknown", "given", "given", "refused", "withdrawn", "expired"]),
    consent_by=st.frozensets(st.sampled_from(["person", "guardian"])),
    age=st.sampled_from(["unknown", "under12", "12to15", "16to17", "18to22", "from23"]),
)
hit_facts = st.builds(
    HitFacts,
    holder=st.sampled_from(OINS),
    holder_class=st.sampled_from(CLASSES),
    kind=st.sampled_from(["person", "member", "family", "address"]),
    purpose=st.sampled_from(PURPOSES),
    ground=st.sampled_from(GROUNDS),
    shielded=st.booleans(),
    excluded=st.booleans(),
)
MEMBERS = dict(zip(OINS, ("wijkteam", "gi", "veilig_thuis", "school"), strict=False))


def expected_ask(ask: AskFacts) -> bool:
    """The documents, read by hand: may this be asked? Written from the tables, not from the lines."""
    if ask.role != "worker" or not ask.families:
        return False
    if ask.purpose == "proefregio":
        trial = "TEST-PROEFREGIO" in ask.grounds and ask.day >= date(2015, 1, 1)
        consented = ask.standing == "consent" and ask.consent == "given"
        return trial and (ask.operation == "register" or ask.standing == "own_signal" or consented)
    agreed = MEMBERS.get(ask.organisation) == ask.org_class and date(2025, 1, 1) <= ask.day < date(2031, 1, 1)
    proven = ask.standing == "own_signal" or ask.operation == "register"
    approved = ask.approval == "approved" or ask.operation == "check" or ask.org_class != "wijkteam"
    entitled = ask.org_class != "school" or ask.simulated_bsn_right
    allowed = agreed and proven and approved and entitled
    young = ask.age != "from23"
    return allowed and young and "JW-7.1.4.1" in ask.grounds and "addr" not in ask.families


def expected_see(ask: AskFacts, hit: HitFacts) -> bool:
    """The documents, read by hand: may this hit be seen?"""
    if not expected_ask(ask) or hit.shielded or hit.excluded or hit.purpose != ask.purpose:
        return False
    if ask.purpose == "proefregio":
        return hit.ground == "TEST-PROEFREGIO"
    never = ask.org_class == "school" and hit.holder_class == "gi"
    agreed = MEMBERS.get(hit.holder) == hit.holder_class
    return agreed and not never and hit.ground == "JW-7.1.4.1" and hit.kind in {"person", "family"}


@settings(max_examples=250, deadline=None)
@given(ask_facts)
def test_may_ask_is_what_the_tables_say(ask: AskFacts) -> None:
    """A plain reading of the tables and the decision point agree on every question."""
    assert isinstance(POINT.may_ask(ask), Permit) == expected_ask(ask)


@settings(max_examples=250, deadline=None)
@given(ask_facts, hit_facts)
def test_may_see_is_what_the_tables_say(ask: AskFacts, hit: HitFacts) -> None:
    """A plain reading of the tables and the decision point agree on every hit."""
    assert isinstance(POINT.may_see(ask, hit), Permit) == expected_see(ask, hit)


permitted = st.builds(
    AskFacts,
    day=st.just(date(2026, 11, 22)),
    operation=st.sampled_from(["register", "check"]),
    organisation=st.just(OINS[0]),
    org_class=st.just("wijkteam"),
    role=st.just("worker"),
    purpose=st.just("verwijsindex"),
    grounds=st.sampled_from([("JW-7.1.4.1",), ("TOEST", "JW-7.1.4.1")]),
    standing=st.just("own_signal"),
    approval=st.just("approved"),
    families=st.sampled_from([frozenset({"nlbsn"}), frozenset({"nlbsn", "fam"})]),
)


@settings(max_examples=100, deadline=None)
@given(ask_facts | permitted, st.sampled_from(sorted(BLURRED)))
def test_taking_a_fact_away_never_opens(ask: AskFacts, fact: str) -> None:
    """A question that was refused stays refused with one fact less."""
    if not isinstance(POINT.may_ask(ask), Permit):
        assert not isinstance(POINT.may_ask(replace(ask, **{fact: BLURRED[fact]})), Permit)


@settings(max_examples=100, deadline=None)
@given(permitted, st.sampled_from([field.name for field in fields(AskFacts)]), st.text(max_size=8))
def test_an_invented_word_closes(ask: AskFacts, fact: str, word: str) -> None:
    """Whatever text stands where a known word belongs, the answer is no."""
    invented: Any = (word,) if fact == "grounds" else frozenset({word}) if fact == "families" else word
    known = {"check", "register", "worker", "none", "approved", *CLASSES, *GROUNDS, *PURPOSES, *FAMILIES}
    if word not in known:
        assert not isinstance(POINT.may_ask(replace(ask, **{fact: invented})), Permit)


@settings(max_examples=100, deadline=None)
@given(ask_facts, st.sampled_from(["none", "own_signal", "statutory_reference", "consent"]))
def test_no_state_of_consent_opens_the_index(ask: AskFacts, standing: str) -> None:
    """On the ground consent nothing in the verwijsindex opens, in any standing (P3)."""
    asked: dict[str, Any] = {"purpose": "verwijsindex", "grounds": ("TOEST",), "standing": standing}
    assert not isinstance(POINT.may_ask(replace(ask, **asked)), Permit)


@settings(max_examples=100, deadline=None)
@given(permitted | ask_facts, hit_facts)
def test_a_hit_is_never_seen_above_what_was_asked(ask: AskFacts, hit: HitFacts) -> None:
    """What is seen is at most the level of the question, and nothing when the question was refused."""
    asked, seen = POINT.may_ask(ask), POINT.may_see(ask, hit)
    if isinstance(seen, Permit):
        assert isinstance(asked, Permit)
        assert 1 <= seen.level <= asked.level <= 2


@settings(max_examples=60, deadline=None)
@given(ask_facts, hit_facts, hit_facts)
def test_may_ask_does_not_know_what_others_hold(ask: AskFacts, first: HitFacts, second: HitFacts) -> None:
    """The answer to a question is the same whatever was decided about hits before and after it."""
    before = POINT.may_ask(ask).record()
    POINT.may_see(ask, first)
    POINT.may_see(ask, second)
    assert POINT.may_ask(ask).record() == before
