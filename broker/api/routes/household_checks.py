"""Looking who is involved with a household, and asking again for an answer that was given."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.check_household import check_household
from broker.flows.stored_answer import stored_answer
from broker.protocol.messages import Answer, CheckHousehold

router = APIRouter(prefix="/v1", tags=["household-checks"])


@router.post("/household-checks", openapi_extra=body_of(CheckHousehold), responses=answers_with(Answer))
async def check(request: Request, edge: Here) -> Response:
    """Look who is involved. What may not be shown is answered exactly as if it were not there."""
    sent, body = await edge.receive(request)
    return answer(
        await check_household(
            command=parse(CheckHousehold, body),
            requester=sent.requester,
            approval=sent.approval,
            policies=edge.policies,
            issuers=edge.issuers,
            tokens=edge.tokens,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            randomness=edge.randomness,
            signals=edge.signals,
            consents=edge.consents,
            tasks=edge.following.tasks,
            answers=edge.answers,
            log=edge.log,
            address_mute_above=edge.address_mute_above,
        )
    )


@router.get("/answers/{idempotency_key}", responses=answers_with(Answer))
async def again(idempotency_key: str, request: Request, edge: Here) -> Response:
    """Give the answer that the own organisation got before under this key."""
    sent, _ = await edge.receive(request)
    return answer(
        await stored_answer(
            idempotency_key=id_in_path(idempotency_key),
            requester=sent.requester,
            clock=edge.clock,
            signals=edge.signals,
            answers=edge.answers,
        )
    )
