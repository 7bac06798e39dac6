"""What an export of the own organisation's entries needs of the log, as a Protocol (architecture section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenEntry:
    """One entry in the form of a receipt (docs/audit-format.md section 5): leaf, proof, openings of meta and actor.

    `erased` names those of both groups that no longer open.
    """

    index: int
    leaf: str
    leaf_hash: bytes
    proof: str
    openings: Mapping[str, Mapping[str, str]] = field(repr=False)
    erased: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenEntries:
    """Entries in the order of the log, all under one checkpoint that a quorum cosigned; `more` come after them."""

    entries: tuple[ProvenEntry, ...]
    more: bool


class EntryExporter(Protocol):
    """The entries of the log with their proofs. Read on a thread of its own, so that no tick waits for it."""

    async def own_entries(
        self, *, organisation: str, worker: str | None, since: int, until: int, after: int | None, at_most: int
    ) -> ProvenEntries:
        """Return the entries whose actor is of this organisation.

        Args:
            worker: only this one's, by his pairwise id.
            since: first unix second; `until` is the first one after the period.
            after: only entries with a larger index.
            at_most: so many.

        Raises:
            StorageError: unreadable, no checkpoint is cosigned, or a group is gone that nobody erased.
        """
