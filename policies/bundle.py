"""A bundle: the rule set a service loads once, decides with and names in every record."""

from dataclasses import dataclass

from policies.decide import DecisionPoint
from policies.ruleset import RuleSet


@dataclass(frozen=True, kw_only=True)
class Bundle(RuleSet):
    """A loaded, checked and compiled rule set."""

    def decision_point(self) -> DecisionPoint:
        """A decision point over this bundle, for one thread.

        Raises:
            EngineError: the lines or the model may not be decided with.
        """
        return DecisionPoint(self)
