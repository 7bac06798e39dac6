"""A custodian's key shares and the epoch documents it signed: files of its own folder, checked at start."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from broker.custodian.errors import FolderError, RefusedError
from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.epochs import SCHEMA as EPOCH_SCHEMA
from broker.protocol.epochs import EpochDocument, SecretShare, bytes_of, family_of
from broker.protocol.errors import ProtocolError
from broker.protocol.families import Family
from broker.protocol.ristretto import SIZE
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey, b64url

SHARE_SCHEMA = "custodian-share/v1"
_OWNER_ONLY = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The shares this custodian evaluates with, and the newest epoch document it signed: None before a ceremony."""

    shares: Mapping[tuple[int, Family], SecretShare]
    newest: bytes | None

    def share(self, epoch: int, family: Family) -> SecretShare:
        """Return the share of a family in an epoch. Raises RefusedError: epoch-unknown."""
        found = self.shares.get((epoch, family))
        if found is None:
            raise RefusedError("epoch-unknown")
        return found


def write_private(path: Path, content: bytes) -> None:
    """Store a file of mode 0600 whole and durably, or not at all; an existing file is replaced."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_private(path: Path) -> bytes:
    """Return the content of a secret file. Raises FolderError: missing, or others can read it."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError:
        raise FolderError(f"keys/{path.name} cannot be read: run init or the ceremony first") from None
    if mode & _OWNER_ONLY:
        raise FolderError(f"keys/{path.name} can be read by others: make it mode 0600")
    return content


def share_path(folder: Path, epoch: int, family: Family) -> Path:
    """Return where the share of a family in an epoch is kept."""
    return folder / "keys" / f"epoch-{epoch}-{family.value}.share"


def epoch_path(folder: Path, epoch: int) -> Path:
    """Return where the epoch document that this custodian signed is kept."""
    return folder / f"epoch-{epoch}.json"


def write_share(folder: Path, epoch: int, family: Family, share: SecretShare) -> None:
    """Store a share in a file of its own."""
    members = {"schema": SHARE_SCHEMA, "epoch": epoch, "family": family.value, "share": b64url(share.reveal())}
    write_private(share_path(folder, epoch, family), json.dumps(members).encode() + b"\n")


def load_keyring(folder: Path, *, custodian: str, key: VerifyKey) -> Keyring:
    """Return the shares of every finished epoch.

    Raises:
        FolderError: a share is missing, can be read by others, or is not the one behind the public share in the
            document that this custodian signed.
    """
    shares: dict[tuple[int, Family], SecretShare] = {}
    newest: tuple[int, bytes | None] = (0, None)
    for path in sorted(folder.glob("epoch-*.json")):
        text = path.read_bytes()
        document = _own_document(path.name, text, custodian=custodian, key=key)
        newest = max(newest, (document.epoch, text), key=lambda found: found[0])
        for descriptor in document.descriptors:
            share = _read_share(folder, document.epoch, descriptor.family)
            mine = [held.public_share for held in descriptor.custodians if held.id == custodian]
            if mine != [share.public]:
                raise FolderError(f"{path.name} does not belong to this custodian's share")
            shares[document.epoch, descriptor.family] = share
    return Keyring(shares=MappingProxyType(shares), newest=newest[1])


def _own_document(name: str, text: bytes, *, custodian: str, key: VerifyKey) -> EpochDocument:
    try:
        signed = SignedDocument.parse(text, schema=EPOCH_SCHEMA)
        signed.require({custodian: key}, at_least=1)
        return EpochDocument.from_mapping(signed.document)
    except ProtocolError:
        raise FolderError(f"{name} is not an epoch document of this custodian") from None


def _read_share(folder: Path, epoch: int, family: Family) -> SecretShare:
    path = share_path(folder, epoch, family)
    content = read_private(path)
    try:
        members = strict_json.load_object(content, field=path.name)
        fields = Fields.of(members, path.name, exactly={"schema", "epoch", "family", "share"})
        fields.choice("schema", [SHARE_SCHEMA])
        if (fields.number("epoch"), family_of(fields)) == (epoch, family):
            return SecretShare(bytes_of(fields, "share", SIZE))
    except ProtocolError:
        raise FolderError(f"keys/{path.name} is damaged: restore it from the offline copy") from None
    raise FolderError(f"keys/{path.name} is the share of another epoch or family")
