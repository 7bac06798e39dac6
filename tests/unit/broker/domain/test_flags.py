"""Which acts stand out: by the day and hour, by a worker's own measure, by what came before; and until when."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pytest

from broker.domain.acts import ReviewedAct
from broker.domain.errors import FieldRuleError
from broker.domain.flags import NETHERLANDS, flags_of
from broker.domain.months import Period
from broker.domain.thresholds import THRESHOLDS, ThresholdChange, ThresholdHistory, check_threshold
from policies.workdays import working_day_after

DAY = 86_400
NONE = ThresholdHistory.of(())


def at(text: str) -> int:
    """Return the unix second of a Dutch date and time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NETHERLANDS).timestamp())


MONDAY = at("2026-11-23T10:00")


def look(index: int, when: int, **changed: Any) -> ReviewedAct:  # noqa: ANN401 - fields of an act
    """Return a check by a worker of one organisation."""
    members: dict[str, Any] = {
        "kind": "check",
        "type": "check_household",
        "worker": "w",
        "role": "worker",
        "persons": 1,
    }
    return ReviewedAct(index=index, at=when, organisation="o", controller="o", **{**members, **changed})


def flagged(
    acts: Iterable[ReviewedAct], kind: str, *, history: ThresholdHistory = NONE, persons: int = 999
) -> list[int]:
    """Return the indexes of the acts that this kind of flag stands on."""
    found = flags_of(acts, thresholds=history, persons_per_day=persons, term_ends=working_day_after)
    return [index for index, flags in sorted(found.items()) if kind in {flag.kind for flag in flags}]


def test_a_refused_exception_waits_for_nobody() -> None:
    """What was refused opened nothing, and fills no queue; who consulted himself stands out, and what was erased."""
    acts = [
        look(at, MONDAY, kind="exception", type="invoke_exception", outcome=outcome, reason=reason)
        for at, (outcome, reason) in enumerate(
            [
                ("refused", "exception-statutory-right"),
                ("refused", "exception-incomplete"),
                ("refused", "exception-own-consultation"),
                ("done", None),
                (None, None),
            ]
        )
    ]
    assert flagged(acts, "exception") == [2, 3, 4]


def test_an_exception_always_stands_out() -> None:
    """Each exception is looked at, within one working day; another act is not, by itself."""
    acts = [look(1, MONDAY), look(2, MONDAY, kind="exception", type="invoke_exception")]
    (flag,) = flags_of(acts, thresholds=NONE, persons_per_day=999, term_ends=working_day_after)[2]
    assert (flag.kind, flag.due_on) == ("exception", date(2026, 11, 24))
    assert flagged(acts, "exception") == [2]


def test_what_does_not_fit_the_log_stands_out_whoever_did_it() -> None:
    """An entry of which something is gone, without an entry that says so, waits for somebody at once."""
    assert flagged([look(1, MONDAY, worker=None, damaged=True), look(2, MONDAY, worker=None)], "damaged") == [1]


@pytest.mark.parametrize(
    ("when", "stands_out"),
    [
        ("2026-11-23T05:59", True),
        ("2026-11-23T06:00", False),
        ("2026-11-23T18:59", False),
        ("2026-11-23T19:00", True),
        ("2026-11-28T12:00", True),
        ("2026-07-06T05:59", True),
        ("2026-07-06T06:00", False),
    ],
)
def test_the_night_and_the_weekend_stand_out(when: str, *, stands_out: bool) -> None:
    """The day runs from six to seven in the evening, Dutch time in summer and winter, Monday to Friday."""
    assert flagged([look(1, at(when))], "off_hours") == ([1] if stands_out else [])


def test_a_role_that_works_at_night_does_not_stand_out() -> None:
    """Where a role does at least one in twenty of its acts in that hour it is usual; for another role it is not."""
    nights = [look(number, at(f"2026-11-{number + 2:02}T02:00"), role="night") for number in range(3)]
    days = [look(10 + number, MONDAY - 3_600 + number, role="night") for number in range(25)]
    acts = [*nights, *days, look(90, at("2026-11-25T02:00"), role="night"), look(91, at("2026-11-25T02:00"))]
    assert flagged(acts, "off_hours") == [0, 1, 2, 91]
    assert flagged([*nights[:1], *days, *acts[-2:]], "off_hours") == [0, 90, 91]
    later = look(95, at("2026-12-20T02:00") + 20 * DAY, role="night")
    assert flagged([*acts, later], "off_hours") == [0, 1, 2, 91, 95]


