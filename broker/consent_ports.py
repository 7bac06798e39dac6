"""What the flows need of stored consents, as a Protocol with values of its own (architecture section 3, D15)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from broker.domain.consents import Consent
from broker.domain.households import TokenIndex
from broker.ports import Stamp, StampKey, StampKind


def person_key(organisation: str, subject: TokenIndex) -> StampKey:
    """Return the key under which everything that one organisation recorded about one person changes."""
    return StampKey(kind=StampKind.CONSENT, key=organisation.encode("ascii") + subject.reveal())


def consent_key(consent_id: str) -> StampKey:
    """Return the key under which one record changes."""
    return StampKey(kind=StampKind.CONSENT, key=consent_id.encode("ascii"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutPerson:
    """What one organisation recorded about one person, oldest first, with the stamp of all of it."""

    consents: tuple[Consent, ...]
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConsent:
    """An organisation's own record, with the stamp of its answers.

    `about` is everything that it recorded about the same person, who is `subject`; both are None for a record that
    names nobody known here.
    """

    consent: Consent
    stamp: Stamp
    about: AboutPerson | None = None
    subject: TokenIndex | None = field(default=None, repr=False)


Pair = tuple[str, TokenIndex]
"""An organisation and a person."""


class ConsentReader(Protocol):
    """The records of consent, as committed. Raises StorageError: unreadable."""

    async def about(self, pairs: Collection[Pair]) -> Mapping[Pair, AboutPerson]:
        """Return what each organisation recorded about each person, one moment; also where it recorded nothing."""

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """Return this organisation's own record; None for another's and for none at all."""

    async def hidden(self, *, organisation: str, worker: str, among: Collection[str]) -> frozenset[str]:
        """Return those of these own records, by id, about whose person this worker shields a signal now.

        A signal that he sees to himself: what a colleague shields is told to nobody else (D12).
        """

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[TokenIndex]:
        """Return about whom this organisation holds, or held, a signal that is kept from this worker of its own."""

    async def list_own(
        self, *, organisation: str, worker: str, after: str | None, at_most: int
    ) -> tuple[OwnConsent, ...]:
        """Return the own records that this worker may know of in the order of their ids, so many after an id at most.

        About who is kept from him that is what he recorded himself.
        """
