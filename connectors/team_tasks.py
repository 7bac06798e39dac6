"""The tasks of one's team: what runs since a report or an agreement, until when, and that it was done."""

import datetime
from collections.abc import Sequence
from typing import Any

from broker.protocol.messages import Command
from broker.protocol.request_signing import is_id
from broker.protocol.task_messages import CloseTask, ExtendTask, ShownTask, StartTerms, TasksResult
from connectors.answers import Outcome
from connectors.desk import Desk
from connectors.errors import CaseError
from connectors.stated_proof import StatedProof

_TASKS = "/v1/tasks"


class TeamTasks:
    """What one worker does with the tasks of his team; `SluisClient.desk` is what it works with."""

    def __init__(self, desk: Desk) -> None:
        """Work at this desk."""
        self._desk = desk

    async def start(self, *, purpose: str, grounds: Sequence[str], team: str, proof: StatedProof) -> Outcome:
        """Return once what the documents state for this proof runs; what ran already runs on as it did.

        A check or an oproep that states the proof starts it too: this is for who weighs a report before he looks.

        Raises:
            RefusedError: not for this organisation, or a proof that does not count today. NotDoneError.
        """
        members = {
            "purpose": purpose,
            "grounds": list(grounds),
            "team": team,
            "proof": proof.members(self._desk.folder.case_ref_key.mac),
        }
        return await self._state(_TASKS, StartTerms, members)

    async def listed(self, *, after: str | None = None) -> Outcome:
        """Return a page of the tasks of the own team. Raises RefusedError, NotDoneError, ReceiptError."""
        path = _TASKS if after is None else f"{_TASKS}?after={_checked(after)}"
        return await self._desk.delivery.read(path, worker=self._desk.composer.worker)

    async def close(self, task_id: str) -> Outcome:
        """Return once the task is done; of an exclusion order, once it was lifted.

        Raises:
            RefusedError: another team's task, or one that is closed. NotDoneError.
        """
        return await self._state(f"{_TASKS}/{_checked(task_id)}/closing", CloseTask, {})

    async def extend(self, task_id: str, ends_on: datetime.date) -> Outcome:
        """Return once the exclusion order lasts until this day.

        Raises:
            RefusedError: no order, one that is over, or not a day it can last to. NotDoneError.
        """
        return await self._state(f"{_TASKS}/{_checked(task_id)}/extension", ExtendTask, {"ends_on": ends_on})

    def about(self, outcome: Outcome, proof: StatedProof | None) -> list[ShownTask]:
        """Return the tasks in an answer, the first that ends first; with a proof only those about it.

        The broker has no number of a report, so whose task it is can be told here alone.
        """
        details = outcome.details
        found = details.found if isinstance(details, TasksResult) else []
        if proof is not None:
            reference = proof.members(self._desk.folder.case_ref_key.mac)["reference"]
            found = [task for task in found if task.reference == reference]
        return sorted(found, key=lambda task: (task.due_on, task.task_id))

    async def _state(self, path: str, model: type[Command], members: dict[str, Any]) -> Outcome:
        command = self._desk.composer.statement(model, members, kind="match", path=path, local={})
        return await self._desk.delivery.send(command)


def _checked(task_id: str) -> str:
    if not is_id(task_id):
        raise CaseError("task", "must be 32 lower-case hex characters")
    return task_id
