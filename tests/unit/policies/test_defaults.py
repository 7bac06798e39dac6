"""A fact left out has the value that opens least (ADR 19), over every row of the decision tables."""

from dataclasses import replace
from typing import Any

import pytest

from policies import AskFacts, DecisionPoint, Permit
from policies.facts import _DEFAULTS
from tests.unit.policies.amsterdam import MEETING
from tests.unit.policies.test_decisions import ROWS

QUESTION = frozenset({"category", "level", "recipient", "recipient_organisation", "deferral", "fulfilled"})
"""What is asked, and what puts off or fulfils a duty: no facts about the world whose absence could open anything."""

VALUES: dict[str, tuple[Any, ...]] = {
    "simulated_bsn_right": (True,),
    "proof": ("melding", "melding_volgt", "maatregel", "raadsverzoek", "huisverbod", "mandaat"),
    "proof_since": (),
    "proof_ends_on": (),
    "consent": ("given", "refused", "withdrawn", "expired"),
    "consent_by": (frozenset({"person"}), frozenset({"guardian"}), frozenset({"person", "guardian"})),
    "dossier": ("documented", "complete"),
    "meldcode_approval": (False,),
    "acute_open": (False,),
    "age": ("under12", "12to15", "16to17", "18to22"),
    "custody": ("clear", "contested"),
}
"""Other values of each optional fact; not a dossier ``acuut`` towards others and an age from 23, which forbid."""


def opened(point: DecisionPoint, facts: AskFacts) -> int:
    """The level a question opens; -1 for a refusal."""
    permit = point.may_ask(facts)
    return permit.level if isinstance(permit, Permit) else -1


@pytest.mark.parametrize("fact", sorted(VALUES))
def test_a_fact_left_out_opens_least(trial_point: DecisionPoint, fact: str) -> None:
    """No question opens further without a fact than with any value of it."""
    default = _DEFAULTS[AskFacts][fact]
    for ask in dict.fromkeys(row.ask for row in ROWS):
        least = opened(trial_point, replace(ask, **{fact: default}))
        for value in (getattr(ask, fact), *VALUES[fact]):
            if (fact, value) not in {("dossier", "acuut"), ("age", "from23")}:
                assert least <= opened(trial_point, replace(ask, **{fact: value})), (ask, value)


def test_every_optional_fact_is_looked_at() -> None:
    """A new fact with a default is judged here, or is part of the question itself."""
    assert set(_DEFAULTS[AskFacts]) == set(VALUES) | QUESTION


def test_custody_nobody_looked_at_is_no_consent_of_a_guardian(point: DecisionPoint) -> None:
    """A guardian's consent counts only once it is clear that he is one."""
    child = replace(MEETING, age="under12", consent_by=frozenset({"guardian"}))
    found = [opened(point, replace(child, custody=state)) for state in ("unknown", "contested", "clear")]
    assert found == [-1, -1, 0]
