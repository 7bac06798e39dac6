"""The one log writer: requests gather in a tick, are decided, become durable and are told together (D7).

    slot k            │ requests gather; none is decided on arrival
    boundary k        ├─ all of them decide
    slot k+1          │ one transaction: each proposal re-checked, applied, appended; one signed checkpoint; COMMIT
                      │ what is stale decides again within the slot; witnesses are asked, with a deadline inside it
    boundary k+1      ├─ every answer of the tick is released, whatever it says

A decision starts and an answer leaves on slot boundaries only. So the time of an answer says nothing about what was
found: neither how long it took to decide, nor that something hidden changed meanwhile. A tick starts at the end of the
one before at the earliest: with work waiting no slot stays empty. `tick_ms=0` has no slots and is for benches.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from audit.errors import EntryError
from audit.log import Appended
from audit.seal import SealedEntry, seal_entry
from broker.domain.errors import BrokerError, LogUnavailableError, NotRecordedError, StaleDecisionError, StorageError
from broker.ports import Clock, Committed, Proposal, Randomness
from broker.store.cosigning import MAX_UNCOSIGNED_S, Cosignature, Cosigned, Cosigning, Witnesses

__all__ = ["Cosignature", "Ledger", "LogWriter", "SealedProposal", "Witnesses", "Written"]

DEADLINE_SHARE = 0.8  # of what is left of a slot, for witnesses; the rest is for storing what they say
EARLY_SHARE = 0.02  # of a slot: as early a timer may fire, for loops round to milliseconds; witnesses need the slot
BENCH_DEADLINE_S = 0.2  # seconds witnesses have when there are no slots

_log = logging.getLogger("sluis.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedProposal:
    """A proposal with its entry sealed, ready to be written."""

    proposal: Proposal
    entry: SealedEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one transaction did: per proposal its position in `appended`, or why it was not taken."""

    verdicts: tuple[int | BrokerError, ...]
    appended: Appended | None


class Ledger(Cosigned, Protocol):
    """Log and state in one database; one caller at a time."""

    async def write(self, batch: Sequence[SealedProposal], *, at: int) -> Written:
        """Return when every proposal is durable or undone, each by itself, under one signed and released checkpoint.

        Raises:
            StorageError: nothing of the whole batch was written; a later batch can succeed.
            LogUnavailableError: the log has stopped, or what became of the batch is not known.
        """


