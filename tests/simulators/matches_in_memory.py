"""What each change of a match does to matches that live in memory: the rules of `broker.store.matches`."""

from collections.abc import Mapping
from dataclasses import replace

from broker.domain.errors import StaleDecisionError
from broker.domain.matches import ChangeMatch, KeptMatch, MarkOverdue, NameCasusregisseur, StoreMatch


def changed(
    matches: Mapping[str, KeptMatch], change: StoreMatch | ChangeMatch | NameCasusregisseur | MarkOverdue
) -> dict[str, KeptMatch]:
    """Return the matches after this change. Raises StaleDecisionError."""
    if isinstance(change, StoreMatch):
        return {**matches, change.match.id: change.match}
    match = matches[change.match_id]
    if isinstance(change, ChangeMatch):
        return {**matches, match.id: _moved(match, change)}
    if isinstance(change, NameCasusregisseur):
        if match.casusregisseur != change.was:
            raise StaleDecisionError
        return {**matches, match.id: replace(match, casusregisseur=change.now)}
    if match.overdue_on is not None:
        raise StaleDecisionError
    return {**matches, match.id: replace(match, overdue_on=change.on)}


def _moved(match: KeptMatch, change: ChangeMatch) -> KeptMatch:
    side = match.side_of(change.organisation)
    if side is None or side.state is not change.was:
        raise StaleDecisionError
    moved = replace(side, state=change.state, changed_on=change.on)
    newer = side.of == match.newer_side.of
    return replace(match, newer_side=moved) if newer else replace(match, older_side=moved)
