"""What the acts of phone mode have in common: by which time a belcode counts, and on whose standing it rests."""

from broker.call_ports import PhoneCallReader
from broker.domain.phone_calls import CodeTime
from broker.ports import Clock, StampKey, StampKind


async def time_for_codes(clock: Clock, phone: PhoneCallReader) -> CodeTime:
    """Return the time by which belcodes are judged: what the clock says, and never before what is recorded already."""
    now = clock.now()
    return CodeTime(recorded=max(now, await phone.recorded_until()), clock=now)


def organisation_key(oin: str) -> StampKey:
    """Return the key of the stamp that moves when this organisation is suspended, or returns."""
    return StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii"))
