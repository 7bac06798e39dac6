"""What one row of a decision table is."""

from typing import NamedTuple

from policies import AskFacts, DecisionPoint, HitFacts, Permit, Refusal


class Row(NamedTuple):
    """One row: a permit names rule and level; a refusal names reason, and the rule if one forbids."""

    name: str
    ask: AskFacts
    hit: HitFacts | None
    outcome: str
    rule: str | None


def decide(point: DecisionPoint, row: Row) -> Permit | Refusal:
    """The decision on one row."""
    return point.may_ask(row.ask) if row.hit is None else point.may_see(row.ask, row.hit)
