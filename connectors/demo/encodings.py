"""In which forms a value could lie about: what `leak_scan` looks for.

Of every text: UTF-8, UTF-16 in both orders, hex in both cases, base64 at each of its three offsets in both alphabets.
Of its unsalted SHA-256, which everybody can compute: the raw bytes, hex and base64.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

_SIX_BITS, _EIGHT_BITS = 6, 8
_OFFSETS = (0, 1, 2)
MIN_BYTES = 7
"""A shorter pattern would be found by chance in ciphertext and base64, and `leak_scan` needs as many."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pattern:
    """Some bytes that betray one value; `plain` is text as a person would read it."""

    content: bytes
    plain: bool


def patterns_of(text: str) -> Iterator[Pattern]:
    """Yield every form of a text that is long enough to be found by intent only."""
    raw = text.encode()
    found = [Pattern(content=raw, plain=True)]
    found += [Pattern(content=content, plain=False) for content in _encoded(raw)]
    found += [Pattern(content=text.encode(codec), plain=False) for codec in ("utf-16-le", "utf-16-be")]
    digest = hashlib.sha256(raw).digest()
    found += [Pattern(content=content, plain=False) for content in (digest, *_encoded(digest))]
    yield from (pattern for pattern in found if len(pattern.content) >= MIN_BYTES)


def _encoded(raw: bytes) -> Iterator[bytes]:
    hexadecimal = raw.hex()
    yield hexadecimal.encode("ascii")
    yield hexadecimal.upper().encode("ascii")
    yield from dict.fromkeys(
        inner for offset in _OFFSETS for alphabet in (None, b"-_") for inner in [_base64_at(raw, offset, alphabet)]
    )


def _base64_at(raw: bytes, offset: int, alphabet: bytes | None) -> bytes:
    """Return the characters of base64 that depend on `raw` alone, when so many other bytes stand before it."""
    encoded = base64.b64encode(b"\x00" * offset + raw, alphabet)
    first = -(-offset * _EIGHT_BITS // _SIX_BITS)
    last = (offset + len(raw)) * _EIGHT_BITS // _SIX_BITS
    return encoded[first:last]
