"""Whether the broker lives and is ready, and the log's checkpoint for organisations that may ask."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from broker.api.edge import Here

LIVE = {"live": True}


router = APIRouter(tags=["service"])


@router.get("/health/live")
async def live() -> Response:
    """Say that the process answers."""
    return JSONResponse(LIVE)


@router.get("/health/ready")
async def ready(edge: Here) -> Response:
    """Say whether database, register, epoch, policy and log are as they must be; 503 when one is not."""
    report = await edge.report()
    return JSONResponse(dict(report), status_code=200 if report["ready"] is True else 503)


@router.get("/checkpoint")
async def checkpoint(request: Request, edge: Here) -> Response:
    """Give the newest checkpoint of the log, with its cosignatures."""
    await edge.receive(request)
    return Response(await edge.published.checkpoint(), media_type="text/plain; charset=utf-8")
