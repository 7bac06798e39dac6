"""The decision point: facts in, a value out, whatever breaks inside."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policies import AskFacts, Bundle, DecisionPoint, HitFacts, Permit, Refusal, load_bundle
from policies.engine import NearMiss, Verdict
from policies.lines import Request
from tests.unit.policies.arnhem import CHECK, REGISTER, SIGNAL_OF_GI, VIRA, changed_documents


class BrokenEngine:
    """An engine that fails at every question."""

    def judge(self, _request: Request) -> Verdict:
        """Fail as Casbin does."""
        raise SystemError("AST constructor recursion depth mismatch")

    def near_miss(self, _request: Request) -> NearMiss | None:
        """Never reached."""
        raise AssertionError


def broken(bundle: Bundle) -> DecisionPoint:
    """A decision point whose engine always fails."""
    point = bundle.decision_point()
    vars(point)["_engine"] = BrokenEngine()
    return point


def test_a_broken_engine_refuses_the_question(shipped: Bundle) -> None:
    """An exception inside may_ask is a refusal with reason error and all facts in its record."""
    refusal = broken(shipped).may_ask(CHECK)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.rule, refusal.text.id) == ("error", None, "vraag.error")
    assert refusal.record()["facts"] == shipped.decision_point().may_ask(CHECK).record()["facts"]


def test_a_broken_engine_shows_nothing(shipped: Bundle) -> None:
    """An exception inside may_see is a refusal with reason error."""
    refusal = broken(shipped).may_see(CHECK, SIGNAL_OF_GI)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.text.id) == ("error", "zien.error")


NO_FACTS: list[Any] = [None, 7, "facts", {}]


@pytest.mark.parametrize("number", range(len(NO_FACTS)))
def test_facts_that_are_no_facts_are_refused(point: DecisionPoint, number: int) -> None:
    """What cannot even be read is refused with an empty set of facts."""
    facts = NO_FACTS[number]
    for refusal in (point.may_ask(facts), point.may_see(facts, SIGNAL_OF_GI), point.may_see(CHECK, facts)):
        assert isinstance(refusal, Refusal)
        assert (refusal.reason, refusal.record()["facts"]) == ("error", {})


UNKNOWN_ASK: dict[str, Any] = {
    "day": datetime(2026, 11, 22, tzinfo=UTC),
    "operation": "browse",
    "organisation": "00000099000000001000 ",
    "org_class": "burgemeester",
    "role": "admin",
    "purpose": "nieuwsgierig",
    "grounds": ("geen",),
    "standing": "boss",
    "approval": "sure",
    "families": frozenset({"dmk"}),
    "simulated_bsn_right": 1,
    "proof": "lapsed",
    "proof_since": "2026-11-22",
    "proof_ends_on": "2026-11-24",
    "consent": "yes",
    "consent_by": frozenset({"neighbour"}),
    "dossier": "acuut_elders",
    "meldcode_approval": 1,
    "acute_open": 0,
    "recipient": "buurman",
    "recipient_organisation": "12",
    "category": "roddel",
    "level": True,
    "age": 12,
    "custody": "perhaps",
    "deferral": "geen",
    "fulfilled": ("informeer_betrokkene",),
}
UNKNOWN_HIT: dict[str, Any] = {
    "holder": "12",
    "holder_class": "none",
    "kind": "none",
    "purpose": "*",
    "ground": "geen",
    "shielded": 0,
    "excluded": None,
    "consent": "perhaps",
}


@pytest.mark.parametrize("fact", sorted(UNKNOWN_ASK))
def test_an_unknown_fact_of_the_asker_is_refused_and_not_echoed(point: DecisionPoint, fact: str) -> None:
    """A word outside the vocabulary is refused by the name of its fact; its value stands nowhere."""
    facts = replace(CHECK, **{fact: UNKNOWN_ASK[fact]})
    refusal = point.may_ask(facts)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.near_miss) == ("outside-vocabulary", (fact,))
    recorded = refusal.record()["facts"]
    assert isinstance(recorded, dict)
    assert recorded[fact] in ("?", ["?"])
    seen = point.may_see(facts, SIGNAL_OF_GI)
    assert isinstance(seen, Refusal)
    assert (seen.reason, seen.near_miss) == ("outside-vocabulary", (fact,))


@pytest.mark.parametrize("fact", sorted(UNKNOWN_HIT))
def test_an_unknown_fact_of_a_hit_is_refused_and_not_echoed(point: DecisionPoint, fact: str) -> None:
    """The same for what is known of the signal."""
    refusal = point.may_see(CHECK, replace(SIGNAL_OF_GI, **{fact: UNKNOWN_HIT[fact]}))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.near_miss) == ("outside-vocabulary", (fact,))
    recorded = refusal.record()["facts"]
    assert isinstance(recorded, dict)
    assert isinstance(recorded["hit"], dict)
    assert recorded["hit"][fact] == "?"


def test_every_fact_is_looked_at() -> None:
    """No fact can carry a word of nobody's vocabulary: each stands in the lists above."""
    assert set(UNKNOWN_ASK) == set(AskFacts.__slots__)
    assert set(UNKNOWN_HIT) == set(HitFacts.__slots__)


