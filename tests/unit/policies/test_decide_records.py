"""What stands in a decision besides its answer: question, facts, rules, what was near, and what is possible."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from policies import AskFacts, Bundle, DecisionPoint, HitFacts, Permit, Refusal, load_bundle
from policies.decide import DecisionPoint as Decider
from policies.engine import Engine
from policies.facts import ask_record, hit_record
from policies.lines import Request
from policies.walk import Grant
from tests.unit.policies.arnhem import CHECK, REGISTER, SCHOOL, SIGNAL_OF_GI, VIRA, changed_documents
from tests.unit.policies.statutory import (
    LEX,
    OF_SCHOOL,
    SHIELD,
    TELL_POLICE,
    TELL_VT,
    VT_ASKS_CONTENT,
    VT_CALL,
    VT_CHECK,
)

SEEING = "vira@2026.1.0/zien"


def said(decision: Permit | Refusal) -> dict[str, Any]:
    """Return everything a decision says but its facts, the sentences by their ids."""
    kept = {"question": decision.question, "rule": decision.rule, "rules": decision.rules, "text": decision.text.id}
    if isinstance(decision, Permit):
        return {
            **kept, "level": decision.level, "ground": decision.ground,
            "duties": [one.id for one in decision.obligations],
        }  # fmt: skip
    possible = [text.id for text in decision.possible]
    return {**kept, "reason": decision.reason, "near_miss": decision.near_miss, "possible": possible}


def test_a_permitted_question_says_by_which_rules(shipped: Bundle, point: DecisionPoint) -> None:
    """Which question, over which bundle, on which facts, how far, on which ground, and to what it obliges."""
    permit = point.may_ask(REGISTER)
    assert said(permit) == {
        "question": "may_ask",
        "rule": "vira@2026.1.0/signaal-na-overleg",
        "rules": ("vira@2026.1.0/signaal-na-overleg",),
        "text": "vraag.mag",
        "level": 2,
        "ground": "JW-7.1.4.1",
        "duties": ["informeer_betrokkene"],
    }
    assert permit.bundle == shipped.sha256
    assert permit.facts == ask_record(REGISTER, shipped.vocabulary)


@pytest.mark.parametrize(
    ("asked", "hit", "expected"),
    [
        (CHECK, SIGNAL_OF_GI, (SEEING, 2, "zien.mag")),
        (VT_CALL, OF_SCHOOL, (f"{LEX}vt-belt", 0, "zien.oproep")),
    ],
    ids=["seen", "rung"],
)
def test_a_shown_hit_says_by_which_rules(
    shipped: Bundle, asked: AskFacts, hit: HitFacts, expected: tuple[str, int, str]
) -> None:
    """The rules of seeing and ringing speak; its facts are those of the question with those of the hit."""
    permit = shipped.decision_point().may_see(asked, hit)
    assert isinstance(permit, Permit)
    assert (permit.rule, permit.level, permit.text.id) == expected
    assert (permit.question, permit.ground, permit.rules) == ("may_see", asked.grounds[0], (permit.rule,))
    words = shipped.vocabulary
    assert permit.facts == {**ask_record(asked, words), "hit": hit_record(hit, words)}


def test_an_open_refusal_says_what_was_near_and_what_is_possible(shipped: Bundle, point: DecisionPoint) -> None:
    """Without a prohibition no rule refuses: the nearest allowing rule failed in these columns."""
    asked = replace(CHECK, standing="none")
    refusal = point.may_ask(asked)
    assert said(refusal) == {
        "question": "may_ask",
        "rule": None,
        "rules": (),
        "text": "vraag.no-standing",
        "reason": "no-standing",
        "near_miss": ("standing",),
        "possible": [text.id for text in cast("Refusal", refusal).possible],
    }
    assert cast("Refusal", refusal).possible
    assert (refusal.bundle, refusal.facts) == (shipped.sha256, ask_record(asked, shipped.vocabulary))


def test_a_prohibition_refuses_by_the_first_of_its_rules(point: DecisionPoint) -> None:
    """The rule is the first that forbids; all that spoke stand there, and nothing was near."""
    child = replace(CHECK, age="from23", grounds=("TOEST", "JW-7.1.4.1"))
    refusal = point.may_ask(child)
    assert isinstance(refusal, Refusal)
    assert refusal.rule == f"{LEX}te-oud"
    assert refusal.rule in refusal.rules
    assert refusal.near_miss == ()
    hidden = point.may_see(CHECK, replace(SIGNAL_OF_GI, shielded=True, excluded=True))
    assert isinstance(hidden, Refusal)
    assert (hidden.rule, hidden.near_miss, hidden.possible) == (f"{LEX}afgeschermd", (), ())
    assert hidden.rules == (f"{LEX}afgeschermd",)


def test_who_may_not_ask_is_shown_nothing_for_the_reason_he_may_not(point: DecisionPoint) -> None:
    """The record of a hit that stays hidden keeps what the question failed in, and says nothing that is possible."""
    assert said(point.may_see(replace(CHECK, standing="none"), SIGNAL_OF_GI)) == {
        "question": "may_see",
        "rule": None,
        "rules": (),
        "text": "zien.may-not-ask",
        "reason": "may-not-ask",
        "near_miss": ("standing",),
        "possible": [],
    }


def test_a_hit_nobody_agreed_on_says_in_what_it_failed(point: DecisionPoint) -> None:
    """A default deny of a hit names the columns of the nearest rule that shows."""
    refusal = point.may_see(CHECK, replace(SIGNAL_OF_GI, kind="address"))
    assert isinstance(refusal, Refusal)
    assert (refusal.question, refusal.reason, refusal.near_miss) == ("may_see", "kind-not-in-purpose", ("kind",))
    assert (refusal.rule, refusal.possible) == (None, ())


def test_a_signal_on_what_has_ended_is_refused_for_what_it_rests_on(shipped: Bundle) -> None:
    """Whatever the question is permitted on: the ground of the signal ended, and its record says so."""
    ground = shipped.grounds["JW-7.1.4.1"]
    ended = replace(ground, validity=replace(ground.validity, until=VT_CHECK.day))
    rules = replace(shipped, grounds={**shipped.grounds, ground.id: ended})
    hit = replace(SIGNAL_OF_GI, holder_class="rvdk", ground=ground.id)
    assert isinstance(shipped.decision_point().may_see(VT_CHECK, hit), Permit)
    refusal = rules.decision_point().may_see(VT_CHECK, hit)
    assert said(refusal) == {
        "question": "may_see",
        "rule": None,
        "rules": (),
        "text": "zien.other-basis",
        "reason": "other-basis",
        "near_miss": ("basis",),
        "possible": [],
    }
    assert refusal.facts["hit"] == hit_record(hit, shipped.vocabulary)


def test_what_is_possible_and_owed_goes_by_the_reason_and_the_dossier(point: DecisionPoint) -> None:
    """Without a proof Veilig Thuis reads how it asks at night; who told in acute danger owes what only that asks."""
    refusal = point.may_ask(replace(VT_CHECK, proof="none", standing="none"))
    assert isinstance(refusal, Refusal)
    assert "kan.vt-nacht" in [text.id for text in refusal.possible]
    for dossier in ("none", "acuut"):
        permit = point.may_ask(replace(TELL_VT, dossier=dossier))
        assert isinstance(permit, Permit)
        assert ("noem_overleg" in [duty.id for duty in permit.obligations]) is (dossier == "acuut")


def with_duty_beforehand(tmp_path: Path) -> DecisionPoint:
    """Return a decision point where a wijkteam must do something before it looks."""
    before = "    niveau: {min: 1, max: 2}\n"
    asking = (
        f"vragend: [wijkteam, gi, veilig_thuis]\n    doel: verwijsindex\n    categorieen: [betrokkenheid]\n{before}"
    )
    duty = f"{asking}    verplichtingen:\n      - {{id: overleg_vooraf, fase: vooraf}}\n"
    return load_bundle(changed_documents(tmp_path, (VIRA, asking, duty))).decision_point()


def test_what_was_not_done_first_is_refused_by_the_rules_that_would_permit(tmp_path: Path) -> None:
    """Openly to who asks, silently about a hit; both records keep the rules that spoke, and no rule forbids."""
    point = with_duty_beforehand(tmp_path)
    rules = ("vira@2026.1.0/kijken",)
    for question, refusal in (("may_ask", point.may_ask(CHECK)), ("may_see", point.may_see(CHECK, SIGNAL_OF_GI))):
        assert isinstance(refusal, Refusal)
        assert (refusal.question, refusal.reason) == (question, "obligation-unmet")
        assert (refusal.rule, refusal.rules, refusal.near_miss) == (None, rules, ())


class CountingEngine:
    """An engine that counts the acts it is asked about, and answers as the one inside does."""

    def __init__(self, inner: Engine) -> None:
        """Start from nothing."""
        self._inner, self.acts = inner, list[str]()

    def judge(self, request: Request) -> object:
        """Count this question."""
        self.acts.append(request.act)
        return self._inner.judge(request)

    def __getattr__(self, name: str) -> object:
        """Everything else is the engine's."""
        return getattr(self._inner, name)


