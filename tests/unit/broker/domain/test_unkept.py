"""What was promised and not kept stands out: once its term is over, and never where it was kept in time."""

from typing import Any

import pytest

from broker.domain.acts import ReviewedAct
from tests.unit.broker.domain.test_flags import DAY, at, flagged, look

FRIDAY = at("2026-11-20T16:00")
"""The working day after it is Monday 23 November."""
NEXT = at("2026-11-24T00:00")
"""When that Monday is over."""
HOUSE = frozenset({"h"})


def promised(when: int = FRIDAY, **changed: Any) -> ReviewedAct:  # noqa: ANN401 - fields of an act
    """Return a look in need, on a report that is still to be made."""
    members = {"proof_kind": "melding_volgt", "proof": "call", "case_ref": "c", "outcome": "nothing"}
    return look(1, when, **{**members, **changed})


def report(when: int, **changed: Any) -> ReviewedAct:  # noqa: ANN401 - fields of an act
    """Return a later act on a report."""
    members = {"proof_kind": "melding", "proof": "number", "case_ref": "d", "outcome": "nothing"}
    return look(2, when, **{**members, **changed})


def later(when: int = NEXT) -> ReviewedAct:
    """Return any act that shows how late it is."""
    return look(9, when, kind="read", type="review_acts")


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({}, {"case_ref": "c"}),
        ({}, {"proof": "call"}),
        ({"own_handles": HOUSE, "case_ref": None}, {"own_handles": HOUSE, "case_ref": None}),
        ({}, {"case_ref": "c", "kind": "match", "type": "start_terms"}),
    ],
)
def test_a_report_that_follows_in_time_is_what_was_promised(mine: dict[str, Any], other: dict[str, Any]) -> None:
    """By the same case, number or household, whatever act states it, up to the end of the next working day."""
    acts = [promised(**mine), report(NEXT - 1, **other), later(NEXT + DAY)]
    assert flagged(acts, "unfollowed") == []
    assert flagged([promised(**mine), report(NEXT, **other), later(NEXT + DAY)], "unfollowed") == [1]


def test_without_a_report_it_stands_out_once_its_term_is_over() -> None:
    """Not before the working day has passed; a report of another household, or another promise, is none."""
    assert flagged([promised(), later(NEXT - 1)], "unfollowed") == []
    assert flagged([promised(), later()], "unfollowed") == [1]
    nothing_known: dict[str, Any] = {"case_ref": None, "proof": None}
    others = (report(FRIDAY + 1), report(FRIDAY + 1, proof_kind="melding_volgt", case_ref="c"))
    for other in (*others, report(FRIDAY + 1, **nothing_known), report(FRIDAY - 1, case_ref="c")):
        assert 1 in flagged([promised(), other, later()], "unfollowed")
    assert flagged([promised(**nothing_known), report(FRIDAY + 1, **nothing_known), later()], "unfollowed") == [1]
    for outcome in ("refused", "error"):
        assert flagged([promised(outcome=outcome), later()], "unfollowed") == []


def acute(index: int, when: int, **changed: Any) -> ReviewedAct:  # noqa: ANN401 - fields of an act
    """Return an act on an acute exception."""
    members = {
        "kind": "exception", "type": "invoke_exception", "exception": "e", "exception_type": "acuut", "outcome": "done",
    }  # fmt: skip
    return look(index, when, **{**members, **changed})


def test_the_rest_of_what_was_acute_comes_within_a_day() -> None:
    """In time nothing stands out; too late the act that brought it does, and without it the exception itself."""
    first = acute(1, FRIDAY)
    for when, late in ((FRIDAY + DAY, []), (FRIDAY + DAY + 1, [2])):
        rest = acute(2, when, type="complete_exception")
        assert flagged([first, rest, later(NEXT + DAY)], "late_rest") == late
    assert flagged([first, later(FRIDAY + DAY)], "late_rest") == []
    assert flagged([first, later()], "late_rest") == [1]
    # The rest of another, one that was refused, and what is not acute are none.
    others: list[dict[str, Any]] = [{"exception": "f"}, {"outcome": "refused"}]
    for other in others:
        rest = acute(2, FRIDAY + 1, type="complete_exception", **other)
        assert 1 in flagged([first, rest, later()], "late_rest")
    assert flagged([acute(1, FRIDAY, exception_type="cvp"), later()], "late_rest") == []


def test_who_approved_his_own_act_stands_out() -> None:
    """Whatever he tried: at the edge, or as the second of two people on his own list."""
    tried = [
        look(1, FRIDAY, kind="admin", type="approve_own_act", reason="approver-is-requester", outcome="refused"),
        look(2, FRIDAY, kind="erasure", type="confirm_erasure", reason="approver-is-requester", outcome="refused"),
        look(3, FRIDAY, kind="admin", type="hand_over_signals", outcome="done"),
    ]
    assert flagged(tried, "own_approval") == [1, 2]
