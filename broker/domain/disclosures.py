"""What an asker is told: that an organisation's team is involved, never how often, since when or why (D6)."""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.households import STRENGTH, Hit, MatchKind

CONTACT_LEVEL = 2
"""Organisation and contact: the highest level the broker holds, and the lowest that names anybody."""


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
