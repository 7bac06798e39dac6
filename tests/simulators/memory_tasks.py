"""The memory twin of the reader of tasks."""

from datetime import date

from broker.domain.team_tasks import ON_A_MATCH, TeamTask
from tests.simulators.broker_memory import MemoryBroker


class MemoryTasks:
    """`TaskReader` over the memory of a broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def one(self, task_id: str) -> TeamTask | None:
        """See `TaskReader.one`."""
        return self._broker.state.team_tasks.get(task_id)

    async def of_organisation(self, *, organisation: str, after: str, at_most: int) -> tuple[TeamTask, ...]:
        """See `TaskReader.of_organisation`."""
        return tuple(one for one in self._all() if one.organisation == organisation and one.id > after)[:at_most]

    async def of_reference(self, *, organisation: str, reference: str) -> tuple[TeamTask, ...]:
        """See `TaskReader.of_reference`."""
        found = [one for one in self._all() if (one.organisation, one.about) == (organisation, reference)]
        return tuple(sorted(found, key=lambda one: (one.due_on, one.id)))

    async def on_match(self, match_id: str) -> tuple[TeamTask, ...]:
        """See `TaskReader.on_match`."""
        found = [one for one in self._all() if one.about == match_id and one.kind in ON_A_MATCH]
        return tuple(one for one in found if one.done_on is None)

    async def late(self, *, day: date, after: tuple[str, str], at_most: int) -> tuple[TeamTask, ...]:
        """See `TaskReader.late`."""
        found = [one for one in self._all() if one.done_on is None and one.told_on is None and one.due_on < day]
        rest = [one for one in found if (one.due_on.isoformat(), one.id) > after]
        return tuple(sorted(rest, key=lambda one: (one.due_on, one.id))[:at_most])

    def _all(self) -> list[TeamTask]:
        return [task for _, task in sorted(self._broker.state.team_tasks.items())]
