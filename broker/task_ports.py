"""What the tasks of teams need of the world, as a Protocol (architecture section 3, D15)."""

from datetime import date
from typing import Protocol

from broker.domain.team_tasks import TeamTask


class ReferenceReader(Protocol):
    """What an organisation recorded about a report or order, as committed."""

    async def of_reference(self, *, organisation: str, reference: str) -> tuple[TeamTask, ...]:
        """Return this organisation's tasks about a report or order with this reference, done or not."""


class TaskReader(ReferenceReader, Protocol):
    """The tasks of teams, as committed. Whether a match may still be seen is judged by whoever shows its task."""

    async def one(self, task_id: str) -> TeamTask | None:
        """Return the task with this id, whoever's it is."""

    async def of_organisation(self, *, organisation: str, after: str, at_most: int) -> tuple[TeamTask, ...]:
        """Return tasks of an organisation, after an id and in their order: so many at most."""

    async def on_match(self, match_id: str) -> tuple[TeamTask, ...]:
        """Return the tasks about a match that are not done, of both sides."""

    async def late(self, *, day: date, after: tuple[str, str], at_most: int) -> tuple[TeamTask, ...]:
        """Return tasks whose last day lies before this one, not done and not told of yet: so many at most.

        In the order of that day and their ids, after such a pair.
        """
