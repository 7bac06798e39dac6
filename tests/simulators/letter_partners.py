"""Organisations with real folders beside a region on real processes, for everything that travels in sealed letters.

with lettered_region(tmp_path) as region:
    asked = region.ask(VEILIG_THUIS, to=WIJKTEAM)
"""

import asyncio
import base64
import datetime
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from broker.protocol.request_messages import RequestResult
from broker.protocol.roster import Worker
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder, Pins, read_jwk
from connectors.letters import Letters
from connectors.questions import Question, Reply
from connectors.sealing import SecretKey
from connectors.settings import Party, Settings
from connectors.workers import add_worker, pairwise_id
from tests.simulators.enrolled import NAMES, VEILIG_THUIS, Enrolled, key, opening_key
from tests.simulators.region import BROKER, Region, call, running_region
from tests.simulators.requesting import HUISARTS, POLITIE
from tests.simulators.two_custodians import NAMES as CUSTODIANS

_T = TypeVar("_T")
PEOPLE = {"anna": "worker", "bram": "worker", "carla": "approver"}
COORDINATING = {"mara": "matchcoordinator"}
"""Of a municipality, who sees to it that teams have contact."""
ORGANISATIONS = {**NAMES, HUISARTS: ("Huisartsenpraktijk", "huisarts"), POLITIE: ("Politie-eenheid", "politie")}


def pairwise_secret(oin: str) -> SecretKey:
    """Return the secret by which an organisation tells each party of its workers under another id."""
    return SecretKey(hashlib.sha256(b"pairwise " + oin.encode()).digest())


def _people(org_class: str) -> Mapping[str, str]:
    return COORDINATING if org_class == "gemeente" else PEOPLE


def enrolled_people(names: Mapping[str, tuple[str, str]], *, parents: Mapping[str, str] | None = None) -> Enrolled:
    """Return a register of these organisations, with the people of `PEOPLE` on every roster."""

    def worker(oin: str, local_id: str, role: str) -> Worker:
        sub = pairwise_id(pairwise_secret(oin), audience=BROKER, local_id=local_id)
        return Worker(sub=sub, roles=frozenset({role}), broker_sub=None)

    others = {
        oin: tuple(worker(oin, *person) for person in _people(org_class).items())
        for oin, (_, org_class) in names.items()
    }
    return Enrolled(names=names, parents=parents or {}, others=others)


@dataclass(slots=True, kw_only=True)
class LetteredRegion:
    """A region, and the folder of every organisation."""

    region: Region
    folders: Mapping[str, PartnerFolder]

    @property
    def today(self) -> datetime.date:
        """The day of the machine, by which the broker's process goes."""
        return datetime.datetime.now(datetime.UTC).date()

    @property
    def proof(self) -> dict[str, Any]:
        """A melding of last week."""
        return {"kind": "melding", "since": self.today - datetime.timedelta(7), "ends_on": None, "reference": "e" * 64}

    def work(
        self,
        oin: str,
        act: Callable[[Letters], Awaitable[_T]],
        *,
        worker: str = "anna",
        surroundings: Surroundings | None = None,
    ) -> _T:
        """Return what a worker's act at his desk came to."""

        async def at_desk() -> _T:
            client = SluisClient(self.folders[oin], worker=worker, surroundings=surroundings)
            async with client:
                return await act(Letters(client.desk))

        return asyncio.run(at_desk())

    def question(self, to: str, **changed: Any) -> Question:  # noqa: ANN401 - members of a question
        """Return a question of Veilig Thuis after a melding."""
        question = Question(
            to=to, to_team="team-1", team="team-1", purpose="vt-melding", grounds=["WMO-5.1.6"], categories=["hulp"],
            level=3, expires_on=self.today + datetime.timedelta(3), proof=self.proof, text="Welke hulp is er?",
        )  # fmt: skip
        return replace(question, **changed)

    def reply(self, kind: Any = "all", **changed: Any) -> Reply:  # noqa: ANN401 - members of a reply
        """Return an answer on a statutory right."""
        until = self.today + datetime.timedelta(7)
        if kind == "declined":
            return replace(Reply(kind=kind, expires_on=until, reason="professional_secrecy"), **changed)
        whole = Reply(kind=kind, expires_on=until, categories=["hulp"], level=3, grounds=["WMO-5.2.6"])
        return replace(whole, **changed)

    def ask(self, to: str, *, by: str = VEILIG_THUIS, **changed: Any) -> str:  # noqa: ANN401 - members of a question
        """Return the id of a request that was sent."""
        return request_in(self.work(by, lambda letters: letters.ask(self.question(to, **changed))))


def request_in(outcome: Outcome) -> str:
    """Return the id of the one request that an outcome tells of."""
    assert isinstance(outcome.details, RequestResult)
    (one,) = outcome.details.requests
    return one.request_id


@contextmanager
def lettered_region(
    path: Path, names: Mapping[str, tuple[str, str]] = ORGANISATIONS, *, parents: Mapping[str, str] | None = None,
    enrolled: Enrolled | None = None, through: Sequence[str] = (),
) -> Iterator[LetteredRegion]:  # fmt: skip
    """Hold a region whose organisations, these, have folders; every process is gone at the end."""
    known = enrolled or enrolled_people(names, parents=parents)
    with running_region(path, enrolled=known, through=through) as region:
        folders = {oin: _folder(region, oin, path / f"partner-{oin}", named=named) for oin, named in names.items()}
        yield LetteredRegion(region=region, folders=folders)


def _folder(region: Region, oin: str, path: Path, *, named: tuple[str, str]) -> PartnerFolder:
    registrars = [read_jwk(region.path(one) / "registrar.pub.jwk") for one in ("registrar-1", "registrar-2")]
    custodians = {one: read_jwk(region.path(one) / "custodian.pub.jwk") for one in CUSTODIANS}
    settings = Settings(
        oin=oin,
        name=named[0],
        broker=Party(id=BROKER, url=region.urls["broker"]),
        custodians=tuple(Party(id=one, url=region.urls[one]) for one in CUSTODIANS),
        families={},
    )
    pins = Pins(registrars={one.kid: one for one in registrars}, custodians=custodians)
    policy = (region.path("broker") / "log-policy").read_text(encoding="utf-8")
    folder = PartnerFolder.create(path, settings, pins=pins, log_policy=policy)
    (path / "keys/signing.jwk").unlink()
    key(oin).write(path / "keys/signing.jwk")
    for file, secret in (("sealing", opening_key(oin)), ("pairwise", pairwise_secret(oin))):
        (path / f"keys/{file}.key").write_bytes(base64.b64encode(secret.reveal()) + b"\n")
    for local_id, role in _people(named[1]).items():
        add_worker(folder, local_id=local_id, name=local_id.title(), roles=[role])
    folder.import_register((region.folder / "register.json").read_bytes())
    folder.import_epoch((region.folder / "epoch.json").read_bytes())
    return folder


def connect(region: LetteredRegion, oin: str, *words: object, expect: int = 0) -> dict[str, Any]:
    """Return what `sluis-connect` printed as JSON for a worker of an organisation; it goes over the network."""
    first, *rest = words
    org = ("--org", region.folders[oin].path, "--worker", "anna", "--json")
    printed = call("sluis-connect", first, *rest, *org, expect=expect)
    read: dict[str, Any] = json.loads(printed)
    return read
