"""The oproep: asking holders whether they want to call, and what they decide."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.answer_ring import answer_ring
from broker.flows.call_holders import call_holders
from broker.flows.list_calls import list_calls
from broker.flows.list_rings import list_rings
from broker.protocol.call_messages import AnswerRing, CallHolders, CallsAnswer, RingsAnswer
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1/calls", tags=["calls"])


@router.post("", openapi_extra=body_of(CallHolders), responses=answers_with(CallsAnswer))
async def call(request: Request, edge: Here) -> Response:
    """Ask whoever is involved whether he wants to call. The answer is the same whoever that is."""
    sent, body = await edge.receive(request)
    return answer(
        await call_holders(
            command=parse(CallHolders, body),
            requester=sent.requester,
            approval=sent.approval,
            policies=edge.policies,
            issuers=edge.issuers,
            tokens=edge.tokens,
            clock=edge.clock,
            randomness=edge.randomness,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            consents=edge.consents,
            calls=edge.calling.calls,
            tasks=edge.following.tasks,
            answers=edge.answers,
            log=edge.log,
            address_mute_above=edge.address_mute_above,
        )
    )


@router.get("", responses=answers_with(CallsAnswer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List the oproepen of the own organisation, at most 50; whom they reached and who called is in none of them."""
    sent, _ = await edge.receive(request)
    return answer(
        await list_calls(
            requester=sent.requester,
            after=_after(after),
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            calls=edge.calling.calls,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("/rings", responses=answers_with(RingsAnswer))
async def rings(request: Request, edge: Here, after: str | None = None) -> Response:
    """List what asks the own teams to call, at most 50; `after` an id goes on from there."""
    sent, _ = await edge.receive(request)
    return answer(
        await list_rings(
            requester=sent.requester,
            after=_after(after),
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            calls=edge.calling.calls,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/rings/{ring_id}/answers", openapi_extra=body_of(AnswerRing), responses=answers_with(RingsAnswer))
async def decide(ring_id: str, request: Request, edge: Here) -> Response:
    """Decide to call, or not, or have another own team asked; the asker reads nothing of it."""
    sent, body = await edge.receive(request)
    return answer(
        await answer_ring(
            command=parse(AnswerRing, body),
            ring_id=id_in_path(ring_id),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            randomness=edge.randomness,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            calls=edge.calling.calls,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
        )
    )


def _after(text: str | None) -> str | None:
    """Return the id after which a page begins. Raises MalformedError: it is none."""
    if text is not None and not is_id(text):
        raise MalformedError("after", "is not an id")
    return text
