"""The outermost layer: what no map covers becomes a bare 500, and one line per request that names nobody.

A log line holds the method, the route's pattern, the status, the milliseconds and the request's trace, which joins
nothing that is not joined already (ADR 26): no address, token or body.
"""

import json
import logging
import time
import traceback
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.api.problems import problem_response

log = logging.getLogger("sluis.broker")

API_VERSION = "1.0.0"
TRACE = "trace"
"""Where the edge leaves the trace of an authenticated request, in its state, for the log line."""
_NO_ROUTE = "none"


class Boundary:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer every request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        answer: dict[str, int] = {}

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                _mark(message)
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:  # noqa: BLE001 - the edge answers whatever happens; the class is logged, the text never
            log.error(_line(event="error", kind=type(error).__name__, at=_place(error)))  # noqa: TRY400 - a traceback may quote values
            if "status" in answer:  # half an answer must not look like a whole one: the server closes the connection
                raise RuntimeError("the answer was cut off") from None
            await problem_response(error)(scope, receive, send_marked)
        log.info(
            _line(
                event="request",
                method=scope["method"] if scope["method"] in _METHODS else "other",
                route=getattr(scope.get("route"), "path", _NO_ROUTE),
                status=answer.get("status", 0),
                ms=round((time.monotonic() - began) * 1000),
                **_traced(scope),
            )
        )


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def _mark(message: MutableMapping[str, Any]) -> None:
    """Add the version of the API (NL API Design Rules) and forbid every cache."""
    headers = [(name, value) for name, value in message.get("headers", []) if name != b"cache-control"]
    headers.append((b"cache-control", b"no-store"))
    headers.append((b"api-version", API_VERSION.encode()))
    message["headers"] = headers


def _traced(scope: Scope) -> dict[str, str]:
    """Return the trace of the request, where an organisation of ours signed it: nobody else writes into the log."""
    trace = scope.get("state", {}).get(TRACE)
    return {TRACE: trace} if isinstance(trace, str) else {}


def _place(error: BaseException) -> str:
    """Return module and line where the error was raised: enough to find it, and no value of anybody."""
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    return f"{frame.f_globals.get('__name__', 'unknown')}:{line}"


def _line(**facts: str | int) -> str:
    """Return one line of JSON."""
    return json.dumps(facts, separators=(",", ":"))
