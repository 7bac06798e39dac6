"""The published matrix of import grants: every case reaches exactly its outcome."""

import json
from dataclasses import replace
from typing import Any

import pytest

from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.grant import SignedGrant
from broker.protocol.register import Organisation
from broker.protocol.signing_keys import VerifyKey
from tests.simulators.custodian import SimulatedPartner
from tests.vectors.grant_cases import FILE, document

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def organisation() -> Organisation:
    """Return the organisation of the vectors, with both of its keys."""
    keys = [VerifyKey.from_jwk(jwk) for jwk in VECTORS["organisation"]["signingKeys"]]
    known = SimulatedPartner(oin=VECTORS["organisation"]["oin"]).organisation()
    return replace(known, signing_keys={key.kid: key for key in keys})


@pytest.mark.parametrize(
    ("text", "outcome"), [pytest.param(case["grant"], case["outcome"], id=case["name"]) for case in VECTORS["cases"]]
)
def test_grants(text: str, outcome: str) -> None:
    """A grant is accepted exactly when the vectors say so: two different people, one organisation, these counts."""
    try:
        SignedGrant.read(text).require(organisation())
        reached = "accepted"
    except MalformedError:
        reached = "malformed"
    except SignatureError:
        reached = "signature"
    assert reached == outcome


def test_the_vectors_are_those_their_maker_makes() -> None:
    """The published file is what the fixed seeds give, so nobody can change one case by hand."""
    assert document() == VECTORS
    names = [case["name"] for case in VECTORS["cases"]]
    assert len(set(names)) == len(names) >= 60


def test_a_grant_comes_back_as_it_was_written() -> None:
    """Reading what was written gives the same grant, and its last second is the end of its last day."""
    good = SignedGrant.read(VECTORS["cases"][0]["grant"])
    assert SignedGrant.read(good.encode()) == good
    assert good.grant.expires_at == 1_797_724_800
    assert good.require(organisation())[1].role == "approver"
