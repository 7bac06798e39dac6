"""Properties of the quarter that stands for a birthday: for any birth date, known or in part."""

import calendar
import datetime

from hypothesis import given
from hypothesis import strategies as st

from connectors.dates import AGE_LIMIT_YEARS, PartialDate, age_quarter

BIRTHS = st.dates(datetime.date(1995, 1, 1), datetime.date(2030, 12, 31))


def birthday(born: datetime.date) -> datetime.date:
    """Return the day on which somebody turns 23; who was born on 29 February does so on the 28th at the earliest."""
    year = born.year + AGE_LIMIT_YEARS
    return datetime.date(year, born.month, min(born.day, calendar.monthrange(year, born.month)[1]))


def known(born: datetime.date, unknown: str) -> PartialDate:
    """Return a birth date as a register has it, of which the day, or day and month, are not known."""
    month = 0 if unknown == "month" else born.month
    return PartialDate(year=born.year, month=month, day=0 if unknown else born.day)


@given(born=BIRTHS, unknown=st.sampled_from(["", "day", "month"]))
def test_a_signal_ends_no_later_than_the_birthday(born: datetime.date, unknown: str) -> None:
    """Whatever is known of it, the quarter begins no later than the birthday, on the first day of a quarter."""
    quarter = age_quarter(known(born, unknown))
    assert quarter is not None
    assert quarter <= birthday(born)
    assert (quarter.day, quarter.month in (1, 4, 7, 10)) == (1, True)


@given(born=BIRTHS)
def test_no_more_than_a_quarter_is_lost(born: datetime.date) -> None:
    """Where the birth date is known, a signal may last into the quarter of the birthday, and not a quarter less."""
    quarter = age_quarter(known(born, ""))
    assert quarter is not None
    assert (birthday(born) - quarter).days < 92


@given(first=BIRTHS, days=st.integers(0, 91))
def test_a_quarter_does_not_tell_the_day(first: datetime.date, days: int) -> None:
    """All who were born in one quarter of a year are told alike."""
    second = first + datetime.timedelta(days=days)
    same = (first.year, (first.month - 1) // 3) == (second.year, (second.month - 1) // 3)
    assert (age_quarter(known(first, "")) == age_quarter(known(second, ""))) == same
