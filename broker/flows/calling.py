"""What the acts of phone mode have in common: by which time a belcode counts, and on whose standing it rests."""

from broker.call_ports import PhoneCallReader
from broker.ports import Clock, StampKey, StampKind


async def time_for_codes(clock: Clock, phone: PhoneCallReader) -> int:
    """Return the time by which belcodes are judged, in unix seconds: never before what is recorded already.

    A clock that was set back would have codes count again that had expired.
    """
    return max(clock.now(), await phone.recorded_until())


def organisation_key(oin: str) -> StampKey:
    """Return the key of the stamp that moves when this organisation is suspended, or returns."""
    return StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii"))
