"""The twins of the machine's clock and randomness: both do only what a test tells them."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta

NOON = 1_795_345_200
"""22 November 2026, 12:00 in the Netherlands."""
YIELDS_PER_SLEEP = 50
"""How often a sleeper lets the others run: enough for every flow of a test to reach its commit."""


class TestClock:
    """A clock that moves when a test moves it, or by exactly the length of a sleep."""

    __test__ = False

    def __init__(self, now: int = NOON) -> None:
        self._now = float(now)
        self._monotonic = 1000.0

    def now(self) -> int:
        """Return unix seconds."""
        return int(self._now)

    def today(self) -> date:
        """Return the calendar day in the Netherlands, as of its winter time."""
        return (datetime.fromtimestamp(self._now, UTC) + timedelta(hours=1)).date()

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Move the time by so many seconds and let everybody else run."""
        self.move(max(seconds, 0.0))
        for _ in range(YIELDS_PER_SLEEP):
            await asyncio.sleep(0)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._monotonic += seconds


class SeededRandomness:
    """Bytes that follow from a seed, so that two worlds can be the same byte for byte."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        """Return so many bytes."""
        return self._random.randbytes(count)
