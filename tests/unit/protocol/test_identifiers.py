"""Identifiers: one canonical form, and errors that never repeat what was typed."""

import itertools

import pytest

from broker.protocol.families import Family
from broker.protocol.identifiers import Address, Bsn, Designation, IdentifierError, addr, fam, nlbsn
from tests.simulators.two_custodians import TwoCustodians


def test_one_wrong_digit_is_always_caught() -> None:
    """The elfproef catches every error of one digit."""
    right = "999990019"
    for place, digit in itertools.product(range(9), "0123456789"):
        typed = right[:place] + digit + right[place + 1 :]
        if typed == right:
            assert Bsn.parse(typed).reveal() == right.encode()
            continue
        with pytest.raises(IdentifierError):
            Bsn.parse(typed)


def test_errors_name_field_and_rule_never_the_value() -> None:
    """What a user typed is not in the error, whichever rule it broke."""
    with pytest.raises(IdentifierError) as number:
        Bsn.parse("999990018", field="parent_bsn_1")
    assert str(number.value) == "parent_bsn_1: must satisfy the elfproef"
    for fields in (
        {"postcode": "0000QX", "number": "77"},
        {"postcode": "6811KM", "number": "077x"},
        {"postcode": "6811KM", "number": "77", "letter": "qx"},
        {"postcode": "6811KM", "number": "77", "addition": "qx\u200b"},
        {"postcode": "6811KM", "number": "77", "designation": "qx"},
    ):
        with pytest.raises(IdentifierError) as refused:
            Address(**fields)
        assert refused.value.field in fields
        assert not any(value in str(refused.value) for value in ("qx", "QX", "77", "6811KM"))


def test_identifiers_show_nothing() -> None:
    """Neither a BSN, nor an address, nor the identifier of either prints what it holds."""
    bsn, address = Bsn.parse("999990019"), Address(postcode="6811KM", number=12)
    shown = repr([bsn, address, nlbsn(bsn), fam(bsn), addr(address)])
    assert (
        shown
        == "["
        + ", ".join(f"{name}(redacted)" for name in ("Bsn", "Address", "Identifier", "Identifier", "Identifier"))
        + "]"
    )


def test_a_parent_is_never_the_same_token_as_the_person() -> None:
    """One BSN gives two identifiers, and under one key even two tokens (D4); the keys differ besides."""
    bsn = Bsn.parse("999990019")
    person, parent = nlbsn(bsn), fam(bsn)
    assert (person.family, parent.family) == (Family.NLBSN, Family.FAM)
    assert person.reveal() != parent.reveal()
    as_person = TwoCustodians(family=Family.NLBSN, seed=1).tokens([person])
    as_parent = TwoCustodians(family=Family.FAM, seed=1).tokens([parent])
    assert as_person != as_parent


def test_a_house_number_may_be_a_number() -> None:
    """A source that stores the house number as a number gives the same address."""
    assert Address(postcode="6811KM", number=12) == Address(postcode="6811km", number="12")


def test_designations_are_those_of_the_brp() -> None:
    """Only `to` and `by` exist, and each gives another address than none."""
    assert [item.value for item in Designation] == ["by", "to"]
    addresses = {Address(postcode="6811KM", number=12, designation=item) for item in (None, *Designation)}
    assert len(addresses) == 3


def test_fields_cannot_run_into_each_other() -> None:
    """A letter, an addition and a designation of the same text give three addresses."""
    texts: list[dict[str, str]] = [
        {"letter": "b"},
        {"addition": "b"},
        {"addition": "by"},
        {"designation": "by"},
        {},
    ]
    assert len({Address(postcode="6811KM", number=1, **text) for text in texts}) == len(texts)
