"""A file beside a letter, as sealed chunks of one size: only who opened the letter opens them, all of them or none.

Each chunk is XChaCha20-Poly1305 under a key of this one file, which stands in the letter; its place and the number of
chunks are authenticated with it, and the letter lists the hash of every sealed chunk. So a chunk that is missing,
changed, moved or of another file is noticed, and a file is never shown in part.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import nacl.secret
import nacl.utils
from nacl.exceptions import CryptoError

from broker.protocol.letter import KEY_BYTES, MAX_ATTACHMENT_BYTES, Attachment
from broker.protocol.sealed_letter import LetterError

CHUNK_BYTES = 1_048_576
"""Bytes of the file in one chunk; the last is filled up with zeros."""
SEALED_BYTES = CHUNK_BYTES + 40
"""A sealed chunk: a nonce of 24 bytes before, an authenticator of 16 after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """What stands in the letter, and the chunks that travel beside it."""

    attachment: Attachment
    chunks: tuple[bytes, ...] = field(repr=False)


def seal_file(content: bytes, *, name: str, file_id: str) -> SealedFile:
    """Return the file in sealed chunks under a fresh key. Raises LetterError: too large, or empty."""
    if not 0 < len(content) <= MAX_ATTACHMENT_BYTES:
        raise LetterError("attachment-size")
    key = nacl.utils.random(KEY_BYTES)
    parts = [content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES)]
    box = nacl.secret.Aead(key)
    chunks = tuple(
        bytes(box.encrypt(part.ljust(CHUNK_BYTES, b"\x00"), aad=_place(file_id, at, len(parts))))
        for at, part in enumerate(parts)
    )
    attachment = Attachment(
        id=file_id,
        name=name,
        size=len(content),
        key=key,
        chunks=tuple(hashlib.sha256(chunk).hexdigest() for chunk in chunks),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return SealedFile(attachment=attachment, chunks=chunks)


def open_file(attachment: Attachment, chunks: Sequence[bytes]) -> bytes:
    """Return the whole file. Raises LetterError: a chunk is missing, changed or another's, or the size is not that."""
    # (1) Exactly the chunks that the letter lists, as many as its size needs.
    needed = -(-attachment.size // CHUNK_BYTES)
    if not len(chunks) == len(attachment.chunks) == needed:
        raise LetterError("attachment-truncated")
    if tuple(hashlib.sha256(chunk).hexdigest() for chunk in chunks) != attachment.chunks:
        raise LetterError("attachment-changed")
    # (2) Each in its place.
    box = nacl.secret.Aead(attachment.key)
    try:
        parts = [box.decrypt(chunk, aad=_place(attachment.id, at, needed)) for at, chunk in enumerate(chunks)]
    except (CryptoError, ValueError):
        raise LetterError("attachment-seal") from None
    # (3) Together the very file, and nothing hidden in its filling.
    whole = b"".join(parts)
    content = whole[: attachment.size]
    if hashlib.sha256(content).hexdigest() != attachment.sha256 or any(whole[attachment.size :]):
        raise LetterError("attachment-changed")
    return content


def _place(file_id: str, at: int, of: int) -> bytes:
    return f"sluis sealed-chunk/v1\n{file_id}\n{at}\n{of}".encode()
