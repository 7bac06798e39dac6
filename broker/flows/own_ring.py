"""A ring as a worker of its holder may see it now: judged anew at every look, as a match is (D8, ADR 33)."""

from dataclasses import dataclass

from broker.domain.calls import Ring
from broker.domain.requests import Requester
from broker.domain.signals import Signal
from broker.flows.calling import organisation_key
from broker.flows.policy import PolicyInForce
from broker.ports import Clock, SignalStore, Stamp
from broker.protocol.register import Register
from broker.request_ports import stamps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRing:
    """An own ring with the signal it is about, and the stamps of what was read to judge it.

    `seen` says whether it asks this worker: the signal still holds and does not exclude him, who asks still takes part,
    and nobody has taken back what it rests on.
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
    ring: Ring, requester: Requester, *, signals: SignalStore, policy: PolicyInForce, register: Register, clock: Clock
) -> OwnRing:
    """Return the ring of the requester's organisation as this worker of it may see it now."""
    agreed = stamps_of(ring.rests_on)
    now = await signals.stamps([stamp.of for stamp in agreed])
    of_asker = await signals.stamps([organisation_key(ring.call.organisation)])
    own = await signals.own(organisation=ring.organisation, signal_id=ring.signal_id)
    if own is None:
        return OwnRing(ring=ring, signal=None, seen=False, stamps=(*now, *of_asker))
    asker = register.organisations.get(ring.call.organisation)
    seen = (
        now == agreed
        and ring.is_agreed_on(clock.today())
        and own.signal.active_on(clock.today())
        and policy.counts(own.signal, day=clock.today())
        and not own.signal.excludes(requester.organisation, requester.worker)
        and asker is not None
        and asker.active
    )
    return OwnRing(ring=ring, signal=own.signal, seen=seen, stamps=(*own.stamps, *now, *of_asker))
