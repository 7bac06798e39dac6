"""The memory twin of the reader of tasks that follow from acts."""

from broker.domain.owed import OwedTask, of_role
from tests.simulators.broker_memory import MemoryBroker


class MemoryOwed:
    """`OwedReader` over the memory of a broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def one(self, *, organisation: str, task_id: str) -> OwedTask | None:
        """See `OwedReader.one`."""
        return next((one for one in self._open(organisation) if one.id == task_id), None)

    async def open_after(self, *, organisation: str, role: str, after: str, at_most: int) -> tuple[OwedTask, ...]:
        """See `OwedReader.open_after`."""
        mine = (one for one in self._open(organisation) if of_role(one.task.kind, role))
        return tuple(one for one in mine if one.id > after)[:at_most]

    def _open(self, organisation: str) -> list[OwedTask]:
        state = self._broker.state
        kept = zip(state.tasks, state.tasks_at, state.tasks_ids, strict=True)
        found = [
            OwedTask(number=number, id=shown_id, task=task, created_at=made)
            for number, (task, made, shown_id) in enumerate(kept)
            if task.organisation == organisation and number not in state.tasks_done
        ]
        return sorted(found, key=lambda one: one.id)
