"""What an asker is told: that an organisation's team is involved, never how often, since when or why (D6)."""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.households import STRENGTH, Hit, MatchKind

CONTACT_LEVEL = 2
"""Organisation and contact: the highest level the broker holds, and the lowest that names anybody."""
MAX_SIGNALS_OF_AN_ADDRESS = 12
"""More than so many of others that this asker may see make an address mute to him: a flat is no household."""


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


def without_crowd(permitted: Iterable[PermittedHit], *, among: Iterable[PermittedHit]) -> tuple[PermittedHit, ...]:
    """Return these hits, without those by the address where a crowd stands at it.

    Only what may be seen counts, so a hidden signal never changes what is visible and own signals silence nobody.

    Args:
        permitted: what may be shown.
        among: every hit that this asker may see, of the one address a household has.
    """
    visible = {one.hit.signal.id for one in among if one.hit.kind is MatchKind.ADDRESS and one.level >= CONTACT_LEVEL}
    mute = len(visible) > MAX_SIGNALS_OF_AN_ADDRESS
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
