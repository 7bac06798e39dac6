"""Folders of organisations beside a served broker: their workers and their commands really ask it, in this process.

async with served_desks(template, tmp_path, monkeypatch) as desks:
    printed = (await desks.run(VEILIG_THUIS, "request", "list")).output
"""

import asyncio
import base64
import functools
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.protocol.roster import Worker
from connectors.cli import command_line
from connectors.client import SluisClient
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder, Pins
from connectors.sealing import SecretKey
from connectors.settings import Party, Settings
from connectors.workers import add_worker, pairwise_id
from tests.simulators.asking import BROKER, PUBLIC_URL
from tests.simulators.enrolled import NAMES, Enrolled, key, opening_key, registrars
from tests.simulators.requesting import HUISARTS, POLITIE
from tests.simulators.reviewing_partner import Bridged
from tests.simulators.served_world import ServedWorld, make_template, served_world
from tests.simulators.two_custodians import NAMES as CUSTODIANS

ORGANISATIONS = {**NAMES, HUISARTS: ("Huisartsenpraktijk", "huisarts"), POLITIE: ("Politie-eenheid", "politie")}
PEOPLE = {"anna": "worker", "bram": "worker", "carla": "approver"}
MELDING_DAY = "2026-11-16"
"""The day of a melding in these tests, some days before the clock's."""


def _pairwise(oin: str) -> SecretKey:
    return SecretKey(hashlib.sha256(b"pairwise " + oin.encode()).digest())


def enrolled_desks(names: Mapping[str, tuple[str, str]] = ORGANISATIONS, *, teams: tuple[str, ...] = ()) -> Enrolled:
    """Return a register of these organisations, with the people of `PEOPLE` on every roster."""

    def worker(oin: str, local_id: str, role: str) -> Worker:
        sub = pairwise_id(_pairwise(oin), audience=BROKER, local_id=local_id)
        return Worker(sub=sub, roles=frozenset({role}), broker_sub=None)

    people = {oin: tuple(worker(oin, *person) for person in PEOPLE.items()) for oin in names}
    return Enrolled(names=names, others=people, teams=("team-1", "team-2", *teams))


def desks_template(path: Path, names: Mapping[str, tuple[str, str]] = ORGANISATIONS) -> Path:
    """Return a broker's folder in which these organisations are enrolled, ready to serve."""
    return make_template(path, enrolled=enrolled_desks(names))


@dataclass(slots=True, kw_only=True)
class Desks:
    """The broker, and the folder of every organisation that was asked for."""

    world: ServedWorld
    path: Path
    names: Mapping[str, tuple[str, str]]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    folders: dict[str, PartnerFolder] = field(default_factory=dict)

    @property
    def surroundings(self) -> Surroundings:
        """The broker's own time, and the way to it."""
        return Surroundings(clock=self.world.clock.now, transport=Bridged(self.world.app, self.loop))

    def folder(self, oin: str) -> PartnerFolder:
        """Return the folder of an organisation, made at its first use."""
        if oin not in self.folders:
            self.folders[oin] = _folder(self.path / oin, oin, world=self.world, name=self.names[oin][0])
        return self.folders[oin]

    def client(self, oin: str, *, worker: str = "anna", approver: str | None = None) -> SluisClient:
        """Return a client of an organisation's worker."""
        return SluisClient(self.folder(oin), worker=worker, approver=approver, surroundings=self.surroundings)

    def file(self, oin: str, name: str, content: object) -> Path:
        """Return a file of an organisation with this text, or with this as JSON."""
        path = self.folder(oin).path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    async def run(self, oin: str, *words: object, worker: str | None = "anna", expect: int = 0) -> Result:
        """Return what a command of an organisation came to, run on a thread of its own beside the broker's loop."""
        org = [] if oin == "" else ["--org", str(self.folder(oin).path)]
        who = [] if worker is None else ["--worker", worker]
        whole = [*map(str, words), *org, *who]
        invoke = functools.partial(CliRunner().invoke, command_line(whole), whole)
        result = await asyncio.to_thread(invoke)
        assert result.exit_code == expect, result.output
        return result

    async def tells(self, oin: str, *words: object, worker: str = "anna", expect: int = 0) -> dict[str, Any]:
        """Return what a command of an organisation printed as JSON."""
        told: dict[str, Any] = json.loads((await self.run(oin, *words, "--json", worker=worker, expect=expect)).stdout)
        return told

    async def tells_refused(self, oin: str, *words: object, worker: str = "anna") -> str:
        """Return what a command of an organisation said when it was refused or not done."""
        return (await self.run(oin, *words, worker=worker, expect=1)).output


@asynccontextmanager
async def served_desks(
    template: Path, path: Path, monkeypatch: pytest.MonkeyPatch, *, names: Mapping[str, tuple[str, str]] = ORGANISATIONS
) -> AsyncIterator[Desks]:
    """Hold a served broker that commands of this process reach; day and time are the broker's clock's."""
    async with served_world(template, path / "world", witness_up=True) as world:
        desks = Desks(world=world, path=path, names=names)
        surroundings = desks.surroundings
        monkeypatch.setattr("connectors.client.Surroundings", lambda: surroundings)
        monkeypatch.setattr("connectors.letter_input._today", world.clock.today)
        yield desks


def _folder(path: Path, oin: str, *, world: ServedWorld, name: str) -> PartnerFolder:
    settings = Settings(
        oin=oin,
        name=name,
        broker=Party(id=BROKER, url=PUBLIC_URL),
        custodians=tuple(Party(id=custodian, url=f"http://{custodian}") for custodian in CUSTODIANS),
        families={},
    )
    pins = Pins(registrars=registrars(), custodians={custodian: key(custodian).public for custodian in CUSTODIANS})
    policy = (world.folder / "broker" / "log-policy").read_text(encoding="utf-8")
    folder = PartnerFolder.create(path, settings, pins=pins, log_policy=policy)
    (path / "keys/signing.jwk").unlink()
    key(oin).write(path / "keys/signing.jwk")
    for file, secret in (("sealing", opening_key(oin)), ("pairwise", _pairwise(oin))):
        (path / f"keys/{file}.key").write_bytes(base64.b64encode(secret.reveal()) + b"\n")
    for local_id, role in PEOPLE.items():
        add_worker(folder, local_id=local_id, name=local_id.title(), roles=[role])
    folder.import_register((world.folder / "register.json").read_bytes())
    folder.import_epoch((world.folder / "epoch.json").read_bytes())
    return folder
