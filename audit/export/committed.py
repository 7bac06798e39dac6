"""What an entry of kind `export` commits to, besides the leaves; broker and verifier compute it alike."""

import hashlib
from collections.abc import Iterable, Sequence


def erased_sha256(erased: Iterable[tuple[bytes, Sequence[str]]]) -> str | None:
    """Return hex SHA-256 of what an entry of kind `export` commits to of groups that were erased, None for none.

    Args:
        erased: per exported entry its leaf hash and the names of its groups that no longer open, in their order.

    """
    said = b"".join(leaf_hash + ",".join(groups).encode() + b"\n" for leaf_hash, groups in erased if groups)
    return hashlib.sha256(said).hexdigest() if said else None
