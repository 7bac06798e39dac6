"""The two times a custodian reads: the wall clock judges documents, the monotonic clock refills budgets."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of both times, in whole microseconds."""

    def wall_us(self) -> int:
        """Return microseconds since 1970; may jump either way."""
        ...

    def monotonic_us(self) -> int:
        """Return microseconds that only pass; all processes since one start of the machine share them."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def wall_us(self) -> int:
        """Return the wall clock."""
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        """Return the monotonic clock."""
        return time.monotonic_ns() // 1000


def unix_seconds(clock: Clock) -> int:
    """Return the wall clock in whole seconds."""
    return clock.wall_us() // 1_000_000
