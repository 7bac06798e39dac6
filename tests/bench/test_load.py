"""The load generator sends every request once, and counts what comes back as it is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.bench.load import Connection, Outcome, packed, send_closed, send_open, unpacked

REQUESTS = [b"POST /%d HTTP/1.1\r\nContent-Length: 0\r\n\r\n" % number for number in range(20)]


@pytest.fixture
async def port(seen: list[bytes]) -> AsyncIterator[int]:
    """The port of a server that answers each request, one of them with a refusal."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                seen.append(request)
                status = b"403 Forbidden" if request.startswith(b"POST /7 ") else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 4\r\n\r\nbody")
        except asyncio.IncompleteReadError:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def seen() -> list[bytes]:
    """What the server got, in the order it came."""
    return []


@pytest.mark.parametrize("rate", [None, 10_000.0], ids=["closed", "open"])
async def test_every_request_is_sent_once_and_a_refusal_is_counted(
    port: int, seen: list[bytes], rate: float | None
) -> None:
    """Neither kind of load loses, repeats or glosses over a request."""
    connections = [await Connection.open(port) for _ in range(3)]
    outcome: Outcome
    if rate is None:
        outcome = await send_closed(iter(REQUESTS), connections)
    else:
        outcome = await send_open(REQUESTS, connections, rate=rate)
    for connection in connections:
        connection.writer.close()
        await connection.writer.wait_closed()
    assert sorted(seen) == sorted(REQUESTS)
    found = outcome.document()
    assert (found["answers"], found["failed"]) == (20, 1)
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_requests_survive_the_file() -> None:
    """What is written for the generator is read back byte for byte, empty ones too."""
    assert unpacked(packed([*REQUESTS, b""])) == [*REQUESTS, b""]
    assert unpacked(b"") == []
