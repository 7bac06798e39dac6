"""The log as custodians follow it; nobody else may read it here (D2, ADR 24)."""

import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from audit.entry import Opening
from broker.api.edge import Here
from broker.api.openapi import CustodianFeed, answers_with
from broker.protocol.errors import MalformedError
from broker.protocol.signing_keys import b64url

router = APIRouter(prefix="/v1", tags=["custodians"])

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


@router.get("/custodian-feed", responses=answers_with(CustodianFeed))
async def custodian_feed(request: Request, edge: Here, after: str = "0") -> Response:
    """Give the entries after the first so many, up to a checkpoint: `actor` of tickets, `meta` of erasures."""
    await edge.receive_custodian(request)
    if _SIZE.fullmatch(after) is None:
        raise MalformedError("after", "is not a number of entries")
    page = await edge.feed.page(int(after))
    entries = [
        {"leaf": entry.leaf.decode("ascii"), "actor": _opening(entry.actor), "meta": _opening(entry.meta)}
        for entry in page.entries
    ]
    return JSONResponse({"checkpoint": page.note, "entries": entries})


def _opening(opening: Opening | None) -> dict[str, str] | None:
    return None if opening is None else {"key": b64url(opening.key), "payload": b64url(opening.payload)}
