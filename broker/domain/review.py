"""Who may judge whose acts, and what a judgement is: never one's own, never one's own team's (red line 11)."""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.acts import ReviewedAct, ReviewNote

PRIVACYFUNCTIONARIS = "privacyfunctionaris"
FG = "fg"
REVIEWERS = frozenset({PRIVACYFUNCTIONARIS, FG})
VERDICTS = ("in_order", "asked", "not_in_order")
FINAL = frozenset({"in_order", "not_in_order"})
"""Verdicts after which an act waits for nobody any more; `asked` waits for the worker's answer."""
LATE_DAYS = 5
"""Days after which a flag that is not judged, or was judged later, is counted as late in the report."""

VERDICT = "verdict"
REJUDGEMENT = "rejudgement"
THRESHOLD = "threshold"
POPULATION = "population"
SAMPLE = "sample"
LOG_CHECK = "log_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNote:
    """A note with the index and the time, in unix seconds, of its entry."""

    index: int
    at: int
    note: ReviewNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Who reviews: the person at the broker, and the teams the organisation's roster says he is in."""

    organisation: str
    worker: str
    teams: frozenset[str]


def own_act(reviewer: Reviewer, act: ReviewedAct) -> bool:
    """Return whether the reviewer did this himself, or approved it."""
    return act.is_by(reviewer.organisation, reviewer.worker)


def own_team(reviewer: Reviewer, act: ReviewedAct, *, teams_of_worker: frozenset[str]) -> bool:
    """Return whether it was done for a team of the reviewer, or by somebody who is in one.

    Args:
        reviewer: who judges.
        act: what is judged.
        teams_of_worker: the teams of who did it, by the organisation's roster.
    """
    if act.organisation != reviewer.organisation:
        return False
    return act.team in reviewer.teams or bool(reviewer.teams & teams_of_worker)


def newest_verdicts(notes: Iterable[KeptNote]) -> dict[str, KeptNote]:
    """Return the last verdict on each act, by what it is about."""
    return {kept.note.about: kept for kept in sorted(notes, key=lambda kept: kept.index)}
