"""Properties of identifiers: spelling never matters, and nothing unreadable gets through."""

import string

from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.errors import MalformedError
from broker.protocol.identifiers import Address, Bsn, IdentifierError, addr

SPACE = st.text(" \t\u00a0", max_size=2)
LETTERS = st.text(string.ascii_letters, min_size=2, max_size=2)
POSTCODES = st.builds("{}{}{}".format, st.integers(1000, 9999), SPACE, LETTERS)
ADDITIONS = st.text(string.ascii_letters + string.digits + "-/ ", max_size=6)


def satisfies_elfproef(digits: str) -> bool:
    """Return whether nine digits satisfy the elfproef, written another way round than the code under test."""
    total = sum((9 - place) * int(digit) for place, digit in enumerate(digits[:8])) - int(digits[8])
    return total % 11 == 0 and int(digits) > 0


@given(number=st.integers(0, 99_999).map("9999{:05}".format))
def test_exactly_the_valid_numbers_are_read(number: str) -> None:
    """In the range of test numbers, a BSN is read if and only if it satisfies the elfproef."""
    try:
        read = Bsn.parse(number).reveal().decode() == number
    except IdentifierError:
        read = False
    assert read == satisfies_elfproef(number)


@given(text=st.text(max_size=12))
def test_any_other_text_is_refused_with_one_error(text: str) -> None:
    """Whatever is typed, a BSN is nine digits afterwards or the error is ours."""
    try:
        read = Bsn.parse(text).reveal()
    except IdentifierError:
        return
    assert read.isdigit()
    assert len(read) == 9


@given(
    postcode=POSTCODES,
    number=st.integers(1, 99_999),
    letter=st.sampled_from(["", *string.ascii_letters]),
    addition=ADDITIONS,
    designation=st.sampled_from([None, "to", "by"]),
    space=SPACE,
)
def test_spelling_of_an_address_never_matters(  # noqa: PLR0917 - hypothesis passes one argument for each strategy
    postcode: str, number: int, letter: str, addition: str, designation: str | None, space: str
) -> None:
    """Case and white space change nothing: two organisations that write an address differently match."""
    plain = Address(postcode=postcode, number=number, letter=letter, addition=addition, designation=designation)
    spelled = Address(
        postcode=space + postcode.swapcase() + space,
        number=f"{space}{number}{space}",
        letter=letter.swapcase() + space,
        addition=space.join(addition.swapcase()),
        designation=designation and designation.upper() + space,
    )
    assert plain == spelled
    assert addr(plain) == addr(spelled)


@given(
    left=st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "a", "b", "by"])),
    right=st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "a", "b", "by"])),
)
def test_different_addresses_never_meet(left: tuple[str, str], right: tuple[str, str]) -> None:
    """Two addresses are equal only if every field is."""
    made = [Address(postcode="6811KM", number=1, letter=letter, addition=more) for letter, more in (left, right)]
    assert (made[0] == made[1]) == (left == right)


@given(addition=st.text(max_size=8))
def test_any_addition_has_one_canonical_form(addition: str) -> None:
    """What is accepted as an addition is its own canonical form, and never splits a field."""
    try:
        value = Address(postcode="6811KM", number=1, addition=addition).reveal()
    except MalformedError:
        return
    fields = value.decode().split("\x1f")
    assert len(fields) == 5
    assert Address(postcode="6811KM", number=1, addition=fields[3]).reveal() == value
