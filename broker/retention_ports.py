"""What housekeeping needs of the world, as a Protocol (architecture section 3, D15)."""

from collections.abc import Collection
from datetime import date
from typing import Protocol

from broker.domain.erasures import EntryRange
from broker.domain.keeping import ForgetRows, TellOver
from broker.domain.signals import Signal, SignalState


class RetentionReader(Protocol):
    """What is kept longer than it may be; for housekeeping, never for an answer."""

    async def due(self, *, day: date, at_most: int) -> tuple[Signal, ...]:
        """Return signals that are held, by whatever organisation, past their last day on this day: so many at most."""

    async def resting_on(
        self, pairs: Collection[tuple[str, str]], *, state: SignalState, at_most: int
    ) -> tuple[Signal, ...]:
        """Return signals in this state that rest on one of these pairs of purpose and ground: so many at most."""

    async def forgettable_tickets(self, *, expired_before: int, at_most: int) -> tuple[tuple[str, str], ...]:
        """Return spent tickets, as custodian and id, that expired before this second: so many at most."""

    async def forgettable_chunks(self, *, before: date, at_most: int) -> tuple[tuple[str, str, str], ...]:
        """Return chunks of attachments whose last day lies before this one, as organisation, hash and that day."""

    async def overdue_rows(self, *, day: date, now: int, at_most: int) -> tuple[ForgetRows | TellOver, ...]:
        """Return what is kept no longer and what is over on this day, as what to do about it: so many of each at most.

        Args:
            now: unix seconds.
        """

    async def expired_payloads(self, *, written_before: int) -> tuple[EntryRange, ...]:
        """Return what is still there of the oldest entries of before this second, as much as one entry can erase."""

    async def newest_act_at(self) -> int | None:
        """Return the time of the newest entry that somebody asked for with a token of ten minutes, None without any."""
