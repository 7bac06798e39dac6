"""Two flows step by step, in any order: a barrier before each port call that matters, and one who lets them through.

A flow waits at `at`; `run` lets the named one through, in the order given, and then everybody. Who waits in the log for
the end of a tick is at no barrier: the order of the commits is that in which they were let through.
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from types import TracebackType
from typing import Any, Self

from broker.consent_ports import AboutPerson, ConsentReader, OwnConsent, Pair
from broker.domain.households import TokenIndex
from broker.ports import Committed, Log, LookUp, Proposal, SignalStore, Turn


def orders(first: tuple[str, int], second: tuple[str, int]) -> Iterator[tuple[str, ...]]:
    """Give every order in which two can take so many steps."""
    (one, ones), (two, twos) = first, second
    for places in combinations(range(ones + twos), twos):
        yield tuple(two if place in places else one for place in range(ones + twos))


@dataclass(slots=True)
class Barrier:
    """Lets flows through one step at a time."""

    free: bool = False
    steps: list[str] = field(default_factory=list)
    _waiting: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    _committing: set[str] = field(default_factory=set)
    _entering: set[str] = field(default_factory=set)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def at(self, who: str, step: str) -> None:
        """Return once this flow is let through."""
        self.steps.append(f"{who} {step}")
        if not self.free:
            through = self._waiting[who] = asyncio.get_running_loop().create_future()
            self._moved.set()
            await through
        if step == "commit":
            self._committing.add(who)

    async def run(self, order: Sequence[str], flows: Mapping[str, Coroutine[Any, Any, Any]]) -> list[Any]:
        """Return what each flow returned or raised, in the order of the flows, let through in this order."""
        tasks = {who: asyncio.ensure_future(flow) for who, flow in flows.items()}
        for task in tasks.values():
            task.add_done_callback(lambda _: self._moved.set())
        for who in order:
            await self._arrived(who, tasks[who])
            if who in self._waiting:
                self._waiting.pop(who).set_result(None)
                await asyncio.sleep(0)
        self.free = True
        while self._waiting:
            self._waiting.popitem()[1].set_result(None)
        return await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def enter(self, who: str, turn: Turn) -> None:
        """Return once this flow is in a tick: it may have to wait for the other, which is in one before it."""
        self._entering.add(who)
        self._moved.set()
        await turn.__aenter__()
        self._entering.discard(who)
        self._moved.set()

    async def _arrived(self, who: str, task: "asyncio.Future[Any]") -> None:
        while not (who in self._waiting or who in self._committing or task.done() or self._held_up(who)):
            self._moved.clear()
            await self._moved.wait()

    def _held_up(self, who: str) -> bool:
        """Return whether a flow waits for a tick in which another waits here: the other goes first."""
        return who in self._entering and bool(self._waiting)


@dataclass(frozen=True, slots=True)
class BarredConsents:
    """`ConsentReader` behind a barrier."""

    consents: ConsentReader
    barrier: Barrier
    who: str

    async def about(self, pairs: Collection[Pair]) -> Mapping[Pair, AboutPerson]:
        """See `ConsentReader.about`."""
        await self.barrier.at(self.who, "about")
        return await self.consents.about(pairs)

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """See `ConsentReader.own`."""
        await self.barrier.at(self.who, "own")
        return await self.consents.own(organisation=organisation, consent_id=consent_id)

    async def hidden(self, *, organisation: str, worker: str, among: Collection[str]) -> frozenset[str]:
        """See `ConsentReader.hidden`."""
        return await self.consents.hidden(organisation=organisation, worker=worker, among=among)

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[TokenIndex]:
        """See `ConsentReader.kept_from`."""
        return await self.consents.kept_from(organisation=organisation, worker=worker)

    async def list_own(
        self, *, organisation: str, worker: str, after: str | None, at_most: int
    ) -> tuple[OwnConsent, ...]:
        """See `ConsentReader.list_own`."""
        return await self.consents.list_own(organisation=organisation, worker=worker, after=after, at_most=at_most)


@dataclass(frozen=True, slots=True)
class BarredSignals:
    """`SignalStore` with its look-up behind a barrier."""

    signals: SignalStore
    barrier: Barrier
    who: str

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the other methods of the store
        """Return the store's own."""
        return getattr(self.signals, name)

    async def look_up(self, indexes: Collection[TokenIndex]) -> LookUp:
        """See `SignalStore.look_up`."""
        await self.barrier.at(self.who, "look up")
        return await self.signals.look_up(indexes)


@dataclass(frozen=True, slots=True)
class BarredLog:
    """`Log` with each commit behind a barrier."""

    log: Log
    barrier: Barrier
    who: str

    def disclosures_stopped(self) -> bool:
        """See `Log.disclosures_stopped`."""
        return self.log.disclosures_stopped()

    def turn(self) -> Turn:
        """See `Log.turn`."""
        return BarredTurn(self.log.turn(), self.barrier, self.who)


@dataclass(frozen=True, slots=True)
class BarredTurn:
    """`Turn` with its commit behind a barrier."""

    turn: Turn
    barrier: Barrier
    who: str

    async def __aenter__(self) -> Self:
        await self.barrier.enter(self.who, self.turn)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.turn.__aexit__(kind, error, trace)

    async def commit(self, proposal: Proposal) -> Committed:
        """See `Turn.commit`."""
        await self.barrier.at(self.who, "commit")
        return await self.turn.commit(proposal)
