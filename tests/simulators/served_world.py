"""The broker's whole application on a real folder, in this process: its own command line made it, time stands still.

    async with served_world(template, tmp_path / "a") as world:
        response = await world.send(world.asker(WIJKTEAM).post("/v1/signals", body))

Worlds made from one template have the same keys, so that two of them can be the same byte for byte.
"""

import shutil
import tomllib
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from typer.testing import CliRunner

from audit.note import Algorithm, NoteSigningKey, VerifierKey
from audit.serve import create_witness_app
from audit.witness import Witness, WitnessStore
from broker import cli, main, rules
from broker.main import create_app
from broker.settings import FILE_NAME, InsecureSettingWarning, Settings
from broker.store.address import POSTGRESQL
from broker.store.cosigning import Cosignature
from broker.store.witnessing import HttpWitnesses
from policies import Bundle, DecisionPoint, InsecureTestBundleWarning, load_bundle
from tests.simulators.asking import BROKER, PUBLIC_URL, Asker, Sent, epoch_document
from tests.simulators.clock import SeededRandomness, TestClock
from tests.simulators.databases import Database, at, databases
from tests.simulators.enrolled import Enrolled, key
from tests.simulators.two_custodians import NAMES as CUSTODIANS

WITNESS_URL = "http://witness.demo.sluis.test"
PATIENCE_S = 120.0
"""Seconds within which a witness of this process has answered, on a slow machine too."""


class WitnessDown(httpx.AsyncBaseTransport):
    """A network in which no witness answers, until one is `reached`."""

    def __init__(self) -> None:
        self.reached: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail as a refused connection does."""
        if self.reached is not None:
            return await self.reached.handle_async_request(request)
        raise httpx.ConnectError("refused", request=request)


def run_cli(*arguments: object, code: int = 0) -> str:
    """Return what `sluis-broker` printed; it runs on a thread of its own, where no event loop is in its way."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        result = thread.submit(CliRunner().invoke, cli.app, [str(argument) for argument in arguments]).result()
    assert result.exit_code == code, result.output
    return result.stdout


def make_template(folder: Path, *, kind: str = "sqlite", enrolled: Enrolled | None = None) -> Path:
    """Return a broker's folder with register, rosters and epoch in force, and `witness.key` beside it."""
    enrolled = enrolled or Enrolled()
    folder.mkdir(parents=True)
    pins = _pins(folder)
    broker = folder / "broker"
    identity = ("--id", BROKER, "--public-url", PUBLIC_URL, "--bind", "127.0.0.1:8801")
    offline = ("--offline-key-out", folder / "offline.key")
    setting = databases.kept(kind, folder).setting if kind != "sqlite" else {}
    held = [part for name, value in setting.items() for part in (f"--{name.replace('_', '-')}", value)]
    vkey = run_cli("init", broker, *identity, *pins, *offline, *held, "--insecure-test-bundle").splitlines()[-1]
    witness = NoteSigningKey.generate("witness.demo.sluis.test", Algorithm.COSIGNATURE)
    witness.save(folder / "witness.key")
    policy = f"log {vkey}\nwitness w1 {witness.verifier.encode()} {WITNESS_URL}\nquorum w1\n"
    (broker / "log-policy").write_text(policy, encoding="utf-8")
    run_cli("migrate", broker)
    import_documents(broker, enrolled, folder=folder)
    (folder / "epoch.json").write_bytes(epoch_document().encode())
    run_cli("epoch", "import", broker, folder / "epoch.json")
    return folder


def import_documents(broker: Path, enrolled: Enrolled, *, folder: Path, rosters: int | None = 1) -> None:
    """Import a register, and every organisation's roster with this number unless it is None."""
    (folder / "register.json").write_bytes(enrolled.register_document().encode())
    run_cli("register", "import", broker, folder / "register.json")
    if rosters is not None:
        files = [folder / f"roster-{oin}.json" for oin in enrolled.names]
        for oin, file in zip(enrolled.names, files, strict=True):
            file.write_bytes(enrolled.roster_document(oin, number=rosters).encode())
        run_cli("roster", "import", broker, *files)


def _pins(folder: Path) -> list[str]:
    options = []
    for number in (1, 2):
        path = folder / f"registrar-{number}.jwk"
        path.write_text(_jwk(f"registrar {number}"), encoding="utf-8")
        options += ["--registrar", str(path)]
    for custodian in CUSTODIANS:
        path = folder / f"{custodian}.jwk"
        path.write_text(_jwk(custodian), encoding="utf-8")
        options += ["--custodian", f"{custodian}={path}"]
    return options


def _jwk(name: str) -> str:
    return str(key(name).public.jwk()).replace("'", '"')


