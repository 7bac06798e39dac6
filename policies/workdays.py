"""Working days as the Algemene termijnenwet counts them: no Saturday, no Sunday, no public holiday (article 3).

The broker counts its own terms with it too, so that one task never has two last days.
"""

from datetime import date, timedelta
from functools import cache

import holidays
from holidays.constants import OPTIONAL, PUBLIC

from policies.errors import CalendarError

_DAY = timedelta(days=1)
_SATURDAY = 5


def working_day_after(day: date, count: int) -> date:
    """The last of so many working days after this day; the day itself does not count.

    Raises:
        CalendarError: it runs into a year of which the public holidays are not known.
    """
    while count:
        if day == date.max:
            raise CalendarError
        day += _DAY
        count -= is_working_day(day)
    return day


def is_working_day(day: date) -> bool:
    """Whether terms run out on this day.

    Raises:
        CalendarError: the public holidays of its year are not known.
    """
    return day not in _days_off(day.year) and day.weekday() < _SATURDAY


@cache
def _days_off(year: int) -> frozenset[date]:
    """The public holidays of a year; the fifth of May is optional to employers, and in the law of every year."""
    days = holidays.country_holidays("NL", years=year, categories=(PUBLIC, OPTIONAL))
    # The library gives an empty calendar for what it does not know, in which every day would count.
    if not days:
        raise CalendarError
    return frozenset(days)
