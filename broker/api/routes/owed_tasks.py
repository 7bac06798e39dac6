"""What follows from acts and is still to be done: list it, and say that it is done."""

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.api.edge import Edge, Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.finish_owed import finish_owed
from broker.flows.list_owed import list_owed
from broker.protocol.errors import MalformedError
from broker.protocol.owed_messages import FinishOwedTask, OwedAnswer
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1/owed-tasks", tags=["tasks"])


@router.get("", responses=answers_with(OwedAnswer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List what is still to be done, at most twenty, the first that is due first; `after` an id goes on from there."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    return answer(await list_owed(requester=sent.requester, after=after, **_ports(edge)))


@router.post("/{owed_id}/done", openapi_extra=body_of(FinishOwedTask), responses=answers_with(OwedAnswer))
async def finish(owed_id: str, request: Request, edge: Here) -> Response:
    """Say that this is done."""
    sent, body = await edge.receive(request)
    return answer(
        await finish_owed(
            command=parse(FinishOwedTask, body), task_id=id_in_path(owed_id), requester=sent.requester, **_ports(edge)
        )
    )


def _ports(edge: Edge) -> dict[str, Any]:
    """Return what both flows touch; mypy checks the names at each flow's own tests."""
    return {
        "policies": edge.policies,
        "clock": edge.clock,
        "registers": edge.registers,
        "rosters": edge.rosters,
        "signals": edge.signals,
        "owed": edge.following.owed,
        "answers": edge.answers,
        "log": edge.log,
    }
