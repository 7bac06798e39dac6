"""Who may sign a bundle: a list of people, each with a role and one key."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.errors import KeyFileError
from policies.schema import validator
from policies.signing import VerifyKey

ROLES = frozenset({"privacyfunctionaris", "partij"})
"""The two views a release needs: who guards the rules, and who is bound by them."""

MAX_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A person who may sign."""

    name: str
    role: str
    key: VerifyKey


def read_signers(path: Path) -> Mapping[str, Signer]:
    """The people on this list (``signers/v1``) by the kid of their key.

    Raises:
        KeyFileError: it cannot be read or is not of its schema, or one person or key stands there twice.
    """
    try:
        raw = path.read_bytes()
        content: Any = json.loads(raw) if len(raw) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        raise KeyFileError("signers: must be a readable JSON file") from None
    if list(validator("signers/v1").iter_errors(content)):
        raise KeyFileError("signers: must follow signers/v1")
    people = [
        Signer(name=one["name"], role=one["role"], key=VerifyKey.from_jwk(one["jwk"])) for one in content["signers"]
    ]
    by_kid = {person.key.kid: person for person in people}
    if len(by_kid) != len(people) or len({_folded(person.name) for person in people}) != len(people):
        raise KeyFileError("signers: must name each person once, each with a key of their own")
    return by_kid


def _folded(name: str) -> str:
    """A name without what two spellings of it differ in."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
