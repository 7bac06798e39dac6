"""Epoch descriptors and the document that both custodians sign."""

import dataclasses
import json
from typing import Any

import pytest

from broker.protocol import strict_json
from broker.protocol.epochs import CustodianKey, DescriptorError, EpochDescriptor, EpochDocument, is_custodian_id
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.ristretto import group
from tests.simulators.two_custodians import NAMES, TwoCustodians, seeded


def document() -> EpochDocument:
    """Return an epoch with a key for persons and one for parents."""
    descriptors = tuple(
        TwoCustodians(family=family, seed=family.code).descriptor for family in (Family.NLBSN, Family.FAM)
    )
    return EpochDocument(epoch=1, descriptors=descriptors)


def test_the_public_key_is_that_of_the_whole_key() -> None:
    """The public key of a descriptor belongs to the sum of the shares, which nobody holds."""
    custodians = TwoCustodians()
    assert custodians.descriptor.public_key == custodians.whole_key.public


def test_a_descriptor_has_one_canonical_form() -> None:
    """Canonical JSON sorts the members and has no white space, and reads back as the same descriptor."""
    descriptor = TwoCustodians().descriptor
    text = descriptor.canonical()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")).encode()
    assert EpochDescriptor.parse(text) == descriptor
    assert strict_json.loads(text) == descriptor.to_mapping()


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'{"epoch":1,"epoch":1}', b"\xff"], ids=repr)
def test_what_is_no_descriptor_is_refused(text: bytes) -> None:
    """A text that is not one JSON object with exactly the members of a descriptor is refused."""
    with pytest.raises(MalformedError):
        EpochDescriptor.parse(text)


def test_descriptors_made_in_code_obey_the_same_rules() -> None:
    """A descriptor that breaks a rule cannot be made, not even without parsing."""
    descriptor = TwoCustodians().descriptor
    for changes in (
        {"epoch": 0},
        {"epoch": True},
        {"epoch": 2**32},
        {"threshold": 3},
        {"threshold": True},
        {"custodians": ()},
        {"custodians": (), "threshold": 0},
        {"custodians": descriptor.custodians[::-1]},
        {"custodians": (dataclasses.replace(descriptor.custodians[0], id="A"), descriptor.custodians[1])},
    ):
        with pytest.raises(DescriptorError):
            dataclasses.replace(descriptor, **changes)


def test_more_custodians_than_a_client_should_ask_are_refused() -> None:
    """A descriptor with nine custodians is refused: a client would contact each."""
    random = seeded(1)
    keys = tuple(
        CustodianKey(id=f"c{number}", public_share=group().mul_base(group().random_scalar(random)))
        for number in range(9)
    )
    with pytest.raises(DescriptorError, match="threshold: must be 2 to 8"):
        EpochDescriptor(epoch=1, family=Family.NLBSN, custodians=keys, threshold=9)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "a b", "a" * 64, "é", None, 1], ids=repr)
def test_what_is_no_custodians_name(name: object) -> None:
    """A custodian's name is a short DNS-like name in lower case."""
    assert not is_custodian_id(name)


def test_custodians_names() -> None:
    """DNS-like names of one to 63 characters name a custodian."""
    assert all(is_custodian_id(name) for name in ("a", "a1", "a" * 63, *NAMES))


def test_the_epoch_document_reads_back() -> None:
    """The document holds every family's descriptor and reads back as itself."""
    made = document()
    assert EpochDocument.from_mapping(strict_json.loads(made.canonical())) == made
    assert made.to_mapping()["schema"] == "epoch/v1"
    assert made.descriptor(Family.FAM).family is Family.FAM


def test_a_family_without_a_key_is_named_as_such() -> None:
    """Asking for a family this epoch has no key for is an error, never another family's key."""
    with pytest.raises(DescriptorError, match="has no key in this epoch"):
        document().descriptor(Family.DMK)


def test_an_epoch_document_is_consistent() -> None:
    """Families ascend, each once, under one epoch, one pair of custodians, and no share serves two families."""
    made = document()
    person, parent = made.descriptors
    renamed = tuple(dataclasses.replace(key, id="x" + key.id) for key in parent.custodians)
    for descriptors in (
        (),
        (parent, person),
        (person, person),
        (person, dataclasses.replace(parent, epoch=2)),
        (person, dataclasses.replace(parent, custodians=renamed)),
        (person, dataclasses.replace(person, family=Family.FAM)),
    ):
        with pytest.raises(DescriptorError):
            EpochDocument(epoch=1, descriptors=descriptors)
    with pytest.raises(DescriptorError):
        EpochDocument(epoch=0, descriptors=made.descriptors)


@pytest.mark.parametrize(
    "changes",
    [{"schema": "epoch/v2"}, {"epoch": "1"}, {"families": {}}, {"families": [1]}, {"extra": 1}],
    ids=repr,
)
def test_epoch_documents_are_read_strictly(changes: dict[str, Any]) -> None:
    """A document with another schema, type or member is refused."""
    with pytest.raises(MalformedError):
        EpochDocument.from_mapping({**document().to_mapping(), **changes})
