"""The rules of a signal's end and of who must not see it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from broker.domain.errors import EndDateBeyondRuleError
from broker.domain.signals import REVIEW_DAYS, EndRule, Exclusion, years_after
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.proposals import a_signal

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(("day", "later"), [
    (date(2026, 11, 22), date(2028, 11, 22)), (date(2028, 2, 29), date(2030, 2, 28)),
    (date(2026, 2, 28), date(2028, 2, 28)),
])  # fmt: skip
def test_two_years_later_is_the_same_day(day: date, later: date) -> None:
    """The end of a term is the same calendar day; 29 February becomes the 28th."""
    assert years_after(day, 2) == later


def test_a_purpose_without_a_limit_has_none() -> None:
    """No longest life and no age: any later day will do."""
    EndRule(max_years=None, age_bound=False).check(ends_on=date(2099, 1, 1), age_quarter=None, today=TODAY)


def test_the_earlier_of_two_limits_counts() -> None:
    """Age and term are both kept to, and the error names the earlier day."""
    rule = EndRule(max_years=2, age_bound=True)
    with pytest.raises(EndDateBeyondRuleError) as beyond:
        rule.check(ends_on=date(2028, 1, 2), age_quarter=date(2028, 1, 1), today=TODAY)
    assert beyond.value.latest == date(2028, 1, 1)
    with pytest.raises(EndDateBeyondRuleError) as beyond:
        rule.check(ends_on=date(2028, 11, 23), age_quarter=date(2032, 1, 1), today=TODAY)
    assert beyond.value.latest == date(2028, 11, 22)


def test_an_exclusion_is_of_an_organisation_or_one_worker() -> None:
    """Without a worker it concerns the whole organisation, with one only that person there."""
    signal = replace(a_signal("a"), exclusions=frozenset({Exclusion(organisation=GI, worker="jan")}))
    assert signal.excludes(GI, "jan")
    assert not signal.excludes(GI, "piet")
    assert not signal.excludes(WIJKTEAM, "jan")
    assert Exclusion(organisation=GI, worker=None).concerns(GI, "piet")


def test_fourteen_days_of_review() -> None:
    """On the fourteenth day after the look it is reviewed, on the fifteenth not."""
    signal = replace(a_signal("a"), last_standing_on=TODAY)
    assert signal.needs_review_to_withdraw(TODAY + timedelta(days=REVIEW_DAYS))
    assert not signal.needs_review_to_withdraw(TODAY + timedelta(days=REVIEW_DAYS + 1))
    assert not a_signal("a").needs_review_to_withdraw(TODAY)
