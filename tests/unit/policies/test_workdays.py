"""Working days of the Algemene termijnenwet."""

from datetime import date, timedelta

import pytest

from policies.errors import CalendarError, FactsError
from policies.workdays import is_working_day, working_day_after


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 1, 1), "New Year"),
        (date(2026, 4, 3), "Good Friday"),
        (date(2026, 4, 6), "Easter Monday"),
        (date(2026, 4, 27), "King's Day"),
        (date(2026, 5, 5), "Liberation Day"),
        (date(2026, 5, 14), "Ascension"),
        (date(2026, 5, 25), "Pentecost Monday"),
        (date(2026, 12, 25), "Christmas"),
        (date(2025, 12, 26), "second day of Christmas"),
        (date(2025, 4, 26), "King's Day, moved from a Sunday"),
        (date(2024, 4, 1), "Easter Monday of another year"),
        (date(2038, 4, 26), "the latest Easter Monday"),
        (date(2026, 11, 21), "Saturday"),
        (date(2026, 11, 22), "Sunday"),
    ],
)
def test_terms_do_not_run_out_on_a_day_off(day: date, why: str) -> None:
    """Article 3: weekends, the Christian holidays, King's Day and the fifth of May."""
    assert not is_working_day(day), why


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2026, 4, 28), date(2025, 4, 25), date(2025, 12, 24)])
def test_any_other_day_is_a_working_day(day: date) -> None:
    """An ordinary Friday, and the days beside a day off."""
    assert is_working_day(day)


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 23), 1, date(2026, 11, 24)),
        (date(2026, 4, 2), 1, date(2026, 4, 7)),
        (date(2026, 12, 24), 2, date(2026, 12, 29)),
    ],
)
def test_a_term_ends_on_a_working_day(day: date, count: int, last: date) -> None:
    """The day on which it begins does not count, nor do days off."""
    assert working_day_after(day, count) == last


@pytest.mark.parametrize("day", [date(1965, 12, 30), date(2101, 1, 3), date(9999, 12, 31)])
def test_a_year_without_known_holidays_is_no_year_without_holidays(day: date) -> None:
    """Where nobody knows which days are off, no term is counted: the error is one of facts, and holds no day."""
    with pytest.raises(CalendarError) as caught:
        is_working_day(day)
    assert isinstance(caught.value, FactsError)
    assert not any(character.isdigit() for character in str(caught.value))
    with pytest.raises(CalendarError):
        working_day_after(day, 1)


def test_a_term_does_not_run_on_into_an_unknown_year() -> None:
    """A term that begins in the last known year and would end after it fails, however short."""
    assert working_day_after(date(2100, 12, 30), 1) == date(2100, 12, 31)
    with pytest.raises(CalendarError):
        working_day_after(date(2100, 12, 31), 1)


def test_every_known_year_has_the_nine_days_of_the_law() -> None:
    """Article 3 names nine days beside Saturdays and Sundays; a calendar that lost one would shorten terms unseen."""
    for year in range(2024, 2101):
        days = [
            date(year, 1, 1) + timedelta(days=offset)
            for offset in range(366 if year % 4 == 0 and year != 2100 else 365)
        ]
        off = {day for day in days if not is_working_day(day) and day.weekday() < 5}
        fixed = {date(year, 1, 1), date(year, 5, 5), date(year, 12, 25), date(year, 12, 26)}
        king = date(year, 4, 27) if date(year, 4, 27).weekday() < 6 else date(year, 4, 26)
        expected = {day for day in (*fixed, king) if day.weekday() < 5}
        assert expected <= off
        assert len(off - expected) in {
            3,
            4,
        }  # Good Friday, Easter Monday, Ascension and Pentecost Monday; one may be a fixed day too
