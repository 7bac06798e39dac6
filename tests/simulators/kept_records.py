"""Consents and exceptions that stand in a test, read as the stores are: for what is judged without a store."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from broker.consent_ports import AboutPerson, OwnConsent, Pair, person_key
from broker.domain.consents import Consent
from broker.domain.exceptions import ExceptionRecord
from broker.domain.households import TokenIndex
from broker.exception_ports import OpenAcute, OwnException, worker_key
from broker.ports import Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptConsents:
    """A `ConsentReader`: these own records, and these about persons. Nobody shields a signal. `asked` fills itself."""

    records: tuple[OwnConsent, ...] = ()
    persons: Mapping[Pair, tuple[Consent, ...]] = field(default_factory=dict)
    asked: list[frozenset[Pair]] = field(default_factory=list)

    async def about(self, pairs: Collection[Pair]) -> Mapping[Pair, AboutPerson]:
        """See `ConsentReader.about`."""
        self.asked.append(frozenset(pairs))
        return {
            pair: AboutPerson(consents=self.persons.get(pair, ()), stamp=Stamp(of=person_key(*pair), version=1))
            for pair in pairs
        }

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """See `ConsentReader.own`."""
        named = (organisation, consent_id)
        return next((one for one in self.records if (one.consent.organisation, one.consent.id) == named), None)

    async def hidden(self, *, organisation: str, worker: str, among: Collection[str]) -> frozenset[str]:
        """See `ConsentReader.hidden`."""
        del organisation, worker, among
        return frozenset()

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[TokenIndex]:
        """See `ConsentReader.kept_from`."""
        del organisation, worker
        return frozenset()

    async def list_own(
        self, *, organisation: str, worker: str, after: str | None, at_most: int
    ) -> tuple[OwnConsent, ...]:
        """See `ConsentReader.list_own`."""
        del worker
        own = [one for one in self.records if one.consent.organisation == organisation]
        later = [one for one in own if after is None or one.consent.id > after]
        return tuple(sorted(later, key=lambda one: one.consent.id)[:at_most])


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptExceptions:
    """An `ExceptionReader`: these own exceptions; one is open until its rest is there."""

    records: tuple[OwnException, ...] = ()

    async def own(self, *, organisation: str, exception_id: str) -> OwnException | None:
        """See `ExceptionReader.own`."""
        named = (organisation, exception_id)
        return next((one for one in self.records if (one.record.organisation, one.record.id) == named), None)

    async def open_acute(self, *, organisation: str, worker: str) -> OpenAcute:
        """See `ExceptionReader.open_acute`."""
        by = (organisation, worker)
        own = [one.record for one in self.records if (one.record.organisation, one.record.worker) == by]
        stamp = Stamp(of=worker_key(organisation, worker), version=1)
        return OpenAcute(is_open=any(one.waits_for_rest for one in own), stamp=stamp)

    async def list_own(self, *, organisation: str, after: str | None, at_most: int) -> tuple[ExceptionRecord, ...]:
        """See `ExceptionReader.list_own`."""
        own = [one.record for one in self.records if one.record.organisation == organisation]
        later = [one for one in own if after is None or one.id > after]
        return tuple(sorted(later, key=lambda one: one.id)[:at_most])
