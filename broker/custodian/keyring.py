"""A custodian's key shares and the epoch documents it signed: files of its own folder, checked at start."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

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
_SHARE_NAME = re.compile(r"epoch-([0-9]+)(?:-refresh-([0-9]+)-[0-9a-f]{32})?-[a-z]+\.share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The shares this custodian evaluates with, and the epoch documents it signed, by the number of their epoch."""

    shares: Mapping[tuple[int, Family], SecretShare]
    documents: Mapping[int, bytes]

    @property
    def newest(self) -> bytes | None:
        """The document of the newest epoch; None before a ceremony."""
        return self.documents[max(self.documents)] if self.documents else None

    def share(self, epoch: int, family: Family) -> SecretShare:
        """Return the share of a family in an epoch. Raises RefusedError: epoch-unknown."""
        found = self.shares.get((epoch, family))
        if found is None:
            raise RefusedError("epoch-unknown")
        return found


def write_private(path: Path, content: bytes) -> None:
    """Store a file of mode 0600 whole and durably, or not at all; an existing file is replaced."""
    temporary = path.with_name(f".{path.name}.new")
    erase_private(temporary)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_secret(path: Path, content: bytes) -> None:
    """Store a secret file as `write_private` does; what stood there before is overwritten, once it is replaced.

    For what one process reads at a time: who reads the earlier file meanwhile may find it empty of meaning.
    """
    with ExitStack() as stack:
        earlier = stack.enter_context(path.open("r+b")) if path.exists() else None
        write_private(path, content)
        if earlier is not None:
            _overwrite(earlier)


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


def erase_private(path: Path) -> None:
    """A secret file is gone, its content overwritten first; where a disk keeps old blocks is not in our hands."""
    with suppress(FileNotFoundError):
        with path.open("r+b") as file:
            _overwrite(file)
        path.unlink()
        _sync(path.parent)


def secret_waits(path: Path) -> bool:
    """Return whether a secret file is there; one whose erasing was cut off after its content was gone is not."""
    if path.exists() and not path.read_bytes().strip(b"\0"):
        erase_private(path)
    return path.exists()


def erase_private_folder(folder: Path) -> None:
    """A folder with secret files is gone, the content of every file in it overwritten first."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            erase_private(path)
    shutil.rmtree(folder, ignore_errors=True)


def _overwrite(file: BinaryIO) -> None:
    file.write(bytes(os.fstat(file.fileno()).st_size))
    file.flush()
    os.fsync(file.fileno())


def share_path(folder: Path, document: EpochDocument, family: Family) -> Path:
    """Return where the share of a family behind a document is kept; each refresh that was begun has its own files.

    The document's hash is in the name: a refresh that was given up is never overwritten by the one after it, for the
    other custodian may hold to either.
    """
    mark = hashlib.sha256(document.canonical()).hexdigest()[:32]
    refreshed = f"-refresh-{document.refresh}-{mark}" if document.refresh else ""
    return folder / "keys" / f"epoch-{document.epoch}{refreshed}-{family.value}.share"


def epoch_path(folder: Path, epoch: int) -> Path:
    """Return where the epoch document that this custodian signed is kept."""
    return folder / f"epoch-{epoch}.json"


def write_share(folder: Path, document: EpochDocument, family: Family, share: SecretShare) -> None:
    """Store the share of a family behind a document, in a file of its own."""
    members = {"schema": SHARE_SCHEMA, "epoch": document.epoch, "family": family.value, "share": b64url(share.reveal())}
    write_private(share_path(folder, document, family), json.dumps(members).encode() + b"\n")


def load_keyring(folder: Path, *, custodian: str, key: VerifyKey) -> Keyring:
    """Return the shares of every finished epoch.

    Raises:
        FolderError: a share is missing, can be read by others, or is not the one behind the public share in the
            document that this custodian signed.
    """
    shares: dict[tuple[int, Family], SecretShare] = {}
    documents: dict[int, bytes] = {}
    for path in sorted(folder.glob("epoch-*.json")):
        text = path.read_bytes()
        document = _own_document(path.name, text, custodian=custodian, key=key)
        documents[document.epoch] = text
        shares |= shares_of(folder, document, custodian=custodian)
    return Keyring(shares=MappingProxyType(shares), documents=MappingProxyType(documents))


def shares_of(folder: Path, document: EpochDocument, *, custodian: str) -> dict[tuple[int, Family], SecretShare]:
    """Return this custodian's shares behind a document. Raises FolderError: one is missing or another one."""
    shares: dict[tuple[int, Family], SecretShare] = {}
    for descriptor in document.descriptors:
        share = _read_share(folder, document, descriptor.family)
        mine = [held.public_share for held in descriptor.custodians if held.id == custodian]
        if mine != [share.public]:
            raise FolderError(f"epoch-{document.epoch}.json does not belong to this custodian's share")
        shares[document.epoch, descriptor.family] = share
    return shares


