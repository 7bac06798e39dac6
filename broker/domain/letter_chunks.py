"""Chunks of attachments: opaque bytes that an organisation leaves before the letter that names them."""

from dataclasses import dataclass, field
from datetime import date

MAX_LOOSE = 50
"""Chunks of an organisation that no letter names yet: so many wait at most, so that nobody fills the disk."""


MAX_KEPT = 500
"""Chunks of an organisation altogether: half a gibibyte, whatever names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreChunk:
    """A change: this chunk of an organisation waits for a letter, until this day unless one names it."""

    organisation: str
    sha256: str
    keep_until: date
    chunk: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetChunks:
    """A change: these chunks are gone, as organisation, hash and last day; one that got a later day stays."""

    chunks: tuple[tuple[str, str, str], ...]


ChunkChange = StoreChunk | ForgetChunks
