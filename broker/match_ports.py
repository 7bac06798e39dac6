"""What following up a match needs of the world, as Protocols (architecture section 3, D15)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from broker.domain.households import Household
from broker.domain.matches import KeptMatch
from broker.domain.notices import NoticeKind, WaitingNotice
from broker.domain.signals import Signal
from broker.owed_ports import OwedReader
from broker.ports import Stamp
from broker.task_ports import TaskReader


class InboxReader(Protocol):
    """What waits for organisations, as committed."""

    async def waiting(
        self, *, organisation: str, kinds: frozenset[NoticeKind], without: tuple[str, ...], at_most: int
    ) -> tuple[WaitingNotice, ...]:
        """Return notices of these kinds that wait for an organisation, but for those it says it has, the oldest first.

        Of more than so many those are returned that were never set aside, and of the others those it was longest ago.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMatches:
    """Matches in the order of their ids, and the stamps of their signals and of who holds these: one reading.

    Nothing is judged yet: whoever shows a match judges it for who looks.
    """

    matches: tuple[KeptMatch, ...]
    stamps: tuple[Stamp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """A signal for which nobody was looked up yet, whatever its state, and the household that is stored with it."""

    signal: Signal
    household: Household


class MatchReader(Protocol):
    """The matches, as committed."""

    async def next_unmet(self, *, after: str) -> Unmet | None:
        """Return the signal whose turn it is, the longest waiting of the organisation after this one, None without any.

        Organisations take turns, in the order of their numbers and round again, so that none waits for another's
        whole caseload.
        """

    async def one(self, match_id: str) -> FoundMatches:
        """Return the match with this id, if there is one, whoever's it is."""

    async def among(self, match_ids: Collection[str]) -> FoundMatches:
        """Return those of these matches that there are, whoever's they are: one reading, however many."""

    async def of_side(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """Return matches, after an id, of which this organisation was told when they were made: so many at most."""

    async def coordinated_by(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """Return matches, after an id, that this organisation's coordinator was told of: so many at most."""

    async def overdue(self, *, day: date, after: tuple[str, str], at_most: int) -> FoundMatches:
        """Return matches whose day lies before this one, and of whom nobody told says that there was contact.

        In the order of that day and their ids, after such a pair.
        Only those of which a coordinator was told, and not yet that they are overdue: so many at most.
        """

    async def touching(self, signal_ids: Collection[str]) -> FoundMatches:
        """Return matches that rest on one of these signals; with the stamps under which these may meet others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Everything of this, as one group: edge and wiring have one line for it."""

    inbox: InboxReader
    matches: MatchReader
    tasks: TaskReader
    owed: OwedReader
