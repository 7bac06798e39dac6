"""The published vectors of a refresh, run against both libraries; another implementation may run the same file."""

import json
from pathlib import Path
from typing import Any

import pytest

from broker.protocol import ristretto
from broker.protocol.ceremony import CeremonyNonce
from broker.protocol.epochs import EpochDescriptor, SecretShare
from broker.protocol.refresh import (
    Begun,
    ExchangeSecret,
    RefreshCommitment,
    Refreshed,
    RefreshError,
    RefreshOpening,
    commitment_digest,
    conclude,
)

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("refresh.json").read_text("utf-8"))["cases"]
UNHEX = bytes.fromhex
VALID = [case for case in CASES if case["valid"]]
INVALID = [case for case in CASES if not case["valid"]]


@pytest.fixture(params=["system", "bundled"], autouse=True)
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every vector on the system's libsodium and on the one in rbcl."""
    opened = {"system": ristretto.system_group, "bundled": ristretto.bundled_group}[request.param]()
    for module in ("epochs", "refresh", "ristretto", "schnorr"):
        monkeypatch.setattr(f"broker.protocol.{module}.group", lambda: opened)


def concluded(case: dict[str, Any], name: str) -> Refreshed:
    """Return what a custodian of a case comes to. Raises RefreshError."""
    commitments = [RefreshCommitment.parse(item) for item in case["commitments"]]
    openings = [RefreshOpening.parse(item) for item in case["openings"]]
    held = case["secrets"][name]
    (mine,) = {item.place for item in commitments if item.place.place.custodian == name}
    begun = Begun(
        place=mine, secret=ExchangeSecret(UNHEX(held["exchangeSecret"])), nonce=CeremonyNonce(UNHEX(held["nonce"]))
    )
    return conclude(
        begun,
        SecretShare(UNHEX(held["share"])),
        EpochDescriptor.from_mapping(case["descriptor"]),
        commitments=commitments,
        openings=openings,
    )


@pytest.mark.parametrize("case", VALID, ids=[case["name"] for case in VALID])
def test_both_custodians_come_to_the_published_shares(case: dict[str, Any]) -> None:
    """From the published secrets and documents follow the published shares and descriptor, at both custodians."""
    for name, share in case["newShares"].items():
        made = concluded(case, name)
        assert made.share.reveal().hex() == share
        assert made.descriptor.to_mapping() == case["newDescriptor"]


@pytest.mark.parametrize("case", VALID, ids=[case["name"] for case in VALID])
def test_what_was_promised_was_opened(case: dict[str, Any]) -> None:
    """Each commitment is the published hash over the place, the part and the nonce."""
    for promised, opened in zip(case["commitments"], case["openings"], strict=True):
        opening = RefreshOpening.parse(opened)
        digest = commitment_digest(opening.place, opening.exchange, opening.nonce)
        assert digest == RefreshCommitment.parse(promised).digest


@pytest.mark.parametrize("case", INVALID, ids=[case["name"] for case in INVALID])
def test_a_spoilt_document_makes_no_share(case: dict[str, Any]) -> None:
    """Whatever is spoilt, neither custodian comes to a share."""
    assert case["error"] == "RefreshError"
    for name in case["secrets"]:
        with pytest.raises(RefreshError):
            concluded(case, name)
