"""A partner's folder whose organisation is one of a served broker: a reviewer's client really asks that broker.

async with reviewing_partner(template, tmp_path) as partner:
    async with partner.client("petra") as client: ...
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from audit.stored_log import StoredLog
from audit.tiles import publish
from broker.protocol.roster import Roster, Worker
from broker.protocol.signed_document import SignedDocument
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder, Pins
from connectors.review_client import ReviewClient
from connectors.settings import Party, Settings
from connectors.workers import add_worker, sign_roster
from tests.simulators.asking import BROKER, PUBLIC_URL
from tests.simulators.custodian import CUSTODIANS, public_url, seeded_key
from tests.simulators.enrolled import GI, NAMES, Enrolled, key, registrars, worker_id
from tests.simulators.partner_world import TEAM
from tests.simulators.served_world import ServedWorld, run_cli, served_world

PEOPLE: tuple[tuple[str, str, list[str], list[str]], ...] = (
    ("anna", "Anna de Vries", ["worker"], ["team-1"]),
    ("petra", "Petra Jansen", ["privacyfunctionaris"], []),
    ("frank", "Frank Bakker", ["fg"], []),
    ("toon", "Toon Smit", ["privacyfunctionaris", "worker"], ["team-1"]),
)


class Bridged(httpx.AsyncBaseTransport):
    """Carries requests of a client in another thread to an application in this event loop."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ANN401 - an ASGI application
        self._inner, self._loop = httpx.ASGITransport(app, raise_app_exceptions=False), loop

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer."""
        body = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]  # a client's stream is asynchronous
        answered = asyncio.run_coroutine_threadsafe(self._answer(request, body), self._loop)
        return await asyncio.wrap_future(answered)

    async def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        again = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        response = await self._inner.handle_async_request(again)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)


@dataclass(slots=True, kw_only=True)
class ReviewingPartner:
    """One organisation's folder beside the broker that knows it."""

    world: ServedWorld
    folder: PartnerFolder
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    @property
    def surroundings(self) -> Surroundings:
        """The broker's own time, and the way to it."""
        return Surroundings(clock=self.world.clock.now, transport=Bridged(self.world.app, self.loop))

    def client(self, worker: str, **options: Any) -> ReviewClient:  # noqa: ANN401 - the client's own options
        """Return a reviewer's client."""
        return ReviewClient(self.folder, worker=worker, surroundings=self.surroundings, **options)

    def published(self, path: Path) -> Path:
        """Return the folder to which the broker's log was published."""
        policy = (self.world.folder / "broker" / "log-policy").read_text(encoding="utf-8")
        with self.world.database.session() as connection:
            publish(StoredLog(connection), path, policy)
        return path


@asynccontextmanager
async def reviewing_partner(template: Path, path: Path, *, oin: str = GI) -> AsyncIterator[ReviewingPartner]:
    """Hold a served broker and the folder of one organisation in it, with the people of `PEOPLE`; its witness is up."""
    async with served_world(template, path / "world", witness_up=True) as world:
        folder = _folder(path / "partner", (path / "world" / "broker" / "log-policy").read_text(encoding="utf-8"), oin)
        folder.import_register(Enrolled().register_document().encode())
        roster = path / "roster.json"
        while not roster.exists() or not _is_newer(roster, folder):
            roster.write_bytes(_roster(folder))
        run_cli("roster", "import", path / "world" / "broker", roster)
        yield ReviewingPartner(world=world, folder=folder)


def _roster(folder: PartnerFolder) -> bytes:
    """Return the folder's roster with the worker in it who registers and checks past any folder."""
    signed = sign_roster(folder, audience=BROKER, teams=[TEAM]).document
    past = Worker(sub=worker_id(folder.organisation.oin, "worker"), roles=frozenset({"worker"}), broker_sub=None)
    document = {**signed, "workers": [*signed["workers"], past.document()]}
    oin = folder.organisation.oin
    return SignedDocument(document=document, signatures=()).with_signature(oin, key(oin)).encode()


def _is_newer(roster: Path, folder: PartnerFolder) -> bool:
    """Return whether a roster has a higher number than the one that every organisation of a template has."""
    return Roster.read(roster.read_bytes(), audience=BROKER, organisation=folder.organisation).number > 1


def _folder(path: Path, log_policy: str, oin: str) -> PartnerFolder:
    settings = Settings(
        oin=oin,
        name=NAMES[oin][0],
        broker=Party(id=BROKER, url=PUBLIC_URL),
        custodians=tuple(Party(id=custodian, url=public_url(custodian)) for custodian in CUSTODIANS),
        families={},
    )
    pins = Pins(registrars=registrars(), custodians={one: seeded_key(one).public for one in CUSTODIANS})
    folder = PartnerFolder.create(path, settings, pins=pins, log_policy=log_policy)
    (path / "keys" / "signing.jwk").unlink()
    key(oin).write(path / "keys" / "signing.jwk")
    for local_id, name, roles, teams in PEOPLE:
        add_worker(folder, local_id=local_id, name=name, roles=roles, teams=teams)
    return PartnerFolder(path)
