"""What a custodian's backup is sealed with: a pair whose private half is kept where no custodian runs.

The machine that makes a backup cannot open one; neither can whoever steals the machine or the file.
"""

import os
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from broker.custodian.errors import BackupError
from broker.custodian.keyring import read_private
from broker.protocol.errors import MalformedError
from broker.protocol.redacted import Redacted
from broker.protocol.signing_keys import b64url, b64url_bytes

KEY_BYTES = 32
_PRIVATE_MODE = 0o600


class BackupPrivateKey(Redacted):
    """The half that opens backups: 32 bytes."""

    __slots__ = ()


def create_pair(*, private: Path, public: Path) -> None:
    """Two new files hold the pair, each as one line; the private one has mode 0600.

    Raises:
        FileExistsError: a file is never overwritten.
    """
    key = PrivateKey.generate()
    _create(private, bytes(key))
    _create(public, bytes(key.public_key))


def read_public(path: Path) -> bytes:
    """Return the public half in a file. Raises MalformedError, OSError."""
    return _key(path.read_bytes())


def read_private_key(path: Path) -> BackupPrivateKey:
    """Return the private half in a file that only its owner can read. Raises FolderError, MalformedError."""
    return BackupPrivateKey(_key(read_private(path)))


def seal(content: bytes, *, public: bytes) -> bytes:
    """Return the content so that only the private half opens it."""
    return SealedBox(PublicKey(public)).encrypt(content)


def unseal(sealed: bytes, *, private: BackupPrivateKey) -> bytes:
    """Return the content. Raises BackupError: sealed to another key, or changed."""
    try:
        return SealedBox(PrivateKey(private.reveal())).decrypt(sealed)
    except CryptoError:
        raise BackupError("the backup was sealed to another key, or is damaged") from None


def _key(text: bytes) -> bytes:
    try:
        return b64url_bytes(text.decode("ascii").strip(), field="backup key", length=KEY_BYTES)
    except UnicodeDecodeError:
        raise MalformedError("backup key", "is no base64url") from None


def _create(path: Path, value: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(b64url(value) + "\n")
        file.flush()
        os.fsync(file.fileno())
