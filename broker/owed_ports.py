"""What finding tasks that follow from acts needs of the world, as a Protocol (architecture section 3, D15)."""

from typing import Protocol

from broker.domain.owed import OwedTask


class OwedReader(Protocol):
    """The tasks that follow from acts, as committed; who may be shown which is judged by whoever shows it."""

    async def one(self, *, organisation: str, task_id: str) -> OwedTask | None:
        """Return this organisation's task with this id that is not done; None for another's and for none at all."""

    async def open_after(self, *, organisation: str, role: str, after: str, at_most: int) -> tuple[OwedTask, ...]:
        """Return open tasks of an organisation for this role, after an id and in their order: so many at most.

        That is the order of the days on which they are due. `after` is empty for the first.
        """
