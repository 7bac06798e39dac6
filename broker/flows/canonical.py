"""Canonical JSON (RFC 8785) of what entries hold and hash."""

import hashlib

import rfc8785


def canonical(value: object) -> bytes:
    """Return the one canonical form. Raises CanonicalizationError: it is no JSON value."""
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # rfc8785 itself checks every value's type


def sha256_of(value: object) -> str:
    """Return the hex SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()
