"""The edges of tree hashing and proofs; the properties over all sizes are in tests/property/audit."""

import pytest

from audit.errors import ProofError
from audit.merkle import (
    EMPTY_ROOT,
    EMPTY_TREE,
    TreeHead,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)  # fmt: skip
from tests.unit.audit.log_simulator import LogInMemory


def test_the_empty_tree() -> None:
    """A tree without leaves has the hash of nothing as root (RFC 6962 §2.1)."""
    assert root_of([]) == root_at(LogInMemory(), 0) == EMPTY_ROOT


def test_proofs_outside_the_tree_are_not_built() -> None:
    """Nothing is proven about what is not there."""
    log = LogInMemory().grow(3)
    for index in (-1, 3):
        with pytest.raises(ProofError):
            inclusion_proof(log, index=index, size=3)
    for old in (-1, 4):
        with pytest.raises(ProofError):
            consistency_proof(log, old_size=old, new_size=3)


def test_from_the_empty_tree_only_the_empty_proof() -> None:
    """Growth from nothing proves nothing, so no hash may pretend it does."""
    new = LogInMemory().grow(3).head()
    verify_consistency(old=EMPTY_TREE, new=new, proof=())
    with pytest.raises(ProofError):
        verify_consistency(old=EMPTY_TREE, new=new, proof=(bytes(32),))
    with pytest.raises(ProofError):
        verify_consistency(old=TreeHead(size=0, root=bytes(32)), new=new, proof=())


def test_an_empty_proof_between_sizes_that_need_one() -> None:
    """A missing proof is no proof."""
    log = LogInMemory().grow(3)
    old = log.head()
    with pytest.raises(ProofError):
        verify_consistency(old=old, new=log.grow(5).head(), proof=())


def test_hashes_of_another_length() -> None:
    """Only 32-byte hashes are compared, so a short one cannot match by chance."""
    leaf = leaf_hash(b"a")
    with pytest.raises(ProofError):
        verify_inclusion(leaf=leaf, index=0, size=2, proof=[bytes(31)], root=bytes(32))
