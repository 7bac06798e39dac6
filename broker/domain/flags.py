"""Which acts stand out, and until when somebody looks at them. Pure, and the same whenever it is computed.

    damaged      what is stored of the entry is gone or does not fit the log, and no entry says why
    exception    an exception was used, or refused to who named himself as the colleague whom he consulted
    off_hours    outside the day, and in an hour in which this role rarely works
    volume       many times this worker's own median on one day
    budget       more persons on one day than the ordinary budget gives: the reserve for danger was used
    withdrawal   withdrawn, or tried to, soon after something was shown; or refused until somebody looks
    repeats      one worker looked at one household, or read one letter, again and again
    proof        looked up again and again on one and the same proof
    own_approval somebody made both statements of what takes two people; it was refused
    unfollowed   done on a report that would follow, and none followed within a working day
    late_rest    the rest of an acute exception came after more than a day, or never

Households are told apart by the actor's own signals and by nothing else. Handles of hits are the same in no two worlds:
a flag that rests on them tells whoever reads it that a signal is there which the asker may not see (D8). So repeats of
who has no signal of his own on the household are not found here.

More kinds come as their causes come.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from broker.domain.acts import OWN_APPROVAL_REASON, WITHDRAWING, ReviewedAct
from broker.domain.thresholds import THRESHOLDS, ThresholdHistory
from broker.domain.unkept import not_followed, without_rest

FLAG_KINDS = (
    "damaged", "exception", "off_hours", "volume", "budget", "withdrawal", "repeats", "proof", "own_approval",
    "unfollowed", "late_rest",
)  # fmt: skip
HIGH_KINDS = frozenset({"exception", "shielded", "own_household"})
"""Kinds that are "in order" only when two reviewers find so; the last two come with shielding and with rosters."""
OWN_CONSULTATION = "exception-own-consultation"
"""Why an exception is refused that somebody wanted to consult himself about; what else is refused opened nothing."""
TERM_WORKING_DAYS: Mapping[str, int] = {"damaged": 1, "exception": 1, "budget": 1, "late_rest": 1}
"""Working days in which a flag is judged, where it is sooner than `ORDINARY_TERM`."""
ORDINARY_TERM = 5
BASELINE_DAYS = 28
"""Days before an act from which its baseline is taken."""
BASELINE_ACTS = 20
"""Acts of a role that make a baseline; with fewer only the hours of the day count."""
MEDIAN_DAYS = 5
"""Days on which a worker must have worked before his own median says something."""
MOST_REPEATS_DAYS = THRESHOLDS["repeats_days"].most
_DAY_S = 86_400
_FRIDAY = 4
TermEnds = Callable[[date, int], date]
NETHERLANDS = ZoneInfo("Europe/Amsterdam")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Why an act stands out, and the last day on which that is judged in time."""

    kind: str
    due_on: date


def local(at: int) -> datetime:
    """Return the time in the Netherlands."""
    return datetime.fromtimestamp(at, UTC).astimezone(NETHERLANDS)


def kinds_alone(act: ReviewedAct) -> tuple[str, ...]:
    """Return the kinds for which an act stands out by itself, whatever else was done and whatever the thresholds."""
    found = {
        "damaged": act.damaged,
        "exception": act.kind == "exception" and (act.outcome != "refused" or act.reason == OWN_CONSULTATION),
        "own_approval": act.reason == OWN_APPROVAL_REASON,
    }
    return tuple(kind for kind, stands_out in found.items() if stands_out)


def is_high(kinds: Iterable[str]) -> bool:
    """Return whether one of these kinds takes two reviewers."""
    return not HIGH_KINDS.isdisjoint(kinds)


def flags_of(
    acts: Iterable[ReviewedAct], *, thresholds: ThresholdHistory, persons_per_day: int, term_ends: TermEnds
) -> dict[int, tuple[Flag, ...]]:
    """Return the flags of each act that stands out, by its index.

    Args:
        acts: of one organisation; those of `BASELINE_DAYS` before the first that matters among them.
        thresholds: of this organisation.
        persons_per_day: what the ordinary budget for checks gives one worker a day.
        term_ends: gives the last of so many working days after a day.
    """
    known = sorted(acts, key=lambda act: act.index)
    ordered = [act for act in known if act.asks and act.worker is not None]
    found: defaultdict[int, list[str]] = defaultdict(list)
    for act in known:
        found[act.index] += kinds_alone(act)
    for kind, flagged in (
        ("off_hours", _off_hours(ordered, thresholds)),
        ("volume", _volume(ordered, thresholds)),
        ("budget", _budget(ordered, persons_per_day)),
        ("withdrawal", _withdrawals(ordered, thresholds)),
        ("repeats", _repeats(ordered, thresholds)),
        ("proof", _proofs(ordered, thresholds)),
        ("unfollowed", not_followed(known, term_ends)),
        ("late_rest", without_rest(known)),
    ):
        for act in flagged:
            found[act.index].append(kind)
    days = {act.index: local(act.at).date() for act in known}
    return {
        index: tuple(_flag(kind, days[index], term_ends) for kind in kinds) for index, kinds in found.items() if kinds
    }


def _flag(kind: str, day: date, term_ends: TermEnds) -> Flag:
    return Flag(kind=kind, due_on=term_ends(day, TERM_WORKING_DAYS.get(kind, ORDINARY_TERM)))


