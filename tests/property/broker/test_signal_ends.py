"""Properties of a signal's end: for any day, birthday and term, it never lives longer than it may."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broker.domain.errors import RequestRuleError
from broker.domain.signals import EndReason, EndRule, SignalState, years_after
from tests.simulators.proposals import a_signal

DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))
QUARTERS = st.builds(lambda year, quarter: date(year, 3 * quarter - 2, 1), st.integers(2020, 2060), st.integers(1, 4))
TERM = EndRule(max_years=2, age_bound=True)


@given(ends_on=DAYS, quarter=QUARTERS, today=DAYS)
def test_an_end_that_is_accepted_lies_within_every_limit(ends_on: date, quarter: date, today: date) -> None:
    """What is accepted ends not before today, not after two years, and no later than the quarter begins."""
    try:
        TERM.check(ends_on=ends_on, age_quarter=quarter, today=today)
    except RequestRuleError:
        assert not today <= ends_on <= min(quarter, years_after(today, 2))
    else:
        assert today <= ends_on <= min(quarter, years_after(today, 2))


@given(ends_on=DAYS, quarter=st.none() | QUARTERS, day=DAYS)
def test_it_is_active_or_has_a_reason_to_have_ended(ends_on: date, quarter: date | None, day: date) -> None:
    """On any day a signal is active or has one reason to have ended; the last day it can have is the earlier limit."""
    signal = replace(a_signal("a"), ends_on=ends_on, age_quarter=quarter)
    last = ends_on if quarter is None else min(ends_on, quarter)
    assert signal.active_on(day) == (day <= last) == (signal.ended_by(day) is None)
    if day > last:
        by_age = quarter is not None and quarter <= ends_on
        assert signal.ended_by(day) is (EndReason.AGE if by_age else EndReason.EXPIRY)


@given(ends_on=DAYS, quarter=st.none() | QUARTERS, consent=DAYS, day=DAYS)
def test_it_lasts_no_longer_than_its_consent(ends_on: date, quarter: date | None, consent: date, day: date) -> None:
    """What rests on consent ends with it, and for that reason only where no other limit came first."""
    alone = replace(a_signal("a"), ends_on=ends_on, age_quarter=quarter)
    signal = replace(alone, consent_until=consent)
    assert signal.active_on(day) == (alone.active_on(day) and day <= consent)
    if alone.last_day > consent and day > consent:
        assert signal.ended_by(day) is EndReason.CONSENT
    else:
        assert signal.ended_by(day) is alone.ended_by(day)


@given(ends_on=DAYS, day=DAYS, later=st.integers(0, 5000))
def test_what_has_ended_stays_ended(ends_on: date, day: date, later: int) -> None:
    """Time only takes away: who is not found one day is not found on a later one."""
    signal = replace(a_signal("a"), ends_on=ends_on)
    assert signal.active_on(day) or not signal.active_on(day + timedelta(days=later))
    assert not replace(signal, state=SignalState.ENDED).active_on(day)
