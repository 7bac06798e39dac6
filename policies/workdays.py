"""Working days as the Algemene termijnenwet counts them: no Saturday, no Sunday, no public holiday (article 3)."""

from datetime import date, timedelta

_DAY = timedelta(days=1)
_FROM_EASTER = (-2, 1, 39, 50)
"""Good Friday, Easter Monday, Ascension Day and Pentecost Monday, in days from Easter."""
_FIXED = ((1, 1), (5, 5), (12, 25), (12, 26))
_SUNDAY = 6


def working_day_after(day: date, count: int) -> date:
    """The last of so many working days after this day; the day itself does not count."""
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def is_working_day(day: date) -> bool:
    """Whether terms run out on this day."""
    kings_day = date(day.year, 4, 27)
    if kings_day.weekday() == _SUNDAY:
        kings_day -= _DAY
    easter = _easter(day.year)
    holidays = {kings_day, *(easter + timedelta(days=days) for days in _FROM_EASTER)}
    return day.weekday() < _SUNDAY - 1 and day not in holidays and (day.month, day.day) not in _FIXED


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the anonymous algorithm (Nature, 1876)."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    later = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * later + 114, 31)
    return date(year, month, day + 1)
