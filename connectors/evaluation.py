"""Identifiers become tokens: blinded here, evaluated by every custodian at once, proven, unblinded here (D1, D2).

A custodian receives blinded points and random padding only: it cannot tell which is which, nor what they hold.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from broker.protocol import strict_json
from broker.protocol.epochs import EpochDescriptor
from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.families import Family
from broker.protocol.messages import (
    EvaluationAnswer,
    EvaluationRequest,
    FamilyAnswers,
)
from broker.protocol.ristretto import Point
from broker.protocol.signing_keys import b64url_bytes
from broker.protocol.tokens import (
    Evaluation,
    PersonToken,
    verify_and_combine,
)
from connectors.answers import ProblemDocument
from connectors.blinding import Batch, Prepared, descriptor_of
from connectors.errors import NotDoneError, RefusedError
from connectors.exchange import Exchange, Reply
from connectors.folder import PartnerFolder
from connectors.settings import Party

PATH = "/v1/evaluations"
_PROOF_BYTES = 64
_SERVER_ERROR = 500
_NOT_WATCHED = "log-not-watched"
"""A custodian that cannot see the log hands out nothing, and a worker who hears so can choose the urgent class."""
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The tokens of a household by family, in the order asked; one ticket per custodian; the exact body sent."""

    tokens: Mapping[Family, tuple[PersonToken, ...]]
    tickets: tuple[str, ...]
    body: str
    epoch: int


async def complete(exchange: Exchange, folder: PartnerFolder, prepared: Prepared, *, worker: str) -> Evaluated:
    """Return the tokens of a prepared batch with the tickets that cover them; asked again, it costs nothing more.

    Raises:
        RefusedError: a custodian refused: budget, grant, right, roster.
        NotDoneError: a custodian is not reachable, or its proof does not hold under its pinned public share.
    """
    # (2) The same body to every custodian at once.
    answers = await _ask_all(exchange, folder, prepared.body, worker)
    # (3) Every proof is verified before any answer is used; (4) then the answers are added up and unblinded.
    tokens = {
        family: _combined(descriptor_of(folder, family), batch, answers) for family, batch in prepared.batches.items()
    }
    # (5) The tickets are about this batch and these answers.
    for custodian, answer in answers.items():
        _check_ticket(answer, prepared.request, custodian=custodian, organisation=folder.settings.oin)
    return Evaluated(
        tokens=tokens,
        tickets=tuple(answer.ticket for answer in answers.values()),
        body=prepared.body,
        epoch=prepared.request.epoch,
    )


async def reissue(exchange: Exchange, folder: PartnerFolder, body: str, *, worker: str) -> tuple[str, ...]:
    """Return fresh tickets for a batch that was charged before. Raises RefusedError, NotDoneError."""
    answers = await _ask_all(exchange, folder, body, worker)
    return tuple(answer.ticket for answer in answers.values())


def batch_of(body: str) -> str | None:
    """Return the batch that an evaluation asks for, whose id is its question's trace; None where there is none."""
    return EvaluationRequest.model_validate_json(body, by_alias=True, by_name=False).batch_id if body else None


def ticket_id(ticket: str) -> tuple[str, str]:
    """Return custodian and id of a ticket; its signature is the broker's to judge. Raises NotDoneError."""
    claims = _claims(ticket)
    return str(claims.get("iss")), str(claims.get("jti"))


async def _ask_all(exchange: Exchange, folder: PartnerFolder, body: str, worker: str) -> dict[str, EvaluationAnswer]:
    custodians, trace = folder.settings.custodians, batch_of(body)
    asked = [
        exchange.send(custodian, PATH, method="POST", body=body.encode(), worker=worker, trace=trace)
        for custodian in custodians
    ]
    # All of them end before any failure is raised, so that no request is left behind.
    replies = await asyncio.gather(*asked, return_exceptions=True)
    answers: dict[str, EvaluationAnswer] = {}
    refused: list[RefusedError] = []
    for custodian, reply in zip(custodians, replies, strict=True):
        if isinstance(reply, BaseException):
            raise reply
        answer = _answer(custodian, reply)
        if isinstance(answer, RefusedError):
            refused.append(answer)
        else:
            answers[custodian.id] = answer
    if refused:
        refused[0].by_all = len(refused) == len(custodians)
        raise refused[0]
    return answers


def _answer(custodian: Party, reply: Reply) -> EvaluationAnswer | RefusedError:
    if reply.status != _OK:
        problem = ProblemDocument.parse(reply.body, status=reply.status)
        if problem is None or reply.status >= _SERVER_ERROR:
            blind = problem is not None and problem.id == _NOT_WATCHED
            raise NotDoneError(_NOT_WATCHED if blind else "custodian-unreachable", party=custodian.id)
        return RefusedError(problem, party=custodian.id)
    try:
        return EvaluationAnswer.model_validate(strict_json.load_object(reply.body), by_alias=True, by_name=False)
    except (MalformedError, ValidationError):
        raise NotDoneError("custodian-unreachable", party=custodian.id) from None


def _combined(
    descriptor: EpochDescriptor, batch: Batch, answers: Mapping[str, EvaluationAnswer]
) -> tuple[PersonToken, ...]:
    try:
        evaluations = {custodian: _evaluation(answer, descriptor.family) for custodian, answer in answers.items()}
        return tuple(verify_and_combine(batch.blinds, evaluations, descriptor, padding=batch.padding))
    except ProtocolError:
        raise NotDoneError("custodian-wrong-key") from None


def _evaluation(answer: EvaluationAnswer, family: Family) -> Evaluation:
    found = _family_answers(answer, family)
    return Evaluation(
        answers=tuple(Point(point.value) for point in found.points),
        proof=b64url_bytes(found.proof, field="proof", length=_PROOF_BYTES),
    )


def _family_answers(answer: EvaluationAnswer, family: str) -> FamilyAnswers:
    found = [item for item in answer.families if item.family == family]
    if len(found) != 1:
        raise MalformedError("families", "do not answer each family once")
    return found[0]


def _check_ticket(answer: EvaluationAnswer, request: EvaluationRequest, *, custodian: str, organisation: str) -> None:
    """Hold if the ticket is about this batch and these answers: the broker would refuse another one."""
    claims = _claims(answer.ticket)
    families = {
        asked.family: {"real": asked.real, "answers_sha256": _answers_sha256(_family_answers(answer, asked.family))}
        for asked in request.families
    }
    stated = (claims.get("iss"), claims.get("org"), claims.get("op"), claims.get("batch"), claims.get("fam"))
    if stated != (custodian, organisation, request.operation, request.batch_id, families):
        raise NotDoneError("custodian-wrong-key", party=custodian)


def _answers_sha256(answer: FamilyAnswers) -> str:
    return hashlib.sha256(b"".join(point.value for point in answer.points)).hexdigest()


def _claims(ticket: str) -> dict[str, object]:
    parts = ticket.split(".")
    try:
        return strict_json.load_object(b64url_bytes(parts[1], field="ticket"), field="ticket")
    except (IndexError, MalformedError):
        raise NotDoneError("custodian-wrong-key") from None
