"""A custodian's backup: what cannot be made again, and nothing that could give a spent budget back (red line 12).

    in it       configuration, signing key, shares in use and those of a refresh that waits for its use, epoch
                documents, whom it enrolled, their rosters
    left out    budgets, charged batches, used requests, import grants; ceremonies that have begun; what it watched,
                its own log and how it is set up to watch, which is done anew

It is signed by the custodian and then sealed to a key that is kept elsewhere. A restored custodian knows nothing of
what was charged before, so it counts everything as used up: each bucket is empty as of the restore and fills as the
register says, and no request that was signed before is accepted. No grant that was stated before is accepted again.
Nor does it know who left an organisation since: it serves nobody of one until that one's roster is imported anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from broker.custodian import folder as custodian_folder
from broker.custodian.backup_stamp import note_backup
from broker.custodian.clock import Clock, unix_seconds
from broker.custodian.errors import BackupError, FolderError
from broker.custodian.forfeit import forfeit
from broker.custodian.keyring import erase_private_folder, share_names, shares_not_in_use, write_private
from broker.custodian.log_keys import create_keys
from broker.custodian.sealing import BackupPrivateKey, seal, unseal
from broker.custodian.settings import FILE, Settings
from broker.custodian.store import Store
from broker.custodian.trust import TrustStore
from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.epochs import SCHEMA as EPOCH_SCHEMA
from broker.protocol.epochs import EpochDocument
from broker.protocol.errors import SignatureError
from broker.protocol.register import Register
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey, b64url, b64url_bytes

SCHEMA = "custodian-backup/v1"
MAX_BYTES = 268_435_456
_CONTEXT = b"sluis custodian-backup/v1\n"
_SIGNATURE_BYTES = 64
_MEMBERS = {"schema", "custodian", "madeAt", "registerNumber", "files", "enrolments"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds: files by their path in the folder, and the enrolled organisations with their rosters.

    `made_at` is in unix seconds; `register` is the number that was in force.
    """

    custodian: str
    made_at: int
    register: int
    files: Mapping[str, bytes]
    enrolments: tuple[tuple[str, int, int | None, bytes | None], ...]

    def __repr__(self) -> str:
        """Show nothing of what it holds."""
        return f"Backup(custodian={self.custodian}, redacted)"

    def document(self) -> dict[str, Any]:
        """Return the JSON object; it is secret."""
        return {
            "schema": SCHEMA,
            "custodian": self.custodian,
            "madeAt": self.made_at,
            "registerNumber": self.register,
            "files": {name: b64url(content) for name, content in self.files.items()},
            "enrolments": [
                {"oin": oin, "enrolledAt": at, "number": number, "roster": None if text is None else b64url(text)}
                for oin, at, number, text in self.enrolments
            ],
        }

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Return what `document` gave. Raises MalformedError."""
        members = strict_json.load_object(text, field=SCHEMA, max_bytes=MAX_BYTES)
        fields = Fields.of(members, SCHEMA, exactly=_MEMBERS)
        fields.choice("schema", [SCHEMA])
        files = Fields.of(members["files"], "files", exactly=set(members["files"]))
        return cls(
            custodian=fields.word("custodian"),
            made_at=fields.number("madeAt"),
            register=fields.number("registerNumber"),
            files={name: _bytes(files, name) for name in files.members},
            enrolments=tuple(_enrolment(item) for item in fields.items("enrolments")),
        )


def back_up(folder: Path, out: Path, *, public: bytes, clock: Clock) -> None:
    """The sealed backup of a custodian, which may serve meanwhile, is in a file; the folder notes which shares it has.

    Raises:
        FolderError: the custodian would not start as it is, or its shares were refreshed meanwhile: make it again.
        StoreError: the store cannot be read.
    """
    settings, key = Settings.load(folder), custodian_folder.signing_key(folder)
    # (1) A backup of something broken helps nobody: what is in it would start.
    custodian_folder.check(folder)
    files = _read_files(folder)
    custodian_folder.check(folder)
    if _read_files(folder) != files:
        raise FolderError("the shares were refreshed meanwhile: make the backup again")
    # (2) Enrolments and rosters, read in one transaction; nothing of what was charged.
    with custodian_folder.open_trust(folder) as (store, trust), store.transaction():
        register = trust.current().register
        rows = store.rows(
            "SELECT e.oin, e.enrolled_at, r.number, r.document FROM enrolment e LEFT JOIN roster r ON r.oin = e.oin"
            " ORDER BY e.oin"
        )
    backup = Backup(
        custodian=settings.id,
        made_at=unix_seconds(clock),
        register=0 if register is None else register.number,
        files=files,
        enrolments=tuple((str(oin), int(at), number, text) for oin, at, number, text in rows),
    )
    # (3) Signed, so that nobody who has the public half can pass off another; then sealed.
    content = json.dumps(backup.document()).encode("ascii")
    write_private(out, seal(key.sign(_CONTEXT + content) + content, public=public))
    # (4) Only a backup that is written lets its shares go into use.
    note_backup(folder, [Path(name).name for name in files if name.endswith(".share")])


def restore(
    sealed: bytes,
    folder: Path,
    *,
    private: BackupPrivateKey,
    custodian_key: VerifyKey,
    register: bytes,
    clock: Clock,
) -> Backup:
    """The folder holds the custodian of the backup, which goes by this register and owes everything it ever gave.

    Args:
        custodian_key: the key that others pin; the backup must be signed with it.
        register: the one in force now: what was suspended since the backup stays suspended.

    Raises:
        FolderError: the folder holds something, or what was restored would not start.
        BackupError: sealed to another key, damaged, or the register is older than the one in the backup.
        SignatureError: not this custodian's backup, or not a register of its registrars. MalformedError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FolderError("the folder is not empty; nothing was changed")
    # (1) Opened, and signed by the custodian it is restored as.
    text = unseal(sealed, private=private)
    signature, content = text[:_SIGNATURE_BYTES], text[_SIGNATURE_BYTES:]
    if not custodian_key.verify(_CONTEXT + content, signature):
        raise SignatureError
    backup = Backup.parse(content)
    # (2) Made whole beside its place, checked there, and put in place by one rename.
    making = folder.with_name(f".{folder.name}.restoring")
    erase_private_folder(making)
    try:
        _write_files(making, backup, clock=clock)
        _write_store(making, backup, register, clock=clock)
        custodian_folder.check(making)
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
    except BaseException:
        erase_private_folder(making)
        raise
    return backup


