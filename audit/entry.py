"""The leaf of the log, `auditleaf/v1`, and the canonical padded payloads that its five commitments hide.

A leaf is ASCII text and holds nothing personal:

    auditleaf/v1
    time <unix seconds>
    kind <one of KINDS>
    meta <64 hex>        and likewise actor, subject, hits, shielded, in this order

`docs/audit-format.md` says all of it, precisely enough to write another verifier.
"""

import hmac
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import rfc8785

from audit import merkle
from audit.errors import EntryError, PayloadTooLargeError
from audit.strict_json import loads

FORMAT = "auditleaf/v1"
GROUPS = ("meta", "actor", "subject", "hits", "shielded")
KINDS = (
    "signal", "check", "oproep", "match", "request", "answer", "consent", "exception", "inbox", "review",
    "read", "policy", "register", "admin", "export", "erasure", "retention", "rights", "key",
)  # fmt: skip
KEY_BYTES = 32
COMMITMENT_BYTES = 32
_PAD_MARK = b"\x80"
_COMMITMENT_LABELS = MappingProxyType({group: f"{FORMAT} commit {group}".encode("ascii") for group in GROUPS})
MAX_TIME = 253_402_300_799  # unix seconds, the last second of the year 9999

# Bytes per padded payload. The first three kinds carry households and hits; all others are small.
_HOUSEHOLD_SIZES = MappingProxyType({"meta": 8192, "actor": 2048, "subject": 2048, "hits": 32768, "shielded": 8192})
_SMALL_SIZES = MappingProxyType({"meta": 4096, "actor": 2048, "subject": 1024, "hits": 1024, "shielded": 1024})
PAYLOAD_BYTES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {kind: _HOUSEHOLD_SIZES if kind in ("signal", "check", "oproep") else _SMALL_SIZES for kind in KINDS}
)

_TEXT = "\n".join([FORMAT, "time %d", "kind %s", *(f"{group} %s" for group in GROUPS), ""])
_HEAD_PATTERN = rb"auditleaf/v1\ntime (0|[1-9][0-9]{0,11})\nkind (" + "|".join(KINDS).encode("ascii") + rb")\n"
_HEAD = re.compile(_HEAD_PATTERN)
_LEAF = re.compile(
    _HEAD_PATTERN + b"".join(group.encode("ascii") + rb" ([0-9a-f]{64})\n" for group in GROUPS)
)  # fmt: skip

# The five lines of groups have one length in every leaf, so that many leaves are compared at once: with every hex digit
# written as `0` they are this text, and where it is a letter of a group's name, the leaf has that very letter.
_TAIL = b"".join(group.encode("ascii") + b" " + b"0" * 2 * COMMITMENT_BYTES + b"\n" for group in GROUPS)
_HEX_AS_0 = bytes(ord("0") if chr(byte) in "0123456789abcdef" else byte for byte in range(256))
_TAIL_AS_0 = _TAIL.translate(_HEX_AS_0)
_HEX_LETTERS = tuple((at, byte) for at, byte in enumerate(_TAIL) if byte != _TAIL_AS_0[at])


def canonical_json(payload: Mapping[str, object]) -> bytes:
    """Return the one canonical form of this JSON object (RFC 8785).

    Raises:
        EntryError: a value is not JSON, not finite, or an integer outside ±(2^53 - 1).

    """
    try:
        return rfc8785.dumps(dict(payload))  # type: ignore[arg-type]  # rfc8785 itself checks every value's type
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise EntryError("payload: not a JSON object that has a canonical form (RFC 8785)") from error


