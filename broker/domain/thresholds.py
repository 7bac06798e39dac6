"""The thresholds of the review: visible to who reviews, changed with a reason, each change an entry of the log.

An act is judged by the thresholds that held when it was done, so that a change hides nothing that stood out before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from broker.domain.errors import FieldRuleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One number that decides whether an act stands out; within bounds, so that a kind of flag is never put out."""

    default: int
    least: int
    most: int


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        "day_begins": Threshold(default=6, least=5, most=9),  # hour; Suwinet reports look outside 06:00 to 19:00
        "day_ends": Threshold(default=19, least=17, most=23),  # hour
        "baseline_percent": Threshold(default=5, least=2, most=25),  # of a role's acts, in one hour of the day
        "volume_times": Threshold(default=3, least=2, most=10),  # the worker's own median
        "volume_least": Threshold(default=10, least=5, most=50),  # acts on one day
        "quick_withdraw_days": Threshold(default=14, least=14, most=60),  # days; D5
        "repeats": Threshold(default=5, least=3, most=20),  # looks of one worker at one household
        "repeats_days": Threshold(default=7, least=1, most=28),  # days in which they are counted
    }
)
"""Every threshold by name."""
CHANGE_REASONS = ("too_many_unfounded", "too_few_found", "working_hours_changed", "work_changed", "after_incident")
"""Why a threshold is changed. The story behind it stays with the partner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChange:
    """One organisation's own value of a threshold, from this unix second on, with its reason."""

    name: str
    value: int
    reason: str
    at: int


def check_threshold(name: str, value: int) -> None:
    """Hold only for a known threshold and a value within its bounds. Raises FieldRuleError."""
    known = THRESHOLDS.get(name)
    if known is None:
        raise FieldRuleError("name", "is no threshold")
    if not known.least <= value <= known.most:
        raise FieldRuleError("value", f"is not from {known.least} to {known.most}")


@dataclass(frozen=True, slots=True)
class ThresholdHistory:
    """What every threshold of one organisation was, at any time."""

    changes: tuple[ThresholdChange, ...]

    @classmethod
    def of(cls, changes: Iterable[ThresholdChange]) -> "ThresholdHistory":
        """Return the history of these changes, in whatever order."""
        return cls(tuple(sorted(changes, key=lambda change: change.at)))

    def value(self, name: str, *, at: int) -> int:
        """Return what held at this unix second."""
        value = THRESHOLDS[name].default
        for change in self.changes:
            if change.name == name and change.at <= at:
                value = change.value
        return value

    def newest(self, name: str) -> ThresholdChange | None:
        """Return the last change of a threshold, None where it has its default."""
        return next((change for change in reversed(self.changes) if change.name == name), None)
