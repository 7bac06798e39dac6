"""Ed25519 keys of the people who sign a bundle, as JWK files (RFC 8037); the only file here that imports PyNaCl."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import rfc8785
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey as _SigningKey
from nacl.signing import VerifyKey as _VerifyKey

from policies.errors import KeyFileError, SignatureError
from policies.facts import Json

KEY_BYTES = 32
SIGNATURE_BYTES = 64
MAX_KEY_FILE_BYTES = 4096
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key; ``kid`` is its RFC 7638 thumbprint."""

    public: bytes

    @classmethod
    def from_jwk(cls, jwk: Json) -> "VerifyKey":
        """The key in a public or private JWK. Raises KeyFileError: it is not one of Ed25519."""
        return cls(_octets(jwk, "x"))

    def jwk(self) -> dict[str, Json]:
        """The public JWK."""
        return {"crv": "Ed25519", "kty": "OKP", "x": b64url(self.public)}

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint, base64url of 32 bytes."""
        return b64url(hashlib.sha256(rfc8785.dumps(self.jwk())).digest())

    def check(self, message: bytes, signature: bytes) -> None:
        """The signature is this key's over the message. Raises SignatureError: it is not."""
        try:
            _VerifyKey(self.public).verify(message, signature)
        except (BadSignatureError, ValueError):
            raise SignatureError("a signature of a known key does not hold") from None


class SigningKey:
    """A private key; its text form never shows it."""

    __slots__ = ("_key",)

    def __init__(self, seed: bytes) -> None:
        self._key = _SigningKey(seed)

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "SigningKey(redacted)"

    @classmethod
    def create(cls, path: Path) -> "SigningKey":
        """A new key stands in a new file of mode 0600. Raises KeyFileError: the file cannot be made."""
        seed = os.urandom(KEY_BYTES)
        key = cls(seed)
        text = json.dumps({**key.public.jwk(), "d": b64url(seed)}) + "\n"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
        except OSError:
            raise KeyFileError("key: the file must not exist yet, in a folder that does") from None
        return key

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """The key in a private JWK file that nobody else can read. Raises KeyFileError: it is not one."""
        try:
            private = not path.stat().st_mode & _OTHERS
        except OSError:
            raise KeyFileError("key: must be a readable file") from None
        if not private:
            raise KeyFileError("key: must be a file of mode 0600")
        jwk = read_jwk(path)
        key = cls(_octets(jwk, "d"))
        if key.public != VerifyKey.from_jwk(jwk):
            raise KeyFileError("key.x: must be the public side of key.d")
        return key

    @property
    def public(self) -> VerifyKey:
        """Its public side."""
        return VerifyKey(bytes(self._key.verify_key))

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of this key's signature over the message."""
        return bytes(self._key.sign(message).signature)


def read_jwk(path: Path) -> Json:
    """The JSON in a key file. Raises KeyFileError: it cannot be read, or is too large."""
    try:
        raw = path.read_bytes()
        jwk: Json = json.loads(raw[:MAX_KEY_FILE_BYTES])
    except (OSError, ValueError, RecursionError):
        raise KeyFileError("key: must be a readable JWK file") from None
    return jwk


def b64url(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_b64url(text: Json, size: int) -> bytes | None:
    """So many bytes from their one base64url form; None for anything else."""
    if not isinstance(text, str) or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return raw if len(raw) == size and b64url(raw) == text else None


def _octets(jwk: Json, member: str) -> bytes:
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
        raise KeyFileError("key: must be a JWK with kty OKP and crv Ed25519")
    octets = from_b64url(jwk.get(member), KEY_BYTES)
    if octets is None:
        raise KeyFileError(f"key.{member}: must be 32 bytes in base64url")
    return octets
