"""What an asker is told: that an organisation's team is involved, never how often, since when or why (D6)."""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.households import STRENGTH, Hit, MatchKind

CONTACT_LEVEL = 2
"""Organisation and contact: the highest level the broker holds, and the lowest that names anybody."""
MOST_SIGNALS_OF_AN_ADDRESS = 12
"""The highest number of others' signals at one address that may still be told of; an operator may set it lower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermittedHit:
    """A hit that `may_see` permitted, up to a level."""

    hit: Hit
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRow:
    """One organisation's team that is involved; `kind` is the strongest in which it is."""

    organisation: str
    team: str
    kind: MatchKind
    level: int


def is_crowd(among: Iterable[PermittedHit], *, above: int, at_least: int = CONTACT_LEVEL) -> bool:
    """Return whether a crowd stands at the one address of a household: a flat is no household, so it is mute.

    Only what may be seen counts, so a hidden signal never changes what is visible and own signals silence nobody.

    Args:
        among: every hit that this asker may see.
        above: more signals than this are a crowd.
        at_least: the level from which a permit counts; an oproep rings at level 0.
    """
    visible = {one.hit.signal.id for one in among if one.hit.kind is MatchKind.ADDRESS and one.level >= at_least}
    return len(visible) > above


def audible(permitted: Iterable[PermittedHit], *, mute: bool) -> tuple[PermittedHit, ...]:
    """Return these hits, without those by the address where it is mute."""
    return tuple(one for one in permitted if not (mute and one.hit.kind is MatchKind.ADDRESS))


def match_rows(permitted: Iterable[PermittedHit]) -> tuple[MatchRow, ...]:
    """Return one row per organisation and team, the strongest kind of match first.

    A permit below the contact level names nobody and gives no row. The order depends on nothing but what is in the
    rows, so it tells nothing about the signals behind them.
    """
    rows: dict[tuple[str, str], MatchRow] = {}
    for one in sorted(permitted, key=lambda one: STRENGTH[one.hit.kind]):
        signal = one.hit.signal
        if one.level >= CONTACT_LEVEL:
            row = MatchRow(organisation=signal.organisation, team=signal.team, kind=one.hit.kind, level=CONTACT_LEVEL)
            rows.setdefault((signal.organisation, signal.team), row)
    return tuple(sorted(rows.values(), key=lambda row: (STRENGTH[row.kind], row.organisation, row.team)))
