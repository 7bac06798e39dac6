"""How the region's commands run: set-up in this process, services and partners as processes that never outlive it."""

import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO

import pytest
import typer
from typer.testing import CliRunner

import audit.cli
import broker.cli
import broker.custodian.cli
import broker.registrar
import connectors.grant_commands
from broker.settings import InsecureSettingWarning
from connectors.cli import command_line
from connectors.demo.errors import ProcessError
from connectors.demo.processes import COMMAND_S, Ended, Processes, Service
from connectors.exchange import Surroundings
from tests.region.services import ShiftedCustodianClock
from tests.simulators.ports import free_port

_APPS: dict[str, Callable[[list[str]], typer.Typer]] = {
    "sluis-audit": lambda _: audit.cli.app,
    "sluis-broker": lambda _: broker.cli.app,
    "sluis-connect": command_line,
    "sluis-custodian": lambda _: broker.custodian.cli.app,
    "sluis-registrar": lambda _: broker.registrar.app,
}
_PARTNERS_S = 1_800.0  # a caseload of thousands takes minutes
_SHIFTED = {"sluis-broker": "broker", "sluis-custodian": "custodian"}


class RegionProcesses(Processes):
    """All processes of a run; brokers and custodians serve `seconds` off the machine's clock."""

    seconds = 0

    def __init__(self) -> None:
        super().__init__()
        self._one_at_a_time = Lock()
        self._under_way: list[subprocess.Popen[bytes]] = []

    def run(
        self, script: str, *arguments: object, expect: Collection[int] = (0,), within_s: float = COMMAND_S
    ) -> Ended:
        """Return what a console script printed; it ran in this process, which saves a second each. Raises ProcessError.

        A command line writes to the one standard output there is, so one runs at a time.
        """
        del within_s
        words = [str(argument) for argument in arguments]
        with self._one_at_a_time, _on_the_day(self.seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureSettingWarning)
            result = CliRunner().invoke(_APPS[script](words), words)
        if result.exit_code not in expect:
            said = (result.stderr or result.stdout).strip() or repr(result.exception)
            raise ProcessError(f"{script} {words[0]} ended with {result.exit_code}: {said}")
        return Ended(code=result.exit_code, output=result.stdout)

    def serve(self, name: str, script: str, *arguments: object, log: Path) -> Service:
        """Return a service that was started; it may not serve yet."""
        if script not in _SHIFTED:
            return super().serve(name, script, *arguments, log=log)
        _, folder = arguments
        module = ("-m", "tests.region.services", _SHIFTED[script], folder, self.seconds)
        return super().serve(name, Path(sys.executable).name, *module, log=log)

    def partners(self, order: Path) -> Ended:
        """Return what the partners' side printed about this order. Raises ProcessError."""
        return super().run(Path(sys.executable).name, "-m", "tests.region.partners", order, within_s=_PARTNERS_S)

    def _start(
        self, script: str, arguments: tuple[object, ...], *, stdout: int | IO[bytes], stderr: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        started = super()._start(script, arguments, stdout=stdout, stderr=stderr)
        self._under_way.append(started)
        return started

    def abandon_partners(self) -> None:
        """Nobody waits for the partners' side any more: the run was told to end."""
        for started in self._under_way:
            started.terminate()

    def stop_services(self) -> None:
        """Every service is gone; the next run starts its own."""
        for service in reversed(self._services):
            service.stop()
        self._services.clear()


@contextmanager
def _on_the_day(seconds: int) -> Iterator[None]:
    """Commands that state or judge when a grant was made have the clock of the services, so many seconds off."""

    def surroundings() -> Surroundings:
        return Surroundings(clock=lambda: time.time() + seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connectors.grant_commands, "Surroundings", surroundings)
        patch.setattr(broker.custodian.cli, "SystemClock", partial(ShiftedCustodianClock, seconds))
        yield


class OwnAddresses:
    """Every service is reached where it listens, on a port of loopback that was free."""

    def __init__(self) -> None:
        self._at: dict[str, str] = {}

    def open(self, name: str) -> str:
        """Return the address of a service."""
        self._at.setdefault(name, f"127.0.0.1:{free_port()}")
        return f"http://{self._at[name]}"

    def bind(self, name: str) -> str:
        """Return HOST:PORT of it."""
        return self._at[name]

    def forward(self, name: str, url: str) -> None:
        """Nothing stands in between."""
