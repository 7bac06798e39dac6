"""Addresses that never become a token: shelters and institutions, a numbered list that two registrars sign (D4).

The list is plain, and applied where the address is known: at the partner. What it names is confidential, so nothing
here prints it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError
from broker.protocol.register import REGISTRARS_NEEDED
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey

SCHEMA = "excluded-addresses/v1"
_LONGEST = 24
_FIELDS = ("postcode", "number", "letter", "addition", "designation")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainAddress:
    """One address as it was written; `letter`, `addition` and `designation` may be absent. Its partner reads it."""

    postcode: str = field(repr=False)
    number: str = field(repr=False)
    letter: str | None = field(repr=False)
    addition: str | None = field(repr=False)
    designation: str | None = field(repr=False)

    @classmethod
    def parse(cls, value: object, path: str) -> Self:
        """Return the address in this JSON object. Raises MalformedError."""
        fields = Fields.of(value, path, exactly=set(_FIELDS))
        return cls(
            postcode=fields.text("postcode", at_most=_LONGEST),
            number=fields.text("number", at_most=_LONGEST),
            letter=_or_none(fields, "letter"),
            addition=_or_none(fields, "addition"),
            designation=_or_none(fields, "designation"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedAddresses:
    """A verified list; a party takes only a number higher than the one it has."""

    number: int
    addresses: tuple[PlainAddress, ...]

    @classmethod
    def read(cls, text: bytes | str, *, registrars: Mapping[str, VerifyKey]) -> Self:
        """Return the list in `text`, verified with two different registrars' signatures.

        Raises:
            MalformedError: a field breaks its rule.
            SignatureError: fewer than two of `registrars` signed it.
        """
        signed = SignedDocument.parse(text, schema=SCHEMA)
        signed.require(registrars, at_least=REGISTRARS_NEEDED)
        return cls.draft(signed)

    @classmethod
    def draft(cls, signed: SignedDocument) -> Self:
        """Return the list as drafted, its signatures not checked; for registrars only. Raises MalformedError."""
        fields = Fields.of(signed.document, SCHEMA, exactly={"schema", "number", "addresses"})
        addresses = tuple(
            PlainAddress.parse(item, f"addresses[{position}]")
            for position, item in enumerate(fields.items("addresses", at_most=50_000))
        )
        if len(set(addresses)) != len(addresses):
            raise MalformedError(f"{SCHEMA}.addresses", "names an address twice")
        return cls(number=fields.number("number", least=1), addresses=addresses)


def _or_none(fields: Fields, name: str) -> str | None:
    return fields.text(name, at_most=_LONGEST) if fields.optional(name) else None
