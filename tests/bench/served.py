"""Checks as they are served: a real broker process over HTTP, its requests signed beforehand.

    floor       closed loop    one signature verified, one row durably inserted
    tick 0      closed loop    as fast as the broker goes
    both        open loop      Poisson arrivals over 400 connections at a share of that speed: `full` is more than it
                               can do, so that all connections wait for it; `calm` is an ordinary day

All three processes live through the whole run and take turns in each round. What the client computes, tokens and
signatures, is not in it; neither are custodians and witnesses.
"""

import itertools
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from broker.settings import InsecureSettingWarning
from policies import InsecureTestBundleWarning
from tests.bench.check_stages import stages_of_a_check
from tests.bench.households import ASKER, asked
from tests.bench.measure import Bar, Report, Round, Size, interleaved, median, median_ratio
from tests.bench.served_processes import Served, a_broker, floor_command, free_port, http_request, load, now, serving
from tests.simulators.asking import Asker
from tests.simulators.served_world import make_template

TICK_MS = 200
SIGNALS = 10_000
HOUSEHOLDS = 100
ROUNDS = 5  # at most, for each takes most of a minute
CONNECTIONS, OPEN_CONNECTIONS = 32, 400
OFFERED = {"full": 1.25, "calm": 0.70}
"""The share of the speed without ticks at which requests arrive when the tick is on."""
CHECKS_AT_LEAST, CPU_AT_MOST = 0.90, 1.10


def bench_served(size: Size, folder: Path) -> Report:
    """Return what a served check costs with and without ticks, and beside the floor."""
    template = make_template(folder / "template")
    with ExitStack() as stack:
        bench = _Served(stack, size, folder, template)
        rounds = interleaved(min(size.rounds, ROUNDS), bench.one_round)
    stages = _stages(size, folder, template)
    return Report(
        bars=[
            Bar(
                name="checks per second, full, tick on / tick 0",
                ratio=median_ratio(rounds, "full_on_rate", "full_off_rate"),
                at_least=CHECKS_AT_LEAST,
            ),
            *(
                Bar(
                    name=f"CPU per check, {name}, tick on / tick 0",
                    ratio=median_ratio(rounds, f"{name}_on_cpu", f"{name}_off_cpu"),
                    at_most=CPU_AT_MOST,
                )
                for name in OFFERED
            ),
        ],
        rounds=rounds,
        figures={
            **{
                name: {
                    "per_second": round(median(rounds, f"{name}_rate"), 1),
                    "cpu_ms": round(median(rounds, f"{name}_cpu") * 1e3, 2),
                    "p50_ms": round(median(rounds, f"{name}_p50")),
                    "p99_ms": round(median(rounds, f"{name}_p99")),
                }
                for name in ("floor", "tick0", *(f"{name}_{tick}" for name in OFFERED for tick in ("off", "on")))
            },
            "times_the_floor_cpu": round(median_ratio(rounds, "tick0_cpu", "floor_cpu"), 1),
            "cpu_ms_by_stage": stages,
            "tick_ms": TICK_MS,
            "offered": OFFERED,
            "connections": {"closed loop": CONNECTIONS, "open loop": OPEN_CONNECTIONS},
        },
        notes=["served without a witness; client cryptography and custodians are not in it"],
    )


def _stages(size: Size, folder: Path, template: Path) -> dict[str, float]:
    """Return the CPU milliseconds of each stage of a check, in this process."""
    signals = SIGNALS * size.work // 100
    a_broker(template, folder / "stages", tick_ms=0, port=free_port(), signals=signals, households=HOUSEHOLDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureSettingWarning)
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return stages_of_a_check(folder / "stages", households=HOUSEHOLDS, checks=max(4, 4 * size.work))


class _Served:
    """The three processes, and the requests that are still to be sent to them."""

    def __init__(self, stack: ExitStack, size: Size, folder: Path, template: Path) -> None:
        self._folder = folder
        self._checks = max(8, 4 * size.work)
        signals = SIGNALS * size.work // 100
        ports = {name: free_port() for name in ("floor", "tick0", "ticked")}
        commands = {
            "floor": floor_command(folder, ports["floor"]),
            **{
                name: a_broker(
                    template, folder / name, tick_ms=tick_ms, port=ports[name], signals=signals, households=HOUSEHOLDS
                )
                for name, tick_ms in (("tick0", 0), ("ticked", TICK_MS))
            },
        }
        self._served: dict[str, Served] = {
            name: stack.enter_context(serving(arguments, port=ports[name], log=folder / f"{name}.log"))
            for name, arguments in commands.items()
        }
        self._order = [("off", "tick0"), ("on", "ticked")]
        self._numbers = itertools.cycle(range(HOUSEHOLDS))
        self._asker = Asker(oin=ASKER, now=now(), seed="served")

    def one_round(self) -> Round:
        """Return rates per second, CPU seconds each, and waits in milliseconds."""
        checks = self._checks
        found = self._load("floor", "floor", 4 * checks, path="/floor", connections=CONNECTIONS)
        found |= self._load("tick0", "tick0", checks, connections=CONNECTIONS)
        for name, share in OFFERED.items():
            rate, count = found["tick0_rate"] * share, checks * (3 if share > 1 else 1)
            self._order.reverse()  # what the machine does besides must not always fall on the same side
            for tick, served in self._order:
                found |= self._load(f"{name}_{tick}", served, count, connections=OPEN_CONNECTIONS, rate=rate)
        return found

    def _load(
        self,
        name: str,
        served: str,
        count: int,
        *,
        connections: int,
        rate: float | None = None,
        path: str = "/v1/household-checks",
    ) -> dict[str, float]:
        requests = list(itertools.islice(self._requests(path), count))
        outcome = load(self._served[served], requests, self._folder, connections=connections, rate=rate)
        return {
            f"{name}_rate": outcome["per_second"],
            f"{name}_cpu": outcome["cpu"] / count,
            f"{name}_p50": outcome["p50_ms"],
            f"{name}_p99": outcome["p99_ms"],
        }

    def _requests(self, path: str) -> Iterator[bytes]:
        self._asker.now = now()
        for number in self._numbers:
            yield http_request(self._asker.post(path, self._asker.check(asked(number))))
