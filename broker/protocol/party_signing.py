"""Requests that one service makes to another in its own name: a custodian to the broker, a custodian to its peer.

Organisations sign as `request_signing` says; a service has no workers and no OIN, so its statement says less.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.protocol.compact_jwt import JwtMalformedError, JwtSignatureError, parse
from broker.protocol.errors import RequestTokenError
from broker.protocol.request_signing import Target, check_request, is_id, is_instant, is_word
from broker.protocol.signing_keys import SigningKey, VerifyKey

PARTY_TYP = "sluis-party+jwt"
SCHEME = "Sluis "
_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")
_MAX_URL = 2048

_CLAIMS: Mapping[str, Callable[[object], bool]] = {
    "iss": is_word,
    "aud": is_word,
    "jti": is_id,
    "iat": is_instant,
    "nbf": is_instant,
    "exp": is_instant,
    "htm": is_word,
    "htu": lambda value: isinstance(value, str) and len(value) <= _MAX_URL,
    "body_sha256": lambda value: isinstance(value, str) and _SHA256.match(value) is not None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRequest:
    """A verified statement of a service. Its `jti` still has to be spent by the caller."""

    party: str
    jti: str
    expires_at: int


def sign_party_request(
    key: SigningKey, *, party: str, target: Target, body: bytes, jti: str, now: int, lifetime_s: int = 300
) -> str:
    """Return the token under which `party` makes this one request, valid `lifetime_s` seconds from `now`."""
    claims: dict[str, Any] = {
        "iss": party,
        "aud": target.audience,
        "jti": jti,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s,
        "htm": target.method,
        "htu": target.url,
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    return key.encode_jwt(claims, typ=PARTY_TYP)


def verify_party_request(
    header: str | None, *, keys: Mapping[str, VerifyKey], target: Target, body: bytes, now: int
) -> PartyRequest:
    """Return what a service stated, if one of these stated exactly this request to exactly this party, now.

    Args:
        header: the `Authorization` header that came.
        keys: party id -> the key the caller pinned for it.
        target: what was really asked of us.
        body: the bytes that came with it; empty for none.
        now: unix seconds of the caller's clock.

    Raises:
        RequestTokenError: with the problem's id as its code.
    """
    # (1) A token, in the one place where it belongs, with one reading.
    if header is None or not header.startswith(SCHEME):
        raise RequestTokenError("request-token-missing")
    try:
        statement = parse(header.removeprefix(SCHEME), typ=PARTY_TYP, claims=_CLAIMS)
    except JwtMalformedError:
        raise RequestTokenError("request-token-malformed") from None
    claims = statement.claims
    # (2) The key is the one pinned for this party, and it signed.
    key = keys.get(claims["iss"])
    if key is None or key.kid != statement.kid:
        raise RequestTokenError("request-token-key-unknown")
    try:
        statement.verify(key)
    except JwtSignatureError:
        raise RequestTokenError("request-token-signature") from None
    # (3) It is meant for us, now, and about this request.
    check_request(claims, target=target, body=body, now=now)
    return PartyRequest(party=claims["iss"], jti=claims["jti"], expires_at=claims["exp"])
