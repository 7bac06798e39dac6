"""Ask another organisation, answer, tell unasked: sealed letters, of which the broker reads no word."""

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.api.authenticate import Authenticated
from broker.api.edge import Edge, Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import MAX_CHUNK_BODY_BYTES, id_in_path, parse
from broker.flows.answer_request import answer_request
from broker.flows.fetch_chunk import fetch_chunk
from broker.flows.fetch_requests import fetch_request
from broker.flows.forward_request import forward_request
from broker.flows.list_requests import list_requests
from broker.flows.note_receipt import note_receipt
from broker.flows.send_letter import send_letter
from broker.flows.store_chunk import store_chunk
from broker.flows.withdraw_request import withdraw_request
from broker.protocol.errors import MalformedError
from broker.protocol.request_messages import (
    AnswerRequest,
    ForwardRequest,
    NoteReceipt,
    RequestAnswer,
    SendRequest,
    StoreChunk,
    Tell,
    WithdrawRequest,
)
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1", tags=["information-requests"])
_REQUESTS = "/information-requests"


def _ports(edge: Edge, sent: Authenticated) -> dict[str, Any]:
    """Return what every flow of a request takes."""
    return {
        "requester": sent.requester,
        "policies": edge.policies,
        "clock": edge.clock,
        "registers": edge.registers,
        "signals": edge.signals,
        "matches": edge.following.matches,
        "requests": edge.asking.requests,
        "answers": edge.answers,
        "log": edge.log,
    }


def _held_on(edge: Edge) -> dict[str, Any]:
    """Return what must still hold when something is handed out."""
    return {"consents": edge.consents, "exceptions": edge.exceptions}


@router.post(_REQUESTS, openapi_extra=body_of(SendRequest), responses=answers_with(RequestAnswer))
async def send(request: Request, edge: Here) -> Response:
    """Ask another organisation for information in named categories. Answering is a right."""
    return await _send(request, edge, SendRequest)


@router.post("/tellings", openapi_extra=body_of(Tell), responses=answers_with(RequestAnswer))
async def tell(request: Request, edge: Here) -> Response:
    """Tell another organisation, unasked, what one knows and may tell."""
    return await _send(request, edge, Tell)


async def _send(request: Request, edge: Edge, model: type[SendRequest] | type[Tell]) -> Response:
    sent, body = await edge.receive(request)
    return answer(
        await send_letter(
            command=parse(model, body),
            requester=sent.requester,
            approval=sent.approval,
            policies=edge.policies,
            clock=edge.clock,
            randomness=edge.randomness,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            matches=edge.following.matches,
            consents=edge.consents,
            exceptions=edge.exceptions,
            chunks=edge.asking.chunks,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/letter-chunks", openapi_extra=body_of(StoreChunk), responses=answers_with(RequestAnswer))
async def leave_chunk(request: Request, edge: Here) -> Response:
    """Leave one sealed chunk of an attachment, before the letter that names it by its hash."""
    sent, body = await edge.receive(request, at_most=MAX_CHUNK_BODY_BYTES)
    ports = _ports(edge, sent) | {"chunks": edge.asking.chunks}
    del ports["requests"], ports["matches"]
    command = parse(StoreChunk, body, at_most=MAX_CHUNK_BODY_BYTES)
    return answer(await store_chunk(command=command, **ports))


@router.get(_REQUESTS, responses=answers_with(RequestAnswer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List own requests and tellings, sent and received, at most 50 in the order of their ids, without content."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    ports = _ports(edge, sent) | {"resting": edge.asking.bases}
    del ports["matches"]
    return answer(await list_requests(after=after, **ports))


@router.get(_REQUESTS + "/{request_id}", responses=answers_with(RequestAnswer))
async def fetch(request_id: str, request: Request, edge: Here) -> Response:
    """Fetch what waits in one: the receiver the letter, the asker the answer. It is decided anew each time."""
    sent, _ = await edge.receive(request)
    ports = _ports(edge, sent) | _held_on(edge) | {"rosters": edge.rosters}
    return answer(await fetch_request(request_id=id_in_path(request_id), **ports))


@router.get(_REQUESTS + "/{request_id}/chunks/{chunk}", responses=answers_with(RequestAnswer))
async def fetch_attachment(request_id: str, chunk: str, request: Request, edge: Here) -> Response:
    """Fetch one chunk of an attachment that the letter for this side names, while that letter may be fetched."""
    sent, _ = await edge.receive(request)
    ports = _ports(edge, sent) | _held_on(edge) | {"rosters": edge.rosters, "chunks": edge.asking.chunks}
    return answer(await fetch_chunk(request_id=id_in_path(request_id), sha256=chunk, **ports))


@router.post(
    _REQUESTS + "/{request_id}/answers",
    openapi_extra=body_of(AnswerRequest),
    responses=answers_with(RequestAnswer),
)
async def reply(request_id: str, request: Request, edge: Here) -> Response:
    """Answer all of it, a part, orally, or do not share, which is a right."""
    sent, body = await edge.receive(request)
    command, place = parse(AnswerRequest, body), id_in_path(request_id)
    ports = _ports(edge, sent) | _held_on(edge) | {
        "rosters": edge.rosters, "randomness": edge.randomness, "chunks": edge.asking.chunks,
    }  # fmt: skip
    return answer(await answer_request(command=command, request_id=place, approval=sent.approval, **ports))


@router.post(
    _REQUESTS + "/{request_id}/forwardings",
    openapi_extra=body_of(ForwardRequest),
    responses=answers_with(RequestAnswer),
)
async def forward(request_id: str, request: Request, edge: Here) -> Response:
    """Give it to another team of the own organisation, or to a worker by name."""
    sent, body = await edge.receive(request)
    command, place = parse(ForwardRequest, body), id_in_path(request_id)
    ports = _ports(edge, sent) | _held_on(edge) | {"rosters": edge.rosters, "randomness": edge.randomness}
    return answer(await forward_request(command=command, request_id=place, approval=sent.approval, **ports))


@router.post(
    _REQUESTS + "/{request_id}/receipts",
    openapi_extra=body_of(NoteReceipt),
    responses=answers_with(RequestAnswer),
)
async def receipt(request_id: str, request: Request, edge: Here) -> Response:
    """Say that what was handed out has arrived, or was opened; until then its delivery is unknown."""
    sent, body = await edge.receive(request)
    command, place = parse(NoteReceipt, body), id_in_path(request_id)
    return answer(await note_receipt(command=command, request_id=place, rosters=edge.rosters, **_ports(edge, sent)))


@router.post(
    _REQUESTS + "/{request_id}/withdrawal",
    openapi_extra=body_of(WithdrawRequest),
    responses=answers_with(RequestAnswer),
)
async def withdraw(request_id: str, request: Request, edge: Here) -> Response:
    """Take it back. An answer that was not fetched yet is never handed out."""
    sent, body = await edge.receive(request)
    command, place = parse(WithdrawRequest, body), id_in_path(request_id)
    return answer(
        await withdraw_request(
            command=command, request_id=place, rosters=edge.rosters, randomness=edge.randomness, **_ports(edge, sent)
        )
    )
