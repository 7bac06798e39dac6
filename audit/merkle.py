"""RFC 6962 hash trees, pure: hashing, verifying proofs and building them from stored nodes.

Source: RFC 6962 §2.1 and RFC 9162 §2.1 (SHA-256). A *perfect subtree* of level l and index i covers the leaves
`i * 2**l` up to `(i + 1) * 2**l`; a store that keeps those nodes gives every proof in O(log n) reads.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.errors import ProofError

HASH_BYTES = 32
_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """A tree: how many leaves it has and its 32-byte root."""

    size: int
    root: bytes


EMPTY_TREE = TreeHead(size=0, root=EMPTY_ROOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The hash of one perfect subtree."""

    level: int
    index: int
    hash: bytes


class NodeReader(Protocol):
    """Gives the hash of any complete perfect subtree of the tree it reads."""

    def node(self, level: int, index: int) -> bytes:
        """Return the 32-byte hash of perfect subtree `index` at `level`; level 0 holds the leaf hashes."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte hash of a leaf (RFC 6962 §2.1: `SHA-256(0x00 || entry)`)."""
    return hashlib.sha256(_LEAF_PREFIX + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the hash of each leaf, in order: `leaf_hash` of many, without a call of ours for each."""
    sha256 = hashlib.sha256
    return [sha256(_LEAF_PREFIX + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an interior node (RFC 6962 §2.1: `SHA-256(0x01 || left || right)`)."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over these leaf hashes, in one pass; the empty tree has root `SHA-256("")`."""
    peaks: list[bytes] = []
    for count, leaf in enumerate(leaf_hashes):
        node, position = leaf, count
        while position & 1:
            node = node_hash(peaks.pop(), node)
            position >>= 1
        peaks.append(node)
    return root_over(peaks)


def root_over(peaks: Sequence[bytes]) -> bytes:
    """Return the root of a tree from its perfect subtrees, largest first; without any it is the empty tree's."""
    if not peaks:
        return EMPTY_ROOT
    *larger, root = peaks
    for peak in reversed(larger):
        root = node_hash(peak, root)
    return root


def perfect_levels(hashes: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield, level above level, the perfect subtrees that these hashes of one level give; a last odd one is left out.

    Over two million nodes this is what a verifier does, so it hashes in one expression per level.
    """
    sha256, level = hashlib.sha256, list(hashes)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(_NODE_PREFIX + left + right).digest() for left, right in pairs]
        yield level


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """The leaf hash stands at `index` in the tree of `size` with this root (RFC 9162 §2.1.3.2).

    `root` must come from a verified checkpoint, never from the proof.

    Raises:
        ProofError: the proof does not show that, or any hash is not 32 bytes.

    """
    _check_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise ProofError("inclusion: the index lies outside the tree")
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise ProofError("inclusion: the proof is too long")
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            fn, sn = _skip_levels_without_sibling(fn, sn)
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or node != root:
        raise ProofError("inclusion: the proof does not lead to the root")


def verify_consistency(*, old: TreeHead, new: TreeHead, proof: Sequence[bytes]) -> None:
    """The new tree holds the whole old tree as its beginning (RFC 9162 §2.1.4.2).

    Both heads must come from verified checkpoints, never from the proof. From the empty tree nothing is proven
    and the proof must be empty.

    Raises:
        ProofError: the proof does not show that, or any hash is not 32 bytes.

    """
    _check_hashes([old.root, new.root, *proof])
    if not 0 <= old.size <= new.size:
        raise ProofError("consistency: the old tree is larger than the new one")
    for head in (old, new):
        if head.size == 0 and head.root != EMPTY_ROOT:
            raise ProofError("consistency: a tree without leaves has the empty root")
    if old.size in (0, new.size):
        if proof:
            raise ProofError("consistency: the proof must be empty here")
        if old.size == new.size and old.root != new.root:
            raise ProofError("consistency: one size has two roots")
        return
    _walk_consistency(old, new, proof)


def _walk_consistency(old: TreeHead, new: TreeHead, proof: Sequence[bytes]) -> None:
    path = list(proof)
    if old.size & (old.size - 1) == 0:  # the old tree is perfect, so its root is the first hash
        path.insert(0, old.root)
    if not path:
        raise ProofError("consistency: the proof is empty")
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise ProofError("consistency: the proof is too long")
        if fn & 1 or fn == sn:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            fn, sn = _skip_levels_without_sibling(fn, sn)
        else:
            new_node = node_hash(new_node, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or old_node != old.root or new_node != new.root:
        raise ProofError("consistency: the proof does not lead to both roots")


def _skip_levels_without_sibling(fn: int, sn: int) -> tuple[int, int]:
    while fn & 1 == 0 and fn != 0:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError("proof: every hash has 32 bytes")


def root_at(reader: NodeReader, size: int) -> bytes:
    """Return the root of the first `size` leaves, from stored nodes."""
    return subtree_root(reader, 0, size) if size else EMPTY_ROOT


def inclusion_proof(reader: NodeReader, *, index: int, size: int) -> tuple[bytes, ...]:
    """Return the hashes from the leaf's sibling up to the child of the root (RFC 6962 §2.1.1).

    Raises:
        ProofError: the index lies outside the tree.

    """
    if not 0 <= index < size:
        raise ProofError("inclusion: the index lies outside the tree")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_of(end - start)
        if index < middle:
            proof.append(subtree_root(reader, middle, end))
            end = middle
        else:
            proof.append(subtree_root(reader, start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(reader: NodeReader, *, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """Return the hashes that show the tree of `old_size` inside that of `new_size` (RFC 6962 §2.1.2).

    Raises:
        ProofError: the old tree is larger than the new one.

    """
    if not 0 <= old_size <= new_size:
        raise ProofError("consistency: the old tree is larger than the new one")
    if old_size in (0, new_size):
        return ()
    proof: list[bytes] = []
    start, end = 0, new_size
    while end != old_size:  # end falls to old_size at the latest when one leaf is left
        middle = start + split_of(end - start)
        if old_size <= middle:
            proof.append(subtree_root(reader, middle, end))
            end = middle
        else:
            proof.append(subtree_root(reader, start, middle))
            start = middle
    if start != 0:  # the verifier does not know this subtree; at start 0 it is the old root itself
        proof.append(subtree_root(reader, start, end))
    return tuple(reversed(proof))


def split_of(count: int) -> int:
    """Return the largest power of two smaller than `count` (RFC 6962 §2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def subtree_root(reader: NodeReader, start: int, end: int) -> bytes:
    """Return the root over leaves `start` up to `end`, where `start` is a multiple of the next power of two."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return reader.node(level, start >> level)
    middle = start + split_of(count)
    return node_hash(subtree_root(reader, start, middle), subtree_root(reader, middle, end))
