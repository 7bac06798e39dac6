"""Phone mode: announcing a call, knowing who calls, and noting that it was answered."""

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.api.edge import Edge, Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.list_phone_calls import list_phone_calls
from broker.flows.note_oral_answer import note_oral_answer
from broker.flows.start_phone_call import start_phone_call
from broker.flows.verify_caller import verify_caller
from broker.protocol.phone_messages import NoteOralAnswer, PhoneCallsAnswer, StartPhoneCall, VerifyCaller

router = APIRouter(prefix="/v1/phone-calls", tags=["phone-calls"])


def _ports(edge: Edge) -> dict[str, Any]:
    """Return what every flow of a call takes: a call is judged with all that a letter is."""
    return {
        "policies": edge.policies,
        "clock": edge.clock,
        "registers": edge.registers,
        "rosters": edge.rosters,
        "signals": edge.signals,
        "matches": edge.following.matches,
        "consents": edge.consents,
        "exceptions": edge.exceptions,
        "phone": edge.calling.phone,
        "answers": edge.answers,
        "log": edge.log,
    }


@router.post("", openapi_extra=body_of(StartPhoneCall), responses=answers_with(PhoneCallsAnswer))
async def start(request: Request, edge: Here) -> Response:
    """Announce a call to another organisation's team, by the rules of a request; the answer has the belcode."""
    sent, body = await edge.receive(request)
    return answer(
        await start_phone_call(
            command=parse(StartPhoneCall, body),
            requester=sent.requester,
            approval=sent.approval,
            randomness=edge.randomness,
            **_ports(edge),
        )
    )


@router.get("", responses=answers_with(PhoneCallsAnswer))
async def list_own(request: Request, edge: Here) -> Response:
    """List the newest calls that the own organisation announced or gets, with the belcodes that count."""
    sent, _ = await edge.receive(request)
    return answer(
        await list_phone_calls(
            requester=sent.requester,
            **_ports(edge),
        )
    )


@router.post("/verifications", openapi_extra=body_of(VerifyCaller), responses=answers_with(PhoneCallsAnswer))
async def verify(request: Request, edge: Here) -> Response:
    """Say which belcode a caller says; the answer is who it is. Each code works once, for half an hour."""
    sent, body = await edge.receive(request)
    return answer(
        await verify_caller(
            command=parse(VerifyCaller, body),
            requester=sent.requester,
            **_ports(edge),
        )
    )


@router.post("/{call_id}/oral-answers", openapi_extra=body_of(NoteOralAnswer), responses=answers_with(PhoneCallsAnswer))
async def note(call_id: str, request: Request, edge: Here) -> Response:
    """Note that a call to the own organisation was answered: in what and on which ground, never what was said."""
    sent, body = await edge.receive(request)
    return answer(
        await note_oral_answer(
            command=parse(NoteOralAnswer, body),
            call_id=id_in_path(call_id),
            requester=sent.requester,
            approval=sent.approval,
            **_ports(edge),
        )
    )
