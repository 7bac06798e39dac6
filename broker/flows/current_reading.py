"""What a reviewer is told is what may be told when his entry is committed, however long it took to read (D7, D8)."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from broker.ports import ANY_SHIELD, SignalStore, Stamp

_T = TypeVar("_T")


class CurrentReading(Generic[_T]):
    """What was read before a tick, and is read again only where something was shielded or erased meanwhile.

    Reading acts takes long, so nobody's answer may wait for it; and a shield may commit while it goes on.
    """

    def __init__(self, signals: SignalStore, read: Callable[[], Awaitable[_T]]) -> None:
        """Read with this; nothing was read yet."""
        self._signals = signals
        self._read = read
        self._kept: tuple[tuple[Stamp, ...], _T] | None = None

    @property
    def relies_on(self) -> tuple[Stamp, ...]:
        """Return what the entry of this reading relies on."""
        return () if self._kept is None else self._kept[0]

    async def current(self) -> _T:
        """Return what may be told now. Raises as the reading does."""
        stamps = await self._signals.stamps([ANY_SHIELD])
        if self._kept is None or self._kept[0] != stamps:
            # The stamp is older than what is read, so that a shield in between makes it stale.
            self._kept = (stamps, await self._read())
        return self._kept[1]
