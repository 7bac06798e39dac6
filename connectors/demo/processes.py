"""Starting our console scripts: commands that end, and services that serve until they are stopped.

All are in one process group, led by `supervise`: no exit of the demonstration, not even SIGKILL, leaves one behind.
"""

import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from connectors.demo.errors import ProcessError
from connectors.demo.supervise import DONE

COMMAND_S = 60.0
READY_S = 120.0
STOP_S = 10.0
_READY = b"ready "
_PORTS = range(10_000, 32_768)
"""Below those from which Linux gives a port to whoever listens or connects without naming one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ended: its exit code and what it printed."""

    code: int
    output: str


class Service:
    """One serving process. Its output goes to a log file of its own; its address comes from its ready line."""

    def __init__(self, process: subprocess.Popen[bytes], *, name: str, log: Path) -> None:
        self._process = process
        self._name = name
        self._log = log

    def wait_until_ready(self) -> str:
        """Return the address that the service printed once it serves. Raises ProcessError."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            # What follows the last end of a line may still be written.
            for line in self._log.read_bytes().split(b"\n")[:-1]:
                if line.startswith(_READY):
                    return line.removeprefix(_READY).decode("ascii").strip()
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise ProcessError(f"{self._name} did not start; see {self._log.name} in its folder")

    def stop(self) -> None:
        """Return once the process is gone: asked first, made to after some seconds."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Processes:
    """All processes of one run; use it as a context."""

    def __init__(self) -> None:
        self._services: list[Service] = []
        self._leader: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "connectors.demo.supervise"]
        leader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        self._leader = leader
        _wait_for_line(leader.stdout)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def run(
        self, script: str, *arguments: object, expect: Collection[int] = (0,), within_s: float = COMMAND_S
    ) -> Ended:
        """Return what a console script printed, once it ended with an expected code. Raises ProcessError."""
        started = self._start(script, arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            output, errors = started.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            started.kill()
            started.communicate()
            raise ProcessError(f"{script} {arguments[0]} took longer than {within_s:.0f} s") from None
        if started.returncode not in expect:
            said = (errors or output).decode(errors="replace").strip()
            raise ProcessError(f"{script} {arguments[0]} ended with {started.returncode}: {said}")
        return Ended(code=started.returncode, output=output.decode())

    def serve(self, name: str, script: str, *arguments: object, log: Path) -> Service:
        """Return a service that was started; it may not serve yet."""
        with log.open("ab") as file:
            started = self._start(script, arguments, stdout=file, stderr=file)
        service = Service(started, name=name, log=log)
        self._services.append(service)
        return service

    def close(self) -> None:
        """Every process is gone."""
        for service in reversed(self._services):
            service.stop()
        self._services.clear()
        leader, self._leader = self._leader, None
        if leader is not None:
            leader.communicate(DONE)

    def _start(
        self, script: str, arguments: tuple[object, ...], *, stdout: int | IO[bytes], stderr: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        if self._leader is None:
            raise ProcessError("nothing is started outside the context")
        path = Path(sys.executable).with_name(script)
        try:
            return subprocess.Popen(
                [str(path), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=environment(),
                process_group=self._leader.pid,
            )
        except OSError:
            raise ProcessError(f"{script} is not installed beside Python; run make demo") from None


def environment() -> dict[str, str]:
    """Return what a child gets to know of our environment: where programs and its own files are, and no more."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that the machine gives to nobody by itself meanwhile."""
    for port in random.SystemRandom().sample(_PORTS, k=len(_PORTS)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise ProcessError("every port of loopback is taken")


def end_on_signals() -> None:
    """From now on SIGTERM and SIGHUP end this process as an exception does, so that every context closes."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))


def _wait_for_line(stream: IO[bytes] | None) -> None:
    with selectors.DefaultSelector() as selector:
        if stream is not None:
            selector.register(stream, selectors.EVENT_READ)
        if not selector.select(READY_S) or stream is None or not stream.readline():
            raise ProcessError("the supervising process did not start")
