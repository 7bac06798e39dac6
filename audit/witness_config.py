"""A witness's folder: `witness.toml`, `keys/witness.key` (mode 0600) and `witness.sqlite`."""

import json
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.durable_file import create_private
from audit.errors import WitnessError
from audit.note import Algorithm, NoteSigningKey, VerifierKey
from audit.witness import Witness, WitnessStore

_FILE = "witness.toml"
_KEY = Path("keys") / "witness.key"
_STORE = "witness.sqlite"
_PRIVATE_FOLDER = 0o700


class WitnessSettings(BaseModel):
    """What `witness.toml` says: the address to listen on (port 0: any free one) and the logs to watch, as vkeys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    host: str = Field(min_length=1)
    port: int = Field(ge=0, le=65_535)
    logs: list[str] = Field(min_length=1)


def init_witness(directory: Path, *, name: str, logs: list[str], host: str, port: int) -> VerifierKey:
    """The folder holds a fresh key and the settings of a witness for these logs; its public key is returned.

    Raises:
        AuditError: the folder holds a witness already, or the name, an address or a vkey is malformed.

    """
    for log in logs:
        VerifierKey.parse(log)
    key = NoteSigningKey.generate(name, Algorithm.COSIGNATURE)
    try:
        settings = WitnessSettings(host=host, port=port, logs=logs)
    except ValidationError as error:
        raise WitnessError("witness: the host, the port or the list of logs is malformed") from error
    (directory / _KEY).parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    key.save(directory / _KEY)
    # JSON numbers, and JSON strings in lists, are TOML as they stand.
    lines = [f"{member} = {json.dumps(value)}" for member, value in settings.model_dump().items()]
    create_private(directory / _FILE, ("\n".join(lines) + "\n").encode("utf-8"))
    return key.verifier


def load_witness(directory: Path) -> tuple[WitnessSettings, Witness]:
    """Return the settings and the witness of this folder, ready to serve.

    Raises:
        AuditError: a file is missing, malformed, reachable by others, or unknown settings stand in it.

    """
    try:
        settings = WitnessSettings.model_validate(tomllib.loads((directory / _FILE).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise WitnessError("witness.toml: missing, malformed, or with unknown settings") from error
    logs = [VerifierKey.parse(log) for log in settings.logs]
    key = NoteSigningKey.load(directory / _KEY)
    return settings, Witness(key=key, logs=logs, store=WitnessStore(directory / _STORE))
