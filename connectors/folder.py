"""A partner's folder (mode 0700): its keys, whom it trusts, and what it keeps.

    partner.toml  keys/  trust/  register.json  epochs.json  log-policy  cases.sqlite  outbox.sqlite  receipts/

`trust/` holds the public keys pinned at `init`: those of the registrars and of the custodians. Documents are verified
under these pins at every load, so a file that was changed afterwards is refused.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from audit.errors import PolicyError
from audit.verify import Policy, parse_policy
from broker.protocol import strict_json
from broker.protocol.epochs import SCHEMA as EPOCH_SCHEMA
from broker.protocol.epochs import DescriptorError, EpochDocument
from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.register import Organisation, Register
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey, VerifyKey
from connectors.casebook import Casebook
from connectors.cases import Case
from connectors.errors import FolderError
from connectors.excluded import ExcludedList
from connectors.sealing import OutboxKey, SealingKey, SecretKey
from connectors.settings import Settings

_REGISTER, _EPOCHS, _LOG_POLICY = "register.json", "epochs.json", "log-policy"
_EXCLUDED = "excluded-addresses.json"
_SIGNING, _SEALING = Path("keys/signing.jwk"), Path("keys/sealing.key")
_PAIRWISE, _OUTBOX, _CASE_REF = Path("keys/pairwise.key"), Path("keys/outbox.key"), Path("keys/case-reference.key")
_REGISTRARS_NEEDED = 2
_NOT_THE_REGISTRARS = "is malformed or not signed by two registrars that this folder trusts"
_Document = TypeVar("_Document", Register, EpochDocument, ExcludedList)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Public keys trusted from the start: of the registrars by kid, and of each custodian by its id."""

    registrars: Mapping[str, VerifyKey]
    custodians: Mapping[str, VerifyKey]


