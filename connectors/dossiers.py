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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDossier:
    """A dossier that was sealed: its commitment, and where it lies."""

    commitment: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDossier:
    """What the FG reads; nothing of it is ever printed by itself."""

    commitment: str
    content: Mapping[str, Any] = field(repr=False)


def pin_fg_key(folder: PartnerFolder, public: bytes) -> None:
    """Dossiers are sealed to this key from now on; the private half is the FG's, and is not in this folder."""
    (folder.path / "keys" / FG_KEY).write_bytes(base64.b64encode(public) + b"\n")


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
    path = kept / f"{commitment}.sealed"
    write_durably(path, seal_to(fg_key(folder), whole))
    # The log commits to it for ever: a crash must not leave an entry whose dossier nobody has.
    for names in (kept, folder.path):
        _sync_folder(names)
    return KeptDossier(commitment=commitment, path=path)


def _sync_folder(folder: Path) -> None:
    """The folder's entries are on disk: what was renamed into it is still there after a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
