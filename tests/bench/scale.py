"""What a check costs among 1,000,000 signals beside what it costs among 10,000, on one store.

Both stores hold the same households besides, so each check finds the same; what differs is how much lies around them.
Measured from the parsed request to the committed answer: tickets, look-ups, decisions, sealing, commit. The client's
cryptography and the custodians are not in it.
"""

import asyncio
import itertools
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.households import ASKER, asked
from tests.bench.measure import Bar, Report, Round, Size, median, median_ratio
from tests.bench.stores import a_core, make_large
from tests.simulators.broker_world import World

SMALL, LARGE = 10_000, 1_000_000
HOUSEHOLDS = 100
AT_MOST = 1.5
NOTE = "client cryptography and custodians are not in it; CPU is the broker's, time has the database's server in it too"
_STEPS = 8
"""How often the two stores take turns within a round."""


def bench_scale(size: Size, folder: Path, store: str) -> Report:
    """Return the cost of a check in a large store over that in a small one."""
    counts = {"small": SMALL * size.work // 100, "large": LARGE * size.work // 100}
    folders = {name: folder / f"{store}-{name}" for name in counts}
    for name, count in counts.items():
        make_large(store, folders[name], signals=count, households=HOUSEHOLDS)
    return asyncio.run(_bench(size, folders, store, counts))


async def _bench(size: Size, folders: Mapping[str, Path], store: str, counts: Mapping[str, int]) -> Report:
    async with AsyncExitStack() as stack:
        worlds = {name: await stack.enter_async_context(a_core(store, path)) for name, path in folders.items()}
        numbers = itertools.cycle(range(HOUSEHOLDS))
        each = max(1, 8 * size.work // 100)
        # One round more than is counted: it warms both up.
        rounds = [await _round(worlds, numbers, each) for _ in range(size.rounds + 1)][1:]
    cost = f"{store}: check among {counts['large']} / among {counts['small']} signals"
    return Report(
        bars=[
            Bar(name=f"{cost}, CPU", ratio=median_ratio(rounds, "large_cpu", "small_cpu"), at_most=AT_MOST),
            Bar(name=f"{cost}, time", ratio=median_ratio(rounds, "large_time", "small_time"), at_most=AT_MOST),
        ],
        rounds=rounds,
        figures={
            f"{store}_{name}_ms_per_check": round(median(rounds, name) / each / _STEPS * 1e3, 2) for name in rounds[0]
        },
        notes=[f"{store}: {NOTE}"],
    )


async def _round(worlds: Mapping[str, World], numbers: "itertools.cycle[int]", each: int) -> Round:
    """Return the seconds of the same checks in each world, in turns."""
    spent = dict.fromkeys((f"{name}_{what}" for name in worlds for what in ("cpu", "time")), 0.0)
    for _ in range(_STEPS):
        chosen = [next(numbers) for _ in range(each)]
        for name, world in worlds.items():
            asker = world.asker(ASKER, seed=f"{time.monotonic_ns()}")
            bodies = [asker.check(asked(number)) for number in chosen]
            began, cpu_began = time.perf_counter(), time.process_time()
            for body in bodies:
                answered = await world.send_check(asker, body)
                assert answered.result["outcome"] == "shown"
            spent[f"{name}_cpu"] += time.process_time() - cpu_began
            spent[f"{name}_time"] += time.perf_counter() - began
    return spent
