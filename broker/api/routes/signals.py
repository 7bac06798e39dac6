"""Own signals: register, renew, withdraw, list."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.list_signals import list_signals
from broker.flows.register_signal import register_signal
from broker.flows.renew_signal import renew_signal
from broker.flows.withdraw_signal import withdraw_signal
from broker.protocol.errors import MalformedError
from broker.protocol.messages import Answer, RegisterSignal, RenewSignal, WithdrawSignal
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1/signals", tags=["signals"])


@router.post("", openapi_extra=body_of(RegisterSignal), responses=answers_with(Answer))
async def register(request: Request, edge: Here) -> Response:
    """Register an own signal. Registering is asking: the answer says who else is involved and may be shown."""
    sent, body = await edge.receive(request)
    return answer(
        await register_signal(
            command=parse(RegisterSignal, body),
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
            matches=edge.following.matches,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
            address_mute_above=edge.address_mute_above,
        )
    )


@router.post("/{signal_id}/renewal", openapi_extra=body_of(RenewSignal), responses=answers_with(Answer))
async def renew(signal_id: str, request: Request, edge: Here) -> Response:
    """Give an own signal a new end date."""
    sent, body = await edge.receive(request)
    return answer(
        await renew_signal(
            command=parse(RenewSignal, body),
            signal_id=id_in_path(signal_id),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/{signal_id}/withdrawal", openapi_extra=body_of(WithdrawSignal), responses=answers_with(Answer))
async def withdraw(signal_id: str, request: Request, edge: Here) -> Response:
    """End an own signal. One that served to look within the last 14 days is reviewed first."""
    sent, body = await edge.receive(request)
    return answer(
        await withdraw_signal(
            command=parse(WithdrawSignal, body),
            signal_id=id_in_path(signal_id),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            matches=edge.following.matches,
            acts=edge.acts,
            notes=edge.notes,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("", responses=answers_with(Answer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List the organisation's own signals, at most 200, in the order of their ids; `after` an id goes on from there."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    return answer(
        await list_signals(
            requester=sent.requester,
            after=after,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )
