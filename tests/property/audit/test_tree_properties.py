"""Proofs hold for every leaf and every pair of sizes, and for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import ProofError
from audit.growing import RememberedNodes, inclusion_proofs, new_nodes
from audit.merkle import (
    Node,
    TreeHead,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    perfect_levels,
    root_at,
    root_of,
    root_over,
    verify_consistency,
    verify_inclusion,
)  # fmt: skip
from tests.unit.audit.log_simulator import LogInMemory

LARGEST = 600
LOG = LogInMemory().grow(LARGEST, lambda index: index.to_bytes(4, "big"))
LEAVES = LOG.levels[0]
ROOTS = [root_at(LOG, size) for size in range(LARGEST + 1)]


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_inclusion_at_every_size(size: int) -> None:
    """At every size the stored nodes give the leaves' root, and every leaf is proven at its own index only."""
    assert root_of(LEAVES[:size]) == ROOTS[size]
    step = max(1, size // 12)  # every size, and about twelve indexes of each, the first and last included
    for index in {*range(0, size, step), *range(max(0, size - 2), size)}:
        proof = inclusion_proof(LOG, index=index, size=size)
        verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=ROOTS[size])
        with pytest.raises(ProofError):
            verify_inclusion(leaf=LEAVES[index], index=index ^ 1, size=size, proof=proof, root=ROOTS[size])


def test_levels_and_peaks_give_the_same_tree_at_every_size() -> None:
    """Hashed level by level, as a verifier does, every size has the subtrees and the root that the store has."""
    for size in range(LARGEST + 1):
        peaks: list[bytes] = []
        for height, level in enumerate([LEAVES[:size], *perfect_levels(LEAVES[:size])]):
            assert level == [LOG.node(height, index) for index in range(size >> height)]
            peaks = [level[-1], *peaks] if len(level) % 2 else peaks
        assert root_over(peaks) == ROOTS[size]


@pytest.mark.parametrize("new_size", range(LARGEST + 1))
def test_consistency_at_every_size(new_size: int) -> None:
    """Every tree is proven to hold its beginnings, and no other beginning."""
    step = max(1, new_size // 12)
    new = TreeHead(size=new_size, root=ROOTS[new_size])
    for old_size in {*range(0, new_size, step), *range(max(0, new_size - 2), new_size + 1)}:
        old = TreeHead(size=old_size, root=ROOTS[old_size])
        proof = consistency_proof(LOG, old_size=old_size, new_size=new_size)
        verify_consistency(old=old, new=new, proof=proof)
        if old_size:
            with pytest.raises(ProofError):
                verify_consistency(old=TreeHead(size=old_size, root=leaf_hash(b"x")), new=new, proof=proof)


@given(st.integers(0, 300), st.integers(0, 300))
def test_nodes_added_in_any_steps_are_the_same_tree(first: int, second: int) -> None:
    """However the leaves arrive, the store ends with the same perfect subtrees."""
    store: dict[tuple[int, int], bytes] = {}

    class Store:
        def node(self, level: int, index: int) -> bytes:
            return store[level, index]

    def add(nodes: tuple[Node, ...]) -> None:
        store.update({(node.level, node.index): node.hash for node in nodes})

    add(new_nodes(Store(), size=0, leaf_hashes=LEAVES[:first]))
    add(new_nodes(Store(), size=first, leaf_hashes=LEAVES[first : first + second]))
    total = first + second
    assert root_at(Store(), total) == ROOTS[total]
    assert store == {(level, i): LOG.node(level, i) for level in range(10) for i in range(total >> level)}


@given(st.integers(1, LARGEST), st.data())
def test_proofs_of_many_leaves_are_those_of_each(size: int, data: st.DataObject) -> None:
    """However many leaves a tick adds, each gets the very proof it would get alone."""
    first = data.draw(st.integers(0, size - 1))
    found = inclusion_proofs(RememberedNodes(LOG), first=first, size=size)
    assert found == [inclusion_proof(LOG, index=index, size=size) for index in range(first, size)]


@pytest.mark.parametrize(("first", "size"), [(0, 0), (3, 3), (-1, 3), (4, 3)])
def test_leaves_that_are_not_there_have_no_proofs(first: int, size: int) -> None:
    """Nothing is proven of a leaf outside the tree."""
    with pytest.raises(ProofError):
        inclusion_proofs(LOG, first=first, size=size)


@given(st.integers(2, LARGEST), st.data())
def test_a_changed_proof_never_holds(size: int, data: st.DataObject) -> None:
    """Flip any bit, drop, repeat or add any hash: the inclusion proof fails."""
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(LOG, index=index, size=size))
    place = data.draw(st.integers(0, len(proof) - 1))
    kind = data.draw(st.sampled_from(["flip", "drop", "repeat", "append"]))
    if kind == "flip":
        bit = data.draw(st.integers(0, 255))
        proof[place] = (int.from_bytes(proof[place], "big") ^ 1 << bit).to_bytes(32, "big")
    elif kind == "drop":
        del proof[place]
    else:
        proof.insert(place if kind == "repeat" else len(proof), proof[place])
    with pytest.raises(ProofError):
        verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=ROOTS[size])
