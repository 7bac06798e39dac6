"""Who sees to the own signals: those that nobody does, and handing over all of them in one act."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import parse
from broker.flows.hand_over_signals import hand_over_signals
from broker.flows.list_ownerless import list_ownerless
from broker.protocol.errors import MalformedError
from broker.protocol.owner_messages import HandOverSignals, OwnersAnswer
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1", tags=["signals"])


@router.get("/ownerless-signals", responses=answers_with(OwnersAnswer))
async def ownerless(request: Request, edge: Here, after: str | None = None) -> Response:
    """List the own signals to which nobody on the roster sees; a page looks at 200 signals."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    return answer(
        await list_ownerless(
            requester=sent.requester,
            after=after,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/signal-handovers", openapi_extra=body_of(HandOverSignals), responses=answers_with(OwnersAnswer))
async def hand_over(request: Request, edge: Here) -> Response:
    """Hand over all signals of who leaves, or take up those that nobody sees to."""
    sent, body = await edge.receive(request)
    return answer(
        await hand_over_signals(
            command=parse(HandOverSignals, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )
