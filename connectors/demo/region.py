"""Sets up and starts a whole region through its commands, as operators and partners would, each in its own folder.

registrars ─► register      custodians ─► epoch      broker ─► log key ─► witness ─► log policy
partners: folder, workers, rosters; each verifies register, epoch and log policy itself
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from connectors.demo.cast import (
    BROKER,
    CUSTODIANS,
    FAMILIES,
    PARTNERS,
    REAL_INPUT_PURPOSE,
    WITNESS,
    Partner,
    organisation_line,
    register_content,
)
from connectors.demo.processes import Ended, Service
from connectors.demo.work_folder import WorkFolder

_REGISTRARS = ("registrar-1", "registrar-2")
_FOLDERS = dict(zip(CUSTODIANS, ("custodian-a", "custodian-b"), strict=True))
_SERVICES = ("witness", "custodian-a", "custodian-b", "broker")
SERVICE_LOG = "service.log"


class Commands(Protocol):
    """How our console scripts are run."""

    def run(self, script: str, *arguments: object) -> Ended:
        """Return what a console script printed, once it ended well. Raises ProcessError."""

    def serve(self, name: str, script: str, *arguments: object, log: Path) -> Service:
        """Return a service that was started; it may not serve yet."""


class Addresses(Protocol):
    """Where services are reached, and where they listen."""

    def open(self, name: str) -> str:
        """Return the public address of a service."""

    def bind(self, name: str) -> str:
        """Return HOST:PORT for the service to listen on."""

    def forward(self, name: str, url: str) -> None:
        """What comes to the public address reaches the service at this one."""


class Region:
    """The parties of one run; `set_up` makes them and `start` lets the services serve."""

    def __init__(
        self, work: WorkFolder, processes: Commands, addresses: Addresses, *, partners: Sequence[Partner] = PARTNERS
    ) -> None:
        """Open a public address for every service."""
        self._work = work
        self._processes = processes
        self._addresses = addresses
        self._partners = partners
        self._urls = {name: addresses.open(name) for name in _SERVICES}
        self._broker_bind = addresses.bind("broker")

    def set_up(self) -> None:
        """Every folder, key and document is made, signed and imported. Raises ProcessError."""
        _together(self._making_registrar(name) for name in _REGISTRARS)
        _together(self._making_custodian(name) for name in CUSTODIANS)
        _together([self._make_broker_and_witness, self._hold_ceremony])
        made = _together([self._migrate, *(self._making_partner(partner) for partner in self._partners)])
        _together([lambda: self._publish_register(made[1:]), self._publish_excluded])
        _together(
            [
                self._import_at_broker,
                *(self._importing_at_custodian(name) for name in CUSTODIANS),
                *(self._configuring_monitor(name) for name in CUSTODIANS),
                *(self._importing_at_partner(partner) for partner in self._partners),
            ]
        )

    def start(self) -> None:
        """All four services serve, each behind its public address. Raises ProcessError."""
        started = {
            "witness": self._serve("witness", "sluis-audit", "witness", "serve"),
            **{name: self._serve(name, "sluis-custodian", "serve") for name in _FOLDERS.values()},
            "broker": self._serve("broker", "sluis-broker", "serve"),
        }
        for name, service in started.items():
            address = service.wait_until_ready()
            # A broker says its public address, which is the relay's; the others say where they listen.
            self._addresses.forward(name, f"http://{self._broker_bind}" if name == "broker" else address)

    def _serve(self, name: str, script: str, *verbs: str) -> Service:
        folder = self._work.party(name)
        return self._processes.serve(name, script, *verbs, folder, log=folder / SERVICE_LOG)

    def _making_registrar(self, name: str) -> Callable[[], object]:
        return lambda: self._processes.run("sluis-registrar", "init", self._work.party(name), "--name", name)

    def _registrar_options(self) -> list[object]:
        keys = [self._work.party(name) / "registrar.pub.jwk" for name in _REGISTRARS]
        return [part for key in keys for part in ("--registrar", key)]

    def _custodian_keys(self, option: str) -> list[object]:
        return [
            part
            for name, folder in _FOLDERS.items()
            for part in (option, f"{name}={self._work.party(folder) / 'custodian.pub.jwk'}")
        ]

    def _making_custodian(self, name: str) -> Callable[[], object]:
        folder = _FOLDERS[name]
        return lambda: self._processes.run(
            "sluis-custodian",
            *("init", self._work.party(folder), "--id", name, "--public-url", self._urls[folder]),
            *("--bind", self._addresses.bind(folder), "--broker-id", BROKER, *self._registrar_options()),
        )

    def _hold_ceremony(self) -> None:
        """Both custodians commit, then open, then finish: nobody ever holds the whole key (D1)."""
        families = [part for family in FAMILIES for part in ("--family", family)]
        _together(self._ceremony(name, "commit", "--epoch", 1, *families) for name in CUSTODIANS)
        _together(
            self._ceremony(name, "open", "--peer-commit", self._passed(_other(name), "commit")) for name in CUSTODIANS
        )
        _together(
            self._ceremony(
                *(name, "finish", "--peer-commit", self._passed(_other(name), "commit")),
                *("--peer-open", self._passed(_other(name), "open")),
            )
            for name in CUSTODIANS
        )
        halves = [self._passed(name, "finish") for name in CUSTODIANS]
        out = self._work.passed_on("epoch.json")
        self._processes.run("sluis-custodian", "ceremony", "join", *halves, "--out", out)

    def _ceremony(self, name: str, step: str, *options: object) -> Callable[[], object]:
        folder, out = self._work.party(_FOLDERS[name]), self._passed(name, step)
        return lambda: self._processes.run("sluis-custodian", "ceremony", step, folder, *options, "--out", out)

    def _passed(self, name: str, step: str) -> object:
        return self._work.passed_on(f"{_FOLDERS[name]}.{step}.json")

    def _make_broker_and_witness(self) -> None:
        folder, policy = self._work.party("broker"), self._work.passed_on("log-policy")
        made = self._processes.run(
            "sluis-broker",
            *("init", folder, "--id", BROKER, "--public-url", self._urls["broker"]),
            *("--bind", self._broker_bind),
            *(*self._registrar_options(), *self._custodian_keys("--custodian")),
            *("--witness-url", self._urls["witness"], "--insecure-test-bundle", "--json"),
        )
        # As the command asks: what can unseal tokens does not stay where they are.
        told = json.loads(made.output)
        offline = self._work.party("offline")
        offline.mkdir(mode=0o700)
        Path(told["offlinePrivateKey"]).rename(offline / "private.key")
        log = str(told["vkey"])
        # The witness watches the custodians' own logs too.
        own = [(self._work.party(name) / "log.vkey").read_text("ascii").strip() for name in _FOLDERS.values()]
        witness = self._processes.run(
            "sluis-audit",
            *("witness", "init", self._work.party("witness"), "--name", WITNESS),
            *(part for vkey in (log, *own) for part in ("--log", vkey)),
            *("--bind", self._addresses.bind("witness")),
        ).output.strip()
        text = f"log {log}\nwitness w1 {witness} {self._urls['witness']}\nquorum w1\n"
        policy.write_text(text, encoding="ascii")
        (folder / "log-policy").write_text(text, encoding="ascii")

    def _configuring_monitor(self, name: str) -> Callable[[], object]:
        """Let a custodian follow the broker's log, and hear what the other one finds."""
        peer = _other(name)
        key = self._work.party(_FOLDERS[peer]) / "custodian.pub.jwk"
        return lambda: self._processes.run(
            "sluis-custodian",
            *("monitor", "configure", self._work.party(_FOLDERS[name]), "--broker-url", self._urls["broker"]),
            *("--log-policy", self._work.passed_on("log-policy"), "--poll-s", 2),
            *("--peer", f"{peer}={self._urls[_FOLDERS[peer]]}", "--peer-key", f"{peer}={key}"),
        )

    def _migrate(self) -> None:
        self._processes.run("sluis-broker", "migrate", self._work.party("broker"))

    def _making_partner(self, partner: Partner) -> Callable[[], dict[str, Any]]:
        return lambda: self._make_partner(partner)

    def _make_partner(self, partner: Partner) -> dict[str, Any]:
        """Return the partner's line of the register, once its folder, workers and rosters are made."""
        folder = self._work.partner(partner.slug)
        addresses = [
            part for name, service in _FOLDERS.items() for part in ("--custodian", f"{name}={self._urls[service]}")
        ]
        made = self._processes.run(
            "sluis-connect",
            *("init", folder, "--oin", partner.oin, "--name", partner.name),
            *("--broker", f"{BROKER}={self._urls['broker']}", *addresses, *self._custodian_keys("--custodian-key")),
            *(*self._registrar_options(), "--log-policy", self._work.passed_on("log-policy")),
            *("--purpose-families", f"{REAL_INPUT_PURPOSE}={','.join(FAMILIES)}", "--json"),
        )
        for worker in partner.workers:
            identity = ("--local-id", worker.local_id, "--name", worker.name, "--role", worker.role)
            self._processes.run("sluis-connect", "worker", "add", folder, *identity)
        teams = folder / "teams.json"
        teams.write_text(
            json.dumps([dict(card) for card in (partner.card, *partner.other_cards)], ensure_ascii=False),
            encoding="utf-8",
        )
        rosters = [
            part
            for audience in (BROKER, *CUSTODIANS)
            for part in ("--audience", audience, "--out", self._roster(partner, audience))
        ]
        self._processes.run("sluis-connect", "roster", "sign", folder, "--teams", teams, *rosters)
        return organisation_line(partner, json.loads(made.output))

    def _roster(self, partner: Partner, audience: str) -> object:
        return self._work.passed_on(f"roster.{partner.slug}.{audience}.json")

    def _publish_register(self, lines: list[dict[str, Any]]) -> None:
        content, draft = self._work.passed_on("register-content.json"), self._work.passed_on("register-draft.json")
        content.write_text(json.dumps(register_content(lines)), encoding="utf-8")
        first, second = (self._work.party(name) for name in _REGISTRARS)
        self._processes.run("sluis-registrar", "propose", "--from", content, "--key", first, "--out", draft)
        out = self._work.passed_on("register.json")
        self._processes.run("sluis-registrar", "approve", draft, "--key", second, "--out", out, "--yes")

    def _publish_excluded(self) -> None:
        """The list of addresses that never become a token is there; nobody in this region needs one."""
        content, draft = self._work.passed_on("excluded-content.json"), self._work.passed_on("excluded-draft.json")
        content.write_text(json.dumps({"number": 1, "addresses": []}), encoding="utf-8")
        first, second = (self._work.party(name) for name in _REGISTRARS)
        excluded = ("sluis-registrar", "excluded")
        self._processes.run(*excluded, "propose", "--from", content, "--key", first, "--out", draft)
        out = self._work.passed_on("excluded.json")
        self._processes.run(*excluded, "approve", draft, "--key", second, "--out", out, "--yes")

    def _import_at_broker(self) -> None:
        folder = self._work.party("broker")
        register, epoch = self._work.passed_on("register.json"), self._work.passed_on("epoch.json")
        self._processes.run("sluis-broker", "register", "import", folder, register)
        self._processes.run("sluis-broker", "epoch", "import", folder, epoch)
        rosters = [self._roster(partner, BROKER) for partner in self._partners]
        self._processes.run("sluis-broker", "roster", "import", folder, *rosters)

    def _importing_at_custodian(self, name: str) -> Callable[[], None]:
        return lambda: self._import_at_custodian(name)

    def _import_at_custodian(self, name: str) -> None:
        folder = self._work.party(_FOLDERS[name])
        self._processes.run("sluis-custodian", "register", "import", folder, self._work.passed_on("register.json"))
        pairs = [
            part
            for partner in self._partners
            for part in ("--oin", partner.oin, "--roster", self._roster(partner, name))
        ]
        self._processes.run("sluis-custodian", "org", "enrol", folder, *pairs)

    def _importing_at_partner(self, partner: Partner) -> Callable[[], None]:
        return lambda: self._import_at_partner(partner)

    def _import_at_partner(self, partner: Partner) -> None:
        folder = self._work.partner(partner.slug)
        register, epoch = self._work.passed_on("register.json"), self._work.passed_on("epoch.json")
        excluded = self._work.passed_on("excluded.json")
        documents = (register, "--epoch", epoch, "--excluded", excluded)
        self._processes.run("sluis-connect", "trust", "import-register", folder, *documents)


def _other(custodian: str) -> str:
    first, second = CUSTODIANS
    return second if custodian == first else first


def _together(chains: Iterable[Callable[[], Any]]) -> list[Any]:
    """Return what the chains return, in their order, after running them beside each other. Raises what one raises."""
    with ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) + 1) as pool:
        return list(pool.map(lambda chain: chain(), chains))
