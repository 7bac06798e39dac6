"""Dutch explanations: golden, about the asker only when refused openly, and complete."""

from dataclasses import replace
from pathlib import Path

import pytest

from policies import Bundle, DecisionPoint, Refusal, load_bundle
from policies.explain import TEXT_IDS, default_reason, explain
from policies.reasons import ASK_REASONS, SEE_REASONS
from policies.texts import Texts, places
from tests.unit.policies.arnhem import CHECK, SIGNAL_OF_GI, VIRA, changed_documents
from tests.unit.policies.rows import decide
from tests.unit.policies.test_decisions import ROWS

GOLDEN = Path(__file__).parent / "golden"


def rendered(bundle: Bundle, point: DecisionPoint) -> str:
    """Every row of the decision tables as a user or a reviewer reads it."""
    said = ((row.name, explain(bundle, decide(point, row)).splitlines()) for row in ROWS)
    return "".join(f"{name}: |\n" + "".join(f"  {line}\n" for line in lines) + "\n" for name, lines in said)


def test_the_explanations_are_the_golden_ones(trial: Bundle, trial_point: DecisionPoint) -> None:
    """What people read changes only together with the golden file a reviewer reads."""
    assert rendered(trial, trial_point) == (GOLDEN / "explanations.yaml").read_text(encoding="utf-8")


def test_an_open_refusal_has_the_agreed_form(trial_point: DecisionPoint) -> None:
    """Refusals of a check begin with "Dit mag je hier niet opvragen, omdat" and say what is possible."""
    for row in ROWS:
        decision = decide(trial_point, row)
        if row.hit is None and isinstance(decision, Refusal) and row.ask.operation == "check":
            assert decision.text.nl.startswith("Dit mag je hier niet opvragen, omdat ")
            assert decision.possible


def test_no_sentence_leaves_a_place_open(trial: Bundle, trial_point: DecisionPoint) -> None:
    """Every place of every sentence is filled."""
    for row in ROWS:
        assert not places(explain(trial, decide(trial_point, row)))


def test_every_reason_has_a_sentence(shipped: Bundle) -> None:
    """No reason code is without its Dutch text."""
    assert set(shipped.texts.templates) >= TEXT_IDS
    assert len(TEXT_IDS) == len(ASK_REASONS) + len(SEE_REASONS) + 3


@pytest.mark.parametrize("question", ["may_ask", "may_see"])
def test_a_near_miss_in_an_unnamed_column_still_has_a_reason(question: str) -> None:
    """A default deny always has a reason, also when the nearest rule failed somewhere unusual."""
    reason = default_reason("may_ask" if question == "may_ask" else "may_see", ("cat",))
    assert reason in (ASK_REASONS if question == "may_ask" else SEE_REASONS)


def test_a_clause_of_statute_cites_its_article(tmp_path: Path) -> None:
    """A rule without a quote is explained by its article and motivation alone."""
    bundle = load_bundle(changed_documents(tmp_path, (VIRA, "bron: Jeugdwet 7.3.11 lid 1\n", "\n")))
    school = replace(CHECK, organisation="00000099000000004000", org_class="school", simulated_bsn_right=True)
    said = explain(bundle, bundle.decision_point().may_see(school, SIGNAL_OF_GI))
    assert "gi-nooit-aan-school (art. 5 lid 3)" in said
    assert "Bron:" not in said


def test_a_place_is_filled_with_words_only() -> None:
    """A value that is no word of the documents fills no place."""
    texts = Texts(templates={"a.b": "{doel}!"}, words={"doel": {"verwijsindex": "de verwijsindex"}})
    assert texts.render("a.b", {"doel": "verwijsindex", "meer": "x"}).nl == "de verwijsindex!"
    with pytest.raises(KeyError):
        texts.render("a.b", {"doel": "Mieke"})


def test_consent_is_named_before_a_conflict_of_duties(point: DecisionPoint) -> None:
    """Who may not tell somebody on a match hears first how he may with consent, and of the exception after it."""
    asked = replace(CHECK, operation="share", recipient="school", category="hulp", level=3)
    refused = point.may_ask(asked)
    assert isinstance(refused, Refusal)
    ways = [way.id for way in refused.possible]
    assert ways.index("kan.afstemmen") < ways.index("kan.conflict-van-plichten")
