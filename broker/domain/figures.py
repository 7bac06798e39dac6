"""The figures of the monthly report: counts that say nothing about one family or one worker (security-ux §4, flow 7).

Nothing under ten is told, and no share whose rest is under ten: it would tell the same. What is counted over the region
is told of months that are over, in tens, once and for all: of two tellings the difference would be one event of another
organisation, or that one of them hid a signal in between.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from broker.domain.acts import ReviewedAct
from broker.domain.flags import Flag, is_high, local
from broker.domain.review import LATE_DAYS, KeptNote, closings, verdicts_by_act

LEAST = 10
"""The smallest number that is told."""
LEAST_ORGANISATIONS = 3
"""Organisations behind a figure of the region, so that it is nobody's own."""
NOT_RECORDED = ("expired", "rights_in_term")
"""Figures that no act stands behind: a request expires by its day, and the rights desk's flows come later.

They say so, instead of saying none.
"""
DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: a count, or a count of a whole; both None where it may not be told."""

    id: str
    count: int | None
    of: int | None
    state: Literal["shown", "under_ten", "not_recorded"]


def figure(name: str, count: int, of: int | None = None) -> Figure:
    """Return a figure, told only where nothing under ten can be read from it."""
    hidden = count < LEAST or (of is not None and (of < LEAST or 0 < of - count < LEAST))
    if hidden:
        return Figure(id=name, count=None, of=None, state="under_ten")
    return Figure(id=name, count=count, of=of, state="shown")


def rate(name: str, count: int, of: int) -> Figure:
    """Return how often something was done per whole, where both are large enough."""
    if min(count, of) < LEAST:
        return Figure(id=name, count=None, of=None, state="under_ten")
    return Figure(id=name, count=count, of=of, state="shown")


def not_recorded(name: str) -> Figure:
    """Return a figure of which nothing is recorded yet."""
    return Figure(id=name, count=None, of=None, state="not_recorded")


def looks_per_class(
    looks: Mapping[str, int], signals: Mapping[str, int], classes: Mapping[str, str]
) -> tuple[Figure, ...]:
    """Return looks against active signals by class of organisation, for the whole region, in whole tens.

    Args:
        looks: of each organisation in the month.
        signals: active ones of each organisation.
        classes: the class of each organisation.
    """
    found = []
    for org_class in sorted(set(classes.values())):
        members = [oin for oin, known in classes.items() if known == org_class and (oin in looks or oin in signals)]
        if len(members) >= LEAST_ORGANISATIONS:
            made, held = (sum(counts.get(oin, 0) for oin in members) for counts in (looks, signals))
            found.append(rate(f"looks.{org_class}", made // LEAST * LEAST, held // LEAST * LEAST))
    return tuple(found)


def own_acts(acts: Iterable[ReviewedAct], *, signals: int) -> tuple[Figure, ...]:
    """Return what the own acts of a month add up to."""
    every = tuple(acts)
    asked = [act for act in every if act.asks]
    done = [act for act in every if act.outcome == "done"]
    looks = [act for act in asked if act.looks]
    exceptions = [act for act in asked if act.kind == "exception"]
    types = Counter(act.purpose or "?" for act in exceptions)
    return (
        rate("looks.own", len(looks), signals),
        figure("shown", sum(act.outcome == "shown" for act in looks), len(looks)),
        figure("refused", sum(act.outcome == "refused" for act in asked), len(asked)),
        figure("exceptions", len(exceptions)),
        # A type that stands there and is not told would tell that there is one.
        *(figure(f"exceptions.{name}", count) for name, count in sorted(types.items()) if count >= LEAST),
        *_followed_up(done),
    )


def _followed_up(done: Sequence[ReviewedAct]) -> tuple[Figure, ...]:
    """Return what came of matches, exceptions and requests, of the acts of a month that were carried out."""
    answers = [act.answer for act in done if act.answer is not None]
    declined = sum(answer == DECLINED for answer in answers)
    # Whoever names the consultation of an acute exception does so in a second act, within a day.
    invoked = {act.exception for act in done if act.exception is not None}
    consulted = {act.exception for act in done if act.consulted is not None or act.with_veilig_thuis}
    return (
        figure("contact", sum(act.first_contact for act in done)),
        figure("exceptions_unconsulted", len(invoked - consulted)),
        figure("answered", len(answers) - declined),
        figure("not_shared", declined),
    )


def shares(whole: int, **parts: int) -> tuple[Figure, ...]:
    """Return parts of one whole, told only where none of them, nor what is left, is under ten but there."""
    rest = whole - sum(parts.values())
    if any(0 < count < LEAST for count in (*parts.values(), rest)):
        return tuple(Figure(id=name, count=None, of=None, state="under_ten") for name in parts)
    return tuple(figure(name, count, whole) for name, count in parts.items())


def late_flags(
    flags: Mapping[int, tuple[Flag, ...]], acts: Iterable[ReviewedAct], verdicts: Iterable[KeptNote], *, today: date,
    drawn_at: Mapping[int, int],
) -> tuple[Figure, ...]:  # fmt: skip
    """Return how many acts stood out, and how many of them were not judged within five days.

    `drawn_at` holds the unix second at which an act was drawn that did not stand out before.
    """
    given = verdicts_by_act(verdicts)
    waited = []
    stood_out = [act for act in acts if flags.get(act.index)]
    for act in stood_out:
        high = is_high(flag.kind for flag in flags[act.index])
        ended = next((at for at in closings(given.get(str(act.index), ()), high=high) if at is not None), None)
        judged_on = today if ended is None else local(ended).date()
        waited.append((judged_on - local(drawn_at.get(act.index, act.at)).date()).days)
    return figure("flags", len(stood_out)), figure("flags_late", sum(days > LATE_DAYS for days in waited))
