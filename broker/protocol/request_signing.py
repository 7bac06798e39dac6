"""Requests to broker and custodians are signed by the organisation that sends them (D13).

`sign_request` makes the token, `verify_request` judges one. Both are pure: the caller brings the keys it trusts, the
clock, and a store in which each `jti` is spent once.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.protocol.compact_jwt import JwtMalformedError, JwtSignatureError, parse
from broker.protocol.errors import RequestTokenError
from broker.protocol.signing_keys import SigningKey, VerifyKey

REQUEST_TYP = "sluis-request+jwt"
APPROVAL_TYP = "sluis-approval+jwt"
MAX_LIFETIME_S = 600  # seconds; D13
SKEW_S = 60  # seconds a party's clock may differ

_OIN = re.compile(r"\A[0-9]{20}\Z")
_ID = re.compile(r"\A[0-9a-f]{32}\Z")
_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")
_WORD = re.compile(r"\A[A-Za-z0-9_.:-]{1,64}\Z")


def is_oin(value: object) -> bool:
    """Return whether this is an organisation number: 20 digits (Logius OIN-stelsel)."""
    return isinstance(value, str) and _OIN.match(value) is not None


def is_id(value: object) -> bool:
    """Return whether this is an id of ours: 32 lower-case hex characters."""
    return isinstance(value, str) and _ID.match(value) is not None


def is_word(value: object) -> bool:
    """Return whether this is a short name without spaces."""
    return isinstance(value, str) and _WORD.match(value) is not None


def is_instant(value: object) -> bool:
    """Return whether this is a whole number of unix seconds."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40


_CLAIMS: Mapping[str, Callable[[object], bool]] = {
    "iss": is_oin,
    "sub": is_word,
    "role": is_word,
    "parent_org": lambda value: value is None or is_oin(value),
    "aud": is_word,
    "jti": is_id,
    "iat": is_instant,
    "nbf": is_instant,
    "exp": is_instant,
    "htm": is_word,
    "htu": lambda value: isinstance(value, str) and len(value) <= 2048,  # noqa: PLR2004 - more is no URL of ours
    "body_sha256": lambda value: isinstance(value, str) and _SHA256.match(value) is not None,
    "acr": is_word,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends: the worker as this audience knows him, and the organisation."""

    organisation: str
    worker: str
    role: str
    parent_org: str | None = None
    acr: str = "substantieel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked of whom: the party's id, the method, and its public URL with path and query."""

    audience: str
    method: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A verified statement of an organisation. Its `jti` still has to be spent by the caller."""

    sender: Sender
    jti: str
    expires_at: int
    body_sha256: str


def sign_request(
    key: SigningKey,
    *,
    sender: Sender,
    target: Target,
    body: bytes,
    jti: str,
    now: int,
    typ: str = REQUEST_TYP,
    lifetime_s: int = 300,
) -> str:
    """Return the token under which `sender` makes this one request, valid `lifetime_s` seconds from `now`."""
    claims: dict[str, Any] = {
        "iss": sender.organisation,
        "sub": sender.worker,
        "role": sender.role,
        "parent_org": sender.parent_org,
        "aud": target.audience,
        "jti": jti,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s,
        "htm": target.method,
        "htu": target.url,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "acr": sender.acr,
    }
    return key.encode_jwt(claims, typ=typ)


def verify_request(
    token: str,
    *,
    key_of: Callable[[str, str], VerifyKey | None],
    target: Target,
    body: bytes,
    now: int,
    typ: str = REQUEST_TYP,
) -> SignedRequest:
    """Return what the organisation stated, if it stated exactly this request to exactly this party, now.

    Args:
        key_of: (OIN, kid) -> the key the caller's own register holds for it, or None.
        target: what was really asked of us.
        body: the bytes that came with it; empty for none.
        now: unix seconds of the caller's clock.

    Raises:
        RequestTokenError: with the problem's id as its code.
    """
    # (1) One reading: compact JWT, exact header, exact claims.
    try:
        statement = parse(token, typ=typ, claims=_CLAIMS)
    except JwtMalformedError:
        raise RequestTokenError("request-token-malformed") from None
    claims = statement.claims
    # (2) The key is the one registered under this kid for this organisation, and it signed.
    key = key_of(claims["iss"], statement.kid)
    if key is None:
        raise RequestTokenError("request-token-key-unknown")
    try:
        statement.verify(key)
    except JwtSignatureError:
        raise RequestTokenError("request-token-signature") from None
    # (3) It is meant for us, now, and about this request.
    check_request(claims, target=target, body=body, now=now)
    sender = Sender(
        organisation=claims["iss"],
        worker=claims["sub"],
        role=claims["role"],
        parent_org=claims["parent_org"],
        acr=claims["acr"],
    )
    return SignedRequest(sender=sender, jti=claims["jti"], expires_at=claims["exp"], body_sha256=claims["body_sha256"])


def check_request(claims: Mapping[str, Any], *, target: Target, body: bytes, now: int) -> None:
    """Hold if a verified statement is meant for us, lives now, and is about exactly this request.

    Raises:
        RequestTokenError: with the problem's id as its code.
    """
    # (1) It is meant for us.
    if claims["aud"] != target.audience:
        raise RequestTokenError("request-token-audience")
    # (2) It lives now, and not long.
    check_times(claims["iat"], claims["nbf"], claims["exp"], now)
    # (3) It is about this request: method, URL and body.
    if claims["htm"] != target.method or claims["htu"] != target.url:
        raise RequestTokenError("request-token-target")
    if claims["body_sha256"] != hashlib.sha256(body).hexdigest():
        raise RequestTokenError("request-token-body")


def check_times(issued: int, not_before: int, expires: int, now: int) -> None:
    """Hold if a statement lives now, and not long. Raises RequestTokenError."""
    if expires - issued > MAX_LIFETIME_S or expires <= issued or not_before < issued:
        raise RequestTokenError("request-token-lifetime")
    if issued > now + SKEW_S or not_before > now + SKEW_S:
        raise RequestTokenError("request-token-early")
    if expires <= now - SKEW_S:
        raise RequestTokenError("request-token-expired")