def test_many_times_the_own_median_stands_out_once_a_day() -> None:
    """Three times what one mostly does on a day, at least eleven, counts by the worker's own days alone."""
    usual = [look(100 * day + n, MONDAY - day * DAY + n) for day in range(3, 8) for n in range(5)]
    usual += [look(900 + n, MONDAY - n, worker="other") for n in range(9)]
    today = [look(10_000 + n, MONDAY + n) for n in range(17)]
    assert flagged([*usual, *today], "volume") == [10_015]
    assert flagged([*usual, *today[:15]], "volume") == []
    assert flagged(today, "volume") == [10_010]
    imported = [look(10_000 + n, MONDAY + n, imported=True) for n in range(17)]
    assert flagged([*usual, *imported], "volume") == []


def test_more_persons_than_the_budget_gives_stands_out_once_a_day() -> None:
    """What goes beyond the ordinary budget of a day came from the reserve for danger, and is looked at in a day."""
    acts = [look(n, MONDAY + n, persons=4) for n in range(1, 5)]
    assert flagged(acts, "budget", persons=11) == [3]
    assert flagged(acts, "budget", persons=16) == []
    assert flagged([look(n, MONDAY + n, persons=0) for n in range(3)], "budget", persons=2) == [2]


def test_a_withdrawal_soon_after_something_was_shown_stands_out() -> None:
    """Looking, seeing somebody, and then erasing one's own reason to look is looked at; a quiet one is not."""
    shown = look(1, MONDAY, shown=1, own_handles=frozenset({"a", "b"}))
    gone = {"kind": "signal", "type": "withdraw_signal"}
    soon = look(2, MONDAY + 14 * DAY, own_handles=frozenset({"a"}), **gone)
    late = look(3, MONDAY + 14 * DAY + 1, own_handles=frozenset({"a"}), **gone)
    other = look(4, MONDAY + 1, own_handles=frozenset({"c"}), **gone)
    assert flagged([shown, soon, late, other], "withdrawal") == [2]
    assert flagged([look(1, MONDAY, own_handles=frozenset({"a"})), soon], "withdrawal") == []


def test_looking_at_one_household_again_and_again_stands_out() -> None:
    """The fifth look of one worker within seven days, and each after it; by colleagues together it is none."""
    handles = frozenset({"h"})
    acts = [look(n, MONDAY + n * DAY, own_handles=handles) for n in range(1, 7)]
    assert flagged(acts, "repeats") == [5, 6]
    shared = [look(n, MONDAY + n, own_handles=handles, worker=f"w{n % 2}") for n in range(8)]
    assert flagged(shared, "repeats") == []
    spread = [look(n, MONDAY + 2 * n * DAY, own_handles=handles) for n in range(8)]
    assert flagged(spread, "repeats") == []
    assert flagged([look(n, MONDAY + n, own_handles=handles, imported=True) for n in range(8)], "repeats") == []


def test_an_act_is_judged_by_the_thresholds_of_its_own_time() -> None:
    """A change counts from its moment on: what stood out before goes on doing so."""
    changes = [ThresholdChange(name="repeats", value=8, reason="work_changed", at=MONDAY + 5 * DAY + 1)]
    history = ThresholdHistory.of(changes)
    acts = [look(n, MONDAY + n * DAY, own_handles=frozenset({"h"})) for n in range(1, 7)]
    assert flagged(acts, "repeats", history=history) == [5]
    assert history.newest("repeats") == changes[0]
    assert history.newest("day_ends") is None


def test_thresholds_stay_within_bounds() -> None:
    """A kind of flag is never put out by a threshold: each has bounds, and an unknown one is refused."""
    for name, known in THRESHOLDS.items():
        assert known.least <= known.default <= known.most
        check_threshold(name, known.least)
        check_threshold(name, known.most)
        for value in (known.least - 1, known.most + 1):
            with pytest.raises(FieldRuleError):
                check_threshold(name, value)
    with pytest.raises(FieldRuleError):
        check_threshold("unknown", 5)


