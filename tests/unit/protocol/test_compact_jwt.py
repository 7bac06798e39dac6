"""Compact JWTs read strictly."""

import pytest

from broker.protocol.compact_jwt import MAX_BYTES, JwtMalformedError, JwtSignatureError, parse
from broker.protocol.signing_keys import SigningKey

KEY = SigningKey.from_seed(bytes(32))
CLAIMS = {"a": lambda value: value == 1}


def test_a_token_has_one_reading() -> None:
    """A token of the expected type with exactly the expected claims is parsed, and verifies under its key only."""
    token = parse(KEY.encode_jwt({"a": 1}, typ="t"), typ="t", claims=CLAIMS)
    assert (token.kid, token.claims) == (KEY.public.kid, {"a": 1})
    token.verify(KEY.public)
    with pytest.raises(JwtSignatureError):
        token.verify(SigningKey.from_seed(b"\x01" * 32).public)


@pytest.mark.parametrize(
    ("claims", "typ"), [({"a": 2}, "t"), ({}, "t"), ({"a": 1, "b": 1}, "t"), ({"b": 1}, "t"), ({"a": 1}, "u")]
)
def test_other_claims_or_types_are_refused(claims: dict[str, int], typ: str) -> None:
    """A claim that breaks its rule, is missing or too many, or another type, is malformed."""
    with pytest.raises(JwtMalformedError):
        parse(KEY.encode_jwt(claims, typ=typ), typ="t", claims=CLAIMS)


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c.d", "...", "é.é.é", "A" * (MAX_BYTES + 1)])
def test_what_is_no_token_is_refused(text: str) -> None:
    """Anything but three base64url parts of limited length is malformed."""
    with pytest.raises(JwtMalformedError):
        parse(text, typ="t", claims=CLAIMS)
