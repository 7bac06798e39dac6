"""What became of one stored group of one entry: there and true, erased by an entry that says so, or an alarm."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from audit.entry import Leaf, Opening
from audit.errors import EntryError, SealError
from audit.log import SealedRow
from audit.seal import open_group

Unwrap = Callable[[SealedRow], bytes]
"""Gives the group key of a stored row. Raises SealError: no key opens it."""


class GroupState(StrEnum):
    """How a group stands. The last two are alarms: nobody decided them."""

    OK = "ok"
    ERASED = "erased"
    MISSING = "MISSING"
    MISMATCH = "MISMATCH"


ALARMS = frozenset({GroupState.MISSING, GroupState.MISMATCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGroup:
    """One group: its opening where it is there and true, the entry that says it was erased where one does."""

    state: GroupState
    opening: Opening | None = None
    erased_by: int | None = None


def stored_group(
    row: SealedRow | None, *, leaf: Leaf, group: str, erased_by: int | None, unwrap: Unwrap
) -> StoredGroup:
    """Return how a group stands.

    Args:
        row: what is stored of it, None where payload or key is gone.
        leaf: of its entry, which commits to it.
        group: one of GROUPS.
        erased_by: the entry that says it was erased, None where none does.
        unwrap: gives the key of a row.

    """
    # (1) Gone: by an entry of the log, or unnoticed.
    if row is None:
        state = GroupState.MISSING if erased_by is None else GroupState.ERASED
        return StoredGroup(state=state, erased_by=erased_by)
    # (2) There, although an entry says that it is not: an erasure was undone.
    if erased_by is not None:
        return StoredGroup(state=GroupState.MISMATCH, erased_by=erased_by)
    # (3) There: it opens, and is what the leaf commits to.
    try:
        opening = open_group(group=group, key=unwrap(row), nonce=row.nonce, ciphertext=row.ciphertext)
        if opening.commitment(leaf.kind, group) == leaf.commitment(group):
            return StoredGroup(state=GroupState.OK, opening=opening)
    except (SealError, EntryError):
        pass
    return StoredGroup(state=GroupState.MISMATCH)
