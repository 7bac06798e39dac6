"""Lists of addresses that never become a token, signed by the registrars of the simulators."""

from collections.abc import Sequence

from broker.protocol.excluded_addresses import SCHEMA
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey
from tests.simulators.custodian import REGISTRARS

SHELTER = {"postcode": "6811 AA", "number": "1", "letter": "A", "addition": None, "designation": None}
"""An address that no case of the tests has, unless it means to."""


def excluded_text(
    *addresses: dict[str, str | None], number: int = 1, signers: Sequence[SigningKey] = REGISTRARS
) -> bytes:
    """Return a list of these addresses, signed by both registrars unless a test says otherwise."""
    document = {"schema": SCHEMA, "number": number, "addresses": list(addresses)}
    signed = SignedDocument(document=document, signatures=())
    for key in signers:
        signed = signed.with_signature(key.public.kid, key)
    return signed.encode()
