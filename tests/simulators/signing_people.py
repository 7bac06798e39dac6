"""Two people who may sign a bundle, and one who may not, with keys from fixed seeds."""

import hashlib
import json
from datetime import date
from pathlib import Path

from policies import Bundle
from policies.diff import compare
from policies.release import Release
from policies.signers import Signer
from policies.signing import SigningKey, b64url

OFFICER, PARTY, STRANGER = "P. Officer", "W. Partij", "S. Tranger"
ROLE = {OFFICER: "privacyfunctionaris", PARTY: "partij"}
DAY = date(2026, 11, 22)


def key_of(name: str) -> SigningKey:
    """The key this person always has in tests."""
    return SigningKey(_seed(name))


def key_file(folder: Path, name: str) -> Path:
    """This person's private key as a file of mode 0600."""
    path = folder / f"{name.replace(' ', '')}.jwk"
    jwk = {**key_of(name).public.jwk(), "d": b64url(_seed(name))}
    path.touch(mode=0o600)
    path.write_text(json.dumps(jwk), encoding="utf-8")
    return path


def signers() -> dict[str, Signer]:
    """The two who may sign, by kid."""
    people = [Signer(name=name, role=role, key=key_of(name).public) for name, role in ROLE.items()]
    return {person.key.kid: person for person in people}


def signers_file(folder: Path) -> Path:
    """The same as a ``signers/v1`` file."""
    path = folder / "signers.json"
    listed = [{"name": name, "role": role, "jwk": key_of(name).public.jwk()} for name, role in ROLE.items()]
    path.write_text(json.dumps({"schema": "signers/v1", "signers": listed}), encoding="utf-8")
    return path


def released(bundle: Bundle, before: Bundle | None = None) -> Release:
    """A release of this bundle in place of another, signed by both for everything; made once of the same two objects.

    Comparing two bundles takes a second, and many tests begin with the same release of the shipped ones.
    """
    found = _made.get((id(bundle), id(before)))
    if found is None:
        found = _made[id(bundle), id(before)] = (_released(bundle, before), bundle, before)
    return found[0]


_made: dict[tuple[int, int], tuple[Release, Bundle, Bundle | None]] = {}
"""By identity; the bundles are kept too, so that no other object gets their place in memory."""


def _released(bundle: Bundle, before: Bundle | None) -> Release:
    release = Release.draft(bundle, compare(before, bundle), registered_on=DAY)
    for name in ROLE:
        release = release.signed(key_of(name), "bundle").signed(key_of(name), "openings")
    return release


def _seed(name: str) -> bytes:
    return hashlib.sha256(f"sluis policy test {name}".encode()).digest()
