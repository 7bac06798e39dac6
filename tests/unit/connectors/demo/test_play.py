from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.answers import VerifiedEntry
from connectors.demo.cast import GI, SCHOOL, WIJKTEAM, Partner
from connectors.demo.errors import ClaimError
from connectors.demo.play import Played, hold, hold_same, rules_of
from connectors.demo.scenario_mieke import STEPS

APPROVED, REFUSED = STEPS[3], STEPS[9]
PERMIT: dict[str, Any] = {
    "outcome": "permit",
    "rule": "vira/a",
    "rules": ["lex/b", "vira/a"],
    "text": {"id": "vraag.mag"},
}
REFUSAL: dict[str, Any] = {
    "outcome": "refuse",
    "rule": None,
    "rules": [],
    "text": {"id": "vraag.not-a-listed-category"},
}
POSSIBLE = ("Overleg Zorg en Overlast", "Bel 0800-2000", "Bel 112")


def match(partner: Partner) -> dict[str, Any]:
    """Return the row that shows this partner with its contact."""
    contact = {name: value for name, value in partner.card.items() if name != "code"}
    holder = {"oin": partner.oin, "name": partner.name, "team": partner.team, "contact": contact}
    return {"kind": "person", "level": 2, "holder": holder}


def entry(decision: dict[str, Any], outcome: str) -> VerifiedEntry:
    """Return a verified entry with this decision."""
    return VerifiedEntry(
        index=3,
        kind="signal",
        status="cosigned",
        cosigned_by=("w1",),
        witnesses=1,
        uncosigned_since=None,
        bundle_sha256="0" * 64,
        outcome=outcome,
        decision=decision,
    )  # fmt: skip - one fact after another


def played(**changes: Any) -> Played:  # noqa: ANN401 - any member of Played, as `replace` takes them
    """Return the approved registration as it must go, with these differences."""
    base = Played(
        number=4,
        step=APPROVED,
        entry=entry(PERMIT, "shown"),
        text_nl="",
        matches=(match(GI), match(SCHOOL)),
        possible=(),
        answer={"signalId": "a", "text": {"id": "x"}},
        answered_bytes=41_116,
        receipt=Path("r.json"),
    )  # fmt: skip - one fact after another
    return replace(base, **changes)


def test_a_step_as_it_must_go_holds() -> None:
    """The expected outcome, organisations, contacts, reason and ways out are no error."""
    hold(APPROVED, played())
    hold(REFUSED, played(step=REFUSED, entry=entry(REFUSAL, "refused"), matches=(), possible=POSSIBLE))


@pytest.mark.parametrize(
    "changes",
    [
        {"matches": (match(GI),)},
        {"matches": (match(GI), match(SCHOOL), match(WIJKTEAM))},
        {"matches": (match(GI), {**match(SCHOOL), "level": 3})},
        {"matches": (match(GI), {**match(SCHOOL), "since": "2026"})},
        {"matches": (match(GI), {**match(SCHOOL), "holder": {**match(SCHOOL)["holder"], "reason": "x"}})},
        {"matches": (match(GI), {**match(SCHOOL), "holder": {**match(SCHOOL)["holder"], "contact": {}}})},
        {"entry": entry(REFUSAL, "shown")},
        {"entry": entry(PERMIT, "error")},
    ],
)
def test_any_difference_is_a_claim_that_does_not_hold(changes: dict[str, Any]) -> None:
    """One organisation too few or too many, a member more, a higher level or another decision ends the run."""
    with pytest.raises(ClaimError):
        hold(APPROVED, played(**changes))


@pytest.mark.parametrize(
    ("decision", "possible"),
    [(REFUSAL, POSSIBLE[:2]), ({**REFUSAL, "text": {"id": "vraag.no-standing"}}, POSSIBLE)],
)
def test_a_refusal_gives_its_reason_and_every_way_out(decision: dict[str, Any], possible: tuple[str, ...]) -> None:
    """A refusal for another reason, or without what is possible, is not the refusal that was promised."""
    with pytest.raises(ClaimError):
        hold(REFUSED, played(step=REFUSED, entry=entry(decision, "refused"), matches=(), possible=possible))


def test_two_answers_are_the_same_but_for_the_own_id() -> None:
    """Only the id of the own signal may differ; one byte or one length on the wire is a difference."""
    hold_same(played(), played(answer={"signalId": "b", "text": {"id": "x"}}))
    with pytest.raises(ClaimError, match="byte for byte"):
        hold_same(played(), played(answer={"signalId": "a", "text": {"id": "y"}}))
    with pytest.raises(ClaimError, match="on the wire"):
        hold_same(played(), played(answered_bytes=41_117))


def test_the_deciding_rule_stands_first() -> None:
    """A report names the rule that decided before those that also spoke."""
    assert rules_of(PERMIT) == ["vira/a", "lex/b"]
    assert rules_of(REFUSAL) == []
