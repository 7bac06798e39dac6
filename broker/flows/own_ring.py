"""A ring as a worker of its holder may see it now: judged anew at every look, as a match is (D8, ADR 33, 48)."""

from dataclasses import dataclass, replace
from datetime import date

from broker.call_ports import CallReader
from broker.consent_ports import ConsentReader
from broker.domain.calls import Ring
from broker.domain.requests import Requester
from broker.domain.signals import Signal
from broker.flows.calling import organisation_key
from broker.flows.policy import PolicyInForce
from broker.flows.still_asked import facts_today, said_today, still_rings
from broker.ports import Clock, OwnSignal, SignalStore, Stamp
from broker.protocol.register import Organisation, Register
from broker.request_ports import stamps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRing:
    """An own ring with the signal it is about, and the stamps of what was read to judge it.

    `seen` says whether it asks this worker: the signal still holds and does not exclude him, who asks still takes part
    and would be permitted to ask this today, by what people say of it today. `until` is the last day of that, where it
    rings on it.
    """

    ring: Ring
    signal: Signal | None
    seen: bool
    stamps: tuple[Stamp, ...]
    until: date | None = None

    @property
    def handles(self) -> frozenset[str]:
        """The search handle of its signal."""
        return frozenset[str]() if self.signal is None else frozenset({self.signal.handle})


async def own_ring(
    ring: Ring, requester: Requester, *, signals: SignalStore, calls: CallReader, consents: ConsentReader,
    policy: PolicyInForce, register: Register, clock: Clock,
) -> OwnRing:  # fmt: skip
    """Return the ring of the requester's organisation as this worker of it may see it now.

    Raises:
        DecisionFailedError: a decision failed.
    """
    agreed = stamps_of(ring.rests_on)
    now = await signals.stamps([stamp.of for stamp in agreed])
    of_asker = await signals.stamps([organisation_key(ring.call.organisation)])
    own, day = await signals.own(organisation=ring.organisation, signal_id=ring.signal_id), clock.today()
    if own is None:
        return OwnRing(ring=ring, signal=None, seen=False, stamps=(*now, *of_asker))
    asker = register.organisations.get(ring.call.organisation)
    judged, stamps, until = await _judged(
        ring, own, asker, policy=policy, register=register, day=day, signals=signals, calls=calls, consents=consents
    )  # fmt: skip
    on = ring.call.asked_on
    kept = on is not None and bool(on.persons)  # what they say was read anew; else it must be as it was
    seen = (
        judged
        and (kept or (now == agreed and ring.is_agreed_on(day)))
        and own.signal.active_on(day)
        and policy.counts(own.signal, day=day)
        and not own.signal.excludes(requester.organisation, requester.worker)
    )
    read = (*own.stamps, *now, *of_asker, *stamps)
    return OwnRing(ring=ring, signal=own.signal, seen=seen, stamps=read, until=until)


async def _judged(
    ring: Ring, own: OwnSignal, asker: Organisation | None, *, policy: PolicyInForce, register: Register, day: date,
    signals: SignalStore, calls: CallReader, consents: ConsentReader,
) -> tuple[bool, tuple[Stamp, ...], date | None]:  # fmt: skip
    """Return whether its asker may ask this today, the stamps of what entitles him, and the last day of a yes."""
    if asker is None or not asker.active:
        return False, (), ring.valid_until
    on, found, until = ring.call.asked_on, ring.found_as, ring.valid_until
    if on is None or found is None:
        return True, (), until  # of before these were kept
    said = await said_today(ring, on, own.subject, policy=policy, day=day, consents=consents)
    facts, stamps = await facts_today(
        ring.call, on, asker=asker, said=said, policy=policy, day=day, signals=signals, references=calls
    )  # fmt: skip
    if said is not None:
        stamps += said.stamps
        until = said.last_day([(ring.organisation, own.subject)])
        found = replace(found, consent=said.of_hit(ring.organisation, own.subject))
    rings = on.families <= asker.families and still_rings(
        found, own.signal, facts, worker=ring.call.worker, policy=policy, register=register
    )
    return rings, stamps, until
