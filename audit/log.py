"""Appending to the log inside the caller's own database transaction (architecture D7).

The caller opens one transaction, applies its own state change, calls `append`, commits, calls `signer.settle`, and
only then lets an answer, the note or a receipt leave the process. Entry and state change are thus durable together or
not at all; `audit.signer` says why a crash in between neither forks nor locks the log.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from audit.checkpoint import Checkpoint
from audit.entry import GROUPS, Leaf
from audit.errors import ForkError, LogStoreError
from audit.growing import RememberedNodes, inclusion_proofs, new_nodes
from audit.merkle import Node, NodeReader, TreeHead, consistency_proof, leaf_hashes, root_at
from audit.note import compose_note
from audit.proof import TlogProof
from audit.receipt import Receipt
from audit.seal import KeyEncryptionKey, RandomBytes, SealedEntry
from audit.signer import LocalSigner, Signer, Successor

__all__ = [
    "Appended", "AppendedEntry", "LocalSigner", "LogTransaction", "SealedRow", "Signer",
    "append", "found_log", "settle_on",
]  # fmt: skip

OPENED_TO_ASKER = ("meta", "actor")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """What is stored of one group of one entry: ciphertext and wrapped key, each erasable."""

    index: int
    group: str
    nonce: bytes
    ciphertext: bytes
    wrapped_key: bytes
    epoch: int


class LogTransaction(NodeReader, Protocol):
    """The log's tables inside one open transaction.

    What is inserted can be read back at once, and is durable or gone with the caller's commit or rollback.
    """

    def head(self) -> TreeHead:
        """Return the size and the root over the stored nodes."""

    def insert_entries(self, first_index: int, leaves: Sequence[bytes]) -> None:
        """These leaf texts are the entries from `first_index` on.

        Raises:
            LogStoreError: `first_index` is not the log's size.

        """

    def insert_nodes(self, nodes: Sequence[Node]) -> None:
        """These perfect subtrees are stored, each once."""

    def insert_payloads(self, rows: Sequence[SealedRow]) -> None:
        """These sealed groups and their wrapped keys are stored."""

    def insert_checkpoint(self, size: int, note: str) -> None:
        """This signed note is the checkpoint of this size, larger than all before."""


class HeldLog(NodeReader, Protocol):
    """The log as its database durably holds it."""

    def head(self) -> TreeHead:
        """Return the size and the root over the stored nodes."""

    def checkpoint_sizes(self, start: int, end: int) -> list[int]:
        """Return the sizes from `start` up to and with `end` that have a checkpoint, ascending."""

    def note(self, size: int) -> str:
        """Return the checkpoint of this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendedEntry:
    """One appended entry with its inclusion proof at the new checkpoint."""

    index: int
    leaf: Leaf
    proof: tuple[bytes, ...]
    sealed: SealedEntry = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """The new checkpoint, its signed note and the entries it adds; nothing here may leave before `settle`."""

    checkpoint: Checkpoint
    note: str
    entries: tuple[AppendedEntry, ...]

    def receipt(
        self, position: int, *, cosignatures: Sequence[str] = (), uncosigned_since: int | None = None
    ) -> Receipt:
        """Return the receipt of the entry at this position of the append, opening `meta` and `actor`.

        Args:
            position: 0 for the first entry given to `append`.
            cosignatures: verified signature lines of witnesses over this checkpoint.
            uncosigned_since: unix seconds, when the log lacks its quorum.

        """
        entry = self.entries[position]
        return Receipt(
            leaf=entry.leaf,
            proof=TlogProof(index=entry.index, hashes=entry.proof, note=self.note + "".join(cosignatures)),
            openings=MappingProxyType({group: entry.sealed.groups[group].opening() for group in OPENED_TO_ASKER}),
            uncosigned_since=uncosigned_since,
        )


def found_log(transaction: LogTransaction, *, signer: Signer) -> str:
    """The empty log has a signed checkpoint of size 0, which is returned as a note.

    Raises:
        ForkError: the log is not empty, or the signer knows a larger one.

    """
    checkpoint = Checkpoint(origin=signer.name, head=transaction.head())
    if checkpoint.head.size != 0:
        raise ForkError("log: only an empty log can be founded")
    text = checkpoint.encode()
    note = compose_note(text, [signer.sign(text, ())])
    transaction.insert_checkpoint(0, note)
    return note