@pytest.mark.parametrize("level", [-1, 5, "2", 2.0])
def test_a_level_is_one_of_five(point: DecisionPoint, level: Any) -> None:  # noqa: ANN401 -- anything but a level
    """A level outside 0 to 4, or of another type, is outside the vocabulary."""
    refusal = point.may_ask(replace(CHECK, level=level))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.near_miss) == ("outside-vocabulary", ("level",))


@pytest.mark.parametrize("grounds", [("JW-7.1.4.1",) * 4, ["JW-7.1.4.1"], (7,)])
def test_grounds_are_at_most_three_known_words(point: DecisionPoint, grounds: tuple[str, ...]) -> None:
    """Four grounds, a list or a number are outside the vocabulary."""
    refusal = point.may_ask(replace(CHECK, grounds=grounds))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.near_miss) == ("outside-vocabulary", ("grounds",))


def test_a_duty_beforehand_that_no_fact_shows_met_refuses(tmp_path: Path) -> None:
    """An obligation of phase vooraf that is not shown to be met means nothing is allowed."""
    folder = changed_documents(tmp_path, (VIRA, "fase: achteraf, termijn: P28D", "fase: vooraf"))
    refusal = load_bundle(folder).decision_point().may_ask(REGISTER)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.rules) == ("obligation-unmet", ("vira@2026.1.0/signaal-na-overleg",))


def test_oproep_shows_nothing_in_a_check(tmp_path: Path) -> None:
    """A holder of mode oproep is not disclosed by a check; he decides himself after a call."""
    folder = changed_documents(
        tmp_path,
        (VIRA, "houderwijze: nooit", "houderwijze: oproep"),
        (VIRA, "reden: holder-never", "reden: holder-decides"),
    )
    school = replace(CHECK, organisation="00000099000000004000", org_class="school", simulated_bsn_right=True)
    refusal = load_bundle(folder).decision_point().may_see(school, SIGNAL_OF_GI)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.text.id) == ("holder-decides", "zien.holder-decides")


ASKING = "vragend: [wijkteam, gi, veilig_thuis]\n    doel: verwijsindex\n    categorieen: [betrokkenheid]\n    "


@pytest.mark.parametrize(("lowest", "highest"), [(1, 1), (2, 2), (1, 2)])
def test_the_highest_level_a_rule_gives_is_granted(tmp_path: Path, lowest: int, highest: int) -> None:
    """The walk goes from the highest level down and stops at the first that is allowed."""
    level = f"niveau: {{min: {lowest}, max: {highest}}}"
    folder = changed_documents(tmp_path, (VIRA, ASKING + "niveau: {min: 1, max: 2}", ASKING + level))
    permit = load_bundle(folder).decision_point().may_ask(CHECK)
    assert isinstance(permit, Permit)
    assert permit.level == highest


def test_what_may_be_seen_never_exceeds_what_may_be_asked(tmp_path: Path) -> None:
    """A question permitted at level 1 shows level 1, though the holder would give level 2."""
    level = "niveau: {min: 1, max: 1}"
    folder = changed_documents(tmp_path, (VIRA, ASKING + "niveau: {min: 1, max: 2}", ASKING + level))
    seen = load_bundle(folder).decision_point().may_see(CHECK, SIGNAL_OF_GI)
    assert isinstance(seen, Permit)
    assert seen.level == 1


