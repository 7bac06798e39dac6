"""The dossier of an exception: written here, sealed for the organisation's own FG, and never sent (D11).

The broker gets a commitment: a hash over the dossier and a random salt. Whoever opens the dossier can hold it against
the entry of the log; whoever has only the entry learns nothing of it.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rfc8785

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from connectors.errors import FolderError
from connectors.folder import PartnerFolder, write_durably
from connectors.sealing import SealingKey, seal_to

FG_KEY = "fg-dossier.pub"
FOLDER = "dossiers"
SALT_BYTES = 32
_DIGITS, _IN_NAME = 20, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDossier:
    """A dossier that was sealed: its commitment, where it lies, and to which key of the FG."""

    commitment: str
    path: Path
    sealed_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDossier:
    """What the FG reads; nothing of it is ever printed by itself."""

    commitment: str
    content: Mapping[str, Any] = field(repr=False)


def pin_fg_key(folder: PartnerFolder, public: bytes, *, replaces: str | None = None) -> None:
    """Dossiers are sealed to this key from now on; the private half is the FG's, and is not in this folder.

    Args:
        replaces: the fingerprint of the key that is pinned here, where there is one: who may replace it reads it from
            the FG's own note, so that no dossier goes to another key unnoticed.

    Raises:
        FolderError: another key is pinned than the one it is said to replace; that one stays.
    """
    check_replaces(folder, replaces)
    write_durably(folder.path / "keys" / FG_KEY, base64.b64encode(public) + b"\n")
    _sync_folder(folder.path / "keys")


def check_replaces(folder: PartnerFolder, replaces: str | None) -> None:
    """Hold if a new FG key takes the place of the one named, or of none. Raises FolderError."""
    pinned = fingerprint(fg_key(folder)) if (folder.path / "keys" / FG_KEY).exists() else None
    if pinned is None and replaces is None:
        return
    if pinned is None or replaces is None or "".join(replaces.split()) != pinned.replace(" ", ""):
        raise FolderError(f"keys/{FG_KEY}", "is there: name its fingerprint with --replaces, or leave it")


def fingerprint(public: bytes) -> str:
    """Return four groups of five digits by which people tell a key of the FG from another."""
    number = int.from_bytes(hashlib.sha512(b"sluis fg-key/v1\n" + public).digest(), "big") % 10**_DIGITS
    text = f"{number:0{_DIGITS}}"
    return " ".join(text[at : at + 5] for at in range(0, _DIGITS, 5))


def fg_key(folder: PartnerFolder) -> bytes:
    """Return the key that dossiers are sealed to. Raises FolderError: there is none, so no exception is invoked."""
    try:
        key = base64.b64decode((folder.path / "keys" / FG_KEY).read_bytes().strip(), validate=True)
    except (OSError, binascii.Error):
        raise FolderError(f"keys/{FG_KEY}", "is missing: the FG makes it with `exception key`") from None
    return key


def keep(folder: PartnerFolder, content: Mapping[str, Any], *, salt: bytes) -> KeptDossier:
    """The dossier lies sealed in the folder, durably, before anything of it is stated. Raises FolderError: no key."""
    whole = rfc8785.dumps({"schema": "dossier/v1", "salt": salt.hex(), "content": dict(content)})
    commitment = hashlib.sha256(whole).hexdigest()
    kept = folder.path / FOLDER
    kept.mkdir(mode=0o700, exist_ok=True)
    public = fg_key(folder)
    sealed_to = fingerprint(public)
    # The name says which key opens it, also after the FG has another.
    path = kept / f"{commitment}.{sealed_to[:_IN_NAME]}.sealed"
    write_durably(path, seal_to(public, whole))
    # The log commits to it for ever: a crash must not leave an entry whose dossier nobody has.
    for names in (kept, folder.path):
        _sync_folder(names)
    return KeptDossier(commitment=commitment, path=path, sealed_to=sealed_to)


def _sync_folder(folder: Path) -> None:
    """The folder's entries are on disk: what was renamed into it is still there after a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def kept_as(folder: PartnerFolder, commitment: str) -> Path | None:
    """Return the file in which the dossier of this commitment lies here; None: it is not in this folder."""
    return next(iter(sorted((folder.path / FOLDER).glob(f"{commitment}.*.sealed"))), None)


def open_dossier(path: Path, *, key: SealingKey) -> OpenedDossier:
    """Return a dossier with the commitment that stands in the log. Raises FolderError: not sealed to this key."""
    whole = key.open(path.read_bytes())
    try:
        read = strict_json.load_object(whole)
        content = read["content"]
    except (MalformedError, LookupError):
        raise FolderError("dossier", "is none") from None
    return OpenedDossier(commitment=hashlib.sha256(whole).hexdigest(), content=content)


def as_text(opened: OpenedDossier) -> str:
    """Return what the FG reads, as text."""
    return json.dumps(dict(opened.content), ensure_ascii=False, indent=2)
