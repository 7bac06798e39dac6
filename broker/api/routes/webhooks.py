"""Webhooks: where an organisation hears that it is time to fetch its inbox."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import parse
from broker.flows.set_webhook import set_webhook
from broker.flows.show_webhook import show_webhook
from broker.protocol.messages import Answer
from broker.protocol.webhook_messages import SetWebhook, WebhookAnswer

router = APIRouter(prefix="/v1", tags=["webhooks"])


@router.post("/webhook", openapi_extra=body_of(SetWebhook), responses=answers_with(Answer))
async def put(request: Request, edge: Here) -> Response:
    """Send events of the own organisation to this address from now on, or nowhere. It takes a second person."""
    sent, body = await edge.receive(request)
    return answer(
        await set_webhook(
            command=parse(SetWebhook, body), requester=sent.requester, approval=sent.approval,
            insecure_loopback=edge.insecure_webhook_loopback, policies=edge.policies, clock=edge.clock,
            registers=edge.registers, rosters=edge.rosters, signals=edge.signals, answers=edge.answers, log=edge.log,
        )
    )  # fmt: skip


@router.get("/webhook", responses=answers_with(WebhookAnswer))
async def show(request: Request, edge: Here) -> Response:
    """Show where events of the own organisation go, and the newest that nobody took."""
    sent, _ = await edge.receive(request)
    return answer(
        await show_webhook(
            requester=sent.requester, policies=edge.policies, clock=edge.clock, registers=edge.registers,
            signals=edge.signals, webhooks=edge.calling.webhooks, answers=edge.answers, log=edge.log,
        )
    )  # fmt: skip
