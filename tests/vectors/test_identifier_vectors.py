"""The published identifier vectors: the same person or address is the same bytes in every organisation."""

import json
from pathlib import Path
from typing import Any

import pytest

from broker.protocol.identifiers import Address, Bsn, IdentifierError, addr, fam, nlbsn
from broker.protocol.tokens import Identifier

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("identifiers.json").read_text("utf-8"))["cases"]


def made(case: dict[str, Any]) -> Identifier | None:
    """Return the identifier that a case's input gives."""
    if case["family"] == "addr":
        return addr(Address(**case["input"]))
    return {"nlbsn": nlbsn, "fam": fam}[case["family"]](Bsn.parse(case["input"]["bsn"]))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_identifier_vectors(case: dict[str, Any]) -> None:
    """An input gives the published bytes, no identifier, or a refusal naming the published field and rule."""
    if case["expect"] == "refused":
        with pytest.raises(IdentifierError) as refused:
            made(case)
        assert (refused.value.field, refused.value.rule) == (case["field"], case["rule"])
        return
    identifier = made(case)
    if case["expect"] == "no identifier":
        assert identifier is None
        return
    assert identifier is not None
    assert identifier.reveal().hex() == case["identifier"]
    assert identifier.family == case["family"]
    prefix = f"sluis/{case['family']}/v1\x00"
    assert identifier.reveal() == (prefix + case["value"]).encode()


def test_names_of_cases_differ() -> None:
    """Every vector can be named, so that others can report which one failed."""
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_valid_numbers_are_test_numbers() -> None:
    """A published file holds official test numbers only, but for the smallest number of the elfproef (eight digits)."""
    valid = {case["value"] for case in CASES if case["expect"] == "valid" and case["family"] != "addr"}
    assert {number for number in valid if not number.startswith("9999")} == {"000000012"}
