"""Compact JWTs read strictly: one algorithm, an exact set of claims, one reading of the JSON.

PyJWT verifies the signature; what its defaults leave open (house-style: probes P4) is closed here: duplicate members,
further header parameters, further claims, other types.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from broker.protocol import strict_json
from broker.protocol.errors import ProtocolError
from broker.protocol.signing_keys import ALGORITHM, VerifyKey, b64url_bytes

MAX_BYTES = 8192


class JwtMalformedError(ProtocolError):
    """The text is no JWT of the expected form."""


class JwtSignatureError(ProtocolError):
    """The JWT is not signed by the key it must be signed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedJwt:
    """The parsed parts of a JWT whose signature has not been checked."""

    text: str
    kid: str
    claims: Mapping[str, Any]

    def verify(self, key: VerifyKey) -> None:
        """Hold only if `key` signed this token. Raises JwtSignatureError."""
        try:
            jwt.decode(self.text, key.pyjwt(), algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError:
            raise JwtSignatureError from None


_SIGNATURE_ONLY: Any = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def parse(text: str, *, typ: str, claims: Mapping[str, Callable[[object], bool]]) -> UnverifiedJwt:
    """Return the parts of a compact JWT with exactly this `typ` and exactly these claims.

    Raises:
        JwtMalformedError: three parts, the header {alg, kid, typ}, or the claims are not as they must be.
    """
    if len(text) > MAX_BYTES or text.count(".") != 2:  # noqa: PLR2004 - a compact JWS has three parts (RFC 7515 §7.1)
        raise JwtMalformedError
    header_part, claims_part, signature_part = text.split(".")
    try:
        header = strict_json.load_object(b64url_bytes(header_part, field="header"), field="header")
        body = strict_json.load_object(b64url_bytes(claims_part, field="claims"), field="claims")
        b64url_bytes(signature_part, field="signature", length=64)
    except ProtocolError:
        raise JwtMalformedError from None
    if set(header) != {"alg", "kid", "typ"} or header["alg"] != ALGORITHM or header["typ"] != typ:
        raise JwtMalformedError
    if not isinstance(header["kid"], str) or set(body) != set(claims):
        raise JwtMalformedError
    if not all(holds(body[name]) for name, holds in claims.items()):
        raise JwtMalformedError
    return UnverifiedJwt(text=text, kid=header["kid"], claims=body)
