"""P1 to P7 of the policy research, over every purpose and both regions: what must never be, whatever the facts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies import AskFacts, HitFacts, Permit, load_bundle
from policies.lines import PolicyLine
from policies.vocabulary import AGES

BUNDLE = load_bundle()
POINT = BUNDLE.decision_point()

PARTIES = [(party.oin, party.org_class) for one in BUNDLE.convenants for party in one.parties or ()]
CLASSES = sorted(BUNDLE.classes)
GROUNDS = sorted(BUNDLE.grounds)
PROOFS = ["none", *sorted(BUNDLE.proofs)]
TODAY = date(2026, 11, 22)
OTHER_DAYS = [date(2025, 6, 1), date(2030, 6, 1), date(2014, 6, 1), date(2032, 1, 1)]
DAYS = st.sampled_from([*[TODAY] * 8, *OTHER_DAYS])
SINCE = [*[TODAY] * 6, None, date(2026, 9, 1), date(2027, 1, 1)]
ENDS = [*[date(2026, 11, 24)] * 3, None, date(2026, 11, 20), date(2030, 6, 20)]
CONSENTS = [*["given"] * 4, "unknown", "refused", "withdrawn", "expired"]
BOTH = frozenset({"person", "guardian"})
ALLOWED = [line for line in BUNDLE.lines if line.eft == "allow" and line.act not in {"see", "ring"}]
SIGHTS = [line for line in BUNDLE.lines if line.eft == "allow" and line.act in {"see", "ring"}]


@st.composite
def likely(draw: st.DrawFn, among: Sequence[PolicyLine] = ALLOWED) -> AskFacts:
    """Facts near an allowance: those of one allowing line, with anything else free but mostly in order."""
    line = draw(st.sampled_from(among))
    parties = [oin for oin, org_class in PARTIES if org_class == line.ask] or ["00000099000000099000"]
    recipients: list[str | None] = [oin for oin, org_class in PARTIES if org_class == line.hold]
    facts: dict[str, Any] = {
        "day": draw(DAYS),
        "operation": line.act,
        "organisation": draw(st.sampled_from(parties)),
        "org_class": line.ask if line.ask != "*" else draw(st.sampled_from(CLASSES)),
        "role": draw(st.sampled_from([*["worker"] * 9, "approver"])),
        "purpose": line.purpose,
        "grounds": (line.ground, *draw(st.lists(st.sampled_from(GROUNDS), max_size=2))),
        "standing": line.standing if line.standing != "*" else "none",
        "proof": line.proof if line.proof != "*" else draw(st.sampled_from(PROOFS)),
        "proof_since": draw(st.sampled_from(SINCE)),
        "proof_ends_on": draw(st.sampled_from(ENDS)),
        "approval": draw(st.sampled_from(["none", "approved"])),
        "families": frozenset({"nlbsn"}),
        "consent": draw(st.sampled_from(CONSENTS)),
        "consent_by": draw(st.sampled_from([BOTH, BOTH, frozenset({"person"}), frozenset()])),
        "dossier": draw(st.sampled_from(["none", "documented", "complete", "acuut"])),
        "meldcode_approval": draw(st.booleans()),
        "acute_open": draw(st.booleans()),
        "recipient": line.hold if line.act == "share" else "none",
        "recipient_organisation": draw(st.sampled_from(recipients or [None])) if line.act == "share" else None,
        "category": line.cat,
        "level": draw(st.sampled_from([0, 1, 2, 2, 3, 4, 4])),
        "age": draw(st.sampled_from(["unknown", *AGES])),
        "custody": draw(st.sampled_from(["clear", "clear", "unknown", "contested"])),
    }
    return AskFacts(**facts)


@st.composite
def looking(draw: st.DrawFn) -> tuple[AskFacts, HitFacts]:
    """A question and a hit near a line that shows or rings, with anything else free but mostly in order."""
    line = draw(st.sampled_from(SIGHTS))
    asks = [one for one in ALLOWED if (one.purpose, one.ground, one.ask) == (line.purpose, line.ground, line.ask)]
    facts = draw(likely(among=asks))
    org_class = line.hold if line.hold != "*" else draw(st.sampled_from(CLASSES))
    holders = [oin for oin, other in PARTIES if other == org_class] or ["00000099000000098000"]
    hit = HitFacts(
        holder=draw(st.sampled_from(holders)),
        holder_class=org_class,
        kind=draw(st.sampled_from(["person", "person", line.kind, "family", "address"])),
        purpose=line.reg if line.reg != "*" else draw(st.sampled_from(sorted(BUNDLE.purposes))),
        ground=line.basis if line.basis != "*" else draw(st.sampled_from(GROUNDS)),
        shielded=draw(st.sampled_from([False, False, True])),
        excluded=draw(st.sampled_from([False, False, True])),
        consent=draw(st.sampled_from(CONSENTS)),
    )
    return facts, hit


SOME = settings(max_examples=100, deadline=None)


def level(facts: AskFacts) -> int:
    """What this question opens; -1 when it may not be put at all."""
    permit = POINT.may_ask(facts)
    return permit.level if isinstance(permit, Permit) else -1


@SOME
@given(likely())
def test_p1_without_a_ground_nothing_opens(facts: AskFacts) -> None:
    """Who claims no ground gets nothing, however well the rest fits."""
    assert level(replace(facts, grounds=())) == -1


@SOME
@given(likely(), st.sampled_from(["refused", "withdrawn", "expired", "unknown"]))
def test_p2_losing_consent_never_opens(facts: AskFacts, state: Any) -> None:  # noqa: ANN401 -- one word of four
    """No state of consent opens more than consent that was given."""
    assert level(replace(facts, consent=state)) <= level(replace(facts, consent="given"))


@SOME
@given(likely() | looking().map(lambda pair: pair[0]), looking().map(lambda pair: pair[1]))
def test_p3_consent_opens_only_when_given(facts: AskFacts, hit: HitFacts) -> None:
    """On the ground consent alone nothing is asked or shown unless it was given, for this very person."""
    only = replace(facts, grounds=("TOEST",))
    if facts.consent != "given":
        assert level(only) == -1
    if isinstance(POINT.may_see(only, hit), Permit):
        assert facts.consent == hit.consent == "given"


@SOME
@given(likely())
def test_p4_an_exception_needs_a_complete_dossier_or_acute_danger(facts: AskFacts) -> None:
    """CVP and vital interest open only when complete, with approval where the meldcode asks it, or when acute."""
    only = replace(facts, grounds=("CVP", "VITAAL"))
    approved = facts.approval == "approved" or not facts.meldcode_approval
    complete = facts.dossier == "complete" and approved
    acute = facts.dossier == "acuut" and not facts.acute_open
    if not (complete or acute):
        assert level(only) == -1


@SOME
@given(likely())
def test_p5_outside_its_validity_an_agreement_opens_nothing(facts: AskFacts) -> None:
    """On a day no agreement holds, and before there was a statute, only what holds that day can open."""
    permit = POINT.may_ask(facts)
    if isinstance(permit, Permit):
        label = permit.rule.partition("/")[0]
        document = next(one for one in BUNDLE.convenants if one.label == label)
        assert document.validity.holds(facts.day)
        assert BUNDLE.grounds[permit.ground].validity.holds(facts.day)
        assert BUNDLE.purposes[facts.purpose].validity.holds(facts.day)


@SOME
@given(likely())
def test_p6_a_statutory_right_reaches_its_own_recipient_only(facts: AskFacts) -> None:
    """What the winning ground names as recipient is who receives."""
    permit = POINT.may_ask(facts)
    if isinstance(permit, Permit):
        receiving = facts.recipient if facts.operation == "share" else facts.org_class
        only_to = BUNDLE.grounds[permit.ground].only_to
        assert not only_to or receiving in only_to


@SOME
@given(likely())
def test_p7_acute_danger_reaches_veilig_thuis_and_police_only(facts: AskFacts) -> None:
    """With a dossier acuut nobody else receives anything, on whatever ground."""
    acute = replace(facts, dossier="acuut")
    receiving = facts.recipient if facts.operation == "share" else facts.org_class
    if receiving not in {"veilig_thuis", "politie"}:
        assert level(acute) == -1


@SOME
@given(likely())
def test_content_needs_a_weighing_that_was_documented(facts: AskFacts) -> None:
    """Level 4 is never reached without a dossier, under a statute neither."""
    assert level(replace(facts, dossier="none")) <= 3


@SOME
@given(looking())
def test_the_broker_shows_no_content_and_nothing_shielded(pair: tuple[AskFacts, HitFacts]) -> None:
    """What is shown is level 2 at most, and never a shielded signal or one the asker is excluded from."""
    facts, hit = pair
    seen = POINT.may_see(facts, hit)
    if isinstance(seen, Permit):
        assert seen.level <= 2
        assert not hit.shielded
        assert not hit.excluded


@SOME
@given(likely(), st.integers(0, 4))
def test_asking_for_less_never_gives_more(facts: AskFacts, lower: int) -> None:
    """The level asked for bounds the answer, and asking higher never gives less."""
    assert level(replace(facts, level=lower)) <= lower
    assert level(replace(facts, level=min(lower, facts.level))) <= level(replace(facts, level=max(lower, facts.level)))


@SOME
@given(likely())
def test_an_agreement_counts_only_between_its_parties(facts: AskFacts) -> None:
    """An unknown organisation opens nothing that rests on an agreement."""
    permit = POINT.may_ask(replace(facts, organisation="0" * 20))
    if isinstance(permit, Permit):
        assert permit.rule.startswith("lex@")


@SOME
@given(likely(), st.sampled_from(["unknown", "given", "refused", "withdrawn", "expired"]))
def test_consent_never_closes_a_statutory_route(facts: AskFacts, state: Any) -> None:  # noqa: ANN401 -- one word of five
    """What a statute opens stays open in every state of consent."""
    statutory = tuple(ground for ground in facts.grounds if BUNDLE.grounds[ground].kind == "wet")
    if statutory:
        asked = replace(facts, grounds=statutory)
        assert level(replace(asked, consent=state)) == level(replace(asked, consent="unknown"))


@SOME
@given(likely())
def test_an_answer_is_the_same_twice(facts: AskFacts) -> None:
    """A decision depends on its facts and its bundle alone."""
    assert POINT.may_ask(facts).record() == POINT.may_ask(replace(facts)).record()


def test_the_properties_meet_permits_too() -> None:
    """The facts above are near enough to allowances for these properties to be about something."""
    met: Counter[str] = Counter()

    @settings(max_examples=300)
    @given(likely(), looking())
    def meet(facts: AskFacts, pair: tuple[AskFacts, HitFacts]) -> None:
        met["asked"] += isinstance(POINT.may_ask(facts), Permit)
        met["seen"] += isinstance(POINT.may_see(*pair), Permit)

    meet()
    # Far fewer than of any 300 examples: how many it is depends on which ones these are.
    assert met["asked"] >= 15
    assert met["seen"] >= 3