class LogWriter:
    """`Log` over a ledger. Run it as an async context."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        witnesses: Witnesses,
        clock: Clock,
        randomness: Randomness,
        tick_ms: int,
        max_uncosigned_s: int = MAX_UNCOSIGNED_S,
    ) -> None:
        """Gather requests for `tick_ms` milliseconds; 0 is for benches only."""
        self._ledger = ledger
        self.cosigning = Cosigning(
            ledger=ledger, witnesses=witnesses, clock=clock, max_uncosigned_s=max_uncosigned_s
        )  # fmt: skip
        self._clock = clock
        self._randomness = randomness
        self._tick_s = tick_ms / 1000
        self._starting: list[_Turn] = []
        self._deciding: set[_Turn] = set()
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start ticking."""
        await self.cosigning.read()
        self._task = asyncio.create_task(self._run(), name="log-writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop ticking; what has begun is decided, written and told first."""
        task, self._task = self._task, None
        self._arrived.set()
        if task is not None:
            await task

    @property
    def uncosigned_since(self) -> int | None:
        """Since when, in unix seconds, the log lacks its quorum; None when it does not."""
        return self.cosigning.since

    def disclosures_stopped(self) -> bool:
        """Return whether the log has lacked its quorum for too long. See `Log.disclosures_stopped`."""
        return self.cosigning.too_long

    def turn(self) -> "_Turn":
        """Return a turn of the next tick. See `Log.turn`."""
        return _Turn(self)

    async def begin(self, turn: "_Turn") -> None:
        """Return at the boundary at which the turn's tick starts. Raises LogUnavailableError."""
        if self._task is None or self._task.done():
            raise LogUnavailableError
        self._starting.append(turn)
        self._arrived.set()
        await turn.started

    def leave(self, turn: "_Turn") -> None:
        """The turn decides no more; the tick does not wait for it."""
        if turn in self._starting:
            self._starting.remove(turn)
        self._deciding.discard(turn)
        self._moved.set()

    async def submit(self, turn: "_Turn", proposal: Proposal) -> Committed:
        """Return when the proposal is durable and the tick has ended. See `Turn.commit`."""
        try:
            entry = seal_entry(proposal.kind, proposal.payloads, self._randomness.bytes)
        except EntryError as error:
            _log.error("a proposal cannot be sealed: %s", type(error).__name__)
            raise StorageError from None
        future: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(SealedProposal(proposal=proposal, entry=entry), future, turn))
        self.leave(turn)
        return await future

    async def _run(self) -> None:
        while self._task is not None or self._starting:
            await self._arrived.wait()
            await self._clock.sleep(self._rest_of_slot())
            await self._tick()
            while self._starting:  # who came while a tick was under way starts at the very boundary that ended it
                await self._tick()

    def _rest_of_slot(self) -> float:
        """Return the seconds until the next boundary, on a grid that never drifts; one as good as reached is past."""
        rest = self._tick_s - self._clock.monotonic() % self._tick_s if self._tick_s else 0.0
        return rest if rest >= self._tick_s * EARLY_SHARE else rest + self._tick_s

    async def _tick(self) -> None:
        """Everything that gathered is decided, written, witnessed and told; nobody is left waiting."""
        self._arrived.clear()
        # (1) All of the tick decide from here on.
        starting, self._starting = self._starting, []
        self._deciding.update(starting)
        for turn in starting:
            turn.start()
        # (2) One transaction for all, and one more for each round of those that were stale.
        told: list[tuple[asyncio.Future[Committed], Committed | BrokerError]] = []
        while batch := await self._decided():
            for waiting, answer in zip(batch, await self._answers(batch), strict=True):
                if isinstance(answer, StaleDecisionError) and not waiting.future.done():
                    self._deciding.add(waiting.turn)
                    waiting.future.set_exception(answer)
                else:
                    told.append((waiting.future, answer))
        # (3) The end of the slot, for every outcome alike.
        try:
            await self._clock.sleep(self._rest_of_slot())
        finally:
            for future, answer in told:
                _tell(future, answer)

    async def _decided(self) -> list["_Waiting"]:
        """Return what this round of the tick came to, once nobody in it decides any more."""
        while self._deciding:
            self._moved.clear()
            await self._moved.wait()
        batch, self._waiting = self._waiting, []
        return batch

    async def _answers(self, batch: Sequence["_Waiting"]) -> list[Committed | BrokerError]:
        try:
            return await self._written([waiting.sealed for waiting in batch])
        except Exception as error:  # noqa: BLE001 - whoever waits must be told "not done", whatever happened
            _log.error("a tick failed: %s", type(error).__name__)
            return [LogUnavailableError() for _ in batch]

    async def _written(self, batch: Sequence[SealedProposal]) -> list[Committed | BrokerError]:
        at = self._clock.now()
        try:
            written = await self._ledger.write(batch, at=at)
        except NotRecordedError as error:
            _log.error("a tick of %d was not written: %s", len(batch), type(error).__name__)
            return [type(error)() for _ in batch]
        if written.appended is None:
            return [verdict for verdict in written.verdicts if isinstance(verdict, BrokerError)]
        deadline_s = self._rest_of_slot() * DEADLINE_SHARE if self._tick_s else BENCH_DEADLINE_S
        cosignatures = await self.cosigning.over(written.appended, at=at, deadline_s=deadline_s)
        since = self.cosigning.since
        return [_answer(written.appended, verdict, cosignatures, since) for verdict in written.verdicts]


def _answer(
    appended: Appended, verdict: int | BrokerError, cosignatures: Sequence[Cosignature], since: int | None
) -> Committed | BrokerError:
    if isinstance(verdict, BrokerError):
        return verdict
    lines = [cosignature.line for cosignature in cosignatures]
    receipt = appended.receipt(verdict, cosignatures=lines, uncosigned_since=since)
    return Committed(index=appended.entries[verdict].index, receipt=receipt.to_wire())


def _tell(future: asyncio.Future[Committed], answer: Committed | BrokerError) -> None:
    """Give the answer to who still waits; a caller that went away finds it under its idempotency key."""
    if future.done():
        return
    if isinstance(answer, BrokerError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


class _Turn:
    """One request's part in one tick: `Turn` of the ports."""

    __slots__ = ("_writer", "started")

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        """Return at the start of the tick."""
        try:
            await self._writer.begin(self)
        except BaseException:
            self._writer.leave(self)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The tick waits for this request no more."""
        self._writer.leave(self)

    def start(self) -> None:
        """The request decides now; one that went away meanwhile never does."""
        if self.started.done():
            self._writer.leave(self)
        else:
            self.started.set_result(None)

    async def commit(self, proposal: Proposal) -> Committed:
        """Return when the proposal is durable and the tick has ended. See `Turn.commit`."""
        return await self._writer.submit(self, proposal)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A proposal that waits for its tick's transaction, and who waits for it."""

    sealed: SealedProposal
    future: asyncio.Future[Committed]
    turn: _Turn
