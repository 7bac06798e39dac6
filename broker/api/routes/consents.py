"""Consent: record it, add an answer, take it back, list."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.change_consent import answer_consent, withdraw_consent
from broker.flows.list_consents import list_consents
from broker.flows.record_consent import record_consent
from broker.protocol.consent_messages import AnswerConsent, ConsentAnswer, RecordConsent, WithdrawConsent
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1/consents", tags=["consents"])


@router.post("", openapi_extra=body_of(RecordConsent), responses=answers_with(ConsentAnswer))
async def record(request: Request, edge: Here) -> Response:
    """Record what was asked about one person and what everybody answered whose answer counts."""
    sent, body = await edge.receive(request)
    return answer(
        await record_consent(
            command=parse(RecordConsent, body),
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
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/{consent_id}/answers", openapi_extra=body_of(AnswerConsent), responses=answers_with(ConsentAnswer))
async def add_answers(consent_id: str, request: Request, edge: Here) -> Response:
    """Add answers to an own record; the earlier ones stay."""
    sent, body = await edge.receive(request)
    return answer(
        await answer_consent(
            command=parse(AnswerConsent, body),
            consent_id=id_in_path(consent_id),
            requester=sent.requester,
            approval=sent.approval,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/{consent_id}/withdrawal", openapi_extra=body_of(WithdrawConsent), responses=answers_with(ConsentAnswer))
async def withdraw(consent_id: str, request: Request, edge: Here) -> Response:
    """Note that a person takes his yes back; from this entry on it opens nothing."""
    sent, body = await edge.receive(request)
    return answer(
        await withdraw_consent(
            command=parse(WithdrawConsent, body),
            consent_id=id_in_path(consent_id),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("", responses=answers_with(ConsentAnswer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List own records of consent in the order of their ids, those after an id."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    return answer(
        await list_consents(
            requester=sent.requester,
            after=after,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            consents=edge.consents,
            answers=edge.answers,
            log=edge.log,
        )
    )