CONSENTED = replace(
    CHECK, standing="consent", consent="given", consent_by=frozenset({"person"}), age="18to22", grounds=("TOEST",)
)
"""A check that rests on consent: given, by who must give it."""


def two_grounds(tmp_path: Path) -> DecisionPoint:
    """A decision point where the check also rests on consent, given."""
    rows = "        grondslagen: [JW-7.1.4.1]\n        uitkomst: 2\n"
    clause = """
  - id: kijken-toestemming
    artikel: '4 lid 3'
    brontekst: null
    motivering: Kijken met toestemming.
    effect: toestaan
    handelingen: [check]
    vragend: [wijkteam]
    doel: verwijsindex
    categorieen: [betrokkenheid]
    niveau: {min: 1, max: 2}
    grondslagen: [TOEST]
    bewijs: [consent]
    toestemming: [given]

  - id: kijken-zelf
    artikel: '4 lid 4'
    brontekst: null
    motivering: De wet noemt dit ook bij toestemming.
    effect: toestaan
    handelingen: [check]
    vragend: [wijkteam]
    doel: verwijsindex
    categorieen: [betrokkenheid]
    niveau: {min: 1, max: 2}
    grondslagen: [JW-7.1.4.1]
    bewijs: [consent]

  - id: zien
"""
    folder = changed_documents(
        tmp_path,
        (
            "lex/doelen.yaml",
            "bewijs: [own_signal]\n" + rows,
            "bewijs: [own_signal, consent]\n        grondslagen: [JW-7.1.4.1, TOEST]\n        uitkomst: 2\n",
        ),
        (VIRA, "\n  - id: zien\n", clause),
    )
    return load_bundle(folder).decision_point()


def test_at_equal_levels_statute_wins_from_consent(tmp_path: Path) -> None:
    """Two grounds that both open the same level: the statutory one is the winning ground."""
    point = two_grounds(tmp_path)
    for grounds in (("TOEST", "JW-7.1.4.1"), ("JW-7.1.4.1", "TOEST")):
        permit = point.may_ask(replace(CONSENTED, grounds=grounds))
        assert isinstance(permit, Permit)
        assert (permit.ground, permit.rule) == ("JW-7.1.4.1", "vira@2026.1.0/kijken-zelf")
        assert permit.rules == ("vira@2026.1.0/kijken-toestemming", "vira@2026.1.0/kijken-zelf")


def test_each_ground_is_followed_by_itself_into_what_is_seen(tmp_path: Path) -> None:
    """Only a ground on which the question was permitted can show a signal."""
    point = two_grounds(tmp_path)
    asked = CONSENTED
    assert isinstance(point.may_ask(asked), Permit)
    refusal = point.may_see(asked, SIGNAL_OF_GI)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not-agreed"
    both = point.may_see(replace(asked, grounds=("TOEST", "JW-7.1.4.1")), SIGNAL_OF_GI)
    assert isinstance(both, Permit)
    assert both.ground == "JW-7.1.4.1"


def test_without_consent_the_ground_consent_opens_nothing(tmp_path: Path) -> None:
    """Ground toestemming opens in one case: consent is the standing, given, by everybody who must give it (P3)."""
    point = two_grounds(tmp_path)
    closed: list[dict[str, Any]] = [
        {"standing": "none"},
        {"standing": "own_signal"},
        {"standing": "statutory_reference"},
        *({"consent": state} for state in ("unknown", "refused", "withdrawn", "expired")),
        {"consent_by": frozenset()},
        {"consent_by": frozenset({"guardian"})},
        {"age": "unknown"},
        {"age": "12to15"},
    ]
    for change in closed:
        assert isinstance(point.may_ask(replace(CONSENTED, **change)), Refusal), change


def test_facts_have_no_room_for_anything_else() -> None:
    """Facts are closed: an asker cannot bring a fact of his own."""
    with pytest.raises(TypeError):
        AskFacts(**{**{name: getattr(CHECK, name) for name in AskFacts.__slots__}, "reden": "zorgen"})
    with pytest.raises(TypeError):
        HitFacts(**{**{name: getattr(SIGNAL_OF_GI, name) for name in HitFacts.__slots__}, "naam": "Mieke"})
