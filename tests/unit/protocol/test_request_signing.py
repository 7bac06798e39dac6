"""Signed requests: what `sign_request` states is what `verify_request` returns; the matrix is in tests/vectors."""

import pytest

from broker.protocol.errors import RequestTokenError
from broker.protocol.request_signing import (
    APPROVAL_TYP,
    REQUEST_TYP,
    Sender,
    Target,
    is_id,
    is_instant,
    is_oin,
    is_word,
    sign_request,
    verify_request,
)
from broker.protocol.signing_keys import SigningKey

KEY = SigningKey.from_seed(bytes(32))
SENDER = Sender(organisation="00000001001234560001", worker="w1", role="worker", parent_org="00000001001234560002")
TARGET = Target(audience="broker.demo.sluis.test", method="POST", url="https://broker/v1/signals?a=b")
JTI = "0" * 32


def sign(**changes: object) -> str:
    """Return a signed request of the sender."""
    given: dict[str, object] = {"sender": SENDER, "target": TARGET, "body": b"{}", "jti": JTI, "now": 1000} | changes
    return sign_request(KEY, **given)  # type: ignore[arg-type]  # a test changes any of them


def verify(token: str, *, typ: str = REQUEST_TYP, body: bytes = b"{}") -> Sender:
    """Return who signed, as the target sees it at the same second."""
    return verify_request(token, key_of=lambda *_: KEY.public, target=TARGET, body=body, now=1000, typ=typ).sender


def test_what_is_signed_is_what_is_verified() -> None:
    """Sender, id and expiry come back as they were stated."""
    token = sign(lifetime_s=600)
    found = verify_request(token, key_of=lambda *_: KEY.public, target=TARGET, body=b"{}", now=1000)
    assert (found.sender, found.jti, found.expires_at) == (SENDER, JTI, 1600)


def test_an_approval_is_no_request() -> None:
    """An approver's statement never passes for a request, nor a request for an approval."""
    assert verify(sign(typ=APPROVAL_TYP), typ=APPROVAL_TYP) == SENDER
    with pytest.raises(RequestTokenError, match="request-token-malformed"):
        verify(sign(typ=APPROVAL_TYP))
    with pytest.raises(RequestTokenError, match="request-token-malformed"):
        verify(sign(), typ=APPROVAL_TYP)


def test_an_empty_body_is_signed_too() -> None:
    """A request without a body is bound to having none."""
    assert verify(sign(body=b""), body=b"") == SENDER
    with pytest.raises(RequestTokenError, match="request-token-body"):
        verify(sign(body=b""), body=b" ")


def test_the_key_is_asked_for_by_issuer_and_kid() -> None:
    """The caller looks up exactly the issuer and kid that the token names."""
    asked = []
    with pytest.raises(RequestTokenError, match="request-token-key-unknown"):
        verify_request(sign(), key_of=lambda *names: asked.append(names), target=TARGET, body=b"{}", now=1000)
    assert asked == [(SENDER.organisation, KEY.public.kid)]


@pytest.mark.parametrize(
    ("holds", "good", "bad"),
    [
        (is_oin, ["0" * 20], ["0" * 19, "0" * 21, "0" * 20 + "\n", "\u0660" * 20, 5, None]),
        (is_id, ["0" * 32, "af" * 16], ["0" * 31, "AF" * 16, "0" * 32 + "\n", 0]),
        (is_word, ["a", "A-b_c.d:9", "x" * 64], ["", "x" * 65, "a b", "a\n", "é", None, 1]),
        (is_instant, [0, 1, 2**40 - 1], [-1, 2**40, True, 1.0, "1", None]),
    ],
)
def test_the_shapes_of_claims(holds: object, good: list[object], bad: list[object]) -> None:
    """Each shape takes what it should and nothing that only looks like it."""
    assert callable(holds)
    assert all(holds(value) for value in good)
    assert not any(holds(value) for value in bad)
