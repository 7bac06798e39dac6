"""Exports of the own organisation's entries."""

from typing import get_args

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with
from broker.flows.export_acts import WantedExport, export_acts
from broker.protocol.errors import MalformedError
from broker.protocol.export_messages import ExportAnswer, Format
from broker.protocol.request_signing import is_word

router = APIRouter(prefix="/v1/review", tags=["review"])

MOST_DAYS = 370
_DAY_S = 86_400
_LAST_SECOND = 2**40
_LAST_INDEX = 2**53 - 1


@router.get("/exports", responses=answers_with(ExportAnswer))
async def export(request: Request, edge: Here) -> Response:
    """Open entries of the own organisation, at most 200, with their proofs; `after` an index goes on from there."""
    sent, _ = await edge.receive(request)
    return answer(
        await export_acts(
            wanted=_wanted(request),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            answers=edge.answers,
            exporter=edge.exporter,
            log=edge.log,
        )
    )


def _wanted(request: Request) -> WantedExport:
    """Return what the query asks for. Raises MalformedError: a parameter breaks its rule, or is none of ours."""
    stated = request.query_params.multi_items()
    asked = dict(stated)
    if len(asked) != len(stated) or not set(asked) <= {"format", "reason", "since", "until", "worker", "after"}:
        raise MalformedError("query", "has a parameter that is not known, or one twice")
    made: Format | None = next((known for known in get_args(Format) if known == asked.get("format")), None)
    if made is None:
        raise MalformedError("format", "is not one of the known values")
    since, until = _number(asked, "since", _LAST_SECOND), _number(asked, "until", _LAST_SECOND)
    if not 0 < until - since <= MOST_DAYS * _DAY_S:
        raise MalformedError("since", f"is not at most {MOST_DAYS} days before the end")
    return WantedExport(
        format=made,
        reason=_word(asked, "reason"),
        since=since,
        until=until,
        worker=_word(asked, "worker") if "worker" in asked else None,
        after=_number(asked, "after", _LAST_INDEX) if "after" in asked else None,
    )


def _number(asked: dict[str, str], name: str, most: int) -> int:
    text = asked.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and int(text) <= most):
        raise MalformedError(name, "is not a whole number")
    return int(text)


def _word(asked: dict[str, str], name: str) -> str:
    text = asked.get(name, "")
    if not is_word(text):
        raise MalformedError(name, "is not a short name")
    return text
