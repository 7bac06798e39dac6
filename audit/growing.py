"""What a tree that grows by many leaves at once needs: its new nodes, and the proofs of the new leaves.

Each is what `audit.merkle` gives for one leaf, with what they share computed once: a tick of 32 entries has some fifty
hashes in its proofs, not 32 times twenty.
"""

from collections.abc import Iterable, Sequence

from audit.errors import ProofError
from audit.merkle import Node, NodeReader, node_hash, split_of, subtree_root


class RememberedNodes:
    """A reader that asks another one for each node once, and can be told of nodes that are new."""

    __slots__ = ("_known", "_reader")

    def __init__(self, reader: NodeReader) -> None:
        self._reader = reader
        self._known: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of one perfect subtree. Raises as the other reader does."""
        found = self._known.get((level, index))
        if found is None:
            found = self._known[level, index] = self._reader.node(level, index)
        return found

    def remember(self, nodes: Iterable[Node]) -> None:
        """These are nodes of the tree from here on."""
        self._known.update(((node.level, node.index), node.hash) for node in nodes)


def new_nodes(reader: NodeReader, *, size: int, leaf_hashes: Sequence[bytes]) -> tuple[Node, ...]:
    """Return every perfect subtree that these leaves complete, when put after the first `size` leaves."""
    fresh: list[Node] = []
    level, first, hashes = 0, size, list(leaf_hashes)
    while hashes:
        fresh += [Node(level=level, index=index, hash=value) for index, value in enumerate(hashes, start=first)]
        if first & 1:  # the left half of the first pair was there before
            first -= 1
            hashes.insert(0, reader.node(level, first))
        level, first = level + 1, first >> 1
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=False)]
    return tuple(fresh)


def inclusion_proofs(reader: NodeReader, *, first: int, size: int) -> list[tuple[bytes, ...]]:
    """Return the proofs of the leaves from `first` on: `inclusion_proof` of each, with what they share built once.

    Raises:
        ProofError: there is no such leaf.

    """
    if not 0 <= first < size:
        raise ProofError("inclusion: the index lies outside the tree")
    return [tuple(proof) for proof in _proofs_within(reader, first, 0, size)]


def _proofs_within(reader: NodeReader, first: int, start: int, end: int) -> list[list[bytes]]:
    """Return the hashes from each leaf up to the root over leaves `start` up to `end`, of those from `first` on."""
    if end - start == 1:
        return [[]]
    middle = start + split_of(end - start)
    found: list[list[bytes]] = []
    if first < middle:
        found = _proofs_within(reader, first, start, middle)
        beside = subtree_root(reader, middle, end)
        for proof in found:
            proof.append(beside)
    later = _proofs_within(reader, max(first, middle), middle, end)
    beside = subtree_root(reader, start, middle)
    for proof in later:
        proof.append(beside)
    return found + later
