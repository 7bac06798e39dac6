"""A barrier scheduler over the ports: every order in which several flows can read and commit, one after the other.

`for schedule in every_schedule(run)`: `run` is called with a schedule and plays some actors under it; each stops before
every gated call of a port, and the schedule says who goes on. No order is left out, and none is played twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from audit.seal import seal_entry
from broker.domain.errors import BrokerError
from broker.ports import Committed, Proposal
from broker.store.log_writer import SealedProposal
from tests.simulators.broker_world import World

_ACTOR: ContextVar[str] = ContextVar("actor")


@dataclass(slots=True)
class Schedule:
    """One order: `choices` are followed, then the first is taken; `taken` is what happened, of how many each."""

    choices: list[int]
    taken: list[tuple[int, int]] = field(default_factory=list)
    _parked: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def gate(self) -> None:
        """Return when the schedule lets this actor go on; whoever is no actor goes on at once."""
        actor = _ACTOR.get("")
        if actor:
            self._parked[actor] = asyncio.get_running_loop().create_future()
            self._moved.set()
            await self._parked[actor]

    async def play(self, actors: Mapping[str, Callable[[], Awaitable[object]]]) -> dict[str, object]:
        """Return what each actor came to, an error of ours as itself, played in this order."""
        tasks = {name: asyncio.create_task(self._act(name, act)) for name, act in actors.items()}
        for task in tasks.values():
            task.add_done_callback(lambda _: self._moved.set())
        while any(not task.done() for task in tasks.values()):
            await self._all_parked(tasks)
            waiting = sorted(self._parked)
            if waiting:
                self._parked.pop(waiting[self._choose(len(waiting))]).set_result(None)
        return {name: task.result() for name, task in tasks.items()}

    async def _all_parked(self, tasks: Mapping[str, asyncio.Task[object]]) -> None:
        while sum(not task.done() for task in tasks.values()) != len(self._parked):
            self._moved.clear()
            await self._moved.wait()

    def _choose(self, of: int) -> int:
        place = len(self.taken)
        choice = self.choices[place] if place < len(self.choices) else 0
        self.taken.append((choice, of))
        return choice

    async def _act(self, name: str, act: Callable[[], Awaitable[object]]) -> object:
        _ACTOR.set(name)
        try:
            return await act()
        except BrokerError as error:
            return error


def next_choices(taken: list[tuple[int, int]]) -> list[int] | None:
    """Return the choices of the next order after one that was played, None after the last."""
    left = [choice for choice, _ in taken]
    while left:
        choice, of = left[-1], taken[len(left) - 1][1]
        if choice + 1 < of:
            return [*left[:-1], choice + 1]
        left.pop()
    return None


async def every_schedule(run: Callable[[Schedule], Awaitable[None]]) -> int:
    """Return how many orders there are, once each of them was played."""
    choices: list[int] | None = []
    count = 0
    while choices is not None:
        schedule = Schedule(choices)
        await run(schedule)
        count += 1
        choices = next_choices(schedule.taken)
    return count


class Gated:
    """A port of which some methods stop at the barrier the first time each actor calls one; the rest is its own.

    Who decides again, because something it read has moved, stops before its commit as ever.
    """

    def __init__(self, port: object, schedule: Schedule, *methods: str) -> None:
        """Gate these methods."""
        self._port, self._schedule, self._methods = port, schedule, methods
        self._stopped: set[str] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        """Return the port's own method, behind the barrier if it is gated."""
        real = getattr(self._port, name)
        if name not in self._methods:
            return real

        async def gated(*arguments: object, **named: object) -> object:
            actor = _ACTOR.get("")
            if actor not in self._stopped:
                self._stopped.add(actor)
                await self._schedule.gate()
            return await real(*arguments, **named)

        return gated


class AtOnce:
    """A `Log` that commits each proposal by itself, at once: decisions and commits interleave as freely as can be."""

    def __init__(self, world: World, schedule: Schedule) -> None:
        """Write through this world's ledger; `commits` are the actors in the order of their commits."""
        self._world, self._schedule = world, schedule
        self.commits: list[tuple[str, int]] = []

    def turn(self) -> "AtOnce":
        """Return itself: there are no ticks."""
        return self

    def disclosures_stopped(self) -> bool:
        """Return that somebody watches."""
        return False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing waits for anybody."""

    async def commit(self, proposal: Proposal) -> Committed:
        """Return when the proposal is durable. See `Turn.commit`."""
        await self._schedule.gate()
        world = self._world
        entry = seal_entry(proposal.kind, proposal.payloads, world.randomness.bytes)
        written = await world.ledger.write([SealedProposal(proposal=proposal, entry=entry)], at=world.clock.now())
        (verdict,) = written.verdicts
        if isinstance(verdict, BrokerError):
            raise verdict
        assert written.appended is not None
        committed = written.appended.entries[verdict].index
        self.commits.append((_ACTOR.get(""), committed))
        receipt = written.appended.receipt(verdict, cosignatures=[], uncosigned_since=None)
        return Committed(index=committed, receipt=receipt.to_wire())


def all_orders(lengths: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Give every order of so many steps of each actor, for the test of the scheduler itself."""
    if not any(lengths.values()):
        yield ()
        return
    for name in sorted(name for name, left in lengths.items() if left):
        for rest in all_orders({**lengths, name: lengths[name] - 1}):
            yield (name, *rest)
