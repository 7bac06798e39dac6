"""The published index vectors: what the broker stores in place of a token."""

import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from broker.protocol import epochs, errors, ristretto
from broker.protocol.families import Family
from broker.protocol.tokens import IndexKey, PersonToken, token_index

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("index.json").read_text("utf-8"))["cases"]
ERRORS = {
    error.__name__: error for error in (errors.MalformedError, epochs.DescriptorError, ristretto.InvalidPointError)
}
FAMILY_CODES = {"nlbsn": 1, "fam": 2, "addr": 3, "dmk": 4}


def index_of(case: dict[str, Any]) -> bytes:
    """Return the index that the code computes for a case."""
    token = PersonToken(bytes.fromhex(case["token"]))
    return token_index(IndexKey(bytes.fromhex(case["key"])), case["epoch"], Family(case["family"]), token)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_index_vectors(case: dict[str, Any]) -> None:
    """An index is HMAC-SHA256(K_idx, u32 epoch ‖ u8 family ‖ N), also when written without our code."""
    if case["expect"] != "valid":
        with pytest.raises(ERRORS[case["expect"]]):
            index_of(case)
        return
    message = struct.pack(">IB32s", case["epoch"], FAMILY_CODES[case["family"]], bytes.fromhex(case["token"]))
    assert index_of(case).hex() == case["index"]
    assert hmac.new(bytes.fromhex(case["key"]), message, hashlib.sha256).hexdigest() == case["index"]


def test_epochs_and_families_never_share_an_index() -> None:
    """One point has another index in every family and every epoch."""
    indexes = [case["index"] for case in CASES if case["expect"] == "valid"]
    assert len(set(indexes)) == len(indexes)
