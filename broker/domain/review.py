"""Who may judge whose acts, and what a judgement is: never one's own, never one's own team's (red line 11)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from broker.domain.acts import ReviewedAct, ReviewNote

PRIVACYFUNCTIONARIS = "privacyfunctionaris"
FG = "fg"
REVIEWERS = frozenset({PRIVACYFUNCTIONARIS, FG})
VERDICTS = ("in_order", "asked", "not_in_order")
IN_ORDER = "in_order"
NOT_IN_ORDER = "not_in_order"
FINAL = frozenset({"in_order", "not_in_order"})
"""Verdicts after which an act waits for nobody any more; `asked` waits for the worker's answer."""
REVIEWERS_OF_HIGH = 2
"""Different reviewers who find a high risk in order, neither of whom did it or is of that team."""
REVIEWED_DAYS = 92
"""Days in which an act is looked at: so long one that stands out waits in the queue, and nothing of it is erased."""
LATE_DAYS = 5
"""Days after which a flag that is not judged, or was judged later, is counted as late in the report."""

STATEMENTS = frozenset({"give_verdict", "rejudge_verdict", "change_threshold", "draw_sample", "note_log_check"})
"""Types of acts in which a reviewer states something."""
VERDICT = "verdict"
REJUDGEMENT = "rejudgement"
THRESHOLD = "threshold"
POPULATION = "population"
SAMPLE = "sample"
LOG_CHECK = "log_check"
REGION_FIGURES = "region_figures"
"""What was counted over the region in a month that is over, kept by the first who asked, under `REGION`."""
REGION = "region"


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
    at_veilig_thuis: bool = False


def own_act(reviewer: Reviewer, act: ReviewedAct) -> bool:
    """Return whether the reviewer did this himself, approved it, or was consulted about it.

    Where another organisation consulted Veilig Thuis, no single person is named: then nobody who works there judges it.
    """
    elsewhere = act.organisation != reviewer.organisation
    consulted = act.with_veilig_thuis and reviewer.at_veilig_thuis and elsewhere
    return consulted or act.involves(reviewer.organisation, reviewer.worker)


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


def verdicts_by_act(notes: Iterable[KeptNote]) -> dict[str, list[KeptNote]]:
    """Return the verdicts on each act, by what they are about, oldest first."""
    found: dict[str, list[KeptNote]] = {}
    for kept in sorted(notes, key=lambda kept: kept.index):
        found.setdefault(kept.note.about, []).append(kept)
    return found


def closings(verdicts: Iterable[KeptNote], *, high: bool) -> Iterator[int | None]:
    """Yield, for each verdict on one act, since when nobody waits any more; None while somebody does.

    "Not in order" closes at once. "In order" does too, but of a high risk it takes two different reviewers in
    succession: any other verdict between them begins the count anew.

    Args:
        verdicts: on this act, oldest first.
        high: it stands out for a reason of which one reviewer's word is not enough.
    """
    agreed: set[str] = set()
    since: int | None = None
    for kept in verdicts:
        word = kept.note.body["verdict"]
        agreed = agreed | {kept.note.worker} if word == IN_ORDER else set()
        closed = word in FINAL and (word != IN_ORDER or not high or len(agreed) >= REVIEWERS_OF_HIGH)
        since = (kept.at if since is None else since) if closed else None
        yield since


def is_closed(verdicts: Sequence[KeptNote], *, high: bool) -> bool:
    """Return whether nobody waits for a verdict on this act any more."""
    return list(closings(verdicts, high=high))[-1:] not in ([], [None])
