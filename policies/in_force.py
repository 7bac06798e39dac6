"""The rule set a process decides with: one reference, swapped when another one was built completely."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from policies.bundle import Bundle
from policies.decide import DecisionPoint
from policies.load import load_bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """A bundle and the decision point built over it; whoever holds both decides with one rule set."""

    bundle: Bundle
    point: DecisionPoint


class RulesInForce:
    """Holds what is in force. Nothing of it ever changes; a reload puts something else in its place, or fails."""

    def __init__(self, bundle: Bundle, *, day: date) -> None:
        """Start with this bundle.

        Raises:
            ExpiredBundleError: it does not hold on this day.
            EngineError: it may not be decided with.
        """
        self._current = _built(bundle, day)

    @property
    def current(self) -> Current:
        """What is in force now; ask once per request."""
        return self._current

    def reload(self, directory: Path | None, *, day: date, insecure_test_bundle: bool = False) -> Current:
        """The documents of this directory are in force; on any error what was in force still is.

        Raises:
            ConvenantError: naming what is wrong; see ``policies/errors.py``.
        """
        self._current = _built(load_bundle(directory, insecure_test_bundle=insecure_test_bundle), day)
        return self._current


def _built(bundle: Bundle, day: date) -> Current:
    """Everything that can fail, done aside."""
    bundle.check_in_force(day)
    return Current(bundle=bundle, point=bundle.decision_point())