def parse_payload(canonical: bytes) -> dict[str, object]:
    """Return the JSON object whose canonical form is exactly these bytes.

    Raises:
        EntryError: not JSON, not an object, not canonical, a key twice, or a number that is not finite.

    """
    try:
        value = loads(canonical.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise EntryError("payload: not UTF-8") from error
    if not isinstance(value, dict):
        raise EntryError("payload: not a JSON object")
    if canonical_json(value) != canonical:
        raise EntryError("payload: not in canonical form (RFC 8785)")
    return value


def payload_size(kind: str, group: str) -> int:
    """Return the fixed size in bytes of a padded payload.

    Raises:
        EntryError: the kind or the group is not in its closed list.

    """
    sizes = PAYLOAD_BYTES.get(kind)
    if sizes is None:
        raise EntryError("kind: not in the closed list")
    if group not in sizes:
        raise EntryError("group: not in the closed list")
    return sizes[group]


def pad(payload: bytes, size: int) -> bytes:
    """Return the payload, 0x80 and zeros, `size` bytes in all.

    Raises:
        PayloadTooLargeError: the payload and its mark do not fit.

    """
    if len(payload) >= size:
        raise PayloadTooLargeError("payload: larger than the fixed size of its kind and group")
    return (payload + _PAD_MARK).ljust(size, b"\x00")


def unpad(padded: bytes) -> bytes:
    """Return the payload before the last 0x80, after which only zeros stand.

    Raises:
        EntryError: there is no such mark.

    """
    marked = padded.rstrip(b"\x00")
    if not marked.endswith(_PAD_MARK):
        raise EntryError("payload: the padding has no mark")
    return marked[:-1]


def commit(key: bytes, group: str, padded: bytes) -> bytes:
    """Return the 32-byte commitment to a padded payload: hiding while the key is secret, and binding.

    `HMAC-SHA256(HMAC-SHA256(key, "auditleaf/v1 commit " + group), padded)`.

    Raises:
        EntryError: the key has not 32 bytes or the group is unknown.

    """
    if len(key) != KEY_BYTES:
        raise EntryError("key: a group key has 32 bytes")
    label = _COMMITMENT_LABELS.get(group)
    if label is None:
        raise EntryError("group: not in the closed list")
    derived = hmac.digest(key, label, "sha256")
    return hmac.digest(derived, padded, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens one commitment: the 32-byte group key and the canonical payload bytes, without padding."""

    key: bytes
    payload: bytes

    def __repr__(self) -> str:
        """Say that this is an opening, and nothing of what it opens."""
        return "Opening(redacted)"

    def commitment(self, kind: str, group: str) -> bytes:
        """Return the commitment that this opening gives in a leaf of this kind.

        Raises:
            EntryError: an unknown kind or group, a wrong key size, or a payload that does not fit.

        """
        return commit(self.key, group, pad(self.payload, payload_size(kind, group)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One entry as it is hashed; `commitments` holds 32 bytes for each group of GROUPS, in that order."""

    time: int
    kind: str
    commitments: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse a leaf that has no valid text."""
        if self.kind not in KINDS:
            raise EntryError("kind: not in the closed list")
        if not 0 <= self.time <= MAX_TIME:
            raise EntryError("time: outside the years 1970 to 9999")
        if [len(value) for value in self.commitments] != [COMMITMENT_BYTES] * len(GROUPS):
            raise EntryError("commitments: one of 32 bytes for each of the five groups")

    def commitment(self, group: str) -> bytes:
        """Return the commitment of this group.

        Raises:
            EntryError: the group is unknown.

        """
        if group not in GROUPS:
            raise EntryError("group: not in the closed list")
        return self.commitments[GROUPS.index(group)]

    def encode(self) -> bytes:
        """Return the leaf's bytes."""
        return (_TEXT % (self.time, self.kind, *(value.hex() for value in self.commitments))).encode("ascii")

    @classmethod
    def parse(cls, data: bytes) -> "Leaf":
        """Return the leaf whose bytes are exactly these; nothing that is not canonical passes.

        Raises:
            EntryError: the bytes are not the canonical text of a leaf.

        """
        time, kind, *groups = (part.decode("ascii") for part in check_leaf(data).groups())
        return cls(time=int(time), kind=kind, commitments=tuple(bytes.fromhex(value) for value in groups))

    @property
    def leaf_hash(self) -> bytes:
        """The leaf's hash in the tree (RFC 6962 §2.1)."""
        return merkle.leaf_hash(self.encode())


def check_leaf(data: bytes) -> re.Match[bytes]:
    """Return the parts of a leaf, in its order, whose bytes are exactly its canonical text.

    Raises:
        EntryError: the bytes are not the canonical text of a leaf.

    """
    match = _LEAF.fullmatch(data)
    if match is None or int(match[1]) > MAX_TIME:
        raise EntryError("leaf: not the canonical auditleaf/v1 text")
    return match


def check_leaves(entries: Sequence[bytes]) -> tuple[int, ...]:
    """Every one of these is exactly the canonical text of a leaf: `check_leaf` of each, at a fifth of its cost.

    Returns:
        The times they state, in their order; entries after each other that share time and kind count as one.

    Raises:
        EntryError: one of them is not.

    """
    times = list[int]()
    for head, _ in itertools.groupby(entry[: -len(_TAIL)] for entry in entries):  # those of one tick share it
        match = _HEAD.fullmatch(head)
        if match is None or int(match[1]) > MAX_TIME:
            raise EntryError("leaf: not the canonical auditleaf/v1 text")
        times.append(int(match[1]))
    tails, width = b"".join([entry[-len(_TAIL) :] for entry in entries]), len(_TAIL)
    if tails.translate(_HEX_AS_0) != _TAIL_AS_0 * len(entries):
        raise EntryError("leaf: not the canonical auditleaf/v1 text")
    if any(tails[at::width] != bytes([letter]) * len(entries) for at, letter in _HEX_LETTERS):
        raise EntryError("leaf: not the canonical auditleaf/v1 text")
    return tuple(times)
