"""Which shares the newest backup holds: a file of the folder, so that no share goes into use that no backup has."""

import json
from collections.abc import Iterable
from pathlib import Path

from broker.custodian.keyring import write_private
from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError

FILE = "backup.made"
SCHEMA = "custodian-backup-made/v1"


def note_backup(folder: Path, shares: Iterable[str]) -> None:
    """The files of these names are in the newest backup, which is written."""
    write_private(folder / FILE, json.dumps({"schema": SCHEMA, "shares": sorted(shares)}).encode("ascii") + b"\n")


def backed_up_shares(folder: Path) -> frozenset[str]:
    """Return the names of the share files in the newest backup; none where that is not known."""
    try:
        text = (folder / FILE).read_bytes()
        fields = Fields.of(strict_json.load_object(text, field=FILE), FILE, exactly={"schema", "shares"})
        fields.choice("schema", [SCHEMA])
        return frozenset(str(name) for name in fields.items("shares"))
    except (OSError, MalformedError):
        return frozenset()
