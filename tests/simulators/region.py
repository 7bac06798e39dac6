"""A whole small Sluis on real processes: registrars, two custodians, a witness and a broker, set up by their commands.

with running_region(tmp_path) as region:
    answer = region.partner(WIJKTEAM).register(subject="999990019")
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import httpx
from typer.testing import CliRunner

from audit.entry import Leaf
from broker.protocol.roster import Worker, roster_document
from broker.settings import FILE_NAME
from tests.simulators.databases import Database, Databases, at, databases
from tests.simulators.enrolled import Enrolled, key, worker_id
from tests.simulators.ports import free_port
from tests.simulators.two_custodians import NAMES as CUSTODIANS
from tests.simulators.wire_partner import WirePartner

BROKER = "broker.demo.sluis.test"
PATIENCE_S = 120.0
"""Seconds within which whatever is waited for has come: only a test that fails takes so long, on a slow machine too."""
_ROOT = Path(__file__).resolve().parents[2]


def command(script: str) -> list[str]:
    """Return how to start one of our console scripts: the installed one, else its target in pyproject.toml."""
    installed = Path(sys.executable).with_name(script)
    if installed.exists():
        return [str(installed)]
    module, function = _target(script)
    return [sys.executable, "-c", f"from {module} import {function}; {function}()"]


def environment() -> dict[str, str]:
    """Return the environment of a child: only what Python needs."""
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8"}


def run(script: str, *arguments: object, expect: int = 0) -> str:
    """Return what a command printed, once it ended with the expected exit code."""
    if _in_process.get():
        return call(script, *arguments, expect=expect)
    done = subprocess.run(
        [*command(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env=environment(),
    )
    assert done.returncode == expect, f"{script} {arguments[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def call(script: str, *arguments: object, expect: int = 0) -> str:
    """Return what a command printed, carried out in this process: as `run`, without the time of a start."""
    words = [str(argument) for argument in arguments]
    module = import_module(_target(script)[0])
    done = CliRunner().invoke(module.command_line(words) if script == "sluis-connect" else module.app, words)
    assert done.exit_code == expect, f"{script} {arguments[0]}: {done.exit_code}\n{done.output}"
    return done.stdout


@contextmanager
def in_this_process() -> Iterator[None]:
    """Let `run` carry out commands here, for a test whose subject is not how a command starts."""
    before = _in_process.set(True)
    try:
        yield
    finally:
        _in_process.reset(before)


_in_process: ContextVar[bool] = ContextVar("in_process", default=False)


def _target(script: str) -> tuple[str, str]:
    """Return the module and the function that a console script calls."""
    targets = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, _, function = targets[script].partition(":")
    return module, function


def console_script(script: str) -> Callable[[], None]:
    """Return the function that a console script of ours calls."""
    module, function = _target(script)
    called: Callable[[], None] = getattr(import_module(module), function)
    return called


@dataclass(slots=True, kw_only=True)
class Service:
    """One serving process of ours; its output goes to a file beside its folder."""

    script: str
    arguments: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    through: Sequence[str] = ()
    """A program that runs the script in its own way; it gets the script's name first."""

    def start(self) -> str:
        """Start it, and return the address in its ready line."""
        program = [*self.through, self.script] if self.through else command(self.script)
        with self.log.open("ab") as errors:
            self.process = subprocess.Popen(
                [*program, *self.arguments], stdout=subprocess.PIPE, stderr=errors, env=environment()
            )
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        line = self.process.stdout.readline() if readable else b""
        assert line.startswith(b"ready http://"), f"{self.script}: {self.log.read_text()}"
        return line.decode("ascii").removeprefix("ready ").strip()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it is gone."""
        self.signal(how)
        self.reap()

    def signal(self, how: signal.Signals) -> None:
        """Tell it to end, without waiting."""
        if self.process is not None:
            self.process.send_signal(how)

    def reap(self) -> int | None:
        """Return its exit code once it is gone, however it came to its end; None when it did not run."""
        if self.process is None:
            return None
        code = self.process.wait(timeout=PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code


@dataclass(slots=True, kw_only=True)
class Region:
    """The folders, addresses and processes of one small Sluis."""

    folder: Path
    enrolled: Enrolled = field(default_factory=Enrolled)
    urls: dict[str, str] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    register_number: int = 1
    kind: str = "sqlite"
    stores: Databases = field(default_factory=lambda: databases)

    def next_number(self) -> int:
        """Return the number of the next register; tests run in any order and a number only rises."""
        self.register_number += 1
        return self.register_number

    def path(self, name: str) -> Path:
        """Return the folder of one party."""
        return self.folder / name

    @property
    def database(self) -> Database:
        """The broker's database, for a look beside the broker."""
        settings = tomllib.loads((self.path("broker") / FILE_NAME).read_text(encoding="utf-8"))
        return at(settings.get("database", "broker.sqlite"), self.path("broker"))

    def asked_leaves(self) -> int:
        """Return how many entries somebody asked for: a broker that serves for long writes some by itself."""
        leaves = [Leaf.parse(bytes(leaf)) for (leaf,) in self.database.rows("SELECT leaf FROM log_entries")]
        return sum(leaf.kind != "retention" for leaf in leaves)

    def partner(self, oin: str, *, client: httpx.Client | None = None, worker: str = "") -> WirePartner:
        """Return an organisation that asks over the network."""
        custodians = {name: self.urls[name] for name in CUSTODIANS}
        epoch = (self.folder / "epoch.json").read_bytes()
        broker = (BROKER, self.urls["broker"])
        return WirePartner(
            oin=oin, broker=broker, custodians=custodians, epoch=epoch, client=client, worker=worker,
            parent_org=self.enrolled.parents.get(oin),
        )  # fmt: skip

    def set_up(self) -> None:
        """Make every folder, key and document, through the commands an operator would use."""
        self.urls = {name: f"http://127.0.0.1:{free_port()}" for name in (*CUSTODIANS, "witness", "broker")}
        for name in ("registrar-1", "registrar-2"):
            run("sluis-registrar", "init", self.path(name), "--name", name)
        self.publish_register(self.enrolled, self.folder / "register.json")
        for name in CUSTODIANS:
            self._init_custodian(name)
        self._hold_ceremony()
        vkey = self._init_broker()
        self._init_witness(vkey)
        run("sluis-broker", "migrate", self.path("broker"))
        run("sluis-broker", "register", "import", self.path("broker"), self.folder / "register.json")
        run("sluis-broker", "epoch", "import", self.path("broker"), self.folder / "epoch.json")
        rosters = [self.folder / f"roster-{oin}.json" for oin in self.enrolled.names]
        for oin, document in zip(self.enrolled.names, rosters, strict=True):
            document.write_bytes(self.enrolled.roster_document(oin).encode())
        run("sluis-broker", "roster", "import", self.path("broker"), *rosters)
        self._name_services()

    def publish_register(self, enrolled: Enrolled, out: Path) -> None:
        """Write a register that the first registrar proposed and the second approved."""
        members = {name: value for name, value in enrolled.register_document().document.items() if name != "schema"}
        content, draft = self.folder / "content.json", self.folder / "draft.json"
        content.write_text(json.dumps(members), encoding="utf-8")
        run("sluis-registrar", "propose", "--from", content, "--key", self.path("registrar-1"), "--out", draft)
        run("sluis-registrar", "approve", draft, "--key", self.path("registrar-2"), "--out", out)

    def registrar_options(self) -> list[str]:
        """Return the options that pin both registrars."""
        files = [self.path(name) / "registrar.pub.jwk" for name in ("registrar-1", "registrar-2")]
        return [part for file in files for part in ("--registrar", str(file))]

    def _init_custodian(self, name: str) -> None:
        url = self.urls[name]
        identity = ("--id", name, "--public-url", url, "--bind", url.removeprefix("http://"), "--broker-id", BROKER)
        run("sluis-custodian", "init", self.path(name), *identity, *self.registrar_options())
        run("sluis-custodian", "register", "import", self.path(name), self.folder / "register.json")
        enrolments: list[str] = []
        for oin in self.enrolled.names:
            roster = self.folder / f"{name}-{oin}.json"
            roster.write_bytes(custodian_roster(oin, name))
            enrolments += ["--oin", oin, "--roster", str(roster)]
        run("sluis-custodian", "org", "enrol", self.path(name), *enrolments)

    def _hold_ceremony(self) -> None:
        first, second = CUSTODIANS
        file = {
            (name, step): self.folder / f"{name}.{step}" for name in CUSTODIANS for step in ("commit", "open", "epoch")
        }
        families = [part for family in ("nlbsn", "fam", "addr") for part in ("--family", family)]
        for name in CUSTODIANS:
            out = file[name, "commit"]
            run("sluis-custodian", "ceremony", "commit", self.path(name), "--epoch", 1, *families, "--out", out)
        for name, peer in ((first, second), (second, first)):
            given = ("--peer-commit", file[peer, "commit"])
            run("sluis-custodian", "ceremony", "open", self.path(name), *given, "--out", file[name, "open"])
        for name, peer in ((first, second), (second, first)):
            opened = ("--peer-commit", file[peer, "commit"], "--peer-open", file[peer, "open"])
            run("sluis-custodian", "ceremony", "finish", self.path(name), *opened, "--out", file[name, "epoch"])
        joined = (file[first, "epoch"], file[second, "epoch"])
        run("sluis-custodian", "ceremony", "join", *joined, "--out", self.folder / "epoch.json")

    def _init_broker(self) -> str:
        url = self.urls["broker"]
        identity = ("--id", BROKER, "--public-url", url, "--bind", url.removeprefix("http://"))
        pins = [part for name in CUSTODIANS for part in ("--custodian", f"{name}={self.path(name)}/custodian.pub.jwk")]
        setting = {} if self.kind == "sqlite" else self.stores.kept(self.kind, self.folder).setting
        held = [part for name, value in setting.items() for part in (f"--{name.replace('_', '-')}", value)]
        printed = run(
            "sluis-broker",
            *("init", self.path("broker"), *identity, *self.registrar_options(), *pins, *held),
            *("--witness-url", self.urls["witness"], "--insecure-test-bundle", "--json"),
            *("--offline-key-out", self.folder / "offline.key"),
        )
        return str(json.loads(printed)["vkey"])

    def _init_witness(self, vkey: str) -> None:
        address = self.urls["witness"].removeprefix("http://")
        own = [(self.path(name) / "log.vkey").read_text(encoding="ascii").strip() for name in CUSTODIANS]
        logs = [part for log in (vkey, *own) for part in ("--log", log)]
        options = ("--name", "witness.demo.sluis.test", *logs, "--bind", address)
        witness = run("sluis-audit", "witness", "init", self.path("witness"), *options).strip()
        policy = f"log {vkey}\nwitness w1 {witness} {self.urls['witness']}\nquorum w1\n"
        (self.path("broker") / "log-policy").write_text(policy, encoding="utf-8")
        for name, peer in (CUSTODIANS, CUSTODIANS[::-1]):
            watched = ("--broker-url", self.urls["broker"], "--log-policy", self.path("broker") / "log-policy")
            other = (f"{peer}={self.urls[peer]}", f"{peer}={self.path(peer) / 'custodian.pub.jwk'}")
            peers = ("--peer", other[0], "--peer-key", other[1], "--poll-s", 1)
            run("sluis-custodian", "monitor", "configure", self.path(name), *watched, *peers)

    def _name_services(self) -> None:
        starts = {name: ("sluis-custodian", ["serve", str(self.path(name))]) for name in CUSTODIANS}
        starts["witness"] = ("sluis-audit", ["witness", "serve", str(self.path("witness"))])
        starts["broker"] = ("sluis-broker", ["serve", str(self.path("broker"))])
        for name, (script, arguments) in starts.items():
            self.services[name] = Service(script=script, arguments=arguments, log=self.folder / f"{name}.log")


