"""Whatever happens inside, the answer and the log line hold nothing of the request."""

import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from broker.api.boundary import API_VERSION, Boundary

SECRET = "999990019"


async def _fails(request: Request) -> Response:
    raise RuntimeError(f"{SECRET} {request.path_params['id']}")


async def _late() -> AsyncIterator[bytes]:
    yield b"a"
    raise RuntimeError(SECRET)


async def _fails_late(_: Request) -> Response:
    return StreamingResponse(_late())


async def _traced(request: Request) -> Response:
    request.state.trace = "ab" * 16
    return PlainTextResponse("ok")


async def _works(_: Request) -> Response:
    return PlainTextResponse("ok", headers={"Cache-Control": "public"})


@pytest.fixture
def client() -> httpx.AsyncClient:
    """A client of an application that fails on purpose."""
    routes = [
        Route("/works/{id}", _works),
        Route("/traced", _traced),
        Route("/fails/{id}", _fails),
        Route("/late/{id}", _fails_late),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Boundary)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://broker.test")


async def test_an_unforeseen_error_is_a_bare_500(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """The text of the exception reaches neither the answer nor the log; its class and place reach the log."""
    with caplog.at_level(logging.INFO, logger="sluis.broker"):
        response = await client.get(f"/fails/{SECRET}?q={SECRET}", headers={"Authorization": f"Sluis {SECRET}"})
    assert response.status_code == 500
    assert response.json()["type"] == "urn:sluis:problem:internal"
    assert SECRET not in response.text + caplog.text
    lines = [json.loads(record.message) for record in caplog.records if record.name == "sluis.broker"]
    assert lines[0] == {"event": "error", "kind": "RuntimeError", "at": lines[0]["at"]}
    assert lines[0]["at"].startswith(__name__)


async def test_only_an_authenticated_request_has_its_trace_in_the_log(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The trace that the edge vouches for stands in the line; a header alone writes nothing into the log."""
    with caplog.at_level(logging.INFO, logger="sluis.broker"):
        await client.get("/traced")
        await client.get("/works/1", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    first, second = (json.loads(record.message) for record in caplog.records)
    assert first["trace"] == "ab" * 16
    assert set(second) == {"event", "method", "route", "status", "ms"}


async def test_every_request_gives_one_line_that_names_nobody(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A log line holds method, route pattern, status and duration, and no part of the address."""
    with caplog.at_level(logging.INFO, logger="sluis.broker"):
        await client.get(f"/works/{SECRET}")
        await client.request("BREW", f"/nowhere/{SECRET}")
    first, second = (json.loads(record.message) for record in caplog.records)
    assert set(first) == {"event", "method", "route", "status", "ms"}
    assert (first["method"], first["status"]) == ("GET", 200)
    assert (second["method"], second["route"]) == ("other", "none")
    assert SECRET not in caplog.text


async def test_no_answer_is_ever_cached(client: httpx.AsyncClient) -> None:
    """Every answer carries the version of the API and forbids every cache, whatever a route said."""
    response = await client.get("/works/1")
    assert response.headers.get_list("cache-control") == ["no-store"]
    assert response.headers["api-version"] == API_VERSION


async def test_half_an_answer_does_not_look_whole(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """When an answer breaks off, the server is made to close the connection, without the text of the exception."""
    with (
        caplog.at_level(logging.INFO, logger="sluis.broker"),
        pytest.raises(RuntimeError, match=r"^the answer was cut off$") as caught,
    ):
        await client.get("/late/1")
    assert caught.value.__suppress_context__
    assert SECRET not in caplog.text


async def test_what_is_no_request_passes_untouched() -> None:
    """The server's own messages, of its start and end, are not requests and give no line."""
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])
        await receive()
        await send({"type": "lifespan.startup.complete"})

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        seen.append(message["type"])

    await Boundary(inner)({"type": "lifespan"}, receive, send)
    assert seen == ["lifespan", "lifespan.startup.complete"]
