"""The figures of the monthly report: counts that say nothing about one family or one worker (security-ux §4, flow 7).

Nothing under ten is told, and no share whose rest is under ten: it would tell the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from broker.domain.acts import LOOKING, ReviewedAct
from broker.domain.flags import Flag, is_high, local
from broker.domain.review import LATE_DAYS, KeptNote, closings, verdicts_by_act

LEAST = 10
"""The smallest number that is told."""
LEAST_ORGANISATIONS = 3
"""Organisations behind a figure of the region, so that it is nobody's own."""
NOT_RECORDED = ("contact", "exceptions_unconsulted", "answered", "not_shared", "expired", "rights_in_term")
"""Figures whose acts do not exist yet: their flows come later. They say so, instead of saying none."""


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
    """Return looks against active signals by class of organisation, for the whole region.

    Args:
        looks: of each organisation in the month.
        signals: active ones of each organisation.
        classes: the class of each organisation.
    """
    found = []
    for org_class in sorted(set(classes.values())):
        members = [oin for oin, known in classes.items() if known == org_class and (oin in looks or oin in signals)]
        if len(members) >= LEAST_ORGANISATIONS:
            made = sum(looks.get(oin, 0) for oin in members)
            found.append(rate(f"looks.{org_class}", made, sum(signals.get(oin, 0) for oin in members)))
    return tuple(found)


def own_acts(acts: Iterable[ReviewedAct], *, signals: int) -> tuple[Figure, ...]:
    """Return what the own acts of a month add up to."""
    asked = [act for act in acts if act.asks]
    looks = [act for act in asked if act.type in LOOKING and not act.imported]
    exceptions = [act for act in asked if act.kind == "exception"]
    types = sorted({act.purpose or "?" for act in exceptions})
    return (
        rate("looks.own", len(looks), signals),
        figure("shown", sum(act.outcome == "shown" for act in looks), len(looks)),
        figure("refused", sum(act.outcome == "refused" for act in asked), len(asked)),
        figure("exceptions", len(exceptions)),
        *(figure(f"exceptions.{name}", sum(act.purpose == name for act in exceptions)) for name in types),
    )


def late_flags(
    flags: Mapping[int, tuple[Flag, ...]], acts: Iterable[ReviewedAct], verdicts: Iterable[KeptNote], *, today: date
) -> tuple[Figure, ...]:
    """Return how many acts stood out, and how many of them were not judged within five days."""
    given = verdicts_by_act(verdicts)
    waited = []
    stood_out = [act for act in acts if flags.get(act.index)]
    for act in stood_out:
        high = is_high(flag.kind for flag in flags[act.index])
        ended = next((at for at in closings(given.get(str(act.index), ()), high=high) if at is not None), None)
        waited.append(((today if ended is None else local(ended).date()) - local(act.at).date()).days)
    return figure("flags", len(stood_out)), figure("flags_late", sum(days > LATE_DAYS for days in waited))
