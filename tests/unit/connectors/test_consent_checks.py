"""Before a record of consent leaves, its age is held against the birth date, and its parties against the register."""

import datetime
from typing import Any

import pytest

from connectors.consent_checks import age_fits, check_parties
from connectors.dates import PartialDate
from connectors.errors import CaseError

TODAY = datetime.date(2026, 11, 22)
FIVE = PartialDate(year=2021, month=5, day=3)
UNDER_12 = ("under12", datetime.date(2033, 4, 1))


def fits(birth: PartialDate | None, age: str | None, ends_on: datetime.date | None = None) -> tuple[str, Any]:
    """Return the age of a record that states this."""
    return age_fits({} if age is None else {"age": age}, ends_on, birth=birth, today=TODAY)


@pytest.mark.parametrize(
    ("born", "age", "ends_on"),
    [
        ((2021, 5, 3), *UNDER_12),
        ((2014, 12, 31), "12to15", datetime.date(2030, 10, 1)),
        ((2010, 12, 31), "16to17", datetime.date(2028, 10, 1)),
        ((2008, 10, 1), "18to22", datetime.date(2031, 10, 1)),
        ((2004, 1, 1), "18to22", datetime.date(2027, 1, 1)),
        ((2003, 12, 31), "from23", None),
    ],
)
def test_the_birth_date_says_how_old_somebody_is(
    born: tuple[int, int, int], age: str, ends_on: datetime.date | None
) -> None:
    """Left out, age and its end follow from it; who comes of another age in this quarter is of that age already."""
    year, month, day = born
    birth = PartialDate(year=year, month=month, day=day)
    assert fits(birth, None) == fits(birth, age, ends_on) == (age, ends_on)


@pytest.mark.parametrize(
    ("age", "ends_on", "field"),
    [
        ("from23", None, "age"),
        ("12to15", datetime.date(2027, 1, 1), "age"),
        ("nonsense", None, "age"),
        ("under12", datetime.date(2030, 4, 1), "age_ends_on"),
        ("under12", None, "age_ends_on"),
    ],
)
def test_an_age_that_does_not_fit_never_leaves(age: str, ends_on: datetime.date | None, field: str) -> None:
    """A child of five says yes to nothing, whatever is typed; the error names the field and neither value."""
    with pytest.raises(CaseError) as error:
        fits(FIVE, age, ends_on)
    assert str(error.value) == f"{field}: does not fit the birth date of this case"


def test_an_age_is_typed_where_the_birth_date_does_not_say_it() -> None:
    """No birth date, or not even its year: as stated. Of a year alone each age that it leaves, and no other."""
    for unknown in (None, PartialDate(year=0, month=0, day=0)):
        assert fits(unknown, "from23") == ("from23", None)
    of_2014 = PartialDate(year=2014, month=0, day=0)
    assert fits(of_2014, "12to15", datetime.date(2030, 1, 1)) == ("12to15", datetime.date(2030, 1, 1))
    of_2010 = PartialDate(year=2011, month=0, day=0)
    assert fits(of_2010, "12to15", datetime.date(2027, 1, 1)) == ("12to15", datetime.date(2027, 1, 1))
    with pytest.raises(CaseError):
        fits(of_2010, "16to17", datetime.date(2029, 1, 1))


@pytest.mark.parametrize("parties", [None, [], "a", ["a", "x"], [1]])
def test_only_organisations_of_the_register_are_named(parties: object) -> None:
    """One that is in no register never leaves, so that nothing waits in the outbox that can never be done (U10-23)."""
    with pytest.raises(CaseError) as error:
        check_parties(parties, known={"a"})
    assert str(error.value) == "parties: must be numbers of organisations in the register"
    check_parties(["a"], known={"a"})
