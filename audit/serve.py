"""A witness as an HTTP service: `POST /add-checkpoint`, the monitoring checkpoint and a liveness route."""

import time
from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from audit.witness import MAX_REQUEST_BYTES, TEXT, Witness


def create_witness_app(witness: Witness, clock: Callable[[], float] = time.time) -> FastAPI:
    """Return the app of one witness; it publishes no schema, documentation or server details."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        """Cosign a checkpoint that grew from the last one."""
        body = await _capped_body(request)
        if body is None:
            return Response("too large\n", status_code=413, media_type=TEXT)
        answer = await run_in_threadpool(witness.add_checkpoint, body, now=int(clock()))
        return Response(answer.body, status_code=answer.status, headers={"content-type": answer.content_type})

    @app.get("/{origin_hash}/checkpoint")
    def checkpoint(origin_hash: str) -> Response:
        """Hand out the last cosigned checkpoint of a log."""
        note = witness.cosigned_checkpoint(origin_hash)
        if note is None:
            return Response("not found\n", status_code=404, media_type=TEXT)
        return Response(note, media_type=TEXT, headers={"cache-control": "no-store"})

    @app.get("/health/live")
    def live() -> Response:
        """Say that the process answers."""
        return Response("ok\n", media_type=TEXT)

    return app


async def _capped_body(request: Request) -> bytes | None:
    """Return the body, or None as soon as it exceeds the cap."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            return None
    return bytes(body)
