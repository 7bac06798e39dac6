"""Tasks of the own team: start what runs since a report, list, say that one is done, extend an exclusion order."""

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.api.edge import Edge, Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.close_task import close_task
from broker.flows.extend_task import extend_task
from broker.flows.list_tasks import list_tasks
from broker.flows.start_terms import start_terms
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_id
from broker.protocol.task_messages import CloseTask, ExtendTask, StartTerms, TasksAnswer

router = APIRouter(prefix="/v1/tasks", tags=["tasks"])


@router.get("", responses=answers_with(TasksAnswer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List the tasks of the own teams, at most twenty, in the order of their ids; `after` an id goes on from there."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    return answer(await list_tasks(requester=sent.requester, after=after, **_ports(edge)))


@router.post("", openapi_extra=body_of(StartTerms), responses=answers_with(TasksAnswer))
async def start(request: Request, edge: Here) -> Response:
    """Start what the documents state for a report or an exclusion order; a look that rests on it does so too."""
    sent, body = await edge.receive(request)
    ports = {name: port for name, port in _ports(edge).items() if name != "matches"}
    command = parse(StartTerms, body)
    return answer(
        await start_terms(command=command, requester=sent.requester, randomness=edge.randomness, **ports)
    )  # fmt: skip


@router.post("/{task_id}/closing", openapi_extra=body_of(CloseTask), responses=answers_with(TasksAnswer))
async def close(task_id: str, request: Request, edge: Here) -> Response:
    """Say that a task is done; of an exclusion order, that it was lifted."""
    sent, body = await edge.receive(request)
    return answer(
        await close_task(
            command=parse(CloseTask, body), task_id=id_in_path(task_id), requester=sent.requester, **_ports(edge)
        )
    )


@router.post("/{task_id}/extension", openapi_extra=body_of(ExtendTask), responses=answers_with(TasksAnswer))
async def extend(task_id: str, request: Request, edge: Here) -> Response:
    """Say until which day an exclusion order was extended."""
    sent, body = await edge.receive(request)
    return answer(
        await extend_task(
            command=parse(ExtendTask, body), task_id=id_in_path(task_id), requester=sent.requester, **_ports(edge)
        )
    )


def _ports(edge: Edge) -> dict[str, Any]:
    """Return what every flow on tasks touches; mypy checks the names at each flow's own tests."""
    return {
        "policies": edge.policies,
        "clock": edge.clock,
        "registers": edge.registers,
        "rosters": edge.rosters,
        "signals": edge.signals,
        "matches": edge.following.matches,
        "tasks": edge.following.tasks,
        "answers": edge.answers,
        "log": edge.log,
    }