def settle_on(log: HeldLog, signer: Signer) -> TreeHead:
    """The signer has released the head that this log durably holds, which is returned.

    Raises:
        ForkError: this signer did not sign that head, or released a later one.
        LogStoreError: the log cannot be read.
        SignerError, NotDurableError: the release could not be made durable.

    """
    head, released = log.head(), signer.released
    successor = None
    if head.size > released.size and log.checkpoint_sizes(released.size, head.size) == [released.size, head.size]:
        proof = consistency_proof(log, old_size=released.size, new_size=head.size)
        successor = Successor(note=log.note(head.size), proof=proof)
    signer.settle(head, successor)
    return head


def append(
    transaction: LogTransaction,
    entries: Sequence[SealedEntry],
    *,
    at: int,
    signer: Signer,
    key_encryption_key: KeyEncryptionKey,
    random: RandomBytes = os.urandom,
) -> Appended:
    """The open transaction holds these entries, their tree, their sealed payloads and one signed checkpoint.

    Args:
        transaction: open; the caller commits it and then calls `signer.settle(appended.checkpoint.head)`.
        entries: at least one, in the order they get their indexes.
        at: unix seconds, the same for all.
        signer: settled at the head the transaction starts from.
        key_encryption_key: wraps the group keys.
        random: gives nonces for the wrapping.

    Raises:
        ForkError: the database is not at the head the signer released; nothing may be committed.
        LogStoreError: nothing to append, or the database refused; nothing may be committed.

    """
    # (1) The tree we build on is exactly the one that was last released.
    old = transaction.head()
    if old != signer.released:
        raise ForkError("log: the database is not at the head the signer released; settle first")
    if not entries:
        raise LogStoreError("log: nothing to append")
    # (2) The sealed payloads with their wrapped keys; entries, interior nodes and one signature over the whole tick.
    leaves = tuple(entry.leaf(at) for entry in entries)
    grown = extend(transaction, leaves, at_size=old.size, signer=signer)
    transaction.insert_payloads(_sealed_rows(entries, old.size, key_encryption_key, random))
    # (3) What the receipts need.
    appended = tuple(
        AppendedEntry(index=index, leaf=leaf, proof=proof, sealed=sealed)
        for index, (leaf, proof, sealed) in enumerate(zip(leaves, grown.proofs, entries, strict=True), start=old.size)
    )
    return Appended(checkpoint=grown.checkpoint, note=grown.note, entries=appended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A tree with leaves added: the new checkpoint, its signed note and the inclusion proof of each new leaf."""

    checkpoint: Checkpoint
    note: str
    proofs: tuple[tuple[bytes, ...], ...]


def extend(transaction: LogTransaction, leaves: Sequence[Leaf], *, at_size: int, signer: Signer) -> Grown:
    """The open transaction holds these leaves after the first `at_size`, their nodes and one signed checkpoint.

    Raises:
        ForkError: the signer released another head; nothing may be committed.
        LogStoreError: the database refused; nothing may be committed.

    """
    entries = [leaf.encode() for leaf in leaves]
    transaction.insert_entries(at_size, entries)
    tree = RememberedNodes(transaction)
    nodes = new_nodes(tree, size=at_size, leaf_hashes=leaf_hashes(entries))
    transaction.insert_nodes(nodes)
    tree.remember(nodes)
    # The signer checks consistency for itself.
    size = at_size + len(leaves)
    checkpoint = Checkpoint(origin=signer.name, head=TreeHead(size=size, root=root_at(tree, size)))
    text = checkpoint.encode()
    line = signer.sign(text, consistency_proof(tree, old_size=at_size, new_size=size))
    note = compose_note(text, [line])
    transaction.insert_checkpoint(size, note)
    proofs = tuple(inclusion_proofs(tree, first=at_size, size=size))
    return Grown(checkpoint=checkpoint, note=note, proofs=proofs)


def _sealed_rows(
    entries: Sequence[SealedEntry], first_index: int, key_encryption_key: KeyEncryptionKey, random: RandomBytes
) -> list[SealedRow]:
    rows: list[SealedRow] = []
    for index, entry in enumerate(entries, start=first_index):
        groups: Mapping[str, object] = entry.groups
        if tuple(groups) != GROUPS:
            raise LogStoreError("log: an entry has exactly its five groups")
        for group, sealed in entry.groups.items():
            wrapped = key_encryption_key.wrap(sealed.key, index=index, group=group, random=random)
            rows.append(
                SealedRow(
                    index=index,
                    group=group,
                    nonce=sealed.nonce,
                    ciphertext=sealed.ciphertext,
                    wrapped_key=wrapped,
                    epoch=key_encryption_key.epoch,
                )
            )
    return rows
