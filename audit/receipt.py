"""A receipt: what an asker keeps, and can have checked by anybody, offline, years later.

On the wire: `{"leaf": text, "proof": tlog-proof text, "openings": {group: {"key", "payload"}}, "uncosignedSince"}`,
where key (32 bytes) and payload (canonical JSON, without padding) are base64url without padding.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audit.entry import GROUPS, MAX_TIME, Leaf, Opening
from audit.errors import EntryError, NoteError, ReceiptError
from audit.proof import TlogProof

_MEMBERS = frozenset({"leaf", "proof", "openings", "uncosignedSince"})
_OPENING_MEMBERS = frozenset({"key", "payload"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt that has the right form; only `audit.verify.verify_receipt` says whether it holds.

    `uncosigned_since` is the log's own statement in unix seconds: since when it has lacked its quorum.
    """

    leaf: Leaf
    proof: TlogProof
    openings: Mapping[str, Opening]
    uncosigned_since: int | None

    def to_wire(self) -> dict[str, object]:
        """Return the receipt as a JSON object."""
        return {
            "leaf": self.leaf.encode().decode("ascii"),
            "proof": self.proof.encode(),
            "openings": {
                group: {"key": _to_base64url(opening.key), "payload": _to_base64url(opening.payload)}
                for group, opening in self.openings.items()
            },
            "uncosignedSince": self.uncosigned_since,
        }

    @classmethod
    def from_wire(cls, wire: object) -> "Receipt":
        """Return the receipt in this parsed JSON value; a missing or additional member is refused.

        Raises:
            ReceiptError: the value has not the form of a receipt.

        """
        members = _members(wire, _MEMBERS, "receipt")
        leaf, proof, since = members["leaf"], members["proof"], members["uncosignedSince"]
        if not isinstance(leaf, str) or not isinstance(proof, str):
            raise ReceiptError("receipt: leaf and proof are text")
        if since is not None and (type(since) is not int or not 0 <= since <= MAX_TIME):
            raise ReceiptError("receipt: uncosignedSince is null or unix seconds")
        try:
            return cls(
                leaf=Leaf.parse(leaf.encode("ascii")),
                proof=TlogProof.parse(proof),
                openings=_openings(members["openings"]),
                uncosigned_since=since,
            )
        except (EntryError, NoteError, UnicodeEncodeError) as error:
            raise ReceiptError("receipt: the leaf or the proof is malformed") from error


def _openings(value: object) -> Mapping[str, Opening]:
    if not isinstance(value, dict) or not set(value) <= set(GROUPS):
        raise ReceiptError("receipt: openings are an object by group")
    openings: dict[str, Opening] = {}
    for group, wire in value.items():
        members = _members(wire, _OPENING_MEMBERS, "opening")
        openings[group] = Opening(
            key=_from_base64url(members["key"]),
            payload=_from_base64url(members["payload"]),
        )
    return MappingProxyType(openings)


def _members(value: object, expected: frozenset[str], what: str) -> dict[str, object]:
    if not isinstance(value, dict) or set(value) != expected:
        raise ReceiptError(f"{what}: an object with exactly its own members")
    return value


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64url(value: object) -> bytes:
    if not isinstance(value, str):
        raise ReceiptError("opening: key and payload are text")
    try:
        data = base64.b64decode(value.encode("ascii") + b"=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ReceiptError("opening: not base64url") from error
    if _to_base64url(data) != value:
        raise ReceiptError("opening: base64url without padding, in its one canonical form")
    return data