class LiveKeyring:
    """The keyring of a folder as it is now: read anew when a refresh has put another document in its place."""

    def __init__(self, folder: Path, *, custodian: str, key: VerifyKey) -> None:
        """Read it. Raises FolderError."""
        self._folder = folder
        self._custodian = custodian
        self._key = key
        self._seen = self._stamp()
        self._held = load_keyring(folder, custodian=custodian, key=key)

    @property
    def newest(self) -> bytes | None:
        """The newest epoch document. Raises FolderError."""
        return self._current().newest

    def document(self, epoch: int) -> bytes | None:
        """Return the document of an epoch, as it was refreshed last, None where there is none. Raises FolderError."""
        return self._current().documents.get(epoch)

    def share(self, epoch: int, family: Family) -> SecretShare:
        """Return the share of a family in an epoch. Raises RefusedError: epoch-unknown; FolderError."""
        return self._current().share(epoch, family)

    def _current(self) -> Keyring:
        stamp = self._stamp()
        if stamp != self._seen:
            self._held = load_keyring(self._folder, custodian=self._custodian, key=self._key)
            self._seen = stamp
        return self._held

    def _stamp(self) -> list[tuple[str, int, int]]:
        """Return what differs when a document was put in place: files are replaced whole, never written in place."""
        found = sorted(self._folder.glob("epoch-*.json"))
        return [(path.name, status.st_ino, status.st_mtime_ns) for path in found for status in [path.stat()]]


def documents_in_force(folder: Path, *, custodian: str, key: VerifyKey) -> dict[int, EpochDocument]:
    """Return the document in force of every epoch, by its number. Raises FolderError: one is not this custodian's."""
    found = [
        _own_document(path.name, path.read_bytes(), custodian=custodian, key=key)
        for path in folder.glob("epoch-*.json")
    ]
    return {document.epoch: document for document in found}


def newest_document(folder: Path, *, custodian: str, key: VerifyKey) -> EpochDocument:
    """Return the document of the newest epoch that this custodian signed. Raises FolderError: there is none."""
    found = documents_in_force(folder, custodian=custodian, key=key)
    if not found:
        raise FolderError("there is no key yet: hold the ceremony first")
    return found[max(found)]


def share_names(folder: Path, document: EpochDocument) -> set[str]:
    """Return the names of the files that hold the shares behind a document."""
    return {share_path(folder, document, descriptor.family).name for descriptor in document.descriptors}


def shares_not_in_use(folder: Path, document: EpochDocument) -> list[Path]:
    """Return the shares stored by refreshes of this document that are not in use yet, or were given up."""
    return [path for path, refresh in _share_files(folder, document.epoch) if refresh > document.refresh]


def erase_replaced_shares(folder: Path, document: EpochDocument) -> None:
    """Of this epoch no share is left but those behind the document in force, and those of refreshes after it."""
    kept = share_names(folder, document)
    for path, refresh in _share_files(folder, document.epoch):
        if refresh <= document.refresh and path.name not in kept:
            erase_private(path)


def _share_files(folder: Path, epoch: int) -> list[tuple[Path, int]]:
    """Return the share files of an epoch with the number of their refresh, 0 for those of the ceremony."""
    named = [(path, _SHARE_NAME.fullmatch(path.name)) for path in sorted((folder / "keys").glob("epoch-*.share"))]
    return [(path, int(match[2] or 0)) for path, match in named if match is not None and int(match[1]) == epoch]


def _own_document(name: str, text: bytes, *, custodian: str, key: VerifyKey) -> EpochDocument:
    try:
        signed = SignedDocument.parse(text, schema=EPOCH_SCHEMA)
        signed.require({custodian: key}, at_least=1)
        return EpochDocument.from_mapping(signed.document)
    except ProtocolError:
        raise FolderError(f"{name} is not an epoch document of this custodian") from None


def _read_share(folder: Path, document: EpochDocument, family: Family) -> SecretShare:
    path = share_path(folder, document, family)
    content = read_private(path)
    try:
        members = strict_json.load_object(content, field=path.name)
        fields = Fields.of(members, path.name, exactly={"schema", "epoch", "family", "share"})
        fields.choice("schema", [SHARE_SCHEMA])
        if (fields.number("epoch"), family_of(fields)) == (document.epoch, family):
            return SecretShare(bytes_of(fields, "share", SIZE))
    except ProtocolError:
        raise FolderError(f"keys/{path.name} is damaged: restore it from the offline copy") from None
    raise FolderError(f"keys/{path.name} is the share of another epoch or family")
