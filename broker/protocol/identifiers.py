"""Identifiers in canonical form: what is blinded, byte for byte, in every organisation alike (D3).

    MalformedError
    `-- IdentifierError         an identifier breaks a rule; names the field and the rule, never the value

Only connectors import this module: no other part of Sluis may hold a BSN or an address.
An identifier's bytes are `sluis/<family>/v1`, a zero byte and the canonical value; `tests/vectors/identifiers.json`
holds examples, and inputs that must be refused.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final, Self

from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.redacted import Redacted
from broker.protocol.tokens import Identifier

_BSN_TEXT = re.compile(r"\A[0-9]{8,9}\Z")
_BSN_LENGTH = 9
ELFPROEF: Final = "must satisfy the elfproef"
_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)  # elfproef: the weighted sum is divisible by eleven
_ELEVEN = 11

_POSTCODE = re.compile(r"\A[1-9][0-9]{3}[A-Z]{2}\Z")
_NUMBER = re.compile(r"\A[1-9][0-9]{0,4}\Z")
_LETTER = re.compile(r"\A[a-z]?\Z")
_MAX_ADDITION = 16  # characters after folding; the BAG and the BRP allow four
_SEPARATOR = "\x1f"


class IdentifierError(MalformedError):
    """An identifier breaks a rule of its format."""


class Designation(StrEnum):
    """How an address relates to the number it names (BRP element 11.50, aanduiding bij huisnummer)."""

    BY = "by"
    """Bij: near the number."""
    TO = "to"
    """Tegenover: opposite the number."""


class Bsn(Redacted):
    """A citizen service number (burgerservicenummer): nine ASCII digits that satisfy the elfproef."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, field: str = "bsn") -> Self:
        """Return the BSN in `text`; eight digits get a leading zero, as systems that store a number drop it.

        Raises:
            IdentifierError: not eight or nine digits, all zeros, or the elfproef fails (Besluit BSN).
        """
        if _BSN_TEXT.match(text) is None:
            raise IdentifierError(field, "must be eight or nine digits")
        digits = text.zfill(_BSN_LENGTH)
        if not digits.strip("0"):
            raise IdentifierError(field, "must not be all zeros")
        if sum(weight * int(digit) for weight, digit in zip(_BSN_WEIGHTS, digits, strict=True)) % _ELEVEN:
            raise IdentifierError(field, ELFPROEF)
        return cls(digits.encode("ascii"))


class Address(Redacted):
    """A Dutch address in canonical form: the five fields joined by the byte 0x1f, an absent one empty.

    In this order: postcode (six characters, upper case), number, letter, addition, designation.
    """

    __slots__ = ("has_postcode",)

    def __init__(
        self,
        *,
        postcode: str | None,
        number: str | int,
        letter: str | None = None,
        addition: str | None = None,
        designation: str | None = None,
    ) -> None:
        """Hold the canonical form of the fields. Raises IdentifierError."""
        canonical_postcode = _squeezed(postcode).upper()
        # (1) Without a postcode there is an address, and no token (D3).
        if canonical_postcode and _POSTCODE.match(canonical_postcode) is None:
            raise IdentifierError("postcode", "must be four digits and two letters")
        fields = (
            canonical_postcode,
            _house_number(number),
            _house_letter(letter),
            _house_addition(addition),
            _designation(designation),
        )
        self.has_postcode = bool(canonical_postcode)
        super().__init__(_SEPARATOR.join(fields).encode())


def nlbsn(bsn: Bsn) -> Identifier:
    """Return the identifier of a person."""
    return _identifier(Family.NLBSN, bsn.reveal())


def fam(bsn: Bsn) -> Identifier:
    """Return the identifier of a person in the role of parent; its token never equals that person's own."""
    return _identifier(Family.FAM, bsn.reveal())


def addr(address: Address) -> Identifier | None:
    """Return the identifier of an address, or None where it has no postcode."""
    return _identifier(Family.ADDR, address.reveal()) if address.has_postcode else None


def _identifier(family: Family, value: bytes) -> Identifier:
    return Identifier(family, b"sluis/" + family.value.encode("ascii") + b"/v1\x00" + value)


def _squeezed(text: str | None) -> str:
    """Return `text` in one Unicode form (NFKC) without any white space, "" for an absent one."""
    return "".join(unicodedata.normalize("NFKC", text or "").split())


def _folded(text: str | None) -> str:
    """Return `text` squeezed and case-folded, normalised again since folding may undo NFKC."""
    return _squeezed(_squeezed(text).casefold())


def _house_number(number: str | int) -> str:
    text = _squeezed(str(number))
    if _NUMBER.match(text) is None:
        raise IdentifierError("number", "must be 1 to 99999 without leading zeros")
    return text


def _house_letter(letter: str | None) -> str:
    folded = _folded(letter)
    if _LETTER.match(folded) is None:
        raise IdentifierError("letter", "must be one letter from a to z")
    return folded


def _house_addition(addition: str | None) -> str:
    folded = _folded(addition)
    if len(folded) > _MAX_ADDITION:
        raise IdentifierError("addition", f"must be at most {_MAX_ADDITION} characters")
    if not folded.isprintable():
        raise IdentifierError("addition", "must have printable characters only")
    return folded


def _designation(designation: str | None) -> str:
    folded = _folded(designation)
    if folded not in {"", *Designation}:
        raise IdentifierError("designation", "must be to or by")
    return folded
