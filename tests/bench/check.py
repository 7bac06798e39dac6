"""`ONLY=check`: what a check costs: among a million signals, as it is served, and by stage."""

from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Report, Size
from tests.bench.scale import bench_scale
from tests.bench.served import bench_served
from tests.bench.stores import STORES


def bench_check(size: Size, folder: Path) -> Report:
    """Return the reports of every part as one."""
    return together([*(bench_scale(size, folder, store) for store in STORES), bench_served(size, folder)])


def together(parts: Sequence[Report]) -> Report:
    """Return one report of several; each round keeps its own names."""
    return Report(
        bars=[bar for part in parts for bar in part.bars],
        rounds=[found for part in parts for found in part.rounds],
        figures={name: value for part in parts for name, value in part.figures.items()},
        notes=[note for part in parts for note in part.notes],
    )