@pytest.mark.parametrize(
    ("day", "kind", "last"),
    [
        ("2026-11-27", "exception", "2026-11-30"),
        ("2026-11-28", "exception", "2026-11-30"),
        ("2026-04-02", "exception", "2026-04-07"),
        ("2026-12-24", "exception", "2026-12-28"),
        ("2026-05-13", "exception", "2026-05-15"),
    ],
)
def test_a_flag_is_judged_by_a_working_day(day: str, kind: str, last: str) -> None:
    """A term that begins before a weekend, or before a public holiday, ends on the first day on which people work."""
    act = look(2, at(f"{day}T10:00"), kind=kind, type="invoke_exception")
    flags = flags_of([act], thresholds=NONE, persons_per_day=999, term_ends=working_day_after)[2]
    assert [flag.due_on for flag in flags if flag.kind == kind] == [date.fromisoformat(last)]


def test_a_month_is_that_of_the_netherlands() -> None:
    """Months begin and end at Dutch midnight; the day after a moment leaves the margin that was asked."""
    december = Period.of_month("2026-12")
    assert (december.since, december.until) == (at("2026-12-01T00:00"), at("2027-01-01T00:00"))
    day = Period.days_after(at("2026-11-23T22:30"), margin_s=3_600, days=1)
    assert (day.since, day.until) == (at("2026-11-24T00:00"), at("2026-11-25T00:00"))
    late = Period.days_after(at("2026-11-23T23:30"), margin_s=3_600, days=7)
    assert (late.since, late.until) == (at("2026-11-25T00:00"), at("2026-12-02T00:00"))


def read(index: int, when: int, letter: str = "l", **changed: Any) -> ReviewedAct:  # noqa: ANN401 - fields of an act
    """Return an act that handed out what a letter says."""
    return look(index, when, kind="read", type="fetch_request", persons=0, read=letter, **changed)


def test_reading_what_was_written_is_looked_at_as_asking_is() -> None:
    """In the night, too much in a day, or one letter again and again: who reads stands out as who looks up does."""
    assert flagged([read(1, at("2026-11-24T03:00"))], "off_hours") == [1]
    least = THRESHOLDS["volume_least"].default
    many = [read(number, MONDAY + number, letter=str(number)) for number in range(least + 1)]
    assert flagged(many, "volume") == [least]
    assert flagged(many, "repeats") == []
    again = [read(number, MONDAY + number * DAY) for number in range(1, 6)]
    assert flagged(again, "repeats") == [5]
    assert flagged(many, "budget", persons=1) == []


def test_a_list_of_letters_and_what_asks_about_nobody_are_no_acts_with_a_household() -> None:
    """Parts of an attachment and receipts neither make a day busy nor thin out the sample; a list hands out nothing."""
    for act_type in ("store_chunk", "note_receipt", "forward_request", "withdraw_request", "verify_caller"):
        assert not look(1, MONDAY, kind="request", type=act_type).asks
    assert not look(1, MONDAY, kind="read", type="fetch_request").asks
    assert look(1, MONDAY, kind="request", type="request_information").asks
    assert read(1, MONDAY).asks


def test_an_oproep_is_a_look() -> None:
    """It looks up the same tokens as a check, and counts as one for the day, the budget and the household."""
    calls = [
        look(n, MONDAY + n * DAY, kind="oproep", type="call_holders", own_handles=frozenset({"h"})) for n in range(1, 6)
    ]
    assert flagged(calls, "repeats") == [5]
    day = [look(n, MONDAY + n, kind="oproep", type="call_holders", persons=2) for n in range(3)]
    assert flagged(day, "budget", persons=5) == [2]


def test_one_proof_that_serves_too_often_stands_out() -> None:
    """The number of one melding opens no street: its fifth look in the period stands out, whoever used it."""
    acts = [look(n, MONDAY + n * 60, worker=f"w{n % 2}", proof="p") for n in range(1, 7)]
    assert flagged(acts, "proof") == [5, 6]
    assert flagged([look(n, MONDAY + n * 60, proof=f"p{n}") for n in range(9)], "proof") == []
    assert flagged([look(n, MONDAY + n * 60) for n in range(9)], "proof") == []
    assert flagged([look(n, MONDAY + n * 40 * DAY, proof="p") for n in range(6)], "proof") == []
