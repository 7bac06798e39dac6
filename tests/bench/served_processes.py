"""The processes of the served bench: brokers as an operator runs them, the floor, and the load generator."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from audit.sqlite import open_database
from broker.keys import BrokerTokenIndexer
from tests.bench.households import known
from tests.bench.load import packed
from tests.bench.seeding import strangers
from tests.bench.stores import fill
from tests.simulators.asking import Sent
from tests.simulators.ports import free_port
from tests.simulators.region import command, environment

READY_S = 120.0
_CPU_OF_ALL_THREADS = 2
"""As clock_getcpuclockid(3) asks: in nanoseconds, where `/proc` counts hundredths, of which a small bench has none."""


@dataclass(frozen=True, slots=True)
class Served:
    """A serving process on a port of loopback."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that the process, all its threads, has used so far."""
        return time.clock_gettime(~self.pid << 3 | _CPU_OF_ALL_THREADS)


@contextmanager
def serving(arguments: Sequence[str], *, port: int, log: Path) -> Iterator[Served]:
    """Hold a process that printed its ready line; it is gone afterwards."""
    with log.open("ab") as errors:
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors, env=environment())
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(b"ready "), log.read_text(encoding="utf-8")
        yield Served(process.pid, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=READY_S)
        assert process.stdout is not None
        process.stdout.close()


def floor_command(folder: Path, port: int) -> list[str]:
    """Return how to start the floor."""
    return [sys.executable, "-m", "tests.bench.floor", str(folder), str(port)]


def a_broker(template: Path, folder: Path, *, tick_ms: int, port: int, signals: int, households: int) -> list[str]:
    """Return how to start a broker on a copy of the template, with this tick, over a store of so many signals.

    It has no witness: with one, each tick would wait for it, and the run without ticks most of all.
    """
    shutil.copytree(template, folder)
    broker = folder / "broker"
    settings = (broker / "broker.toml").read_text(encoding="utf-8").replace("127.0.0.1:8801", f"127.0.0.1:{port}")
    (broker / "broker.toml").write_text(f"insecure_tick_ms = {tick_ms}\n{settings}", encoding="utf-8")
    log = (broker / "log-policy").read_text(encoding="utf-8").splitlines()[0]
    (broker / "log-policy").write_text(f"{log}\nquorum none\n", encoding="utf-8")
    tokens = BrokerTokenIndexer.load(
        index_key=broker / "keys" / "index.key", offline_public_key=broker / "keys" / "offline.pub"
    )
    ends_on = date.today() + timedelta(days=100)  # noqa: DTZ011 - any day well in the future
    with closing(open_database(broker / "broker.sqlite")) as connection:
        fill(connection, known(households, tokens, ends_on=ends_on), strangers(signals, seed=1))
    return [*command("sluis-broker"), "serve", str(broker)]


def http_request(sent: Sent) -> bytes:
    """Return a signed request as it goes over the wire."""
    lines = [f"{sent.method} {sent.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(sent.body)}"]
    lines += [f"{name}: {value}" for name, value in sent.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + sent.body


def load(
    served: Served, requests: Sequence[bytes], folder: Path, *, connections: int, rate: float | None = None
) -> dict[str, Any]:
    """Return what the generator saw, with the CPU seconds the process used meanwhile."""
    file = folder / "requests"
    file.write_bytes(packed(requests))
    order = {"port": served.port, "requests": str(file), "connections": connections, "rate": rate}
    generator = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    with generator:
        assert generator.stdin is not None
        assert generator.stdout is not None
        generator.stdin.write(json.dumps(order) + "\n")
        generator.stdin.flush()
        assert generator.stdout.readline() == "open\n"
        before = served.cpu_seconds()
        generator.stdin.write("go\n")
        generator.stdin.flush()
        outcome: dict[str, Any] = json.loads(generator.stdout.readline())
        cpu = served.cpu_seconds() - before
    assert outcome["answers"] == len(requests)
    assert outcome["failed"] == 0
    return {**outcome, "cpu": cpu}


def now() -> int:
    """Return the unix seconds that requests are signed at."""
    return int(time.time())


__all__ = ["Served", "a_broker", "floor_command", "free_port", "http_request", "load", "now", "serving"]
