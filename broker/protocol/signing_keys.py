"""Ed25519 keys of organisations, custodians and registrars, as JWK files (RFC 8037).

The only module of the published language that touches key objects: raw signatures are PyNaCl's, JWTs PyJWT's.
"""

import base64
import functools
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import jwt
import nacl.signing
from jwt.algorithms import OKPAlgorithm
from nacl.exceptions import CryptoError

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError

ALGORITHM = "EdDSA"
SEED_BYTES = 32


def b64url(data: bytes) -> str:
    """Return base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_bytes(text: str, *, field: str, length: int | None = None) -> bytes:
    """Return the bytes of canonical base64url text without padding.

    Raises:
        MalformedError: another alphabet, padding, stray bits, or not `length` bytes.
    """
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise MalformedError(field, "is not base64url") from None
    if b64url(data) != text:
        raise MalformedError(field, "is not canonical base64url")
    if length is not None and len(data) != length:
        raise MalformedError(field, f"is not {length} bytes")
    return data


@functools.lru_cache(maxsize=1024)
def _pyjwt(public: bytes) -> Any:  # noqa: ANN401 - as in `VerifyKey.pyjwt`
    """Return the key object of a public key, made once: each request and ticket is verified with one of a few."""
    return OKPAlgorithm.from_jwk(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": b64url(public)}))


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public Ed25519 key, 32 bytes."""

    public: bytes

    def __post_init__(self) -> None:
        """Refuse a key of another size."""
        if len(self.public) != SEED_BYTES:
            raise MalformedError("key", "is not 32 bytes")

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of this key, base64url."""
        members = {"crv": "Ed25519", "kty": "OKP", "x": b64url(self.public)}
        return b64url(hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest())

    def jwk(self) -> dict[str, str]:
        """Return the public JWK with its `kid`."""
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(self.public), "kid": self.kid}

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, field: str = "key") -> Self:
        """Return the key of a public JWK. Raises MalformedError for another type, a wrong `kid` or a private part."""
        if set(jwk) != {"kty", "crv", "x", "kid"} or jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519":
            raise MalformedError(field, "is not a public Ed25519 JWK")
        if not isinstance(jwk["x"], str):
            raise MalformedError(field, "is not a public Ed25519 JWK")
        key = cls(b64url_bytes(jwk["x"], field=field, length=SEED_BYTES))
        if jwk["kid"] != key.kid:
            raise MalformedError(field, "has a kid that is not its thumbprint")
        return key

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Return whether `signature` (64 bytes) over `message` is by this key."""
        try:
            nacl.signing.VerifyKey(self.public).verify(message, signature)
        except (CryptoError, ValueError):
            return False
        return True

    def pyjwt(self) -> Any:  # noqa: ANN401 - PyJWT's own key type, used by this module's neighbours only
        """Return the key object PyJWT verifies with."""
        return _pyjwt(self.public)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key; its representation never shows it."""

    seed: bytes = field(repr=False)
    public: VerifyKey

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh key from the system's randomness."""
        return cls.from_seed(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the key of a 32-byte seed (RFC 8032 §5.1.5)."""
        if len(seed) != SEED_BYTES:
            raise MalformedError("key", "is not 32 bytes")
        return cls(seed, VerifyKey(bytes(nacl.signing.SigningKey(seed).verify_key)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the key in a JWK file that only its owner can read.

        Raises:
            MalformedError: readable by others, or no private Ed25519 JWK; the error never holds the content.
        """
        if path.stat().st_mode & 0o077:
            raise MalformedError(path.name, "can be read by others; make it mode 0600")
        jwk = strict_json.load_object(path.read_bytes(), field=path.name)
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519" or not isinstance(jwk.get("d"), str):
            raise MalformedError(path.name, "is not a private Ed25519 JWK")
        key = cls.from_seed(b64url_bytes(jwk["d"], field=path.name, length=SEED_BYTES))
        if jwk.get("kid") != key.public.kid:
            raise MalformedError(path.name, "has a kid that is not its thumbprint")
        return key

    def write(self, path: Path) -> None:
        """Store the key as a JWK in a new file of mode 0600; an existing file is never overwritten."""
        jwk = {**self.public.jwk(), "d": b64url(self.seed)}
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(jwk) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over `message`."""
        return bytes(nacl.signing.SigningKey(self.seed).sign(message).signature)

    def encode_jwt(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Return a compact JWT with exactly these claims, signed by this key."""
        private: Any = OKPAlgorithm.from_jwk(json.dumps({**self.public.jwk(), "d": b64url(self.seed)}))
        return jwt.encode(dict(claims), private, algorithm=ALGORITHM, headers={"typ": typ, "kid": self.public.kid})
