"""The policy in force, as the flows see it. Deciding is pure and happens on the one thread of the event loop (D15)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from policies import AskFacts, Bundle, HitFacts, Permit, Purpose, Refusal


class DecisionPoint(Protocol):
    """Answers the two questions of D8; a permit is never the result of a failure."""

    def may_ask(self, facts: AskFacts) -> Permit | Refusal:
        """Return whether this question may be put at all."""

    def may_see(self, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
        """Return whether this asker may be shown this one signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInForce:
    """The bundle this process decides with: its hash, its purposes and a decision point over it."""

    sha256: str
    purposes: Mapping[str, Purpose]
    decision_point: DecisionPoint

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """Return the policy of a loaded bundle. Raises EngineError: it may not be decided with."""
        return cls(sha256=bundle.sha256, purposes=bundle.purposes, decision_point=bundle.decision_point())
