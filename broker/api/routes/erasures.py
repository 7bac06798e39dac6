"""Erasing the content of own entries: one person proposes, another confirms."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.confirm_erasure import confirm_erasure
from broker.flows.propose_erasure import propose_erasure
from broker.protocol.erasure_messages import ConfirmErasure, ProposeErasure
from broker.protocol.messages import Answer

router = APIRouter(prefix="/v1/erasures", tags=["erasures"])


@router.post("", openapi_extra=body_of(ProposeErasure), responses=answers_with(Answer))
async def propose(request: Request, edge: Here) -> Response:
    """Propose to erase groups of own entries; nothing is erased before a second person confirms. The FG is told."""
    sent, body = await edge.receive(request)
    return answer(
        await propose_erasure(
            command=parse(ProposeErasure, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            answers=edge.answers,
            entries=edge.erasing.entries,
            log=edge.log,
        )
    )


@router.post("/{erasure_id}/confirmation", openapi_extra=body_of(ConfirmErasure), responses=answers_with(Answer))
async def confirm(erasure_id: str, request: Request, edge: Here) -> Response:
    """Confirm what a colleague proposed, by the same list; then it is erased."""
    sent, body = await edge.receive(request)
    return answer(
        await confirm_erasure(
            command=parse(ConfirmErasure, body),
            erasure_id=id_in_path(erasure_id),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            answers=edge.answers,
            entries=edge.erasing.entries,
            erasures=edge.erasing.erasures,
            rosters=edge.rosters,
            keys=edge.erasing.keys,
            log=edge.log,
        )
    )
