"""Sealing an entry's payloads: one fresh key per group gives its commitment and its ciphertext.

XChaCha20-Poly1305 alone is not key-committing: one ciphertext can open to two stories. The commitment in the leaf
is what binds; the ciphertext only stores. A group without content is sealed as `{}`, in the same size.
"""

import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_decrypt
from nacl.exceptions import CryptoError

from audit.aead import NONCE_BYTES
from audit.aead import encrypt as aead_encrypt
from audit.durable_file import create_private, read_private
from audit.entry import FORMAT, GROUPS, KEY_BYTES, Leaf, Opening, canonical_json, commit, pad, payload_size, unpad
from audit.errors import EntryError, SealError

_ENCRYPTION_LABEL = f"{FORMAT} enc ".encode("ascii")
_GROUP_NAMES = MappingProxyType({group: group.encode("ascii") for group in GROUPS})
_EMPTY = canonical_json({})
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedGroup:
    """One group of one entry; `key` (32 bytes) and `payload` (canonical JSON) are secret and never shown."""

    commitment: bytes
    nonce: bytes
    ciphertext: bytes
    key: bytes = field(repr=False)
    payload: bytes = field(repr=False)

    def opening(self) -> Opening:
        """Return what opens this group's commitment."""
        return Opening(key=self.key, payload=self.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """An entry before it has a time and an index: its kind and its five sealed groups."""

    kind: str
    groups: Mapping[str, SealedGroup]

    def leaf(self, time: int) -> Leaf:
        """Return the leaf of this entry at a time in unix seconds."""
        return Leaf(time=time, kind=self.kind, commitments=tuple(self.groups[g].commitment for g in GROUPS))


def seal_entry(
    kind: str, payloads: Mapping[str, Mapping[str, object]], random: RandomBytes = os.urandom
) -> SealedEntry:
    """Return the entry with every group committed and encrypted under a fresh key of its own.

    Args:
        kind: one of KINDS.
        payloads: a JSON object per group; a group that is absent is sealed as `{}`.
        random: gives the asked number of unpredictable bytes.

    Raises:
        EntryError: unknown kind or group, or a payload that is not JSON.
        PayloadTooLargeError: a payload does not fit its fixed size.

    """
    if not set(payloads) <= set(GROUPS):
        raise EntryError("group: not in the closed list")
    groups = {
        group: _seal_group(
            group, canonical_json(payloads[group]) if group in payloads else _EMPTY, payload_size(kind, group), random
        )
        for group in GROUPS
    }
    return SealedEntry(kind=kind, groups=MappingProxyType(groups))


def _seal_group(group: str, payload: bytes, size: int, random: RandomBytes) -> SealedGroup:
    padded = pad(payload, size)
    key, nonce = random(KEY_BYTES), random(NONCE_BYTES)
    return SealedGroup(
        commitment=commit(key, group, padded),
        nonce=nonce,
        ciphertext=aead_encrypt(padded, _GROUP_NAMES[group], nonce, _encryption_key(key, group)),
        key=key,
        payload=payload,
    )


def open_group(*, group: str, key: bytes, nonce: bytes, ciphertext: bytes) -> Opening:
    """Return the opening of a stored group; the caller compares its commitment with the leaf's.

    Raises:
        SealError: the ciphertext does not open with this key, nonce and group.
        EntryError: what it holds is not a padded payload.

    """
    try:
        padded = aead_decrypt(ciphertext, group.encode("ascii"), nonce, _encryption_key(key, group))
    except (CryptoError, ValueError, TypeError) as error:
        raise SealError("sealed group: does not open") from error
    return Opening(key=key, payload=unpad(padded))


def seal_beside(key: bytes, label: str, data: bytes, random: RandomBytes = os.urandom) -> bytes:
    """Return `nonce || ciphertext` of data that lives and dies with a group: whoever erases its key erases this too.

    Args:
        key: of the group, 32 bytes.
        label: what the data is, no name of a group.
        data: padded by the caller where its length tells something.
        random: gives the nonce.

    """
    nonce = random(NONCE_BYTES)
    return nonce + aead_encrypt(data, label.encode("ascii"), nonce, _encryption_key(key, f"beside {label}"))


def open_beside(key: bytes, label: str, sealed: bytes) -> bytes:
    """Return what was sealed beside a group under this label. Raises SealError: it was not."""
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return aead_decrypt(ciphertext, label.encode("ascii"), nonce, _encryption_key(key, f"beside {label}"))
    except (CryptoError, ValueError, TypeError) as error:
        raise SealError("sealed beside a group: does not open") from error


def _encryption_key(key: bytes, group: str) -> bytes:
    return hmac.digest(key, _ENCRYPTION_LABEL + group.encode("ascii"), "sha256")


class KeyEncryptionKey:
    """The key of one epoch under which group keys are stored; it never shows its bytes."""

    __slots__ = ("_key", "epoch")

    def __init__(self, key: bytes, *, epoch: int) -> None:
        """Hold 32 key bytes of an epoch from 1 up.

        Raises:
            SealError: the size of the key or the epoch is out of range.

        """
        if len(key) != KEY_BYTES or not 1 <= epoch < 1 << 32:
            raise SealError("key encryption key: 32 bytes and an epoch from 1")
        self._key = key
        self.epoch = epoch

    def __repr__(self) -> str:
        """Show the epoch only."""
        return f"KeyEncryptionKey(epoch={self.epoch}, redacted)"

    @classmethod
    def create(cls, path: Path, *, epoch: int = 1) -> "KeyEncryptionKey":
        """A new file with mode 0600 holds a fresh key, which is returned.

        Raises:
            SealError: the file exists already or cannot be written.

        """
        key = os.urandom(KEY_BYTES)
        create_private(path, key)
        return cls(key, epoch=epoch)

    @classmethod
    def load(cls, path: Path, *, epoch: int = 1) -> "KeyEncryptionKey":
        """Return the key in this file of 32 bytes, which only its owner may reach.

        Raises:
            SealError: unreadable, reachable by others, or not 32 bytes.

        """
        return cls(read_private(path), epoch=epoch)

    def wrap(self, key: bytes, *, index: int, group: str, random: RandomBytes = os.urandom) -> bytes:
        """Return `nonce || ciphertext` of a group key, tied to its epoch, entry index and group."""
        nonce = random(NONCE_BYTES)
        return nonce + aead_encrypt(key, self._context(index, group), nonce, self._key)

    def unwrap(self, wrapped: bytes, *, index: int, group: str) -> bytes:
        """Return the group key that was wrapped for this epoch, index and group.

        Raises:
            SealError: it was not.

        """
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return aead_decrypt(ciphertext, self._context(index, group), nonce, self._key)
        except (CryptoError, ValueError, TypeError) as error:
            raise SealError("wrapped key: does not open for this epoch, index and group") from error

    def _context(self, index: int, group: str) -> bytes:
        return self.epoch.to_bytes(4, "big") + index.to_bytes(8, "big") + group.encode("ascii")
