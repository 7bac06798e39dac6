"""Months and days as people live them, in the Netherlands, as unix seconds."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from broker.domain.flags import NETHERLANDS, local

_DECEMBER = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From the first second up to, and without, the last."""

    since: int
    until: int

    @classmethod
    def of_month(cls, month: str) -> Self:
        """Return the period of a month `YYYY-MM`, which has that form."""
        year, number = int(month[:4]), int(month[5:])
        after = date(year + 1, 1, 1) if number == _DECEMBER else date(year, number + 1, 1)
        return cls(since=midnight(date(year, number, 1)), until=midnight(after))

    @classmethod
    def days_after(cls, at: int, *, margin_s: int, days: int) -> Self:
        """Return so many whole days, the first of which begins at least so many seconds after a time."""
        day = local(at + margin_s).date() + timedelta(days=1)
        return cls(since=midnight(day), until=midnight(day + timedelta(days=days)))


def midnight(day: date) -> int:
    """Return the unix second at which this day begins."""
    return int(datetime.combine(day, time(), NETHERLANDS).timestamp())
