"""Every service runs on uvloop and httptools: the fallback is three times slower and nobody would notice (D15)."""

import ast
import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.architecture.source_tree import product_modules

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
EXPECTED = {"loop": "uvloop", "http": "httptools"}


def test_every_service_names_its_loop_and_parser() -> None:
    """Each place that starts uvicorn asks for uvloop and httptools by name, so that their absence is an error."""
    starts = [
        (f"{module.path}:{node.lineno}", _named(node))
        for module in product_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"uvicorn.run", "uvicorn.Config", "Config"}
        if "uvicorn" in module.imported()
    ]
    assert starts
    assert [place for place, named in starts if named != EXPECTED] == []


def test_uvicorn_loads_both() -> None:
    """With these settings a request is served on uvloop by httptools."""
    answered: list[str] = []

    async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await receive()
        answered.append(type(asyncio.get_running_loop()).__module__)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(application, loop="uvloop", http="httptools", lifespan="off", log_level="error")
    server = uvicorn.Server(config)

    async def serve_one() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            async with httpx.AsyncClient(
                timeout=120
            ) as client:  # the socket listens already; its backlog holds the request
                answer = await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
            server.should_exit = True
            await serving
            return answer.status_code

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        assert runner.run(serve_one()) == httpx.codes.NO_CONTENT
    assert answered == ["uvloop"]
    assert config.http_protocol_class is HttpToolsProtocol


def _named(call: ast.Call) -> dict[str, object]:
    named = {word.arg: word.value for word in call.keywords}
    return {name: getattr(named.get(name), "value", None) for name in EXPECTED}
