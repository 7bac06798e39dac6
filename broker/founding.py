"""Making the folder of a new broker: its settings, its keys, and the public keys of whom it trusts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.key_ring import KeyRing
from audit.signer import LocalSigner
from broker.keys import create_index_key, create_offline_pair
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.signing_keys import VerifyKey
from broker.settings import (
    FILE_NAME,
    INDEX_KEY,
    LOG_KEY,
    OFFLINE_PUBLIC_KEY,
    Settings,
    encode,
)

_Jwk = dict[str, Any]


def read_pins(registrars: Sequence[Path], custodians: Sequence[str]) -> tuple[dict[str, _Jwk], dict[str, _Jwk]]:
    """Return the public keys to pin: registrars by a name of ours, custodians by their id. Raises MalformedError."""
    if not all("=" in item for item in custodians):
        raise MalformedError("custodian", "is not ID=FILE")
    files = {party: Path(path) for party, _, path in (item.partition("=") for item in custodians)}
    first = {f"registrar-{number}": _jwk(path) for number, path in enumerate(registrars, start=1)}
    return first, {party: _jwk(path) for party, path in files.items()}


def _jwk(path: Path) -> _Jwk:
    jwk = strict_json.load_object(path.read_bytes(), field=path.name)
    VerifyKey.from_jwk(jwk, field=path.name)
    return jwk


def found(directory: Path, members: dict[str, Any], pins: dict[str, _Jwk], *, offline: Path) -> str:
    """Make the folder of a new broker and return the log's vkey; settings that would not be read make nothing."""
    text = encode(members)
    settings = Settings.parse(text, folder=directory)
    keys = directory / "keys"
    keys.mkdir(mode=0o700, parents=True)
    directory.chmod(0o700)
    (directory / "trust").mkdir(mode=0o700)
    for name, jwk in pins.items():
        (directory / pin_of(name)).write_text(json.dumps(jwk) + "\n", encoding="utf-8")
    vkey = LocalSigner.create(keys / LOG_KEY, settings.log_origin).encode()
    KeyRing.create(settings.path(settings.payload_keys))
    create_index_key(keys / INDEX_KEY)
    create_offline_pair(public=keys / OFFLINE_PUBLIC_KEY, private=offline)
    (directory / FILE_NAME).write_text(text, encoding="utf-8")
    return vkey


def pin_of(name: str) -> str:
    """Return where the public key of a party is kept; the settings have checked its name."""
    return f"trust/{name}.jwk"
