"""The keys of a custodian's own log: made with the custodian, and anew when it is restored, under another name."""

from pathlib import Path

from audit.errors import AuditError
from audit.seal import KeyEncryptionKey
from audit.signer import LocalSigner
from broker.custodian.errors import FolderError

LOG_KEY = Path("log-keys") / "log.key"
PAYLOAD_KEY = Path("log-keys") / "log-payload.key"
VKEY = "log.vkey"
"""The public key, for the witnesses of this log."""


def create_keys(folder: Path, *, name: str) -> None:
    """The folder holds the keys of a new log with this name, and its public key. Raises FolderError: it has some."""
    try:
        (folder / LOG_KEY).parent.mkdir(mode=0o700, exist_ok=True)
        verifier = LocalSigner.create(folder / LOG_KEY, name)
        KeyEncryptionKey.create(folder / PAYLOAD_KEY)
    except AuditError as error:
        raise FolderError(f"{LOG_KEY}: {error}") from None
    (folder / VKEY).write_text(verifier.encode() + "\n", encoding="utf-8")
