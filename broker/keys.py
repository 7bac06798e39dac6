"""The broker's key material for tokens: K_idx to find them, and a public key to seal them for re-keying only (D1).

The log's signing key and the key-encryption key are `audit`'s. PyNaCl is imported here for one thing: `SealedBox`.
"""

import os
import secrets
from pathlib import Path
from typing import Self

from nacl.public import PrivateKey, PublicKey, SealedBox

from broker.domain.households import SealedToken, TokenIndex
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.tokens import INDEX_KEY_SIZE, IndexKey, PersonToken, token_index

PUBLIC_KEY_BYTES = 32
_PRIVATE_MODE = 0o600
_OTHERS = 0o077


def create_index_key(path: Path) -> None:
    """A new file with mode 0600 holds a fresh index key. Raises FileExistsError: it is never overwritten."""
    _create(path, secrets.token_bytes(INDEX_KEY_SIZE))


def load_index_key(path: Path) -> IndexKey:
    """Return the index key in a file that only its owner can reach. Raises MalformedError, naming the file."""
    return IndexKey(_read_private(path, INDEX_KEY_SIZE))


def create_offline_pair(*, public: Path, private: Path) -> None:
    """Two new files with mode 0600 hold the pair for re-keying.

    `private` must be taken to where no broker runs: whoever has it and the database has every token.

    Raises:
        FileExistsError: a file is never overwritten.
    """
    key = PrivateKey.generate()
    _create(private, bytes(key))
    _create(public, bytes(key.public_key))


class BrokerTokenIndexer:
    """`TokenIndexer` over K_idx and the offline public key; it cannot open what it seals."""

    __slots__ = ("_index_key", "_sealer")

    def __init__(self, index_key: IndexKey, offline_public_key: bytes) -> None:
        """Hold both keys. Raises MalformedError: the public key is not 32 bytes."""
        if len(offline_public_key) != PUBLIC_KEY_BYTES:
            raise MalformedError("offline public key", f"is not {PUBLIC_KEY_BYTES} bytes")
        self._index_key = index_key
        self._sealer = SealedBox(PublicKey(offline_public_key))

    def __repr__(self) -> str:
        """Show no key."""
        return "BrokerTokenIndexer(redacted)"

    @classmethod
    def load(cls, *, index_key: Path, offline_public_key: Path) -> Self:
        """Return the indexer over these files. Raises MalformedError, naming the file and what is wrong."""
        return cls(load_index_key(index_key), _read_private(offline_public_key, PUBLIC_KEY_BYTES))

    def index(self, epoch: int, family: Family, token: bytes) -> TokenIndex:
        """Return HMAC-SHA256(K_idx, u32 epoch ‖ u8 family ‖ N) (D1). Raises InvalidPointError."""
        return TokenIndex(token_index(self._index_key, epoch, family, PersonToken(token)))

    def seal(self, token: bytes) -> SealedToken:
        """Return the token sealed to the offline key: 32 bytes more 48. Raises InvalidPointError."""
        return SealedToken(self._sealer.encrypt(PersonToken(token).reveal()))


def _create(path: Path, value: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())


def _read_private(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise MalformedError(path.name, "can be reached by others; make it mode 0600")
            value = file.read(size + 1)
    except OSError:
        raise MalformedError(path.name, "cannot be read") from None
    if len(value) != size:
        raise MalformedError(path.name, f"is not {size} bytes")
    return value