class PartnerFolder:
    """One partner's folder, checked when it is opened; each document is verified when it is first used."""

    def __init__(self, path: Path) -> None:
        """Open the folder. Raises FolderError: missing, open to others, or settings that break a rule."""
        if not path.is_dir():
            raise FolderError(path.name, "is not a folder: run sluis-connect init first")
        if path.stat().st_mode & 0o077:
            raise FolderError(path.name, "can be read by others; make it mode 0700")
        self.path = path
        self.settings = Settings.read(path)
        self._documents: dict[str, tuple[tuple[int, int], Any]] = {}

    @classmethod
    def create(cls, path: Path, settings: Settings, *, pins: Pins, log_policy: str) -> "PartnerFolder":
        """Return a new folder with fresh keys. Raises FolderError: something of it exists, or pins are missing."""
        if len(pins.registrars) < _REGISTRARS_NEEDED:
            raise FolderError("trust", "needs the public keys of two different registrars")
        if pins.custodians.keys() != {custodian.id for custodian in settings.custodians}:
            raise FolderError("trust", "needs the public key of every custodian")
        _policy(log_policy)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            for name in ("keys", "trust", "receipts"):
                (path / name).mkdir(mode=0o700)
            settings.write(path)
            SigningKey.generate().write(path / _SIGNING)
            SealingKey.create(path / _SEALING)
            for key in (_PAIRWISE, _OUTBOX, _CASE_REF):
                SecretKey.create(path / key)
        except FileExistsError:
            raise FolderError(path.name, "holds a partner already") from None
        for kid, registrar in pins.registrars.items():
            write_durably(path / "trust" / f"registrar-{kid}.jwk", _jwk_text(registrar))
        for name, custodian in pins.custodians.items():
            write_durably(path / "trust" / f"custodian-{name}.jwk", _jwk_text(custodian))
        write_durably(path / _LOG_POLICY, log_policy.encode())
        return cls(path)

    @cached_property
    def pins(self) -> Pins:
        """The public keys this folder trusts."""
        registrars = [read_jwk(path) for path in sorted((self.path / "trust").glob("registrar-*.jwk"))]
        return Pins(
            registrars={key.kid: key for key in registrars},
            custodians={
                custodian.id: read_jwk(self.path / "trust" / f"custodian-{custodian.id}.jwk")
                for custodian in self.settings.custodians
            },
        )

    @cached_property
    def signing_key(self) -> SigningKey:
        """The key this organisation signs requests and rosters with."""
        try:
            return SigningKey.read(self.path / _SIGNING)
        except (OSError, MalformedError):
            raise FolderError(str(_SIGNING), "is missing, damaged or can be read by others") from None

    @cached_property
    def sealing_key(self) -> SealingKey:
        """The key that answers to this organisation are sealed to."""
        return SealingKey.read(self.path / _SEALING)

    @cached_property
    def pairwise_key(self) -> SecretKey:
        """The key behind the pairwise ids of workers."""
        return SecretKey.read(self.path / _PAIRWISE)

    @cached_property
    def case_ref_key(self) -> SecretKey:
        """The key behind case references."""
        return SecretKey.read(self.path / _CASE_REF)

    @cached_property
    def outbox_key(self) -> OutboxKey:
        """The key under which unacknowledged requests wait."""
        return OutboxKey.read(self.path / _OUTBOX)

    @property
    def register(self) -> Register:
        """The register of organisations as it is here now, verified. Raises FolderError."""
        return self._current(_REGISTER, self._read_register)

    @property
    def organisation(self) -> Organisation:
        """This organisation as the register states it. Raises FolderError: it does not stand there."""
        found = self.register.organisations.get(self.settings.oin)
        if found is None:
            raise FolderError(_REGISTER, "does not name this organisation")
        return found

    @property
    def epoch(self) -> EpochDocument:
        """The epoch in use as it is here now, verified. Raises FolderError."""
        return self._current(_EPOCHS, self._read_epoch)

    @property
    def excluded_addresses(self) -> ExcludedList:
        """The addresses that never become a token, as they are now. Raises FolderError: also where there is no list."""
        return self._current(_EXCLUDED, self._read_excluded)

    @cached_property
    def log_policy(self) -> Policy:
        """Which log this partner believes, and which witnesses. Raises FolderError."""
        return _policy(self._stored(_LOG_POLICY).decode("utf-8", errors="replace"))

    @property
    def outbox_path(self) -> Path:
        """The file of unacknowledged requests."""
        return self.path / "outbox.sqlite"

    @property
    def receipts(self) -> Path:
        """The folder of receipts."""
        return self.path / "receipts"

    def casebook(self) -> Casebook:
        """Return the open casebook."""
        return Casebook(self.path / "cases.sqlite")

    def import_register(self, text: bytes) -> Register:
        """Return the register that holds here from now on. Raises FolderError: not verified, or no higher number."""
        register = self._read_register(text)
        if (self.path / _REGISTER).exists() and register.number <= self.register.number:
            raise FolderError(_REGISTER, "has no higher number than the one that is here")
        write_durably(self.path / _REGISTER, text)
        return register

    def import_epoch(self, text: bytes) -> EpochDocument:
        """Return the epoch that holds here from now on; a refresh takes the place of what it refreshes.

        Raises:
            FolderError: not verified, no later than the one that is here, or a refresh that changes the key.
        """
        document = self._read_epoch(text)
        try:
            newer = not (self.path / _EPOCHS).exists() or document.replaces(self.epoch)
        except DescriptorError:
            raise FolderError(_EPOCHS, "changes the key and calls itself a refresh: ask both custodians") from None
        if not newer:
            raise FolderError(_EPOCHS, "is no later than the one that is here")
        write_durably(self.path / _EPOCHS, text)
        return document

    def import_refresh(self, text: bytes) -> EpochDocument:
        """Return the epoch that is here in newer shares: what may be taken by itself, for no token changes.

        Raises:
            FolderError: as `import_epoch`, or it is another epoch, which is a person's to import.
        """
        if self._read_epoch(text).epoch != self.epoch.epoch:
            raise FolderError(_EPOCHS, "is another epoch, no refresh: compare it with the custodians and import it")
        return self.import_epoch(text)

    def _current(self, name: str, read: Callable[[bytes], _Document]) -> _Document:
        """Return a document, verified anew whenever another file stands in its place: an import counts at once."""
        try:
            status = (self.path / name).stat()
        except OSError:
            raise _absent(name) from None
        stamp, held = (status.st_ino, status.st_mtime_ns), self._documents.get(name)
        if held is None or held[0] != stamp:
            held = (stamp, read(self._stored(name)))
            self._documents[name] = held
        document: _Document = held[1]
        return document

    def without_excluded(self, case: Case) -> Case:
        """Return the case without an address that is on the list. Raises FolderError: there is no list to look in."""
        return case if case.address is None else self.excluded_addresses.applied_to(case)

    def import_excluded(self, text: bytes) -> ExcludedList:
        """Return the list that holds here from now on. Raises FolderError: not verified, or no higher number."""
        listed = self._read_excluded(text)
        if (self.path / _EXCLUDED).exists() and listed.number <= self.excluded_addresses.number:
            raise FolderError(_EXCLUDED, "has no higher number than the one that is here")
        write_durably(self.path / _EXCLUDED, text)
        return listed

    def _read_excluded(self, text: bytes) -> ExcludedList:
        try:
            return ExcludedList.read(text, registrars=self.pins.registrars)
        except ProtocolError:
            raise FolderError(_EXCLUDED, _NOT_THE_REGISTRARS) from None

    def _read_register(self, text: bytes) -> Register:
        try:
            return Register.read(text, registrars=self.pins.registrars)
        except ProtocolError:
            raise FolderError(_REGISTER, _NOT_THE_REGISTRARS) from None

    def _read_epoch(self, text: bytes) -> EpochDocument:
        # (1) Every custodian of this folder signed it, with the key pinned at init.
        try:
            signed = SignedDocument.parse(text, schema=EPOCH_SCHEMA)
            signed.require(self.pins.custodians, at_least=len(self.pins.custodians))
            document = EpochDocument.from_mapping(signed.document)
        except ProtocolError:
            raise FolderError(_EPOCHS, "is malformed or not signed by every custodian of this folder") from None
        # (2) It is their key, and nobody else's with it.
        if {key.id for key in document.descriptors[0].custodians} != set(self.pins.custodians):
            raise FolderError(_EPOCHS, "names other custodians than this folder")
        return document

    def _stored(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError:
            raise _absent(name) from None


def _absent(name: str) -> FolderError:
    return FolderError(name, "is not here yet: import it first")


def read_jwk(path: Path) -> VerifyKey:
    """Return the public key in a JWK file. Raises FolderError: missing or malformed."""
    try:
        return VerifyKey.from_jwk(strict_json.load_object(path.read_bytes(), field=path.name), field=path.name)
    except (OSError, MalformedError):
        raise FolderError(path.name, "is not a file with a public Ed25519 JWK") from None


def registrar_pins(paths: Sequence[Path]) -> dict[str, VerifyKey]:
    """Return the registrars' keys by kid. Raises FolderError."""
    return {key.kid: key for key in (read_jwk(path) for path in paths)}


def _policy(text: str) -> Policy:
    try:
        return parse_policy(text)
    except PolicyError:
        raise FolderError(_LOG_POLICY, "is not a log policy") from None


def _jwk_text(key: VerifyKey) -> bytes:
    members = ", ".join(f'"{name}": "{value}"' for name, value in key.jwk().items())
    return f"{{{members}}}\n".encode()


def write_durably(path: Path, content: bytes) -> None:
    """Store a file whole and durably, or not at all; an existing one is replaced."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
