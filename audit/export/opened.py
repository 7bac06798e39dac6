"""Entries as a reader gets them: the leaf, the openings that are his to have, and the proof that it is in the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from audit.checkpoint import Checkpoint
from audit.entry import GROUPS
from audit.errors import ExportError
from audit.export.records import Record, record_of
from audit.receipt import Receipt
from audit.verify import Policy, verify_receipt

READERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"organisation": ("meta", "actor"), "supervisor": GROUPS},
)
"""What each reader's exports open, of **every** entry in them (D8, D12).

An organisation reads what it asked and who asked. `subject` holds the handles of hits it may not see, so one opening
more or less would tell how many there were. The supervisor reads all five, of every entry, an empty one too.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEntry:
    """One entry with its proof. `erased` names groups that no longer open because an erasure was decided."""

    receipt: Receipt
    erased: tuple[str, ...] = ()

    def narrowed(self, groups: Sequence[str]) -> "OpenedEntry":
        """Return the entry with the openings of these groups only, all of them or erased.

        Raises:
            ExportError: one of these groups is neither opened nor erased, or both.

        """
        openings = {group: opening for group, opening in self.receipt.openings.items() if group in groups}
        erased = tuple(group for group in groups if group in self.erased)
        if set(openings) & set(erased) or {*openings, *erased} != set(groups):
            raise ExportError("entries: every group of this reader is opened, or erased, in every entry")
        receipt = replace(self.receipt, openings=MappingProxyType(openings), uncosigned_since=None)
        return OpenedEntry(receipt=receipt, erased=erased)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEntries:
    """Entries that all stand, cosigned, under one checkpoint, and what they say, in the order of the log."""

    checkpoint: Checkpoint
    entries: tuple[OpenedEntry, ...]
    records: tuple[Record, ...]


def verify_entries(entries: Sequence[OpenedEntry], policy: Policy, *, reader: str) -> VerifiedEntries:
    """The entries are in the log that this policy names, cosigned by its quorum; each tells what it commits to.

    Raises:
        ExportError: there is none, the reader is unknown, a group is missing, they are not in the order of the log,
            each once, or they stand under different checkpoints or one that too few witnesses signed.
        ReceiptError: a signature, a proof, an opening or a payload does not hold.

    """
    if reader not in READERS:
        raise ExportError("reader: not one of those whose openings are known")
    if not entries:
        raise ExportError("entries: an export holds at least one")
    narrowed = [entry.narrowed(READERS[reader]) for entry in entries]
    verified = [verify_receipt(entry.receipt, policy, require=()) for entry in narrowed]
    checkpoint = verified[0].checkpoint
    # One tree for all: two checkpoints would need a proof that they are of one log.
    if any(one.checkpoint != checkpoint for one in verified):
        raise ExportError("entries: all proofs lead to one checkpoint")
    if any(one.status != "cosigned" for one in verified):
        raise ExportError("entries: too few witnesses of the policy cosigned the checkpoint")
    if any(one.index >= later.index for one, later in pairwise(verified)):
        raise ExportError("entries: in the order of the log, each once")
    return VerifiedEntries(
        checkpoint=checkpoint,
        entries=tuple(narrowed),
        records=tuple(record_of(one, erased=entry.erased) for one, entry in zip(verified, narrowed, strict=True)),
    )
