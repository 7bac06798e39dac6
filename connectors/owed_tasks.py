"""What follows from one's acts and is still to be done: list it in one's own role, and say that it is done."""

from dataclasses import replace

from broker.protocol.owed_messages import FinishOwedTask
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome
from connectors.desk import Desk
from connectors.errors import CaseError

_OWED = "/v1/owed-tasks"


class OwedTasks:
    """What one person does with what is owed; `SluisClient.desk` is what it works with."""

    def __init__(self, desk: Desk, *, role: str = "worker") -> None:
        """Work at this desk; `role` is whose tasks they are: of workers, approvers, reviewers or the FG."""
        self._desk = desk
        self._role = role

    async def listed(self, *, after: str | None = None) -> Outcome:
        """Return a page of what is still to be done. Raises RefusedError, NotDoneError, ReceiptError."""
        path = _OWED if after is None else f"{_OWED}?after={_checked(after)}"
        return await self._desk.delivery.read(path, worker=self._desk.composer.worker, role=self._role)

    async def finish(self, task_id: str) -> Outcome:
        """Return once the broker holds that this is done. Raises RefusedError, NotDoneError, ReceiptError."""
        path = f"{_OWED}/{_checked(task_id)}/done"
        command = self._desk.composer.statement(FinishOwedTask, {}, kind="admin", path=path, local={})
        return await self._desk.delivery.send(replace(command, role=self._role))


def _checked(task_id: str) -> str:
    if not is_id(task_id):
        raise CaseError("task", "must be 32 lower-case hex characters")
    return task_id