def custodian_roster(oin: str, custodian: str, *, number: int = 1, key_name: str = "") -> bytes:
    """Return an organisation's roster for one custodian: one worker and one approver."""
    workers = [
        Worker(sub=worker_id(oin, role), roles=frozenset({role}), broker_sub=worker_id(oin, role))
        for role in ("worker", "approver")
    ]
    document = roster_document(oin=oin, audience=custodian, number=number, workers=workers, teams=[])
    return document.with_signature(oin, key(key_name or oin)).encode()


@contextmanager
def running_region(
    folder: Path, *, kind: str = "sqlite", enrolled: Enrolled | None = None, through: Sequence[str] = ()
) -> Iterator[Region]:  # fmt: skip
    """Hold a region whose services all answer, on a database of this kind; every process is gone at the end.

    The commands of the set-up are carried out here: that each starts by itself is what `make demo` and its tests show.
    The services are processes, each run by the program `through` where one is named.
    """
    region = Region(folder=folder, enrolled=enrolled or Enrolled(), kind=kind)
    with in_this_process():
        region.set_up()
    try:
        for service in region.services.values():
            service.through = through
            service.start()
        yield region
    finally:
        for service in region.services.values():
            service.stop()


def wait_until(holds: Callable[[], object]) -> None:
    """Return once a condition holds."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "the condition never held"
        time.sleep(0.1)
