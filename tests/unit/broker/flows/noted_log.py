"""A log that notes every proposal before it takes it."""

from types import TracebackType
from typing import Self

from broker.ports import Committed, Proposal, Turn
from tests.simulators.broker_world import World


class Recording:
    """The log beside it, with every proposal noted."""

    def __init__(self, world: World) -> None:
        self._log = world.log
        self.proposals: list[Proposal] = []

    def turn(self) -> "RecordingTurn":
        """Take a turn."""
        return RecordingTurn(self, self._log.turn())

    def disclosures_stopped(self) -> bool:
        """Say what the log beside it says."""
        return self._log.disclosures_stopped()

    def changed(self, proposal: Proposal) -> Proposal:
        """Return what is really proposed."""
        return proposal


class RecordingTurn:
    """A turn of it."""

    def __init__(self, recording: Recording, turn: Turn) -> None:
        self._recording, self._turn = recording, turn

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._turn.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        await self._turn.__aexit__(kind, error, trace)

    async def commit(self, proposal: Proposal) -> Committed:
        """Note and commit."""
        self._recording.proposals.append(proposal)
        return await self._turn.commit(self._recording.changed(proposal))


def recorded(world: World) -> list[Proposal]:
    """Return the list in which every proposal will stand from now on."""
    recording = Recording(world)
    world.log = recording  # type: ignore[assignment]  # a twin of the Log port
    return recording.proposals
