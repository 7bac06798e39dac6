"""Terms of what follows a match or a report, by statute and of a region, and who coordinates there.

A region may be quicker than the statute, never slower. Where a source counts working days, so do we (`workdays`).
"""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Self

from policies.catalogue import Content
from policies.document import Document
from policies.errors import ClauseError, ConflictError
from policies.facts import Json
from policies.vocabulary import WILDCARD
from policies.workdays import working_day_after

FIRST_CONTACT = "eerste_contact"
OPROEP = "oproep"
_MONTHS = {"M": 1, "Y": 12}
_DAYS = {"H": Fraction(1, 24), "D": Fraction(1), "W": Fraction(7), "M": Fraction(31), "Y": Fraction(366)}
_WORKING_WEEK = Fraction(7, 5)
"""Calendar days in which a working day passes, holidays left out: enough to compare a term with the statute's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long something may take; `unit` is H, D, W, M or Y."""

    amount: int
    unit: str
    working_days: bool
    source: str

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``termijnen``."""
        text: str = content["termijn"]
        amount = int(text.removeprefix("P").removeprefix("T")[:-1])
        return cls(
            amount=amount, unit=text[-1], working_days=content.get("werkdagen", False), source=content["bron"]
        )  # fmt: skip

    def last_day(self, start: date) -> date:
        """The last day of a term that begins on this day, which itself does not count."""
        if self.working_days:
            return working_day_after(start, self.amount)
        if self.unit in _MONTHS:
            month = start.month - 1 + self.amount * _MONTHS[self.unit]
            year, month = start.year + month // 12, month % 12 + 1
            return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
        return start + timedelta(days=-int(-self.amount * _DAYS[self.unit] // 1))

    def length(self) -> Fraction:
        """About how many calendar days it is, to compare it with another."""
        return self.amount * _DAYS[self.unit] * (_WORKING_WEEK if self.working_days else 1)

    def record(self) -> dict[str, Json]:
        """The term as a plain mapping."""
        text = f"PT{self.amount}H" if self.unit == "H" else f"P{self.amount}{self.unit}"
        return {"term": text, "working_days": self.working_days, "source": self.source}


FIRST_CONTACT_TERM = Term(amount=5, unit="D", working_days=True, source="Sluis")
"""Where no document says when two teams are to have had contact."""

OPROEP_TERM = Term(amount=5, unit="D", working_days=True, source="Sluis")
"""Where no document says for how long holders are asked whether they want to call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTerm:
    """What the law and the region say of one term; None where that one says nothing. The shorter counts."""

    statute: Term | None
    region: Term | None

    def last_days(self, start: date) -> tuple[date | None, date | None]:
        """The last day by the law, and the one by the region, of a term that begins on this day."""
        statute, region = self.statute, self.region
        return (
            None if statute is None else statute.last_day(start),
            None if region is None else region.last_day(start),
        )

    def last_day(self, start: date) -> date | None:
        """The last day that counts; None where nobody says anything."""
        return min((day for day in self.last_days(start) if day is not None), default=None)


Terms = Mapping[tuple[str, str], Term]
"""By id and purpose; the purpose may be ``*``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinator:
    """Who sees to it that teams contact each other: an organisation and its team."""

    organisation: str
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Every term, by region; under None the statute's. And the coordinator of each region that has one.

    `homes` has the region whose coordinator an organisation has, by OIN, where a document names it.
    """

    terms: Mapping[str | None, Terms]
    coordinators: Mapping[str, Coordinator]
    homes: Mapping[str, str]

    @classmethod
    def from_documents(cls, documents: Iterable[Document], purposes: Iterable[str]) -> Self:
        """Read every ``opvolging/v1``.

        Raises:
            ConflictError: two documents speak for one region, or one names a term twice.
            ClauseError: a purpose that is not there, a region that is slower than the statute, or an organisation that
                two regions name.
        """
        found: dict[str | None, Document] = {}
        for document in documents:
            content: Content = document.content
            if content["regio"] in found:
                raise ConflictError(f"two documents of opvolging/v1 speak for region {content['regio']}")
            found[content["regio"]] = document
        known = {*purposes, WILDCARD}
        terms = {region: _terms(document, known) for region, document in found.items()}
        for region, document in found.items():
            _check_no_slower(document, terms[region], terms.get(None, {}))
        return cls(terms=terms, coordinators=_coordinators(found), homes=_homes(found))

    def stated(self, name: str, *, purpose: str, region: str | None) -> StatedTerm:
        """What the statute's document and the region's own say of a term of this purpose; the earlier day counts.

        So a region is never slower than the statute on any day of the calendar, whatever its document says.
        """
        statute, own = (
            known.get((name, purpose)) or known.get((name, WILDCARD))
            for known in (self.terms.get(None, {}), {} if region is None else self.terms.get(region, {}))
        )
        return StatedTerm(statute=statute, region=own)

    def asked_until(self, start: date, *, purpose: str, region: str | None) -> date:
        """The last day on which holders are asked whether they want to call."""
        return self.stated(OPROEP, purpose=purpose, region=region).last_day(start) or OPROEP_TERM.last_day(start)

    def first_contact_by(self, start: date, *, purpose: str, region: str | None) -> date:
        """The last day on which two teams that were told of each other are to have had contact."""
        stated = self.stated(FIRST_CONTACT, purpose=purpose, region=region)
        return stated.last_day(start) or FIRST_CONTACT_TERM.last_day(start)

    def record(self) -> list[dict[str, Json]]:
        """Every term as plain mappings, the statute's first."""
        return [
            {"region": region, "id": name, "purpose": purpose, **term.record()}
            for region, terms in sorted(self.terms.items(), key=lambda one: one[0] or "")
            for (name, purpose), term in sorted(terms.items())
        ]


def _terms(document: Document, purposes: set[str]) -> Terms:
    content: Content = document.content
    found: dict[tuple[str, str], Term] = {}
    for number, row in enumerate(content["termijnen"]):
        path = ("termijnen", number, "doel")
        if row["doel"] not in purposes:
            raise document.error(ClauseError, path, "must be a purpose, or * for every one")
        if (row["id"], row["doel"]) in found:
            raise document.error(ClauseError, path, "must name one term of one purpose once")
        found[row["id"], row["doel"]] = Term.from_content(row)
    return found


def _check_no_slower(document: Document, terms: Terms, statute: Terms) -> None:
    for number, ((name, purpose), term) in enumerate(terms.items()):
        floors = [
            floor
            for (one, about), floor in statute.items()
            if (one == name and WILDCARD in (purpose, about)) or (one, about) == (name, purpose)
        ]
        if any(term.length() > floor.length() for floor in floors):
            raise document.error(ClauseError, ("termijnen", number, "termijn"), "must not be longer than the statute's")


def _coordinators(documents: Mapping[str | None, Document]) -> Mapping[str, Coordinator]:
    found = {}
    for region, document in documents.items():
        content: Content = document.content
        stated = content["matchcoordinator"]
        if region is not None and stated is not None:
            found[region] = Coordinator(organisation=stated["oin"], team=stated["team"])
    return found


def _homes(documents: Mapping[str | None, Document]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for region, document in documents.items():
        content: Content = document.content
        listed = content.get("organisaties", [])
        if region is None and listed:
            raise document.error(ClauseError, ("organisaties",), "must stand in the document of a region")
        for number, oin in enumerate(listed):
            if oin in found:
                raise document.error(ClauseError, ("organisaties", number), "must be named by one region")
            found[oin] = str(region)
    return found
