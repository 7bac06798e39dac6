"""The memory twin of the reader of tasks that follow from acts."""

from broker.domain.owed import OwedTask, listed_on_a_day
from tests.simulators.broker_memory import MemoryBroker


class MemoryOwed:
    """`OwedReader` over the memory of a broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def one(self, *, organisation: str, task_id: str) -> OwedTask | None:
        """See `OwedReader.one`."""
        return next((one for one in self._open(organisation) if one.id == task_id), None)

    async def open_after(self, *, organisation: str, after: str, at_most: int) -> tuple[OwedTask, ...]:
        """See `OwedReader.open_after`."""
        return tuple(one for one in self._open(organisation) if one.id > after)[:at_most]

    def _open(self, organisation: str) -> list[OwedTask]:
        state = self._broker.state
        kept = [
            (number, task, made, number in state.tasks_done)
            for number, (task, made) in enumerate(zip(state.tasks, state.tasks_at, strict=True))
            if task.organisation == organisation
        ]
        days = sorted({task.due_on for _, task, _, _ in kept})
        found = [listed_on_a_day([row for row in kept if row[1].due_on == day]) for day in days]
        return [one for of_day in found for one in of_day if not one.done]
