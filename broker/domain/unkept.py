"""What was promised with an act, and not kept: a report that would follow, the rest of an acute exception. Pure.

Judged as of the newest act that is known: nothing stands out before its term is over, and what is done in time never.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from broker.domain.acts import ReviewedAct
from broker.domain.exceptions import REST_S, ExceptionType

FOLLOWS: Mapping[str, str] = {"melding_volgt": "melding"}
"""Proofs that stand for one that is still to be made, and the one that follows within a working day."""
FOLLOWED_WORKING_DAYS = 1
_ZONE = ZoneInfo("Europe/Amsterdam")


def not_followed(acts: Sequence[ReviewedAct], term_ends: Callable[[date, int], date]) -> Iterator[ReviewedAct]:
    """Yield each act on a proof that would follow, where no act on that proof came within its working day.

    It follows by the same number, about the same case, or on a household that both have a signal on: the number itself
    is mostly not there yet when somebody calls in need. An act that was refused told nobody anything.
    """
    as_of = max((act.at for act in acts), default=0)
    for act in acts:
        wanted = FOLLOWS.get(act.proof_kind or "")
        if wanted is None or act.outcome in ("refused", "error"):
            continue
        ends = _second_after(term_ends(_day(act.at), FOLLOWED_WORKING_DAYS))
        followed = any(one.proof_kind == wanted and act.at <= one.at < ends and _same(act, one) for one in acts)
        if not followed and as_of >= ends:
            yield act


def without_rest(acts: Sequence[ReviewedAct]) -> Iterator[ReviewedAct]:
    """Yield what brought the rest of an acute exception after more than a day, and one whose rest never came."""
    as_of = max((act.at for act in acts), default=0)
    acute = {act.exception: act for act in acts if _is_acute(act, "invoke_exception")}
    rests = {act.exception: act for act in reversed(acts) if _is_acute(act, "complete_exception")}
    for exception, act in acute.items():
        rest = rests.get(exception)
        if (as_of if rest is None else rest.at) > act.at + REST_S:
            yield act if rest is None else rest


def _is_acute(act: ReviewedAct, kind: str) -> bool:
    acute = act.exception_type == ExceptionType.ACUTE.value
    return acute and act.type == kind and act.outcome == "done"


def _same(act: ReviewedAct, later: ReviewedAct) -> bool:
    if act.case_ref is not None and act.case_ref == later.case_ref:
        return True
    return (act.proof is not None and act.proof == later.proof) or bool(act.own_handles & later.own_handles)


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(_ZONE).date()


def _second_after(day: date) -> float:
    """Return the unix second at which the day after this one begins."""
    after = day + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=_ZONE).timestamp()
