"""A ring as a worker of its holder may see it now: judged anew at every look, as a match is (D8, ADR 33, 48)."""

from dataclasses import dataclass
from datetime import date

from broker.call_ports import CallReader
from broker.domain.calls import Ring
from broker.domain.requests import Requester
from broker.domain.signals import Signal
from broker.flows.calling import organisation_key
from broker.flows.policy import PolicyInForce
from broker.flows.still_asked import facts_today, still_rings
from broker.ports import Clock, SignalStore, Stamp
from broker.protocol.register import Organisation, Register
from broker.request_ports import stamps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRing:
    """An own ring with the signal it is about, and the stamps of what was read to judge it.

    `seen` says whether it asks this worker: the signal still holds and does not exclude him, who asks still takes part
    and would be permitted to ask this today, and nobody has taken back what it rests on.
    """

    ring: Ring
    signal: Signal | None
    seen: bool
    stamps: tuple[Stamp, ...]

    @property
    def handles(self) -> frozenset[str]:
        """The search handle of its signal."""
        return frozenset[str]() if self.signal is None else frozenset({self.signal.handle})


async def own_ring(
    ring: Ring, requester: Requester, *, signals: SignalStore, calls: CallReader, policy: PolicyInForce,
    register: Register, clock: Clock,
) -> OwnRing:  # fmt: skip
    """Return the ring of the requester's organisation as this worker of it may see it now.

    Raises:
        DecisionFailedError: a decision failed.
    """
    agreed = stamps_of(ring.rests_on)
    now = await signals.stamps([stamp.of for stamp in agreed])
    of_asker = await signals.stamps([organisation_key(ring.call.organisation)])
    own = await signals.own(organisation=ring.organisation, signal_id=ring.signal_id)
    if own is None:
        return OwnRing(ring=ring, signal=None, seen=False, stamps=(*now, *of_asker))
    asker = register.organisations.get(ring.call.organisation)
    judged, stamps = await _judged(
        ring, own.signal, asker, policy=policy, register=register, day=clock.today(), signals=signals, calls=calls
    )  # fmt: skip
    seen = (
        judged
        and now == agreed
        and ring.is_agreed_on(clock.today())
        and own.signal.active_on(clock.today())
        and policy.counts(own.signal, day=clock.today())
        and not own.signal.excludes(requester.organisation, requester.worker)
    )
    return OwnRing(ring=ring, signal=own.signal, seen=seen, stamps=(*own.stamps, *now, *of_asker, *stamps))


async def _judged(
    ring: Ring, signal: Signal, asker: Organisation | None, *, policy: PolicyInForce, register: Register, day: date,
    signals: SignalStore, calls: CallReader,
) -> tuple[bool, tuple[Stamp, ...]]:  # fmt: skip
    """Return whether its asker may ask this today, and the stamps of what entitles him."""
    if asker is None or not asker.active:
        return False, ()
    on, found = ring.call.asked_on, ring.found_as
    if on is None or found is None:
        return True, ()  # of before these were kept
    facts, stamps = await facts_today(
        ring.call, on, asker=asker, policy=policy, day=day, signals=signals, references=calls
    )  # fmt: skip
    if not on.families <= asker.families:
        return False, stamps
    return still_rings(found, signal, facts, worker=ring.call.worker, policy=policy, register=register), stamps
