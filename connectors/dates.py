"""Dates as registers of persons hold them: parts may be unknown (BRP, `00`)."""

import datetime
import re
import zoneinfo
from dataclasses import dataclass
from typing import Self

from connectors.errors import CaseError

_COMPACT = re.compile(r"\A([0-9]{4})([0-9]{2})([0-9]{2})\Z")
_DASHED = re.compile(r"\A([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
HERE = zoneinfo.ZoneInfo("Europe/Amsterdam")
MONTHS_NL = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
    "december",
)  # fmt: skip
AGE_LIMIT_YEARS = 23  # Jeugdwet 7.1.2.1: the verwijsindex is for youths who are not yet 23


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialDate:
    """A day of which the day, the month or all may be unknown; 0 stands for unknown. Its representation is redacted."""

    year: int
    month: int
    day: int

    def __repr__(self) -> str:
        """Return nothing of the date: it is a birth date."""
        return "PartialDate(redacted)"

    @classmethod
    def parse(cls, text: str, *, field: str) -> Self:
        """Return the date in `YYYYMMDD` or `YYYY-MM-DD`, unknown parts `00`.

        Raises:
            CaseError: another form, or a day that does not exist.
        """
        match = _COMPACT.match(text) or _DASHED.match(text)
        if match is None:
            raise CaseError(field, "must be a date YYYYMMDD or YYYY-MM-DD")
        year, month, day = (int(part) for part in match.groups())
        try:
            datetime.date(year or 4, month or 1, day or 1)  # the year 4 stands for any leap year
        except ValueError:
            raise CaseError(field, "must be a day that exists") from None
        return cls(year=year, month=month, day=day)

    def earliest(self) -> datetime.date | None:
        """Return the earliest day this can be, or None where even the year is unknown."""
        return datetime.date(self.year, self.month or 1, self.day or 1) if self.year else None


def first_second(day: datetime.date) -> int:
    """Return when a day begins in the Netherlands, in unix seconds."""
    return int(datetime.datetime.combine(day, datetime.time(), HERE).timestamp())


def age_quarter(birth: PartialDate) -> datetime.date | None:
    """Return the first day of the quarter in which this person turns 23, or None where the year is unknown.

    Unknown parts are read as the earliest possible day, so that a signal never lives longer than it may (D16).
    """
    earliest = birth.earliest()
    if earliest is None:
        return None
    return datetime.date(earliest.year + AGE_LIMIT_YEARS, (earliest.month - 1) // 3 * 3 + 1, 1)


def moment_nl(at: int) -> str:
    """Return day and minute in the Netherlands of a moment in unix seconds, as `22-11-2026 12:00`."""
    return f"{datetime.datetime.fromtimestamp(at, HERE):%d-%m-%Y %H:%M}"


def day_nl(day: datetime.date) -> str:
    """Return a day in words, as `3 december 2026`."""
    return f"{day.day} {MONTHS_NL[day.month - 1]} {day.year}"


def day_of(now: int) -> datetime.date:
    """Return the calendar day in the Netherlands of these unix seconds."""
    return datetime.datetime.fromtimestamp(now, HERE).date()
