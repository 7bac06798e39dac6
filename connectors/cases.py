"""A case as the connector sees it: one person, his household as far as it is known, and what the worker decided.

Values of this module hold identifiers and never leave the partner; their representations are redacted.
"""

import datetime
from dataclasses import dataclass
from typing import Literal

from broker.protocol.identifiers import Address, Bsn
from connectors.dates import PartialDate
from connectors.errors import CaseError

ParentSource = Literal["brp", "own", "stated"]
DeferralReason = Literal["danger_to_child", "danger_to_other", "not_reachable", "investigation"]
MAX_PARENTS = 2
MAX_RELATIVES = 96  # more than one message carries: `connectors.client` then asks in several


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A parent of the subject and where that relation is known from."""

    bsn: Bsn
    source: ParentSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """That a worker, by his local id, judged this youth on a day."""

    on: datetime.date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Informing:
    """Whether the family knows; `reason` says why not, `review_on` when that is looked at again."""

    informed: bool
    reason: DeferralReason | None = None
    review_on: datetime.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One person with his household. `row` is the name under which results are reported; it is no identifier."""

    row: str
    subject: Bsn | None
    case_ref: str | None = None
    birth_date: PartialDate | None = None
    parents: tuple[Parent, ...] = ()
    members: tuple[Bsn, ...] = ()
    address: Address | None = None
    team: str | None = None
    ends_on: datetime.date | None = None
    assessment: Assessment | None = None
    informing: Informing | None = None

    def __post_init__(self) -> None:
        """Refuse more relatives than a person has: cutting them off would hide matches."""
        if len(self.parents) > MAX_PARENTS:
            raise CaseError("parents", f"must be at most {MAX_PARENTS}")
        if len(self.members) > MAX_RELATIVES:
            raise CaseError("members", f"must be at most {MAX_RELATIVES}")

    def __repr__(self) -> str:
        """Return the row only."""
        return f"Case(row={self.row!r}, redacted)"


def distinct(bsns: list[Bsn], *, without: Bsn | None) -> tuple[Bsn, ...]:
    """Return the numbers in order, each once, without `without`."""
    return tuple(bsn for bsn in dict.fromkeys(bsns) if bsn != without)
