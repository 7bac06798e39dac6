"""The clock and the randomness of this machine."""

import asyncio
import secrets
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

NETHERLANDS = ZoneInfo("Europe/Amsterdam")


class SystemClock:
    """The machine's clock; days are those of the Netherlands."""

    def now(self) -> int:
        """Return unix seconds."""
        return int(time.time())

    def today(self) -> date:
        """Return the calendar day in the Netherlands."""
        return datetime.fromtimestamp(self.now(), UTC).astimezone(NETHERLANDS).date()

    def monotonic(self) -> float:
        """Return seconds that never step, from an arbitrary start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, at once for none or less."""
        await asyncio.sleep(max(seconds, 0.0))


class SystemRandomness:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        """Return so many unpredictable bytes."""
        return secrets.token_bytes(count)
