"""The files of a key ceremony: what waits in `keys/` between its steps, and what custodians exchange."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from broker.custodian.errors import CeremonyStepError
from broker.custodian.keyring import read_private, replace_secret, secret_waits
from broker.protocol import strict_json
from broker.protocol.ceremony import NONCE_SIZE, CeremonyNonce, Commitment, Opening, Place
from broker.protocol.document_fields import Fields
from broker.protocol.epochs import SecretShare, bytes_of, family_of
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.ristretto import SIZE
from broker.protocol.signing_keys import b64url

COMMITMENTS = "ceremony-commitments/v1"
OPENINGS = "ceremony-openings/v1"
PENDING = "ceremony-pending/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingKey:
    """One family's share and nonce between commitment and finish; both redacted."""

    place: Place
    share: SecretShare
    nonce: CeremonyNonce

    def document(self) -> dict[str, Any]:
        """Return the JSON object; it is secret."""
        return {"family": self.place.family.value, "share": b64url(self.share.reveal())} | {
            "nonce": b64url(self.nonce.reveal())
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A ceremony that has begun: the own secrets, the own commitments, and the peer's once they came."""

    epoch: int
    keys: tuple[PendingKey, ...]
    commitments: tuple[Commitment, ...]
    peer: tuple[Commitment, ...]

    def document(self) -> dict[str, Any]:
        """Return the JSON object; it is secret."""
        return {
            "schema": PENDING,
            "epoch": self.epoch,
            "custodian": self.keys[0].place.custodian,
            "keys": [key.document() for key in self.keys],
            "commitments": [item.to_mapping() for item in self.commitments],
            "peer": [item.to_mapping() for item in self.peer],
        }

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Return what `document` gave. Raises MalformedError."""
        members = strict_json.load_object(text, field=PENDING)
        names = {"schema", "epoch", "custodian", "keys", "commitments", "peer"}
        fields = Fields.of(members, PENDING, exactly=names)
        epoch, custodian = fields.number("epoch", least=1), fields.word("custodian")
        return cls(
            epoch=epoch,
            keys=tuple(_pending_key(item, custodian=custodian, epoch=epoch) for item in fields.items("keys")),
            commitments=tuple(Commitment.parse(item) for item in fields.items("commitments")),
            peer=tuple(Commitment.parse(item) for item in fields.items("peer")),
        )


def pending_path(folder: Path) -> Path:
    """Return where a ceremony's secrets wait."""
    return folder / "keys" / "ceremony.pending"


def has_begun(folder: Path) -> bool:
    """Return whether a ceremony's secrets wait."""
    return secret_waits(pending_path(folder))


def load_pending(folder: Path) -> Pending:
    """Return the ceremony that has begun. Raises CeremonyStepError, FolderError."""
    if not has_begun(folder):
        raise CeremonyStepError("no ceremony has begun: commit comes first")
    return Pending.parse(read_private(pending_path(folder)))


def store_pending(folder: Path, pending: Pending) -> None:
    """Store the ceremony durably, mode 0600."""
    replace_secret(pending_path(folder), json.dumps(pending.document()).encode() + b"\n")


def _pending_key(value: object, *, custodian: str, epoch: int) -> PendingKey:
    fields = Fields.of(value, PENDING, exactly={"family", "share", "nonce"})
    return PendingKey(
        place=Place(custodian=custodian, epoch=epoch, family=family_of(fields)),
        share=SecretShare(bytes_of(fields, "share", SIZE)),
        nonce=CeremonyNonce(bytes_of(fields, "nonce", NONCE_SIZE)),
    )


def commitments_text(items: Sequence[Commitment]) -> bytes:
    """Return the file of commitments to send to the peer."""
    return json.dumps({"schema": COMMITMENTS, "commitments": [item.to_mapping() for item in items]}).encode() + b"\n"


def openings_text(items: Sequence[Opening]) -> bytes:
    """Return the file of openings to send to the peer."""
    return json.dumps({"schema": OPENINGS, "openings": [item.to_mapping() for item in items]}).encode() + b"\n"


def _items(text: bytes, schema: str, name: str) -> list[Any]:
    fields = Fields.of(strict_json.loads(text, field=schema), schema, exactly={"schema", name})
    fields.choice("schema", [schema])
    return fields.items(name, at_most=len(Family))


def read_commitments(text: bytes) -> tuple[Commitment, ...]:
    """Return the commitments in a file of the peer. Raises MalformedError."""
    found = tuple(Commitment.parse(item) for item in _items(text, COMMITMENTS, "commitments"))
    if not found:
        raise MalformedError(COMMITMENTS, "is empty")
    return found


def read_openings(text: bytes) -> list[Opening]:
    """Return the openings in a file of the peer. Raises MalformedError."""
    return [Opening.parse(item) for item in _items(text, OPENINGS, "openings")]
