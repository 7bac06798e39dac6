"""A TCP relay in front of each service that records every byte of both directions.

A service's public address is its relay's, so whatever reaches the service passes here. One direction of one connection
stays one piece in the recording: what is sent in several packets can be searched as it was meant.
"""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from connectors.demo.processes import free_port

_HOST = "127.0.0.1"
_CHUNK = 65_536
_WAIT_S = 10.0
_FOLLOWING = b"GET /v1/custodian-feed"
_Value = TypeVar("_Value")


@dataclass(slots=True, kw_only=True)
class _Relay:
    """One listening socket and what passed it: per connection what was asked and what was answered."""

    name: str
    server: asyncio.Server
    upstream: tuple[str, int] | None = None
    asked: list[bytearray] = field(default_factory=list)
    answered: list[bytearray] = field(default_factory=list)

    @property
    def url(self) -> str:
        port = self.server.sockets[0].getsockname()[1]
        return f"http://{_HOST}:{port}"


class Relays:
    """All relays of one run, on one thread of their own; use it as a context."""

    def __init__(self, captures: Path) -> None:
        self._captures = captures
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._relays: dict[str, _Relay] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WAIT_S)
        self._loop.close()

    def open(self, name: str) -> str:
        """Return the address of a new relay; it answers nobody until its service is known."""
        return self._wait(self._open(name))

    def bind(self, name: str) -> str:
        """Return where the service of this name listens: any port, but a broker wants to know its own."""
        return f"{_HOST}:{free_port() if name == 'broker' else 0}"

    def forward(self, name: str, url: str) -> None:
        """The relay passes on to the service at this address."""
        address = urlsplit(url)
        if address.hostname is None or address.port is None:
            raise ValueError("a service's address has a host and a port")
        self._relays[name].upstream = (address.hostname, address.port)

    def answered_bytes(self, name: str) -> int:
        """Return how many bytes the service has answered so far, but to custodians that follow its log meanwhile."""
        return self._wait(self._answered(name))

    def write(self) -> None:
        """`captures/<service>.bin` holds everything that passed until now."""
        self._wait(self._write())

    def _wait(self, work: Coroutine[Any, Any, _Value]) -> _Value:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT_S)

    async def _open(self, name: str) -> str:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await _relay(self._relays[name], reader, writer)

        self._relays[name] = _Relay(name=name, server=await asyncio.start_server(accept, _HOST, 0))
        return self._relays[name].url

    async def _answered(self, name: str) -> int:
        relay = self._relays[name]
        both = zip(relay.asked, relay.answered, strict=True)
        return sum(len(answered) for asked, answered in both if not asked.startswith(_FOLLOWING))

    async def _write(self) -> None:
        for relay in self._relays.values():
            # A line between two streams, so that the end of one and the begin of the next make no value together.
            recording = b"\n".join(bytes(stream) for stream in (*relay.asked, *relay.answered))
            (self._captures / f"{relay.name}.bin").write_bytes(recording)

    async def _close(self) -> None:
        for relay in self._relays.values():
            relay.server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _relay(relay: _Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked, answered = bytearray(), bytearray()
    relay.asked.append(asked)
    relay.answered.append(answered)
    try:
        if relay.upstream is None:
            return
        service_reader, service_writer = await asyncio.open_connection(*relay.upstream)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, service_writer, asked))
                both.create_task(_pass_on(service_reader, writer, answered))
        finally:
            service_writer.close()
    except (OSError, ExceptionGroup):
        # Either side went away; the other one notices by the closed connection, as it would without us.
        return
    finally:
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recording: bytearray) -> None:
    while chunk := await reader.read(_CHUNK):
        recording += chunk
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
