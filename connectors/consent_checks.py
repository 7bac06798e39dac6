"""What the desk holds a record of consent against before it leaves: the birth date of the case, and its own register.

A yes of who is too young to give it, or towards nobody, is a typing error that only the desk can see: the broker has
no birth date, and what it refuses comes back as a round trip.
"""

import calendar
import datetime
from collections.abc import Collection, Mapping
from typing import Any

from connectors.dates import PartialDate
from connectors.errors import CaseError

_AGES = ("under12", "12to15", "16to17", "18to22", "from23")
_ENDS_AT = (12, 16, 18, 23)
"""How old one is when the next of these begins."""

Age = tuple[str, datetime.date | None]
"""A band, and the first day of the quarter in which another begins; no day for the last."""


def check_parties(stated: object, *, known: Collection[str]) -> None:
    """Hold only for organisations of the register. Raises CaseError: another is named, or none is."""
    if not isinstance(stated, list) or not stated or not all(isinstance(one, str) and one in known for one in stated):
        raise CaseError("parties", "must be numbers of organisations in the register")


def age_fits(
    stated: Mapping[str, Any], ends_on: datetime.date | None, *, birth: PartialDate | None, today: datetime.date
) -> Age:
    """Return the age of a record, and when it ends, as the birth date says; as it is stated where that is not known.

    Args:
        stated: `age` may be left out where the birth date says it.
        ends_on: as stated.
        birth: of the person; a part that is unknown leaves more than one age.
        today: the calendar day.

    Raises:
        CaseError: what is stated does not fit the birth date.
    """
    age = str(stated.get("age"))
    earliest = None if birth is None else birth.earliest()
    if birth is None or earliest is None:
        return age, ends_on
    oldest, youngest = _age_of(earliest, today), _age_of(_latest(birth), today)
    if "age" not in stated and oldest == youngest:
        return oldest
    fitting = _AGES[_AGES.index(youngest[0]) : _AGES.index(oldest[0]) + 1]
    if age not in fitting:
        raise CaseError("age", "does not fit the birth date of this case")
    if oldest == youngest and ends_on != oldest[1]:
        raise CaseError("age_ends_on", "does not fit the birth date of this case")
    return age, ends_on


def _age_of(birth: datetime.date, today: datetime.date) -> Age:
    """Return the age on this day; who comes of another in this very quarter is of that other already."""
    for age, years in zip(_AGES, _ENDS_AT, strict=False):
        ends_on = datetime.date(birth.year + years, (birth.month - 1) // 3 * 3 + 1, 1)
        if today < ends_on:
            return age, ends_on
    return _AGES[-1], None


def _latest(birth: PartialDate) -> datetime.date:
    month = birth.month or 12
    return datetime.date(birth.year, month, birth.day or calendar.monthrange(birth.year, month)[1])
