"""A load generator, as a process of its own: it only sends what was signed before, and counts what comes back.

    python -m tests.bench.load

It reads an order (one line of JSON): port, requests (a file of whole HTTP requests, each after its length in four
bytes), connections, and a rate in requests per second or null. It opens the connections, says `open`, waits for a line,
sends, prints the outcome (one line of JSON), and closes the connections when its input ends: so that whoever measures
can leave their opening and closing out.

Without a rate each connection sends its next request when it has its answer (closed loop). With one, requests arrive at
random moments at that rate whatever the answers do (open loop, Poisson), each on a connection that is free then.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

_LENGTH = 4  # bytes before each request


@dataclass(slots=True)
class Outcome:
    """When requests were due, and when the answers to them came, in seconds of one clock; what was not a 200."""

    due: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    failed: int = 0

    def add(self, due: float, status: bytes) -> None:
        """Note an answer."""
        self.due.append(due)
        self.done.append(time.monotonic())
        self.failed += status != b"200"

    def document(self) -> dict[str, Any]:
        """Return what the bench needs of it."""
        waits = sorted(done - due for due, done in zip(self.due, self.done, strict=True))
        return {
            "answers": len(self.done),
            "failed": self.failed,
            "per_second": len(self.done) / (max(self.done) - min(self.due)),
            "p50_ms": waits[len(waits) // 2] * 1e3,
            "p99_ms": waits[len(waits) * 99 // 100] * 1e3,
        }


class Connection:
    """One kept connection, with one request under way at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Return a connection to this port of loopback."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bytes:
        """Return the status of the answer, which was read to its end."""
        self.writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self._reader.readexactly(int(length.partition(b":")[2]))
        return head.split(b" ", 2)[1]


def packed(requests: Sequence[bytes]) -> bytes:
    """Return the requests as the generator reads them."""
    return b"".join(len(request).to_bytes(_LENGTH) + request for request in requests)


def unpacked(raw: bytes) -> list[bytes]:
    """Return the requests in a file."""
    found, place = [], 0
    while place < len(raw):
        start = place + _LENGTH
        place = start + int.from_bytes(raw[place:start])
        found.append(raw[start:place])
    return found


async def generate(order: dict[str, Any], requests: Sequence[bytes]) -> None:
    """An order was carried out, step by step with whoever gave it."""
    connections = await asyncio.gather(*(Connection.open(order["port"]) for _ in range(order["connections"])))
    print("open", flush=True)
    sys.stdin.readline()
    if order["rate"] is None:
        outcome = await send_closed(iter(requests), connections)
    else:
        outcome = await send_open(requests, connections, rate=order["rate"])
    print(json.dumps(outcome.document()), flush=True)
    sys.stdin.read()
    for connection in connections:
        connection.writer.close()


async def send_closed(requests: Iterator[bytes], connections: Sequence[Connection]) -> Outcome:
    """Return what came of requests that each connection sends as soon as it has its answer."""
    outcome = Outcome()

    async def go_on(connection: Connection) -> None:
        for request in requests:
            due = time.monotonic()
            outcome.add(due, await connection.ask(request))

    await asyncio.gather(*(go_on(connection) for connection in connections))
    return outcome


async def send_open(requests: Sequence[bytes], connections: Sequence[Connection], *, rate: float) -> Outcome:
    """Return what came of requests that arrive at random moments, so many a second; waiting for a connection counts."""
    outcome, free, gaps = Outcome(), asyncio.Queue[Connection](), random.Random(1)
    for connection in connections:
        free.put_nowait(connection)

    async def ask(request: bytes, due: float) -> None:
        connection = await free.get()
        outcome.add(due, await connection.ask(request))
        free.put_nowait(connection)

    due, asked = time.monotonic(), []
    for request in requests:
        due += gaps.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        asked.append(asyncio.create_task(ask(request, due)))
    await asyncio.gather(*asked)
    return outcome


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    uvloop.run(generate(given, unpacked(Path(given["requests"]).read_bytes())))
