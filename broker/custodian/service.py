"""The custodian's HTTP face: one POST, the epochs, two health routes; problems as RFC 9457, no value echoed."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from audit.durability import Durability
from broker.custodian import batches, replays, reporting
from broker.custodian.clock import unix_seconds
from broker.custodian.errors import FolderError, RefusedError, StoreError
from broker.custodian.evaluation import PATH, Custodian, evaluate
from broker.custodian.monitor import Monitor, look
from broker.custodian.wire import MAX_BODY
from broker.protocol.epochs import MAX_EPOCH
from broker.protocol.errors import MalformedError, RequestTokenError
from broker.protocol.problems import Problem, problem, problem_kinds
from broker.protocol.signing_keys import VerifyKey
from broker.protocol.trace import HEADER, parse_trace

API_VERSION = "1.0.0"
HOUSEKEEPING_S = 60.0  # seconds between two marks of the budget time
KEEP_ALIVE_S = 75
"""Seconds an idle connection is kept: longer than who asks keeps it, so that no request meets one being closed."""
_LOG = logging.getLogger("sluis.custodian")
_HEADERS = {"API-Version": API_VERSION, "Cache-Control": "no-store"}


def create_app(custodian: Custodian, monitor: Monitor | None = None) -> FastAPI:
    """Return the service of a custodian; it runs in the thread that opened the custodian's store.

    With a monitor it looks at the broker's log at its pace; without, nobody checks what becomes of its tickets.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_keep_house(custodian))]
        if monitor is not None:
            tasks.append(asyncio.create_task(_keep_looking(monitor)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            tidy(custodian)

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(HTTPException, _http_problem)
    _add_routes(app, custodian)
    _add_reports(app, custodian, {} if monitor is None else {peer.id: peer.key() for peer in monitor.settings.peers})
    return app


def problem_of(error: Exception) -> Problem:
    """Return the published problem for an error: the only map. Anything unmapped is `internal`, without its text."""
    match error:
        case RequestTokenError() | RefusedError():
            return problem(error.code)
        case MalformedError():
            return Problem(
                kind=problem_kinds()["malformed-request"],
                params={"field": error.field, "rule": error.rule},
                extra={"field": error.field, "rule": error.rule},
            )
        case StoreError():
            _LOG.warning("not done: the store is not available")
            return problem("storage-unavailable")
        case _:
            _LOG.error("internal error: %s", type(error).__name__)
            return problem("internal")


def tidy(custodian: Custodian) -> None:
    """Mark the budget time and forget what expired; a store that fails is reported: a charge would fail too."""
    try:
        now = unix_seconds(custodian.clock)
        replays.forget_expired(custodian.store, now=now, budget_time=custodian.budget_time)
        batches.forget_old(custodian.store, now=now, budget_time=custodian.budget_time)
    except StoreError:
        _LOG.warning("housekeeping failed: the store is not available")


def make_server(
    custodian: Custodian, *, announce: Callable[[str], None], monitor: Monitor | None = None
) -> uvicorn.Server:
    """Return the server of a custodian, on uvloop and httptools; `run()` serves until the process is told to stop.

    Args:
        announce: gets the address as soon as requests are answered.
    """
    host, port = custodian.settings.address
    config = uvicorn.Config(
        create_app(custodian, monitor),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    return _AnnouncingServer(config, announce, custodian.store.durability)


class _AnnouncingServer(uvicorn.Server):
    """A server that says where it listens as soon as it does, and ends when the disk can be trusted no more."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None], durability: Durability) -> None:
        super().__init__(config)
        self._announce = announce
        self._durability = durability

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, then say so; an address that is taken ends the process here."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        self._announce(f"http://{host}:{port}")

    async def on_tick(self, counter: int) -> bool:
        """Return, ten times a second, whether to end."""
        return await super().on_tick(counter) or self._durability.lost is not None


def _add_routes(app: FastAPI, custodian: Custodian) -> None:
    @app.post(PATH)
    async def evaluations(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _problem_response(problem("body-too-large"))
        try:
            answer = evaluate(
                custodian,
                authorization=request.headers.get("authorization"),
                body=body,
                query=request.url.query,
                trace=parse_trace(request.headers.getlist(HEADER)),
            )
        except Exception as error:  # noqa: BLE001 - whatever went wrong, nothing is given out
            return _problem_response(problem_of(error))
        return _json_response(answer)

    @app.get("/v1/epochs")
    async def newest_epoch() -> Response:
        return _document_response(lambda: custodian.keyring.newest)

    @app.get("/v1/epochs/{number}")
    async def epoch(number: str) -> Response:
        known = number.isascii() and number.isdecimal() and len(number) <= len(str(MAX_EPOCH))
        return _document_response(lambda: custodian.keyring.document(int(number)) if known else None)

    @app.get("/health/live")
    async def live() -> Response:
        return _json_response(b'{"status":"live"}')

    @app.get("/health/ready")
    async def ready() -> Response:
        try:
            register, newest = custodian.trust.current().register, custodian.keyring.newest
        except (StoreError, FolderError) as error:
            return _problem_response(problem_of(error))
        if register is None or newest is None:
            return _problem_response(problem("not-done"))
        return _json_response(json.dumps({"status": "ready", "register": register.number}).encode())


def _add_reports(app: FastAPI, custodian: Custodian, peers: Mapping[str, VerifyKey]) -> None:
    @app.get(reporting.REPORTS)
    async def ticket_reports(request: Request) -> Response:
        header, query = request.headers.get("authorization"), request.url.query
        return _answered(lambda: reporting.ticket_report(custodian, authorization=header, query=query))

    @app.get(reporting.PEER_FINDINGS)
    async def peer_findings(request: Request) -> Response:
        header, query = request.headers.get("authorization"), request.url.query
        return _answered(lambda: reporting.peer_findings(custodian, peers, authorization=header, query=query))

    @app.get(reporting.PROBE_MISSES)
    async def probe_reports(request: Request) -> Response:
        header, query = request.headers.get("authorization"), request.url.query
        return _answered(lambda: reporting.probe_reports(custodian, authorization=header, query=query))

    @app.post(reporting.PROBE_MISSES)
    async def probe_missed(request: Request) -> Response:
        header, body = request.headers.get("authorization"), await _body(request)
        if body is None:
            return _problem_response(problem("body-too-large"))
        return _answered(lambda: reporting.probe_missed(custodian, authorization=header, body=body))


def _answered(make: Callable[[], bytes]) -> Response:
    try:
        return _json_response(make())
    except Exception as error:  # noqa: BLE001 - whatever went wrong, nothing is given out
        return _problem_response(problem_of(error))


async def _keep_looking(monitor: Monitor) -> None:
    async with monitor.client:
        while True:
            try:
                await look(monitor)
            except Exception as error:  # noqa: BLE001 - whatever failed, the next look is tried: serving goes on
                _LOG.error("a look at the log failed: %s", type(error).__name__)
            await asyncio.sleep(monitor.settings.poll_s)


async def _keep_house(custodian: Custodian) -> None:
    while True:
        tidy(custodian)
        await asyncio.sleep(HOUSEKEEPING_S)


async def _body(request: Request) -> bytes | None:
    """Return the raw body, or None as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


async def _http_problem(_: Request, error: Exception) -> Response:
    """Answer what no route took in the same form as every other problem."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem_response(problem({404: "not-found", 405: "method-not-allowed"}.get(status, "internal")))


def _problem_response(found: Problem) -> Response:
    headers = dict(_HEADERS)
    if found.kind.status == 401:  # noqa: PLR2004 - RFC 9110 §15.5.2 asks for the scheme
        headers["WWW-Authenticate"] = "Sluis"
    return Response(
        json.dumps(found.document(), ensure_ascii=False).encode(),
        status_code=found.kind.status,
        headers=headers,
        media_type="application/problem+json",
    )


def _document_response(find: Callable[[], bytes | None]) -> Response:
    try:
        found = find()
    except FolderError as error:
        return _problem_response(problem_of(error))
    return _problem_response(problem("not-found")) if found is None else _json_response(found)


def _json_response(content: bytes) -> Response:
    return Response(content, headers=_HEADERS, media_type="application/json")
