"""A release: one bundle, whole, and the signatures of the people who stand for it. Immutable; named by its hash.

    {"schema": "release/v1", "statement": {...}, "bundle": {...}, "signatures": [{"kid", "scope", "value"}]}

What people sign is the statement: which bundle, in place of which, registered on which day, and what it opens. From
when to when a document holds in law stands in the document; when it was registered stands here; when a broker began to
decide with it stands in that broker's log.

It holds when a privacyfunctionaris and a partij, two different people, signed it. What opens a cell that was closed
needs both of them to sign for the openings too, each after seeing them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

import rfc8785

from policies.bundle import Bundle
from policies.diff import Diff, compare
from policies.errors import ReleaseError, SignatureError
from policies.facts import Json
from policies.findings import untranslated
from policies.load import load_bundle, load_contents
from policies.ruleset import RuleSet
from policies.schema import validator
from policies.signers import ROLES, Signer
from policies.signing import SIGNATURE_BYTES, SigningKey, b64url, from_b64url

MAX_BYTES = 32_000_000
"""Largest release or bundle file that is read, in bytes."""

Scope = Literal["bundle", "openings"]
_PREFIX: Mapping[Scope, bytes] = {
    "bundle": b"sluis policy release/v1\n",
    "openings": b"sluis policy openings/v1\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One person's signature over a statement, for one of the two things it can be about."""

    kid: str
    scope: Scope
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A bundle with the statement about it and its signatures, as read; ``holds`` says whether they are enough.

    Attributes:
        replaces: hash of the bundle it takes the place of; None for the first.
        registered_on: the day on which the statement was made.
        openings: how many cells it opens; ``diff`` is the hash of the comparison that says which.
    """

    bundle: Bundle
    replaces: str | None
    registered_on: date
    openings: int
    diff: str
    signatures: tuple[Signature, ...]

    @classmethod
    def draft(cls, bundle: Bundle, diff: Diff, *, registered_on: date) -> Self:
        """A release nobody has signed yet."""
        return cls(
            bundle=bundle,
            replaces=diff.old,
            registered_on=registered_on,
            openings=diff.openings,
            diff=diff.sha256,
            signatures=(),
        )

    def statement(self) -> dict[str, Json]:
        """What is signed."""
        return {
            "schema": "release-statement/v1",
            "bundle": self.bundle.sha256,
            "replaces": self.replaces,
            "registered_on": self.registered_on.isoformat(),
            "openings": {"count": self.openings, "diff": self.diff},
        }

    @property
    def statement_sha256(self) -> str:
        """Hex SHA-256 of the RFC 8785 bytes of the statement: the name of this release, whoever signed it."""
        return hashlib.sha256(rfc8785.dumps(self.statement())).hexdigest()

    def signed(self, key: SigningKey, scope: Scope) -> Self:
        """The same release with this signature; a second one of one key for one scope takes the place of the first."""
        mine = Signature(kid=key.public.kid, scope=scope, value=key.sign(self._message(scope)))
        others = (one for one in self.signatures if (one.kid, one.scope) != (mine.kid, mine.scope))
        return replace(self, signatures=tuple(sorted((*others, mine), key=lambda one: (one.kid, one.scope))))

    def holds(self, signers: Mapping[str, Signer]) -> tuple[Signer, ...]:
        """The people who signed, once they are enough.

        Raises:
            SignatureError: a signature does not hold, is of nobody we know, or too few people signed; or an article
                in it cannot be expressed, and nobody accepted that.
        """
        if any(untranslated(self.bundle)):
            raise SignatureError("onvertaalbaar: must be accepted by somebody before anyone signs")
        signed: dict[Scope, list[Signer]] = {"bundle": [], "openings": []}
        for signature in self.signatures:
            signer = signers.get(signature.kid)
            if signer is None:
                raise SignatureError("a signature is of nobody on the list of signers")
            signer.key.check(self._message(signature.scope), signature.value)
            signed[signature.scope].append(signer)
        _check_enough(signed["bundle"], "the bundle")
        if self.openings:
            _check_enough(signed["openings"], "what it opens")
        return tuple(signed["bundle"])

    def check_openings(self, before: RuleSet | None) -> None:
        """What the statement says it opens is what a comparison with the bundle it replaces gives.

        Raises:
            ReleaseError: it is compared with another bundle, or opens something else than people signed for.
        """
        if (None if before is None else before.sha256) != self.replaces:
            raise ReleaseError("statement.replaces: must be the bundle it is compared with")
        found = compare(before, self.bundle)
        if (found.openings, found.sha256) != (self.openings, self.diff):
            raise ReleaseError("statement.openings: must be what the comparison with the bundle it replaces gives")

    def encode(self) -> bytes:
        """The release as a file: canonical JSON and a newline."""
        content = {
            "schema": "release/v1",
            "statement": self.statement(),
            "signatures": [{"kid": one.kid, "scope": one.scope, "value": b64url(one.value)} for one in self.signatures],
            "bundle": json.loads(self.bundle.canonical()),
        }
        return rfc8785.dumps(content) + b"\n"

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The release in a file, its bundle compiled anew and equal to the one it holds.

        Raises:
            ReleaseError: it is not of its schema, or compiles to something else.
            ConvenantError: a document in it may not be loaded.
        """
        return cls.read(_json(raw))

    @classmethod
    def read(cls, content: dict[str, Any]) -> Self:
        """The same from the file's JSON."""
        _checked(content, "release/v1")
        stated = content["statement"]
        release = cls(
            bundle=_bundle(content["bundle"]),
            replaces=stated["replaces"],
            registered_on=date.fromisoformat(stated["registered_on"]),
            openings=stated["openings"]["count"],
            diff=stated["openings"]["diff"],
            signatures=tuple(_signature(one) for one in content["signatures"]),
        )
        if stated["bundle"] != release.bundle.sha256:
            raise ReleaseError("statement.bundle: must be the hash of the bundle in the file")
        return release

    def _message(self, scope: Scope) -> bytes:
        return _PREFIX[scope] + rfc8785.dumps(self.statement())


