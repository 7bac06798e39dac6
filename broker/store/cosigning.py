"""How the log stands with its witnesses: since when it lacks their quorum, and when that has lasted too long (ADR 24).

A tick asks them about its own checkpoint; meanwhile, and on a quiet log, they are asked again about the newest one.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.log import Appended
from broker.domain.errors import NotRecordedError
from broker.ports import Clock

MAX_UNCOSIGNED_S = 3600
"""Seconds without a quorum after which nothing is disclosed, where the settings say nothing else."""

_log = logging.getLogger("sluis.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness's verified signature line over a checkpoint; `witness` is its vkey."""

    witness: str
    line: str


class Cosigned(Protocol):
    """A log that keeps what witnesses say of it."""

    async def store_cosignatures(self, size: int, cosignatures: Sequence[Cosignature]) -> None:
        """These belong to the checkpoint of this size. Raises NotRecordedError."""

    async def uncosigned_since(self, *, heard: bool) -> int | None:
        """Return the time of the oldest entry that no quorum has covered, None when all are covered.

        Unless a quorum was `heard` since the start the newest entry counts as not covered.
        """


class Witnesses(Protocol):
    """Who watches the log."""

    @property
    def heard(self) -> bool:
        """Whether enough of them have cosigned what this process showed them."""

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Return the cosignatures over this checkpoint that came in time.

        Raises:
            ForkError: one of them proves that this is not the log's newest tree. Nothing else that it does raises.
        """

    def quorum_met(self, cosignatures: Sequence[Cosignature]) -> bool:
        """Return whether these are enough."""


class Cosigning:
    """One log and those who watch it."""

    def __init__(self, *, ledger: Cosigned, witnesses: Witnesses, clock: Clock, max_uncosigned_s: int) -> None:
        """Disclosures stop after `max_uncosigned_s` seconds without a quorum."""
        self._ledger = ledger
        self._witnesses = witnesses
        self._clock = clock
        self._max_s = max_uncosigned_s
        self._since: int | None = None
        self._asked = 0

    @property
    def since(self) -> int | None:
        """Since when, in unix seconds, the log lacks its quorum; None when it does not."""
        return self._since

    @property
    def too_long(self) -> bool:
        """Whether that has lasted longer than it may, so that nothing is disclosed."""
        return self._since is not None and self._clock.now() - self._since > self._max_s

    async def read(self) -> None:
        """What the database says of it is known: a restart forgets no outage.

        Until a quorum is heard the log counts as unwitnessed since its newest entry: cosignatures in the database
        come back with an older copy of it, and only witnesses know that there was more (ADR 35).
        """
        self._since = await self._ledger.uncosigned_since(heard=self._witnesses.heard)

    async def read_again(self) -> None:
        """Cosignatures that came in beside the ticks count, unless a tick was witnessed meanwhile: that one knows."""
        asked = self._asked
        since = await self._ledger.uncosigned_since(heard=self._witnesses.heard)
        if self._asked == asked:
            self._since = since

    async def over(self, appended: Appended, *, at: int, deadline_s: float) -> tuple[Cosignature, ...]:
        """Return the cosignatures that came in time; without a quorum the log goes on and says since when.

        Raises:
            ForkError: a witness proves that the log was put back or forked; nothing of the tick may be told.
        """
        self._asked += 1
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
        self._asked += 1
        return cosignatures
