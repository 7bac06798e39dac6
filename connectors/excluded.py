"""Which addresses never become a token here: the registrars' list, in the one form that addresses are compared in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from broker.protocol.excluded_addresses import ExcludedAddresses
from broker.protocol.identifiers import Address
from broker.protocol.signing_keys import VerifyKey
from connectors.cases import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedList:
    """A verified list; its addresses are never printed."""

    number: int
    addresses: frozenset[Address] = field(repr=False)

    @classmethod
    def read(cls, text: bytes, *, registrars: Mapping[str, VerifyKey]) -> Self:
        """Return the list in `text`.

        Raises:
            SignatureError: fewer than two of `registrars` signed it.
            MalformedError: an address breaks a rule. The whole list is then refused: one that is skipped would not be
                excluded.
        """
        listed = ExcludedAddresses.read(text, registrars=registrars)
        return cls(
            number=listed.number,
            addresses=frozenset(
                Address(
                    postcode=plain.postcode,
                    number=plain.number,
                    letter=plain.letter,
                    addition=plain.addition,
                    designation=plain.designation,
                )
                for plain in listed.addresses
            ),
        )

    def applied_to(self, case: Case) -> Case:
        """Return the case, without its address where that is on the list."""
        return replace(case, address=None) if case.address in self.addresses else case