def read_release(path: Path) -> Release:
    """The release in this file. Raises ConvenantError: it cannot be read, or as `Release.parse`."""
    return Release.parse(_read(path))


def read_bundle(path: Path) -> Bundle:
    """The bundle in a release or bundle file, signed or not. Raises ConvenantError: it is neither."""
    content = _json(_read(path))
    if content.get("schema") == "bundle/v1":
        return _bundle(_checked(content, "bundle/v1"))
    return Release.read(content).bundle


def bundle_at(path: Path | None, *, insecure_test_bundle: bool = False) -> Bundle:
    """The bundle of a folder of documents, of a release or bundle file, or of the documents we ship.

    Raises:
        ConvenantError: there is none, or it may not be loaded.
    """
    if path is not None and path.is_file():
        return read_bundle(path)
    if path is not None and not path.is_dir():
        raise ReleaseError("bundle: must be a folder of documents, a release or a bundle file")
    return load_bundle(path, insecure_test_bundle=insecure_test_bundle)


def _read(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError:
        raise ReleaseError("file: must be a readable file") from None
    if len(raw) > MAX_BYTES:
        raise ReleaseError(f"file: must be at most {MAX_BYTES} bytes")
    return raw


def _json(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise ReleaseError("file: must be JSON") from None
    if not isinstance(content, dict):
        raise ReleaseError("file: must be a JSON object")
    return content


def _checked(content: dict[str, Any], schema: str) -> dict[str, Any]:
    errors = list(validator(schema).iter_errors(content))
    if errors:
        field = ".".join(str(part) for part in errors[0].absolute_path)
        raise ReleaseError(f"{field or 'file'}: must follow {schema}")
    return content


def _bundle(content: Mapping[str, Any]) -> Bundle:
    """The bundle compiled from the documents in a bundle file; what is signed is what decides, byte for byte."""
    bundle = load_contents(content["documents"])
    try:
        same = bundle.canonical() == rfc8785.dumps(dict(content))
    except rfc8785.CanonicalizationError:
        raise ReleaseError("bundle: must have a canonical form") from None
    if not same:
        raise ReleaseError("bundle: must be what this version compiles its documents to; decide with the version named")
    return bundle


def _signature(content: Mapping[str, str]) -> Signature:
    value = from_b64url(content["value"], SIGNATURE_BYTES)
    if value is None:
        raise ReleaseError("signatures.value: must be 64 bytes in base64url")
    scope: Scope = "bundle" if content["scope"] == "bundle" else "openings"
    return Signature(kid=content["kid"], scope=scope, value=value)


def _check_enough(signed: Iterable[Signer], what: str) -> None:
    if {signer.role for signer in signed} != ROLES:
        raise SignatureError(f"too few signed {what}: it takes one {' and one '.join(sorted(ROLES))}")
