"""Consent about a person on whom the organisation holds a signal that is kept from a worker by name (D8, D12).

To him the records of his colleagues about that person are as if they were not there: he lists none, changes none and
cites none. What he records himself reads to him as anybody's, and counts for nobody else until a second person, who is
not kept from it, approved it: a no needs no proof, and a relative who works at the holder could invent one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from broker.consent_ports import ConsentReader, OwnConsent
from broker.domain.consents import Consent, ConsentEvent
from broker.domain.households import TokenIndex
from broker.domain.requests import Approval, Requester


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFrom:
    """About whom a signal is kept from a worker, and from who approves his act; `approved` where somebody does."""

    worker: str
    persons: frozenset[TokenIndex]
    of_approver: frozenset[TokenIndex]
    approved: bool

    def sees(self, consent: Consent, subject: TokenIndex | None) -> bool:
        """Return whether this record is one that the worker may know of."""
        return subject not in self.persons or consent.recorded_by == self.worker

    def seen(self, consents: Iterable[Consent], subject: TokenIndex | None) -> tuple[Consent, ...]:
        """Return those of these records about one person that the worker may know of."""
        return tuple(one for one in consents if self.sees(one, subject))

    def marked(self, events: Iterable[ConsentEvent], subject: TokenIndex | None) -> tuple[ConsentEvent, ...]:
        """Return what he answers now, marked as his alone where nobody approved it who is not kept from the person."""
        vouched = self.approved and subject not in self.of_approver
        alone = subject in self.persons and not vouched
        return tuple(replace(event, kept_from=self.worker if alone else None) for event in events)


async def kept_from(requester: Requester, approval: Approval | None, consents: ConsentReader) -> KeptFrom:
    """Return from whom what is kept; the approver's are read by his own name."""
    organisation = requester.organisation
    of_worker = await consents.kept_from(organisation=organisation, worker=requester.worker)
    of_approver = frozenset[TokenIndex]()
    if approval is not None:
        of_approver = await consents.kept_from(organisation=organisation, worker=approval.worker)
    return KeptFrom(
        worker=requester.worker, persons=of_worker, of_approver=of_approver, approved=approval is not None
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeenConsents:
    """`OwnConsents`, as one worker may read them."""

    consents: ConsentReader
    requester: Requester

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """Return this organisation's own record; None for one that this worker must not know of, as for none at all."""
        kept = await kept_from(self.requester, None, self.consents)
        own = await self.consents.own(organisation=organisation, consent_id=consent_id)
        return own if own is not None and kept.sees(own.consent, own.subject) else None
