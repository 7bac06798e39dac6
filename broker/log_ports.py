"""What the flows need of the log besides writing to it: to read entries that were written, and what became of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from broker.domain.erasures import Erasure


class GroupStatus(StrEnum):
    """How one group of an entry stands; the last two are alarms, for nobody decided them."""

    OK = "ok"
    ERASED = "erased"
    MISSING = "MISSING"
    MISMATCH = "MISMATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedGroup:
    """One group: its payload where it is there and true, the entry that says it was erased where one does."""

    status: GroupStatus
    payload: Mapping[str, object] | None = field(repr=False, default=None)
    erased_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEntry:
    """One entry with the groups that were asked for, opened. `time` in unix seconds."""

    index: int
    time: int
    kind: str
    groups: Mapping[str, OpenedGroup]

    def payload(self, group: str) -> Mapping[str, object] | None:
        """Return the payload of a group that was asked for; None where it was erased or does not hold."""
        return self.groups[group].payload


class EntryReader(Protocol):
    """The entries of the log, opened. A port knows no reader's rights: what may be shown to whom is the flow's."""

    async def log_size(self) -> int:
        """Return the number of entries. Raises StorageError."""

    async def opened(self, indexes: Collection[int], groups: Collection[str]) -> tuple[OpenedEntry, ...]:
        """Return the entries with these indexes, ascending, each with these groups; an index beyond the log has none.

        Raises:
            StorageError: the database cannot be read. A single group that does not open is a status, no error.
        """


class ErasureReader(Protocol):
    """What was proposed and decided to be erased, as committed: the queue that a controller's FG reads."""

    async def erasure(self, *, organisation: str, erasure_id: str) -> Erasure | None:
        """Return this organisation's own erasure; None for another's and for none at all. Raises StorageError."""

    async def erasures(self, *, organisation: str) -> tuple[Erasure, ...]:
        """Return every erasure of this organisation, proposed or done, oldest first. Raises StorageError."""


class KeyDestruction(Protocol):
    """The end of an erasure: what was copied before it opens no more."""

    async def finish(self) -> int:
        """Return how many keys were destroyed: every one under which something was erased. Nothing else is lost.

        Raises:
            NotRecordedError: it was cut off; it goes on at the next pace or start.
        """

    async def renew_when_old(self) -> bool:
        """Return whether a new key wraps from now on, for the newest is a month old. Raises NotRecordedError."""
