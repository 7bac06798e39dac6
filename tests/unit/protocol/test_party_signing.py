"""A service's own statement: exactly this request, to exactly this party, now, by the key that was pinned (D13)."""

import dataclasses

import pytest

from broker.protocol.errors import RequestTokenError
from broker.protocol.party_signing import PARTY_TYP, SCHEME, sign_party_request, verify_party_request
from broker.protocol.request_signing import Target
from broker.protocol.signing_keys import SigningKey
from tests.simulators.custodian import seeded_key

PARTY, NOW = "custodian-a.demo.sluis.test", 1_795_000_000
KEY = seeded_key(PARTY)
TARGET = Target(audience="broker.demo.sluis.test", method="GET", url="https://broker/v1/custodian-feed?after=0")


def header(
    *,
    key: SigningKey = KEY,
    party: str = PARTY,
    target: Target = TARGET,
    body: bytes = b"",
    at: int = NOW,
    lifetime_s: int = 300,
) -> str:
    """Return the header of a statement."""
    token = sign_party_request(key, party=party, target=target, body=body, jti="0" * 32, now=at, lifetime_s=lifetime_s)
    return SCHEME + token


def refused(given: str | None) -> str:
    """Return why a header is refused."""
    with pytest.raises(RequestTokenError) as error:
        verify_party_request(given, keys={PARTY: KEY.public}, target=TARGET, body=b"", now=NOW)
    return error.value.code


def test_a_statement_of_a_pinned_party_holds() -> None:
    """It says who asked, and has an id to be spent."""
    asked = verify_party_request(header(), keys={PARTY: KEY.public}, target=TARGET, body=b"", now=NOW)
    assert (asked.party, asked.jti, asked.expires_at) == (PARTY, "0" * 32, NOW + 300)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, "request-token-missing"),
        ("Bearer x", "request-token-missing"),
        (SCHEME + "x", "request-token-malformed"),
        (header(party="custodian-z.demo.sluis.test"), "request-token-key-unknown"),
        (header(key=seeded_key("other")), "request-token-key-unknown"),
        (header(target=dataclasses.replace(TARGET, audience="other.party")), "request-token-audience"),
        (header(target=dataclasses.replace(TARGET, method="POST")), "request-token-target"),
        (header(target=dataclasses.replace(TARGET, url="https://broker/")), "request-token-target"),
        (header(body=b"x"), "request-token-body"),
        (header(at=NOW - 400), "request-token-expired"),
        (header(at=NOW + 100), "request-token-early"),
        (header(lifetime_s=601), "request-token-lifetime"),
    ],
)
def test_any_other_statement_is_refused(given: str | None, code: str) -> None:
    """Each rule has its own problem."""
    assert refused(given) == code


def test_a_statement_that_was_altered_is_refused() -> None:
    """Another signature under the same key's name does not hold."""
    first, second = header(), header(at=NOW - 1)
    assert refused(first.rpartition(".")[0] + "." + second.rpartition(".")[2]) == "request-token-signature"


def test_an_organisations_statement_is_none_of_a_service() -> None:
    """The type of a statement keeps the two apart, whatever key signed."""
    claims = {"iss": PARTY}
    assert refused(SCHEME + KEY.encode_jwt(claims, typ="sluis-request+jwt")) == "request-token-malformed"
    assert PARTY_TYP != "sluis-request+jwt"
