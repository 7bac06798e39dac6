"""`sluis-connect` as a process of its own, in the region of another process: its requests go to one loopback port.

`python -m tests.simulators.connect_process PORT UNIX_SECONDS register ...`; `ServedRegion` is the other side.
"""

import asyncio
import http.server
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.simulators.partner_world import PartnerWorld

_ROOT = Path(__file__).resolve().parents[2]
_ADDRESS = "x-simulated-url"
Event = Callable[[subprocess.Popen[str], int, bool], None]
"""Is told of the process, the number of its request, and whether it was acted on already."""


class ToOnePort(httpx.AsyncBaseTransport):
    """Sends every request to one port of loopback, whatever party it is for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._http = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer that came from the port."""
        body = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]  # a client's stream is asynchronous
        headers = {**request.headers, _ADDRESS: str(request.url), "host": f"127.0.0.1:{self._port}"}
        forwarded = httpx.Request(request.method, f"http://127.0.0.1:{self._port}/", headers=headers, content=body)
        return await self._http.handle_async_request(forwarded)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()


@dataclass(slots=True, kw_only=True)
class ServedRegion:
    """A region of this process that another process works in; it answers while `run` waits for that process."""

    world: PartnerWorld
    requests: int = 0
    _server: http.server.HTTPServer = field(init=False)
    _event: Event | None = field(init=False, default=None)
    _process: subprocess.Popen[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Listen on a free port of loopback."""
        region = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                region.answer(self)

            do_GET = do_POST  # noqa: N815 - the name http.server calls

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self._server.timeout = 0.05

    def close(self) -> None:
        """Stop listening."""
        self._server.server_close()

    def run(self, words: Sequence[object], *, event: Event | None = None) -> tuple[int, str, str]:
        """Return exit code and output of one command, which is a process of its own; `event` may kill it."""
        self.requests, self._event = 0, event
        program = [sys.executable, "-m", "tests.simulators.connect_process", self._server.server_port]
        command = [*program, self.world.clock.now, *words]
        with subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_ROOT
        ) as process:
            self._process = process
            while process.poll() is None:
                # Custodians belong to this thread, so requests are answered here, one after another.
                self._server.handle_request()
            out, err = process.communicate()
        return process.returncode, out, err

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Answer one request as the party it is for."""
        number, self.requests = self.requests, self.requests + 1
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = {name: value for name, value in handler.headers.items() if name.lower() != _ADDRESS}
        self._tell(number, acted=False)
        request = httpx.Request(handler.command, handler.headers[_ADDRESS], headers=headers, content=body)
        answer = asyncio.run(self.world.network.handle_async_request(request))
        self._tell(number, acted=True)
        try:
            handler.send_response(answer.status_code)
            handler.send_header("content-type", answer.headers.get("content-type", "application/json"))
            handler.send_header("content-length", str(len(answer.content)))
            handler.end_headers()
            handler.wfile.write(answer.content)
        except OSError:
            return  # who asked is gone
        self._tell(-1 - number, acted=True)

    def _tell(self, number: int, *, acted: bool) -> None:
        if self._event is not None and self._process is not None:
            self._event(self._process, number, acted)


def main(arguments: list[str]) -> None:
    """Run one command in the region behind a port."""
    import connectors.client  # noqa: PLC0415 - only the child changes its surroundings
    from connectors.cli import command_line  # noqa: PLC0415 - the same
    from connectors.exchange import Surroundings  # noqa: PLC0415 - the same

    port, now, *words = arguments
    vars(connectors.client)["Surroundings"] = lambda: Surroundings(
        clock=lambda: float(now), transport=ToOnePort(int(port))
    )
    command_line(words)(words)


if __name__ == "__main__":
    main(sys.argv[1:])
