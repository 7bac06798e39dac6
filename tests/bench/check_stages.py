"""CPU per check by stage: the whole application in this process, one check at a time, a stopwatch around each stage.

A stage is a function of the product that is wrapped while this runs. Its time is the CPU of the whole process, the
writer's thread included, less that of the stages within it. The HTTP server is not in it; its share is what the served
CPU per check has beyond the sum.
"""

import asyncio
import functools
import importlib
import inspect
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from broker.main import create_app
from broker.settings import Settings
from tests.bench.households import ASKER, asked
from tests.simulators.asking import PUBLIC_URL, Asker
from tests.simulators.served_world import WitnessDown

STAGES: Mapping[str, tuple[str, ...]] = {
    "authenticate": ("broker.api.edge:authenticate",),
    "parse": ("broker.api.routes.household_checks:parse",),
    "documents": tuple(f"broker.store.documents:StoredDocuments.{name}" for name in ("register", "epoch", "roster")),
    "tickets": ("broker.flows.household_question:check_tickets",),
    "index": ("broker.flows.household_question:index_household",),
    "look up": tuple(f"broker.store.signals:StoredSignals.{name}" for name in ("stamps", "own_on", "look_up")),
    "decide": tuple(f"broker.flows.check_household:{name}" for name in ("may_ask", "see")),
    "record": tuple(f"broker.flows.check_household:{name}" for name in ("recording_of", "outcome_of")),
    "seal": ("broker.store.log_writer:seal_entry",),
    "commit": ("broker.store.ledger:StoredLedger.write",),
    "receipt": ("broker.store.log_writer:_answer",),
    "answer": ("broker.api.routes.household_checks:answer",),
}
"""What is timed, as module and attribute; what is in none is `other`: the route, the tick, the middleware."""


class Stopwatch:
    """CPU seconds by stage; a stage within another one stops that one's clock."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._running = ["other"]
        self._since = time.process_time()

    def _switch(self) -> None:
        moment = time.process_time()
        self.spent[self._running[-1]] += moment - self._since
        self._since = moment

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is within as this stage."""
        self._switch()
        self._running.append(name)
        try:
            yield
        finally:
            self._switch()
            self._running.pop()

    def clear(self) -> None:
        """Begin anew."""
        self._switch()
        self.spent.clear()

    def stop(self) -> dict[str, float]:
        """Return the CPU seconds of every stage so far."""
        self._switch()
        return dict(self.spent)


def stages_of_a_check(folder: Path, *, households: int, checks: int) -> dict[str, float]:
    """Return the CPU milliseconds of each stage of a check, by a broker without ticks in this folder."""
    watch = Stopwatch()
    with ExitStack() as stack:
        for name, places in STAGES.items():
            for place in places:
                stack.enter_context(_timed(watch, name, place))
        spent = asyncio.run(_check(folder, watch, households, checks))
    return {name: round(spent[name] / checks * 1e3, 3) for name in (*STAGES, "other")}


async def _check(folder: Path, watch: Stopwatch, households: int, checks: int) -> dict[str, float]:
    app = create_app(Settings.read(folder / "broker"), transport=WitnessDown())
    asker = Asker(oin=ASKER, now=int(time.time()), seed="stages")
    sent = [asker.post("/v1/household-checks", asker.check(asked(number % households))) for number in range(checks + 1)]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client,
    ):
        for number, one in enumerate(sent):
            if number == 1:  # the first reads documents and warms up
                watch.clear()
            answer = await client.request(one.method, one.path, content=one.body, headers=dict(one.headers))
            assert answer.status_code == httpx.codes.OK
        return watch.stop()


@contextmanager
def _timed(watch: Stopwatch, stage: str, place: str) -> Iterator[None]:
    """Wrap one function of the product while this is held."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    original = getattr(owner, name)
    setattr(owner, name, _wrapped(watch, stage, original))
    try:
        yield
    finally:
        setattr(owner, name, original)


def _wrapped(watch: Stopwatch, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*arguments: object, **named: object) -> object:
            with watch.stage(stage):
                return await function(*arguments, **named)

        return awaited

    @functools.wraps(function)
    def called(*arguments: object, **named: object) -> object:
        with watch.stage(stage):
            return function(*arguments, **named)

    return called
