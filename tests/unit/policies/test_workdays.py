"""Working days of the Algemene termijnenwet."""

from datetime import date

import pytest

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