@dataclass(slots=True, kw_only=True)
class ServedWorld:
    """A running application and the clock it goes by."""

    folder: Path
    settings: Settings
    clock: TestClock
    app: Starlette
    client: httpx.AsyncClient
    network: WitnessDown
    askers: dict[str, Asker] = field(default_factory=dict)

    def asker(self, oin: str, **chosen: str) -> Asker:
        """Return an organisation's worker, whose ids go on where they were."""
        name = f"{oin} {chosen}"
        asker = self.askers.setdefault(name, Asker(oin=oin, now=self.clock.now(), **chosen))
        asker.now = self.clock.now()
        return asker

    async def send(self, sent: Sent) -> httpx.Response:
        """Return the answer to one request."""
        return await self.client.request(sent.method, sent.path, content=sent.body, headers=dict(sent.headers))

    async def register(self, oin: str, household: Mapping[str, Any], **changed: object) -> httpx.Response:
        """Return the answer to the registration of a signal."""
        asker = self.asker(oin)
        return await self.send(asker.post("/v1/signals", asker.registration(household, **changed)))

    async def check(self, oin: str, household: Mapping[str, Any], **changed: object) -> httpx.Response:
        """Return the answer to a check."""
        asker = self.asker(oin)
        return await self.send(asker.post("/v1/household-checks", asker.check(household, **changed)))

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what stands in the database."""
        return self.database.rows(query, *values)

    def write(self, statement: str, *values: object) -> None:
        """Change a row past the broker, as later issues will through it."""
        self.database.write(statement, *values)

    @property
    def database(self) -> Database:
        """Its database, for a look beside the broker."""
        return at(self.settings.database, self.folder / "broker")

    @property
    def leaves(self) -> int:
        """How many entries the log has besides those that say which policy came into force."""
        return int(self.rows("SELECT (SELECT count(*) FROM log_entries) - (SELECT count(*) FROM bundles)")[0][0])


@asynccontextmanager
async def served_world(
    template: Path, folder: Path, *, seed: int = 1, witness_up: bool = False, clock: TestClock | None = None
) -> AsyncIterator[ServedWorld]:
    """Hold a world on a copy of the template, running."""
    copy_world(template, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureSettingWarning)
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        settings = Settings.read(folder / "broker")
        if witness_up:  # the witness is asked in real time, and a slot of this clock costs none
            settings = settings.model_copy(update={"tick_ms": 5000})
        clock, network = clock or TestClock(), WitnessDown()
        if witness_up:
            network.reached = witness_of(folder)
        with _for_tests():
            app = create_app(
                settings,
                clock=clock,
                randomness=SeededRandomness(seed),
                transport=network,
            )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client,
    ):
        yield ServedWorld(folder=folder, settings=settings, clock=clock, app=app, client=client, network=network)


class _PatientWitnesses(HttpWitnesses):
    """Witnesses that are waited for as long as a busy machine holds them up: they run in this process, in real time."""

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Return what they say. See `HttpWitnesses.ask`."""
        return await super().ask(note, deadline_s=max(deadline_s, PATIENCE_S))


class _ReadyBundle(Bundle):
    """A bundle that was made ready to decide with once: hundreds of worlds decide with the very same documents."""

    @cached_property
    def _point(self) -> DecisionPoint:
        return super().decision_point()

    def decision_point(self) -> DecisionPoint:
        """The same one each time; worlds of one process take turns."""
        return self._point


@cache
def _shipped(*, insecure_test_bundle: bool = False) -> Bundle:
    loaded = load_bundle(insecure_test_bundle=insecure_test_bundle)
    return _ReadyBundle(**{one.name: getattr(loaded, one.name) for one in fields(loaded)})


@contextmanager
def _for_tests() -> Iterator[None]:
    """Bundles without a release are loaded once in a process, signed ones by each world; witnesses are waited for."""
    loading, asking = vars(rules)["load_bundle"], vars(main)["HttpWitnesses"]
    vars(rules)["load_bundle"], vars(main)["HttpWitnesses"] = _shipped, _PatientWitnesses
    try:
        yield
    finally:
        vars(rules)["load_bundle"], vars(main)["HttpWitnesses"] = loading, asking


def copy_world(template: Path, folder: Path) -> None:
    """Copy the template with its database, unless the folder is there from a run before."""
    if folder.exists():
        return
    shutil.copytree(template, folder)
    settings = folder / "broker" / FILE_NAME
    text = settings.read_text(encoding="utf-8")
    held = str(tomllib.loads(text).get("database", ""))
    if held.startswith(POSTGRESQL):
        name = urlsplit(held).path
        settings.write_text(text.replace(f"{name}?", f"{urlsplit(databases.copy(held, folder)).path}?"), "utf-8")


def witness_of(folder: Path) -> httpx.AsyncBaseTransport:
    """Return the way to the witness whose key and store are in this folder."""
    policy = (folder / "broker" / "log-policy").read_text(encoding="utf-8")
    log = VerifierKey.parse(policy.split()[1])
    witness = Witness(
        key=NoteSigningKey.load(folder / "witness.key"), logs=[log], store=WitnessStore(folder / "witness.sqlite")
    )
    return httpx.ASGITransport(create_witness_app(witness))
