"""The one log writer: proposals gather in a tick, become durable together, and are told together (D7).

    slot k            │ proposals gather
    boundary k        ├─ one transaction: each proposal re-checked, applied, appended; one signed checkpoint; COMMIT
    slot k+1          │ witnesses are asked, with a deadline inside the slot
    boundary k+1      ├─ every answer of the tick is released, whatever it says

Answers leave on slot boundaries only, so the time of an answer says nothing about what was found. A tick starts after
the commit of the one before. `tick_ms=0` commits at once and is for benches.
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
from broker.domain.errors import BrokerError, LogUnavailableError, NotRecordedError, StorageError
from broker.ports import Clock, Committed, Proposal, Randomness

DEADLINE_SHARE = 0.8
"""How much of what is left of a slot witnesses have; the rest is for storing what they say."""
EARLY_SHARE = 0.02
"""How much of a slot a timer may fire too early; event loops round to milliseconds."""
BENCH_DEADLINE_S = 0.2
"""Seconds witnesses have when there are no slots."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness's verified signature line over a checkpoint; `witness` is its vkey."""

    witness: str
    line: str


class Ledger(Protocol):
    """Log and state in one database; one caller at a time."""

    async def write(self, batch: Sequence[SealedProposal], *, at: int) -> Written:
        """Return when every proposal is durable or undone, each by itself, under one signed and released checkpoint.

        Raises:
            StorageError: nothing of the whole batch was written; a later batch can succeed.
            LogUnavailableError: the log has stopped, or what became of the batch is not known.
        """

    async def store_cosignatures(self, size: int, cosignatures: Sequence[Cosignature]) -> None:
        """These belong to the checkpoint of this size. Raises NotRecordedError."""

    async def uncosigned_since(self) -> int | None:
        """Return the time of the oldest entry that no quorum has covered, None when all are covered."""


class Witnesses(Protocol):
    """Who watches the log."""

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Return the cosignatures over this checkpoint that came in time; never raises."""

    def quorum_met(self, cosignatures: Sequence[Cosignature]) -> bool:
        """Return whether these are enough."""


class LogWriter:
    """`Log` over a ledger. Run it as an async context; `commit` waits for the end of its tick."""

    def __init__(
        self, *, ledger: Ledger, witnesses: Witnesses, clock: Clock, randomness: Randomness, tick_ms: int
    ) -> None:
        """Gather proposals for `tick_ms` milliseconds; 0 is for benches only."""
        self._ledger = ledger
        self._witnesses = witnesses
        self._clock = clock
        self._randomness = randomness
        self._tick_s = tick_ms / 1000
        self._waiting: list[tuple[SealedProposal, asyncio.Future[Committed]]] = []
        self._arrived = asyncio.Event()
        self._since: int | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start ticking."""
        self._since = await self._ledger.uncosigned_since()
        self._task = asyncio.create_task(self._run(), name="log-writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop ticking; what still waits is written first."""
        task, self._task = self._task, None
        self._arrived.set()
        if task is not None:
            await task

    @property
    def uncosigned_since(self) -> int | None:
        """Since when, in unix seconds, the log lacks its quorum; None when it does not."""
        return self._since

    async def commit(self, proposal: Proposal) -> Committed:
        """Return when the proposal is durable and its tick has ended. See `Log.commit`."""
        if self._task is None:
            raise LogUnavailableError
        try:
            entry = seal_entry(proposal.kind, proposal.payloads, self._randomness.bytes)
        except EntryError as error:
            _log.error("a proposal cannot be sealed: %s", type(error).__name__)
            raise StorageError from None
        future: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._waiting.append((SealedProposal(proposal=proposal, entry=entry), future))
        self._arrived.set()
        return await future

    async def _run(self) -> None:
        while self._task is not None or self._waiting:
            await self._arrived.wait()
            await self._clock.sleep(self._rest_of_slot())
            await self._tick()

    def _rest_of_slot(self) -> float:
        """Return the seconds until the next boundary, on a grid that never drifts.

        A timer may fire a little before its time: that close to a boundary, the boundary counts as reached. Else the
        witnesses would have no time at all.
        """
        if not self._tick_s:
            return 0.0
        rest = self._tick_s - self._clock.monotonic() % self._tick_s
        return rest if rest > self._tick_s * EARLY_SHARE else rest + self._tick_s

    async def _tick(self) -> None:
        """Everything that waits is written, witnessed and told. Nobody is left waiting, whatever happens."""
        self._arrived.clear()
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        answers: list[Committed | BrokerError] = [LogUnavailableError() for _ in batch]
        try:
            # (1) One transaction for all; (2) then the witnesses; (3) and the end of the slot, for every outcome.
            answers = await self._written([sealed for sealed, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever waits must be told "not done", whatever happened
            _log.error("a tick failed: %s", type(error).__name__)
        finally:
            await self._clock.sleep(self._rest_of_slot())
            for (_, future), answer in zip(batch, answers, strict=True):
                _tell(future, answer)

    async def _written(self, batch: Sequence[SealedProposal]) -> list[Committed | BrokerError]:
        at = self._clock.now()
        try:
            written = await self._ledger.write(batch, at=at)
        except NotRecordedError as error:
            _log.error("a tick of %d was not written: %s", len(batch), type(error).__name__)
            return [type(error)() for _ in batch]
        if written.appended is None:
            return [verdict for verdict in written.verdicts if isinstance(verdict, BrokerError)]
        cosignatures = await self._witnessed(written.appended, at)
        return [_answer(written.appended, verdict, cosignatures, self._since) for verdict in written.verdicts]

    async def _witnessed(self, appended: Appended, at: int) -> tuple[Cosignature, ...]:
        """Return the cosignatures that came in time; without a quorum the log goes on and says since when."""
        deadline_s = self._rest_of_slot() * DEADLINE_SHARE if self._tick_s else BENCH_DEADLINE_S
        cosignatures = await self._witnesses.ask(appended.note, deadline_s=deadline_s)
        if self._witnesses.quorum_met(cosignatures):
            self._since = None
        elif self._since is None:
            self._since = at
        if cosignatures:
            try:
                await self._ledger.store_cosignatures(appended.checkpoint.head.size, cosignatures)
            except NotRecordedError as error:
                _log.error("cosignatures were not stored: %s", type(error).__name__)
        return cosignatures


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
