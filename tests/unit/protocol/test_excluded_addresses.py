"""The list of addresses that never become a token (D4)."""

import json
from typing import Any

import pytest

from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.excluded_addresses import ExcludedAddresses
from tests.simulators.custodian import REGISTRARS, seeded_key
from tests.simulators.excluded import SHELTER, excluded_text

PINS = {key.public.kid: key.public for key in REGISTRARS}


def test_a_list_of_two_registrars_is_read() -> None:
    """Number and addresses come back as they were signed, and an address shows nothing of itself."""
    listed = ExcludedAddresses.read(excluded_text(SHELTER, number=3), registrars=PINS)
    assert (listed.number, len(listed.addresses)) == (3, 1)
    (plain,) = listed.addresses
    assert (plain.postcode, plain.number, plain.letter, plain.addition, plain.designation) == (
        "6811 AA", "1", "A", None, None,
    )  # fmt: skip
    assert "6811" not in repr(listed)


@pytest.mark.parametrize("signers", [REGISTRARS[:1], (REGISTRARS[0], seeded_key("stranger"))])
def test_fewer_than_two_pinned_registrars_make_no_list(signers: Any) -> None:  # noqa: ANN401 - one or two keys
    """One registrar alone can neither silence an address nor let a shelter's be used."""
    with pytest.raises(SignatureError):
        ExcludedAddresses.read(excluded_text(SHELTER, signers=signers), registrars=PINS)


@pytest.mark.parametrize(
    ("addresses", "field"),
    [
        ([{**SHELTER, "postcode": None}], "addresses[0].postcode"),
        ([SHELTER, {**SHELTER, "number": ""}], "addresses[1].number"),
        ([{**SHELTER, "number": 1}], "addresses[0].number"),
        ([{**SHELTER, "letter": ""}], "addresses[0].letter"),
        ([{**SHELTER, "addition": "x" * 25}], "addresses[0].addition"),
        ([{**SHELTER, "street": "Sluiskade"}], "addresses[0]"),
        ([{"postcode": "6811 AA"}], "addresses[0].addition"),
        ([SHELTER, dict(SHELTER)], "excluded-addresses/v1.addresses"),
    ],
)
def test_an_address_that_breaks_a_rule_is_named_and_not_shown(addresses: Any, field: str) -> None:  # noqa: ANN401 - malformed on purpose
    """The whole list is refused: an address that is skipped would not be excluded."""
    with pytest.raises(MalformedError) as caught:
        ExcludedAddresses.read(excluded_text(*addresses), registrars=PINS)
    assert caught.value.field == field
    assert "6811" not in str(caught.value)


def test_a_number_begins_at_one() -> None:
    """Lists are numbered, so that an old one never replaces a newer one."""
    with pytest.raises(MalformedError, match="number"):
        ExcludedAddresses.read(excluded_text(number=0), registrars=PINS)


def test_a_list_says_nothing_else() -> None:
    """A member that is not known is refused, whoever signed."""
    document = json.loads(excluded_text(SHELTER))
    assert set(document["document"]) == {"schema", "number", "addresses"}
    document["document"]["reason"] = "shelter"
    with pytest.raises(SignatureError):
        ExcludedAddresses.read(json.dumps(document), registrars=PINS)
