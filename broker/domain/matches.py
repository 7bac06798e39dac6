"""Matches: a new signal that met those of another team, whom of the two that is told, and how far they are (D6, D8).

Whether a side may know of a match is judged for that side alone, from what it may see of the other's signals. What one
side is told never depends on what the other is.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from broker.domain.households import STRENGTH, Hit, MatchKind
from broker.domain.said import NOTHING_SAID, Said
from broker.domain.signals import Signal


class MatchState(StrEnum):
    """How far one side is, in the words its workers read."""

    NEW = "nieuw"
    READ = "gelezen"
    CONTACT = "contact_gehad"
    TOGETHER = "werken_al_samen"
    """One click; from then on this side gets no notice of further matches with that team on this household."""
    AGREED = "afspraken_gemaakt"
    DONE = "klaar"


CONTACTED = frozenset({MatchState.CONTACT, MatchState.TOGETHER, MatchState.AGREED, MatchState.DONE})
"""That there was contact: one of the two saying so is enough. `DONE` follows only upon another of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamOf:
    """A team of an organisation."""

    organisation: str
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A signal of the older side by which the newer one was found.

    `shown` says that the newer side may see it, `tells` that by it the older side may see the newer signal.
    """

    signal: Signal
    kind: MatchKind
    shown: bool
    tells: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSide:
    """One of the two teams; `told` was judged when the match was made, and is judged again whenever it is shown."""

    of: TeamOf
    told: bool
    state: MatchState
    changed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMatch:
    """A match as it stands. `newer_side` is of the organisation that holds `newer`, `older_side` of all links."""

    id: str
    newer: Signal
    links: tuple[Link, ...]
    newer_side: MatchSide
    older_side: MatchSide
    made_on: date
    due_on: date
    overdue_on: date | None = None
    coordinators: tuple[TeamOf, ...] = ()
    """Who sees to it that they have contact: of each side's own municipality, one where that is the same."""
    casusregisseur: TeamOf | None = None
    named_in: int | None = None
    """The entry in which the casusregisseur was named."""
    named_over: frozenset[int] | None = None
    """In which entries those were named that this name replaced; None of one of before, which replaced all others."""
    unanswered: bool = False
    """Whether its casusregisseur has not answered to a new report within the term, and was told so."""
    said: Said = NOTHING_SAID
    """What was recorded of its persons, as it was read with it."""

    @property
    def sides(self) -> tuple[MatchSide, MatchSide]:
        """Both sides, the newer one first."""
        return self.newer_side, self.older_side

    @property
    def overdue(self) -> bool:
        """Whether the coordinator is to see to it: no contact in time, or none after a new report."""
        return self.unanswered or (self.overdue_on is not None and not self.contacted)

    @property
    def contacted(self) -> bool:
        """Whether a side that is told says that there was contact."""
        return any(side.told and side.state in CONTACTED for side in self.sides)

    def side_of(self, organisation: str) -> MatchSide | None:
        """Return this organisation's side; None for any other."""
        return next((side for side in self.sides if side.of.organisation == organisation), None)

    def other_of(self, side: MatchSide) -> MatchSide:
        """Return the other side."""
        return self.older_side if side is self.newer_side else self.newer_side

    def seen_by(self, side: MatchSide, *, worker: str | None = None) -> tuple[tuple[Signal, Hit], ...]:
        """Return by which own signal this side would see what of the other, as far as it was told of it.

        To a worker who is kept from an own signal it is as if that were not there; None stands for the team.
        """
        if side is self.newer_side:
            pairs = [(self.newer, Hit(kind=one.kind, signal=one.signal)) for one in self.links if one.shown]
        else:
            pairs = [(one.signal, Hit(kind=one.kind, signal=self.newer)) for one in self.links if one.tells]
        return tuple(pair for pair in pairs if worker is None or not pair[0].hidden_from(worker))

    def common(self) -> tuple[Signal, ...]:
        """Return the signals that both sides see, as far as they were told: what anybody else may know it rests on."""
        return (self.newer, *(one.signal for one in self.links if one.shown and one.tells))

    def signal_ids(self) -> frozenset[str]:
        """Return the ids of every signal of it."""
        return frozenset({self.newer.id, *(link.signal.id for link in self.links)})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreMatch:
    """A change: a match was made."""

    match: KeptMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetLater:
    """A change: nobody was looked up for this signal yet, and its turn comes after all that wait now."""

    signal_id: str
    organisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteMet:
    """A change: this signal waits no more; when it did not, the decision is stale."""

    signal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMatch:
    """A change: a side is so far; when it is no more where the decision saw it, the decision is stale."""

    match_id: str
    organisation: str
    was: MatchState
    state: MatchState
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCasusregisseur:
    """A change: this team leads the plan of the household; `was` is what the decision saw in this match.

    `beside` is what it saw in other matches on the household: stale, where another was named in one of these since.
    `over` are the entries of the names that it replaces: those of which who gives it may know.
    """

    match_id: str
    was: TeamOf | None
    now: TeamOf
    beside: tuple[tuple[str, TeamOf | None], ...] = ()
    over: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkOverdue:
    """A change: the coordinator was told on this day that nobody says there was contact."""

    match_id: str
    on: date


def strongest(kinds: tuple[MatchKind, ...]) -> MatchKind:
    """Return the strongest of these kinds, of which there is one at least."""
    return min(kinds, key=STRENGTH.__getitem__)
