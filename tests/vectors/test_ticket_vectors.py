"""The published matrix of request tokens and tickets: every case reaches exactly its outcome."""

import json
from typing import Any

import pytest

from broker.protocol.errors import RequestTokenError, TicketError
from broker.protocol.problems import problem_kinds
from broker.protocol.request_signing import Target, verify_request
from broker.protocol.signing_keys import SigningKey, VerifyKey
from broker.protocol.tickets import TicketUse, verify_ticket
from tests.vectors.ticket_cases import FILE, document

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def key(name: str) -> VerifyKey:
    """Return a key of the vectors, as published."""
    return VerifyKey.from_jwk({part: VECTORS["keys"][name][part] for part in ("kty", "crv", "x", "kid")})


def named(kind: str) -> list[Any]:
    """Return the cases of a kind, each under its name."""
    return [pytest.param(case["token"], case["outcome"], id=case["name"]) for case in VECTORS[kind]]


@pytest.mark.parametrize(("token", "outcome"), named("requests"))
def test_request_tokens(token: str, outcome: str) -> None:
    """A request token is accepted exactly when the vectors say so, and refused with the problem they name."""
    asked = VECTORS["request"]
    known = {(asked["issuer"], key("partner").kid): key("partner")}
    target = Target(audience=asked["audience"], method=asked["method"], url=asked["url"])
    try:
        verify_request(
            token,
            key_of=lambda oin, kid: known.get((oin, kid)),
            target=target,
            body=bytes.fromhex(asked["bodyHex"]),
            now=VECTORS["now"],
        )
        reached = "accepted"
    except RequestTokenError as error:
        reached = error.code
    assert reached == outcome


@pytest.mark.parametrize(("token", "outcome"), named("tickets"))
def test_tickets(token: str, outcome: str) -> None:
    """A ticket covers the use exactly when the vectors say so, and is refused with the problem they name."""
    use = {name: value for name, value in VECTORS["use"].items() if name != "custodian"}
    keys = {VECTORS["use"]["custodian"]: key("custodian")}
    try:
        verify_ticket(token, keys=keys, use=TicketUse(**use), now=VECTORS["now"])
        reached = "accepted"
    except TicketError as error:
        reached = error.code
    assert reached == outcome


def test_the_vectors_are_those_their_maker_makes() -> None:
    """The published file is what the fixed seeds give, so nobody can change one case by hand."""
    assert document() == VECTORS
    for entry in VECTORS["keys"].values():
        assert SigningKey.from_seed(bytes.fromhex(entry["seed"])).public.kid == entry["kid"]


def test_the_matrix_is_complete() -> None:
    """Sixty cases or more of each kind, names unique, every refusal a published problem, every code of ours used."""
    for kind, prefix in (("requests", "request-token-"), ("tickets", "ticket-")):
        names = [case["name"] for case in VECTORS[kind]]
        outcomes = {case["outcome"] for case in VECTORS[kind]}
        assert len(names) >= 60
        assert len(set(names)) == len(names)
        assert outcomes - {"accepted"} <= problem_kinds().keys()
        pure = {code for code in problem_kinds() if code.startswith(prefix)}
        assert pure - outcomes <= {"request-token-missing", "request-token-replayed", "ticket-missing", "ticket-spent"}