def _read_files(folder: Path) -> dict[str, bytes]:
    """Return what is in a backup. Raises FolderError: something of it went away while it was read."""
    try:
        return {name: (folder / name).read_bytes() for name in _file_names(folder)}
    except FileNotFoundError:
        raise FolderError("the shares were refreshed meanwhile: make the backup again") from None


def _file_names(folder: Path) -> list[str]:
    """Return the paths of what is in a backup, relative to the folder."""
    documents = sorted(folder.glob("epoch-*.json"))
    names = [FILE, custodian_folder.PUBLIC_KEY, "keys/signing.jwk", *(path.name for path in documents)]
    for path in documents:
        document = EpochDocument.from_mapping(SignedDocument.parse(path.read_bytes(), schema=EPOCH_SCHEMA).document)
        # Beside the shares in use, those the other custodian may put in use any moment: without them the key is lost.
        waiting = {path.name for path in shares_not_in_use(folder, document)}
        names += [f"keys/{name}" for name in sorted(share_names(folder, document) | waiting)]
    return names


def _write_files(folder: Path, backup: Backup, *, clock: Clock) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / "keys").mkdir(mode=0o700)
    for name, content in backup.files.items():
        path = folder / name
        if path.resolve().parent not in (folder.resolve(), (folder / "keys").resolve()):
            raise BackupError("the backup names a file outside the folder")
        write_private(path, content)
    (folder / custodian_folder.PUBLIC_KEY).chmod(0o644)
    # Its own log is lost with the machine: it begins a new one, under a name that no witness has seen.
    create_keys(folder, name=f"{backup.custodian}/log-{unix_seconds(clock)}")


def _write_store(folder: Path, backup: Backup, register: bytes, *, clock: Clock) -> None:
    settings = Settings.load(folder)
    if settings.id != backup.custodian:
        raise BackupError("the backup is another custodian's")
    store = Store.create(folder / custodian_folder.DATABASE)
    try:
        known = Register.read(register, registrars=settings.registrar_keys)
        if known.number < backup.register:
            raise BackupError("the register is older than the one the custodian had: get the one in force")
        trust = TrustStore(store, audience=settings.id, registrars=settings.registrar_keys)
        trust.import_register(register, now=unix_seconds(clock))
        with store.transaction():
            for oin, at, number, text in backup.enrolments:
                trust.restore_enrolment(oin, enrolled_at=at, number=number, document=text)
        forfeit(store, clock=clock)
    finally:
        store.close()


def _bytes(fields: Fields, name: str) -> bytes:
    return b64url_bytes(str(fields.members[name]), field="files")


def _enrolment(value: object) -> tuple[str, int, int | None, bytes | None]:
    fields = Fields.of(value, "enrolments", exactly={"oin", "enrolledAt", "number", "roster"})
    has_roster = fields.members["roster"] is not None
    return (
        fields.oin("oin"),
        fields.number("enrolledAt"),
        fields.number("number") if has_roster else None,
        _bytes(fields, "roster") if has_roster else None,
    )
