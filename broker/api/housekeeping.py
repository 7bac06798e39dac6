"""What a serving broker does unasked: end what has reached its last day, at a pace that tells nothing (D8, D16).

Every quarter of an hour it writes as many entries of kind `retention`, whether they end a signal, tell of an overdue
match or task, or of whom an imported signal met, or nothing. So neither the number of entries nor their time tells that
somebody's signal has ended. What does not fit waits for the next one: past its last day a signal matches nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from broker.consent_ports import ConsentReader
from broker.domain.erasures import MAX_EXPIRED
from broker.domain.errors import BrokerError
from broker.flows.meet_imported import meet_imported
from broker.flows.policy import Policies
from broker.flows.sweep_overdue import sweep_overdue
from broker.flows.sweep_signals import MAX_SIGNALS, Swept, sweep_signals
from broker.log_ports import KeyDestruction
from broker.match_ports import MatchReader
from broker.ports import Clock, Log, Randomness, RegisterReader, SignalStore
from broker.retention_ports import RetentionReader
from broker.store.folder_requests import POLICY_REQUESTS
from broker.store.sweep_requests import SweepRequest
from broker.task_ports import TaskReader

PACE_S = 900.0
"""Seconds between two entries that nobody asked for."""
MEETINGS = 4
"""Imported signals that have their turn at every pace: 384 a day, in a region that never imports as in any other."""
LOOK_S = 0.5
"""Seconds between two looks for a request of the operator."""
VOUCHED_S = 7 * 86_400
"""Seconds since the newest act after which our clock alone is not believed: an end cannot be undone."""

_log = logging.getLogger("sluis.housekeeping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What telling of matches and tasks that are overdue, or of what an import made, needs besides."""

    registers: RegisterReader
    matches: MatchReader
    tasks: TaskReader
    consents: ConsentReader
    randomness: Randomness


