"""What following up a match needs of the world, as Protocols (architecture section 3, D15)."""

from dataclasses import dataclass
from typing import Protocol

from broker.domain.notices import NoticeKind, WaitingNotice


class InboxReader(Protocol):
    """What waits for organisations, as committed."""

    async def waiting(
        self, *, organisation: str, kinds: frozenset[NoticeKind], without: tuple[str, ...], at_most: int
    ) -> tuple[WaitingNotice, ...]:
        """Return the oldest notices of these kinds that wait for an organisation, but for those it says it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Everything of this, as one group: edge and wiring have one line for it."""

    inbox: InboxReader
