"""The files of a refresh: what waits in `keys/` between its steps, and what custodians exchange."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from broker.custodian.errors import CeremonyStepError
from broker.custodian.keyring import read_private, replace_secret, secret_waits
from broker.protocol import strict_json
from broker.protocol.ceremony import CeremonyNonce
from broker.protocol.document_fields import Fields
from broker.protocol.epochs import bytes_of
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.refresh import (
    NONCE_SIZE,
    Begun,
    ExchangeSecret,
    RefreshCommitment,
    RefreshOpening,
)
from broker.protocol.ristretto import SIZE
from broker.protocol.signing_keys import b64url

COMMITMENTS = "refresh-commitments/v1"
OPENINGS = "refresh-openings/v1"
PENDING = "refresh-pending/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRefresh:
    """A refresh that has begun: the own secrets, the own commitments, and the peer's once they came."""

    begun: tuple[Begun, ...]
    commitments: tuple[RefreshCommitment, ...]
    peer: tuple[RefreshCommitment, ...]

    @property
    def custodian(self) -> str:
        """Whose it is."""
        return self.commitments[0].place.place.custodian

    def document(self) -> dict[str, Any]:
        """Return the JSON object; it is secret."""
        return {
            "schema": PENDING,
            "secrets": [
                {"secret": b64url(held.secret.reveal()), "nonce": b64url(held.nonce.reveal())} for held in self.begun
            ],
            "commitments": [item.to_mapping() for item in self.commitments],
            "peer": [item.to_mapping() for item in self.peer],
        }

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Return what `document` gave. Raises MalformedError."""
        members = strict_json.load_object(text, field=PENDING)
        fields = Fields.of(members, PENDING, exactly={"schema", "secrets", "commitments", "peer"})
        commitments = tuple(RefreshCommitment.parse(item) for item in fields.items("commitments"))
        held = fields.items("secrets")
        if not commitments or len(held) != len(commitments):
            raise MalformedError(PENDING, "has not one secret for each commitment")
        return cls(
            begun=tuple(_begun(item, commitment) for item, commitment in zip(held, commitments, strict=True)),
            commitments=commitments,
            peer=tuple(RefreshCommitment.parse(item) for item in fields.items("peer")),
        )


def pending_path(folder: Path) -> Path:
    """Return where a refresh's secrets wait."""
    return folder / "keys" / "refresh.pending"


def has_begun(folder: Path) -> bool:
    """Return whether a refresh's secrets wait."""
    return secret_waits(pending_path(folder))


def load_pending(folder: Path) -> PendingRefresh:
    """Return the refresh that has begun. Raises CeremonyStepError, FolderError, MalformedError."""
    if not has_begun(folder):
        raise CeremonyStepError("no refresh has begun: commit comes first")
    return PendingRefresh.parse(read_private(pending_path(folder)))


def store_pending(folder: Path, pending: PendingRefresh) -> None:
    """Store the refresh durably, mode 0600."""
    replace_secret(pending_path(folder), json.dumps(pending.document()).encode() + b"\n")


def commitments_text(items: Sequence[RefreshCommitment]) -> bytes:
    """Return the file of commitments to send to the peer."""
    return json.dumps({"schema": COMMITMENTS, "commitments": [item.to_mapping() for item in items]}).encode() + b"\n"


def openings_text(items: Sequence[RefreshOpening]) -> bytes:
    """Return the file of openings to send to the peer."""
    return json.dumps({"schema": OPENINGS, "openings": [item.to_mapping() for item in items]}).encode() + b"\n"


def read_commitments(text: bytes) -> tuple[RefreshCommitment, ...]:
    """Return the commitments in a file of the peer. Raises MalformedError."""
    return tuple(RefreshCommitment.parse(item) for item in _items(text, COMMITMENTS, "commitments"))


def read_openings(text: bytes) -> list[RefreshOpening]:
    """Return the openings in a file of the peer. Raises MalformedError."""
    return [RefreshOpening.parse(item) for item in _items(text, OPENINGS, "openings")]


def _items(text: bytes, schema: str, name: str) -> list[Any]:
    fields = Fields.of(strict_json.loads(text, field=schema), schema, exactly={"schema", name})
    fields.choice("schema", [schema])
    return fields.items(name, at_most=len(Family))


def _begun(value: object, commitment: RefreshCommitment) -> Begun:
    fields = Fields.of(value, PENDING, exactly={"secret", "nonce"})
    return Begun(
        place=commitment.place,
        secret=ExchangeSecret(bytes_of(fields, "secret", SIZE)),
        nonce=CeremonyNonce(bytes_of(fields, "nonce", NONCE_SIZE)),
    )
