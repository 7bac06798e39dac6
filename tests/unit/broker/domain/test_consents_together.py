"""What two organisations recorded about each other's being told comes to one answer."""

from datetime import date, timedelta

from broker.domain.consent_standing import NO_STANDING, Standing, lasts_until, together
from broker.domain.consents import ConsentState
from tests.property.broker.test_consents import DAY


def test_between_two_a_no_of_either_closes_and_a_yes_opens_where_it_counts() -> None:
    """A refusal goes before a withdrawal, either before a yes; a yes that does not count opens nothing."""
    states = {state: Standing(state=state) for state in ConsentState}
    given, refused, withdrawn = (
        states[one] for one in (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN)
    )
    expired, unknown = states[ConsentState.EXPIRED], states[ConsentState.UNKNOWN]
    for among, counting, found in (
        ([given], [given], ConsentState.GIVEN),
        ([given, withdrawn, refused], [given], ConsentState.REFUSED),
        ([withdrawn, given], [given], ConsentState.WITHDRAWN),
        ([given], [], ConsentState.UNKNOWN),
        ([given, expired], [expired, unknown], ConsentState.EXPIRED),
        ([given, expired], [expired, given], ConsentState.GIVEN),
        ([unknown], [unknown], ConsentState.UNKNOWN),
    ):
        assert together(among, counting=counting) is found


def test_a_yes_goes_on_as_long_as_no_day_between_is_without_one() -> None:
    """Where another answers from a day on, it goes on only if that one said yes; without a last day it is none."""
    given = {day: Standing(state=ConsentState.GIVEN, until=DAY + timedelta(days=day)) for day in (3, 10)}
    until_3, until_10 = given[3], given[10]
    days = {0: until_3, 3: until_3, 4: until_10, 11: Standing(state=ConsentState.EXPIRED, until=DAY)}

    def said(day: date) -> Standing:
        return days.get((day - DAY).days, NO_STANDING)

    assert lasts_until(said, day=DAY) == DAY + timedelta(days=10)
    del days[4]
    assert lasts_until(said, day=DAY) == DAY + timedelta(days=3)
    assert lasts_until(said, day=DAY + timedelta(days=1)) is None
    days[0] = Standing(state=ConsentState.GIVEN)
    assert lasts_until(said, day=DAY) is None
    days[0] = Standing(state=ConsentState.REFUSED, until=DAY)
    assert lasts_until(said, day=DAY) is None