def _off_hours(acts: Sequence[ReviewedAct], thresholds: ThresholdHistory) -> Iterator[ReviewedAct]:
    """Yield acts in the night or the weekend, unless this role works at that hour more than now and then."""
    by_role: defaultdict[str | None, list[ReviewedAct]] = defaultdict(list)
    for act in acts:
        by_role[act.role].append(act)
    for of_role in by_role.values():
        hours: Counter[tuple[bool, int]] = Counter()
        first = 0
        for act in of_role:
            while of_role[first].at < act.at - BASELINE_DAYS * _DAY_S:
                hours[_hour(of_role[first])] -= 1
                first += 1
            if _outside(act, thresholds) and not _usual(hours, act, thresholds):
                yield act
            hours[_hour(act)] += 1


def _hour(act: ReviewedAct) -> tuple[bool, int]:
    moment = local(act.at)
    return moment.weekday() > _FRIDAY, moment.hour


def _outside(act: ReviewedAct, thresholds: ThresholdHistory) -> bool:
    weekend, hour = _hour(act)
    begins, ends = (thresholds.value(name, at=act.at) for name in ("day_begins", "day_ends"))
    return weekend or not begins <= hour < ends


def _usual(hours: Counter[tuple[bool, int]], act: ReviewedAct, thresholds: ThresholdHistory) -> bool:
    total = hours.total()
    percent = thresholds.value("baseline_percent", at=act.at)
    return total >= BASELINE_ACTS and hours[_hour(act)] * 100 >= percent * total


def _by_worker_and_day(acts: Iterable[ReviewedAct]) -> dict[str | None, dict[date, list[ReviewedAct]]]:
    """Return each worker's looks, and what he read, by the day."""
    found: defaultdict[str | None, defaultdict[date, list[ReviewedAct]]] = defaultdict(lambda: defaultdict(list))
    for act in acts:
        if act.looks or act.read is not None:
            found[act.worker][local(act.at).date()].append(act)
    return {worker: dict(days) for worker, days in found.items()}


def _volume(acts: Sequence[ReviewedAct], thresholds: ThresholdHistory) -> Iterator[ReviewedAct]:
    """Yield, once a day, the act with which a worker did many times what he mostly does."""
    for days in _by_worker_and_day(acts).values():
        for day, done in days.items():
            before = [len(days[each]) for each in days if timedelta(0) < day - each <= timedelta(days=BASELINE_DAYS)]
            at = done[0].at
            limit = thresholds.value("volume_least", at=at)
            if len(before) >= MEDIAN_DAYS:
                limit = max(limit, round(thresholds.value("volume_times", at=at) * statistics.median(before)))
            if len(done) > limit:
                yield done[limit]


def _budget(acts: Sequence[ReviewedAct], persons_per_day: int) -> Iterator[ReviewedAct]:
    """Yield, once a day, the act with which a worker had counted more persons than his ordinary budget gives."""
    for days in _by_worker_and_day(acts).values():
        for done in days.values():
            counted = 0
            for act in done:
                # Who reads has not looked anybody up: no budget pays for it.
                counted += max(1, act.persons) if act.looks else 0
                if counted > persons_per_day:
                    yield act
                    break


def _withdrawals(acts: Sequence[ReviewedAct], thresholds: ThresholdHistory) -> Iterator[ReviewedAct]:
    """Yield withdrawals soon after somebody was shown in that household, and every one that waits for a reviewer."""
    shown_at: dict[str, int] = {}
    for act in acts:
        if act.type == WITHDRAWING:
            days = thresholds.value("quick_withdraw_days", at=act.at)
            if act.waits_to_withdraw or any(
                act.at - shown_at[handle] <= days * _DAY_S for handle in act.own_handles if handle in shown_at
            ):
                yield act
        elif act.shown:
            shown_at.update(dict.fromkeys(act.own_handles, act.at))


def _repeats(acts: Sequence[ReviewedAct], thresholds: ThresholdHistory) -> Iterator[ReviewedAct]:
    """Yield the act with which one worker had looked at one household so often, and each one after it."""
    looks: defaultdict[tuple[str | None, str], list[int]] = defaultdict(list)
    for act in acts:
        if not act.looks and act.read is None:
            continue
        since = act.at - thresholds.value("repeats_days", at=act.at) * _DAY_S
        often = False
        for handle in act.own_handles if act.looks else (f"letter {act.read}",):
            mine = [at for at in looks[act.worker, handle] if at >= act.at - MOST_REPEATS_DAYS * _DAY_S] + [act.at]
            looks[act.worker, handle] = mine
            often = often or sum(at >= since for at in mine) >= thresholds.value("repeats", at=act.at)
        if often:
            yield act


def _proofs(acts: Sequence[ReviewedAct], thresholds: ThresholdHistory) -> Iterator[ReviewedAct]:
    """Yield the look with which one proof of the organisation had served so often, and each one after it.

    A melding is about one household, and nothing but its own number says which: whoever looks neighbours up under the
    number of a real one stands out by how often that number serves, whoever used it.
    """
    looks: defaultdict[str, list[int]] = defaultdict(list)
    for act in acts:
        if not act.looks or act.proof is None:
            continue
        since = act.at - thresholds.value("repeats_days", at=act.at) * _DAY_S
        looks[act.proof] = [at for at in looks[act.proof] if at >= since] + [act.at]
        if len(looks[act.proof]) >= thresholds.value("repeats", at=act.at):
            yield act
