"""Whether the broker lives and is ready, and the log's checkpoint and tiles for organisations that may ask."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from broker.api.edge import Edge
from broker.domain.errors import NotFoundError

LIVE = {"live": True}


def service_routes(edge: Edge) -> APIRouter:
    """Return the routes outside `/v1`."""
    router = APIRouter(tags=["service"])

    @router.get("/health/live")
    async def live() -> Response:
        """Say that the process answers."""
        return JSONResponse(LIVE)

    @router.get("/health/ready")
    async def ready() -> Response:
        """Say whether database, register, epoch, policy and log are as they must be; 503 when one is not."""
        report = await edge.readiness.report()
        return JSONResponse(dict(report), status_code=200 if report["ready"] is True else 503)

    @router.get("/checkpoint")
    async def checkpoint(request: Request) -> Response:
        """Give the newest checkpoint of the log, with its cosignatures."""
        await edge.receive(request)
        return Response(await edge.published.checkpoint(), media_type="text/plain; charset=utf-8")

    @router.get("/tile/{path:path}")
    async def tile(path: str, request: Request) -> Response:
        """Give a tile or an entry bundle of the log (c2sp.org/tlog-tiles)."""
        await edge.receive(request)
        found = await edge.published.tile(path)
        if found is None:
            raise NotFoundError
        return Response(found, media_type="application/octet-stream")

    return router
