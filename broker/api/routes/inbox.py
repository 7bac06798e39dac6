"""The inbox of an organisation: what waits for its teams."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import parse
from broker.flows.fetch_inbox import fetch_inbox
from broker.protocol.inbox_messages import FetchInbox, InboxAnswer

router = APIRouter(prefix="/v1", tags=["inbox"])


@router.post("/inbox", openapi_extra=body_of(FetchInbox), responses=answers_with(InboxAnswer))
async def fetch(request: Request, edge: Here) -> Response:
    """Fetch at most twenty notices, and say which of the last ones are kept safely. Ask on a fixed clock."""
    sent, body = await edge.receive(request)
    return answer(
        await fetch_inbox(
            command=parse(FetchInbox, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            inbox=edge.following.inbox,
            matches=edge.following.matches,
            calls=edge.calling.calls,
            phone=edge.calling.phone,
            requests=edge.asking.requests,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
        )
    )
