"""What the sides of a match recorded of its persons: whether the subjects of its signals agree that they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.domain.consents import Consent
from broker.domain.households import TokenIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOf:
    """What one organisation recorded about one person, oldest first; `version` is the one at which it was read."""

    consents: tuple[Consent, ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The subject of each signal, by the signal's id, and what each side recorded about each of these persons."""

    persons: Mapping[str, TokenIndex] = field(repr=False)
    recorded: Mapping[tuple[str, TokenIndex], RecordedOf] = field(repr=False)


NOTHING_SAID = Said(persons={}, recorded={})
"""Nobody is known, and so nobody agreed."""