def test_a_household_is_asked_about_once_for_all_its_hits(shipped: Bundle) -> None:
    """The asker's own question is decided once while his facts are the same, and anew as soon as one differs."""
    point = shipped.decision_point()
    engine = CountingEngine(vars(point)["_engine"])
    vars(point)["_engine"] = engine
    first = point.may_see(CHECK, SIGNAL_OF_GI)
    asked = engine.acts.count("check")
    assert asked > 0
    assert point.may_see(CHECK, SIGNAL_OF_GI) == first
    assert engine.acts.count("check") == asked
    other = replace(CHECK, standing="none")
    refusal = point.may_see(other, SIGNAL_OF_GI)
    assert isinstance(refusal, Refusal)
    assert engine.acts.count("check") > asked
    assert point.may_see(CHECK, SIGNAL_OF_GI) == first


def test_no_level_is_asked_about_that_the_broker_does_not_give(shipped: Bundle) -> None:
    """Only a request or a letter goes up to the level asked for; a look stops at 2, and a silent act is level 0."""
    levels: dict[str, list[str]] = {}

    class Noting(CountingEngine):
        def judge(self, request: Request) -> object:
            levels.setdefault(request.act, []).append(request.level)
            return super().judge(request)

    point = shipped.decision_point()
    vars(point)["_engine"] = Noting(vars(point)["_engine"])
    unpermitted = (replace(CHECK, level=4, standing="none"), replace(SHIELD, standing="none"))
    for facts in (*unpermitted, replace(VT_ASKS_CONTENT, dossier="none"), SHIELD, TELL_POLICE):
        point.may_ask(facts)
    point.may_see(VT_CALL, OF_SCHOOL)
    point.may_see(VT_CALL, replace(OF_SCHOOL, kind="address"))
    point.may_see(VT_CHECK, OF_SCHOOL)
    assert levels["check"] == ["2", "0", "2"]
    assert levels["request"][0] == "4"
    assert (levels["share"], levels["shield"], levels["ring"]) == (["3"], ["0", "0"], ["0", "0"])
    assert levels["see"][0] == "2"
    assert "0" not in levels["see"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Grant(level=2, ground="TOEST", rules=("z",)), Grant(level=1, ground="JW-7.1.4.1", rules=("a",))),
        (Grant(level=1, ground="JW-7.1.4.1", rules=("z",)), Grant(level=1, ground="TOEST", rules=("a",))),
        (Grant(level=1, ground="TOEST", rules=("z",)), Grant(level=1, ground="CVP", rules=("a",))),
        (Grant(level=1, ground="JW-7.1.4.1", rules=("a", "z")), Grant(level=1, ground="WMO-5.1.6", rules=("b", "c"))),
        (Grant(level=1, ground="JW-7.1.4.1", rules=("a",)), Grant(level=1, ground="WMO-5.1.6", rules=("a",))),
    ],
    ids=["the level", "statute", "consent before an exception", "the first rule", "the name"],
)
def test_which_ground_wins(point: DecisionPoint, one: Grant, other: Grant) -> None:
    """The highest level; then statute, consent, exception; then the first rule and the name, so that it is one."""
    best = cast("Any", point)._best
    assert isinstance(point, Decider)
    assert best((one, other)) == best((other, one)) == one


def test_facts_name_the_parties_of_one_agreement(point: DecisionPoint) -> None:
    """What a school may not see is refused by the rule of its own agreement, whichever ground comes first."""
    school = replace(CHECK, organisation=SCHOOL, org_class="school", simulated_bsn_right=True)
    for grounds in (("TOEST", "JW-7.1.4.1"), ("JW-7.1.4.1", "TOEST")):
        refusal = point.may_see(replace(school, grounds=grounds), SIGNAL_OF_GI)
        assert isinstance(refusal, Refusal)
        assert refusal.rule == "vira@2026.1.0/gi-nooit-aan-school"
        assert refusal.facts["grounds"] == list(grounds)
