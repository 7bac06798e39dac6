"""The connector's own secrets: files of 32 bytes that only their owner can read, and what is sealed under them."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Self

import nacl.public
import nacl.secret
from nacl.exceptions import CryptoError

from broker.protocol.redacted import Redacted
from connectors.errors import FolderError

KEY_BYTES = 32


class SecretKey(Redacted):
    """32 secret bytes kept in a file of their own."""

    __slots__ = ()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Return a fresh key, stored in a new file of mode 0600; an existing file is never overwritten."""
        key = cls(secrets.token_bytes(KEY_BYTES))
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(key.reveal()) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return key

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the key in a file. Raises FolderError: missing, readable by others, or not 32 bytes."""
        try:
            mode, text = path.stat().st_mode, path.read_bytes()
        except OSError:
            raise FolderError(f"keys/{path.name}", "cannot be read") from None
        if mode & 0o077:
            raise FolderError(f"keys/{path.name}", "can be read by others; make it mode 0600")
        try:
            value = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            raise FolderError(f"keys/{path.name}", "is damaged") from None
        if len(value) != KEY_BYTES:
            raise FolderError(f"keys/{path.name}", "is damaged")
        return cls(value)

    def mac(self, message: bytes) -> bytes:
        """Return HMAC-SHA256 under this key, 32 bytes."""
        return hmac.digest(self.reveal(), message, "sha256")


class OutboxKey(SecretKey):
    """The key under which unacknowledged requests wait."""

    __slots__ = ()

    def seal(self, message: bytes) -> bytes:
        """Return the message encrypted and authenticated (XSalsa20-Poly1305, fresh nonce)."""
        return bytes(nacl.secret.SecretBox(self.reveal()).encrypt(message))

    def unseal(self, sealed: bytes) -> bytes:
        """Return the message. Raises FolderError: altered, or sealed under another key."""
        try:
            return bytes(nacl.secret.SecretBox(self.reveal()).decrypt(sealed))
        except (CryptoError, ValueError):
            raise FolderError("outbox.sqlite", "has a row that this outbox key does not open") from None


def seal_to(public: bytes, message: bytes) -> bytes:
    """Return the message sealed to a public key, so that only who has the other half reads it. Raises FolderError."""
    try:
        return bytes(nacl.public.SealedBox(nacl.public.PublicKey(public)).encrypt(message))
    except (CryptoError, ValueError, TypeError):
        raise FolderError("keys/fg-dossier.pub", "is damaged") from None


class SealingKey(SecretKey):
    """The X25519 key that answers to this organisation are sealed to (RFC 7748)."""

    __slots__ = ()

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return bytes(nacl.public.PrivateKey(self.reveal()).public_key)

    @property
    def kid(self) -> str:
        """The name of the public half: SHA-256 of it in base64url, as in a thumbprint."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.public).digest()).rstrip(b"=").decode("ascii")

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed to the public half. Raises FolderError: altered, or sealed to another key."""
        try:
            return bytes(nacl.public.SealedBox(nacl.public.PrivateKey(self.reveal())).decrypt(sealed))
        except (CryptoError, ValueError):
            raise FolderError("dossier", "is not sealed to this key, or was altered") from None