class Housekeeping:
    """The sweeping of one broker; one sweep at a time."""

    def __init__(
        self,
        *,
        folder: Path,
        policies: Policies,
        renewal: Callable[[], Awaitable[Mapping[str, object]]],
        clock: Clock,
        signals: SignalStore,
        retention: RetentionReader,
        keys: KeyDestruction,
        following: Overdue,
        log: Log,
    ) -> None:
        """Sweep through this log; `folder` is where an operator asks for it, or for the policy that is there now.

        Args:
            renewal: takes the policy that the settings name into force; returns what became of it, and never raises
                because of a document.
        """
        self._folder = folder
        self._policies = policies
        self._renewal = renewal
        self._signals = signals
        self._clock = clock
        self._retention = retention
        self._keys = keys
        self._following = following
        self._log = log
        self._one_at_a_time = asyncio.Lock()
        self._met_last = ""

    async def sweep_all(self, *, batch: int) -> Mapping[str, object]:
        """Return what was swept, once nothing is left: by hand, so by the word of who looked at the clock.

        Raises:
            BrokerError: it ended early; what was done stays done.
        """
        # The first entry is written whatever is due, so that its being there tells nothing.
        done = [await self._sweep(at_most=batch, always_recorded=True)]
        while done[-1].more:
            done.append(await self._sweep(at_most=batch, always_recorded=False))
        return {
            "day": done[-1].day.isoformat(),
            "ended": {
                "expiry": sum(one.expiry for one in done),
                "age": sum(one.age for one in done),
                "rules": sum(one.rules for one in done),
                "consent": sum(one.consent for one in done),
            },
            "frozen": sum(one.frozen for one in done),
            "entries": sum(one.recorded for one in done),
            "ticketsForgotten": sum(one.tickets for one in done),
            "rowsForgotten": sum(one.rows for one in done),
            "entriesErased": sum(one.erased for one in done),
        }

    async def sweep_once(self) -> bool:
        """Return whether the entry that is due at every pace was written; not by a clock that nobody vouches for.

        It ends what had ended when a partner last asked something: a clock that runs ahead of that ends nothing.
        """
        newest = await self._retention.newest_act_at()
        if newest is None or self._clock.now() - newest > VOUCHED_S:
            _log.warning("not swept: nobody asked anything for a week; if the clock is right, run sluis-broker sweep")
            return False
        async with self._one_at_a_time:
            swept = await self._sweep(at_most=MAX_SIGNALS, always_recorded=True, vouched_at=newest)
            await sweep_overdue(
                vouched_at=newest,
                policies=self._policies,
                clock=self._clock,
                randomness=self._following.randomness,
                registers=self._following.registers,
                signals=self._signals,
                matches=self._following.matches,
                tasks=self._following.tasks,
                log=self._log,
            )
        if swept.erased >= MAX_EXPIRED:
            _log.warning("content that is older than its term is left: sluis-broker sweep erases all of it at once")
        return swept.recorded

    async def meet_imported(self) -> None:
        """Imported signals had their turn, each organisation's in turn; as many entries stand in the log in any case.

        As with a sweep, nothing is done where nobody asked anything for a week.
        """
        if await self._retention.newest_act_at() is None:
            return
        async with self._one_at_a_time:
            for _ in range(MEETINGS):
                try:
                    self._met_last = await self._meet_one()
                except BrokerError as error:  # the others have their turn all the same
                    _log.error("the meeting of an imported signal failed: %s", type(error).__name__)

    async def _meet_one(self) -> str:
        return await meet_imported(
            after=self._met_last,
            policies=self._policies,
            clock=self._clock,
            randomness=self._following.randomness,
            registers=self._following.registers,
            signals=self._signals,
            matches=self._following.matches,
            consents=self._following.consents,
            log=self._log,
        )

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep house meanwhile; a sweep that is cut off at the end is done as a whole or not at all."""
        keeping = [asyncio.create_task(self._at_pace()), asyncio.create_task(self._on_request())]
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def answer_request(self) -> None:
        """The request that waits in the folder, if any, is carried out and answered."""
        async with self._one_at_a_time:
            request = SweepRequest.waiting(self._folder, most=MAX_SIGNALS)
            if request is None:
                return
            try:
                result = await self.sweep_all(batch=request.batch)
            except BrokerError as error:
                _log.error("a sweep failed: %s", type(error).__name__)
                result = {"error": type(error).__name__}
            request.answer(self._folder, result)

    async def answer_policy_request(self) -> None:
        """The request that waits in the folder to take up the policy, if any, is carried out and answered."""
        request = POLICY_REQUESTS.waiting(self._folder)
        if request is None:
            return
        try:
            result = await self._renewal()
        except BrokerError as error:
            _log.error("the policy was not taken up: %s", type(error).__name__)
            result = {"error": type(error).__name__}
        POLICY_REQUESTS.answer(self._folder, request, result)

    async def _at_pace(self) -> None:
        while True:
            await asyncio.sleep(PACE_S)
            await self.keep_once()

    async def keep_once(self) -> None:
        """Everything that is due at a pace was tried, each by itself: what fails is reported, and stops no other."""
        for what, step in (
            ("a sweep", self.sweep_once),
            ("the meeting of imported signals", self.meet_imported),
            ("a new key-encryption key", self._keys.renew_when_old),
            ("the destruction of keys", self._keys.finish),
        ):
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - whatever failed, the next one is tried: serving goes on
                _log.error("%s failed: %s", what, type(error).__name__)

    async def _on_request(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.answer_request()
            except Exception as error:  # noqa: BLE001 - as above
                _log.error("a request to sweep was not answered: %s", type(error).__name__)
            try:
                await self.answer_policy_request()
            except Exception as error:  # noqa: BLE001 - as above
                _log.error("a request to take up the policy was not answered: %s", type(error).__name__)

    async def _sweep(self, *, at_most: int, always_recorded: bool, vouched_at: int | None = None) -> Swept:
        return await sweep_signals(
            at_most=at_most,
            always_recorded=always_recorded,
            vouched_at=vouched_at,
            policies=self._policies,
            clock=self._clock,
            signals=self._signals,
            retention=self._retention,
            log=self._log,
        )
