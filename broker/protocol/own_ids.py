"""Ids that nobody but one organisation makes: half chance, half a hash of whose they are (docs/formats.md section 11).

What two organisations share goes by one id, which its maker chooses. An id of somebody else's making is refused by its
form alone, so that nobody learns from an answer whether it is in use at another organisation (red line 9).
"""

import hashlib

from broker.protocol.request_signing import is_id

CHANCE_BYTES = 8
"""Unpredictable bytes in an own id: one organisation would make some thousand million before two are alike."""
_DOMAIN = b"sluis-own-id-v1\x00"


def own_id(oin: str, chance: bytes) -> str:
    """Return the id that this organisation makes of `CHANCE_BYTES` unpredictable bytes."""
    return (chance + _mark(oin, chance)).hex()


def is_own_id(value: str, oin: str) -> bool:
    """Return whether this is an id that this organisation can have made, whether it ever did or not."""
    if not is_id(value):
        return False
    stated = bytes.fromhex(value)
    return stated[CHANCE_BYTES:] == _mark(oin, stated[:CHANCE_BYTES])


def _mark(oin: str, chance: bytes) -> bytes:
    return hashlib.sha256(_DOMAIN + oin.encode("ascii") + b"\x00" + chance).digest()[:CHANCE_BYTES]
