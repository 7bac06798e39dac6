"""The last day of a term in working days, as the law counts them (Algemene termijnenwet art. 3)."""

import datetime

import holidays
from holidays.constants import OPTIONAL, PUBLIC

TERMS = {"today": 0, "3": 3, "10": 10}
"""The terms of a request: answered today, or within so many working days."""
_SATURDAY = 5


def last_day(term: str, *, today: datetime.date) -> datetime.date:
    """Return the last day of a term of `TERMS`; the broker judges it again by its own calendar."""
    day, left = today, TERMS[term]
    off = holidays.country_holidays("NL", years=[today.year, today.year + 1], categories=(PUBLIC, OPTIONAL))
    while left:
        day += datetime.timedelta(days=1)
        left -= day.weekday() < _SATURDAY and day not in off
    return day
