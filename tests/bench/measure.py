"""What every bench needs: interleaved rounds, medians of their ratios, bars, and how fast the disk was meanwhile.

A ratio is made inside one round, of two things measured one after the other, so that a noisy neighbour slows both.
The median over the rounds is held against the bar.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROBE_BYTES = 4096
PROBES = 200

Round = Mapping[str, float]
"""What one round measured, by name; seconds unless the name says another unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A ratio and what it must reach; `at_least` or `at_most` is None."""

    name: str
    ratio: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def held(self) -> bool:
        """Whether the ratio is where it must be."""
        low = self.at_least is None or self.ratio >= self.at_least
        return low and (self.at_most is None or self.ratio <= self.at_most)

    def sentence(self) -> str:
        """Return the ratio beside its bar, in one line."""
        bar = f"at least {self.at_least}" if self.at_least is not None else f"at most {self.at_most}"
        return f"{self.name}: {self.ratio:.3f} ({bar}) {'ok' if self.held else 'MISSED'}"

    def document(self) -> dict[str, Any]:
        """Return the bar as JSON members."""
        return {
            "name": self.name,
            "ratio": round(self.ratio, 4),
            "at_least": self.at_least,
            "at_most": self.at_most,
            "held": self.held,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a bench found: bars, the rounds they come from, figures beside them, and what is not in them."""

    bars: Sequence[Bar]
    rounds: Sequence[Round]
    figures: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a bench does; `TINY` shows in seconds that it works, and its ratios mean nothing."""

    name: str
    rounds: int
    work: int
    """A factor of 1 to 100 for the work of one round."""


FULL = Size(name="full", rounds=9, work=100)
TINY = Size(name="tiny", rounds=1, work=1)

Bench = Callable[[Size, Path], Report]
"""A bench: size and an empty folder of its own in, report out."""


def interleaved(rounds: int, measure: Callable[[], Round]) -> list[Round]:
    """Return so many rounds, after one that warms up and counts for nothing where there is more than one."""
    if rounds > 1:
        measure()
    return [measure() for _ in range(rounds)]


def median_ratio(rounds: Iterable[Round], above: str, below: str) -> float:
    """Return the median over the rounds of one measure divided by another of the same round."""
    return statistics.median(found[above] / found[below] for found in rounds)


def median(rounds: Iterable[Round], name: str) -> float:
    """Return the median of a measure."""
    return statistics.median(found[name] for found in rounds)


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process, all its threads, that the work took."""
    began = time.process_time()
    work()
    return time.process_time() - began


def fdatasync_probe(folder: Path) -> dict[str, float]:
    """Return what writing 4 KiB durably costs in this folder now: microseconds, median and 99th percentile."""
    path = folder / "probe"
    taken: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(PROBES):
            began = time.perf_counter()
            file.write(bytes(PROBE_BYTES))
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e6)
    path.unlink()
    taken.sort()
    return {"p50_us": round(statistics.median(taken), 1), "p99_us": round(taken[len(taken) * 99 // 100], 1)}
