"""What each change of a match does to matches that live in memory: the rules of `broker.store.matches`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from broker.domain.errors import StaleDecisionError
from broker.domain.matches import (
    ChangeMatch,
    KeptMatch,
    MarkOverdue,
    MeetLater,
    NameCasusregisseur,
    NoteMet,
    StoreMatch,
)


def changed(
    matches: Mapping[str, KeptMatch], change: StoreMatch | ChangeMatch | NameCasusregisseur | MarkOverdue, *, index: int
) -> dict[str, KeptMatch]:
    """Return the matches after this change. Raises StaleDecisionError."""
    if isinstance(change, StoreMatch):
        return {**matches, change.match.id: change.match}
    match = matches[change.match_id]
    if isinstance(change, ChangeMatch):
        return {**matches, match.id: _moved(match, change)}
    if isinstance(change, NameCasusregisseur):
        seen = dict(((match.id, change.was), *change.beside))
        if any(one not in matches or matches[one].casusregisseur != was for one, was in seen.items()):
            raise StaleDecisionError
        return {**matches, match.id: replace(match, casusregisseur=change.now, named_in=index, named_over=change.over)}
    if match.overdue_on is not None:
        raise StaleDecisionError
    return {**matches, match.id: replace(match, overdue_on=change.on)}


def now_unmet(unmet: Sequence[str], change: MeetLater | NoteMet) -> list[str]:
    """Return the signals that wait for their turn after this change. Raises StaleDecisionError."""
    if isinstance(change, MeetLater):
        return [*unmet, change.signal_id]
    if change.signal_id not in unmet:
        raise StaleDecisionError
    return [one for one in unmet if one != change.signal_id]


def without(matches: Mapping[str, KeptMatch], signal_id: str) -> dict[str, KeptMatch]:
    """Return the matches that still rest on signals of both sides, once this signal has ended."""
    left = (
        replace(match, links=tuple(link for link in match.links if link.signal.id != signal_id))
        for match in matches.values()
        if match.newer.id != signal_id
    )
    return {match.id: match for match in left if match.links}


def _moved(match: KeptMatch, change: ChangeMatch) -> KeptMatch:
    side = match.side_of(change.organisation)
    if side is None or side.state is not change.was:
        raise StaleDecisionError
    moved = replace(side, state=change.state, changed_on=change.on)
    newer = side.of == match.newer_side.of
    return replace(match, newer_side=moved) if newer else replace(match, older_side=moved)
