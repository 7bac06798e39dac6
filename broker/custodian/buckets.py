"""Token buckets in exact whole numbers: no rounding can give or lose a point.

A level is in points times microseconds of a day, so `per_day` points a day are `per_day` units a microsecond.
"""

from dataclasses import dataclass

from broker.protocol.register import Bucket

DAY_US = 86_400_000_000
"""Microseconds of a day: units of one point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What is left in a bucket, and at which budget time (microseconds) that was counted."""

    units: int
    at_us: int

    @property
    def points(self) -> int:
        """How many whole points are left."""
        return self.units // DAY_US


def full(size: Bucket, now_us: int) -> Level:
    """Return a bucket that nobody has used yet."""
    return Level(units=size.capacity * DAY_US, at_us=now_us)


def refilled(level: Level, size: Bucket, now_us: int) -> Level:
    """Return the level at a later time: never above the capacity, never refilled for time that ran backward."""
    passed_us = max(0, now_us - level.at_us)
    units = min(size.capacity * DAY_US, level.units + passed_us * size.per_day)
    return Level(units=units, at_us=max(now_us, level.at_us))


def taken(level: Level, points: int) -> Level | None:
    """Return the level after taking so many points, or None if it does not hold them."""
    units = level.units - points * DAY_US
    return None if units < 0 else Level(units=units, at_us=level.at_us)
