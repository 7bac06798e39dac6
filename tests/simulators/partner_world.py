"""Partners at work in one process: real folders, the real pair of custodians, and a broker's twin with a real log.

    with partner_world(tmp_path, ("wijkteam", "gi")) as world:
        async with world.client("wijkteam") as client: ...

The twin answers like the broker does (docs/formats.md §6 and §7): it verifies request tokens and tickets, keeps answers
by idempotency key, matches by D4 on tokens in memory, and gives receipts of a log with real bytes. What it does not
do is decide by policy. `world.network.faults` breaks single exchanges; `world.network.sent` keeps every byte that left.
"""

import datetime
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import rfc8785

from broker.custodian.errors import RefusedError as CustodianRefusedError
from broker.custodian.evaluation import evaluate
from broker.custodian.grants import accept, grant_states
from broker.protocol.epochs import EpochDocument
from broker.protocol.errors import MalformedError, RequestTokenError
from broker.protocol.problems import Problem, problem
from broker.protocol.register import BudgetClass, Organisation
from broker.protocol.roster import ContactCard
from broker.protocol.signed_document import SignedDocument
from connectors.client import SluisClient
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder, Pins
from connectors.grants import approve, propose
from connectors.settings import Party, Settings
from connectors.workers import add_worker, sign_roster
from tests.simulators.broker_twin import BrokerTwin
from tests.simulators.custodian import (
    BROKER,
    CUSTODIANS,
    REGISTRARS,
    CustodianPair,
    SimulatedPartner,
    SteppedClock,
    budget_classes,
    custodian_pair,
    public_url,
    register_text,
    seeded_key,
)
from tests.simulators.excluded import excluded_text
from tests.unit.audit.log_simulator import LogInFolder, policy_text, witness_key

TEAM = ContactCard(
    code="team-1",
    display_name="Team Noord",
    phone="026 1234567",
    working_days="ma-vr",
    after_hours_phone=None,
    stand_in=None,
)
Fault = Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]
"""Takes a request and the way to the real answer; returns another answer, or raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPartner(SimulatedPartner):
    """An organisation whose keys and rosters come from its own folder."""

    folder: PartnerFolder

    def organisation(self) -> Organisation:
        """Return its line of the register, with the folder's key."""
        key = self.folder.signing_key.public
        return Organisation(
            oin=self.oin,
            name=self.name,
            org_class="wijkteam",
            status=self.status,
            parent_org=None,
            signing_keys={key.kid: key},
            sealing_keys={self.folder.sealing_key.kid: self.folder.sealing_key.public},
            families=frozenset(self.families),
            simulated_bsn_right=False,
            worker_cap=100,
            budgets=self.budgets,
        )

    def roster(self, audience: str, *, number: int = 1) -> bytes:
        """Return the roster the folder signs; its number is the folder's own."""
        del number
        return sign_roster(self.folder, audience=audience, teams=[TEAM]).encode()


@dataclass(slots=True, kw_only=True)
class Network(httpx.AsyncBaseTransport):
    """Carries requests to the custodians and the broker's twin, unless a fault stands in between."""

    pair: CustodianPair
    broker: BrokerTwin
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer of the party a request goes to."""
        body = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]  # a client's stream is asynchronous
        head = f"{request.method} {request.url}\n" + "\n".join(f"{k}: {v}" for k, v in request.headers.items())
        host = request.url.host
        self.sent.append((host, head.encode() + b"\n\n" + body))

        def answer() -> httpx.Response:
            return self._custodian(host, request, body) if host in CUSTODIANS else self.broker.answer(request, body)

        faults = self.faults.get(host)
        return faults.pop(0)(request, answer) if faults else answer()

    def _custodian(self, host: str, request: httpx.Request, body: bytes) -> httpx.Response:
        custodian = self.pair.custodians[CUSTODIANS.index(host)]
        if request.method == "GET":
            return httpx.Response(200, content=custodian.keyring.document(int(request.url.path.rpartition("/")[2])))
        try:
            answered = evaluate(custodian, authorization=request.headers.get("authorization"), body=body)
        except (CustodianRefusedError, RequestTokenError) as error:
            return problem_response(problem(error.code))
        except MalformedError as error:
            return problem_response(problem("malformed-request", field=error.field, rule=error.rule))
        return httpx.Response(200, content=answered)


@dataclass(slots=True, kw_only=True)
class PartnerWorld:
    """Everything of one small region that a partner can touch."""

    path: Path
    folders: Mapping[str, PartnerFolder]
    network: Network
    log: LogInFolder
    clock: SteppedClock

    @property
    def broker(self) -> BrokerTwin:
        """The broker's twin."""
        return self.network.broker

    @property
    def surroundings(self) -> Surroundings:
        """Time and network of this world; randomness is the system's."""
        return Surroundings(clock=lambda: self.clock.now, transport=self.network)

    def accept(self, text: bytes, *, at: Sequence[int] = (0, 1)) -> None:
        """Let these custodians accept a grant."""
        for custodian in (self.network.pair.custodians[place] for place in at):
            trust = custodian.trust.current()
            accept(custodian.store, trust, text, custodian=custodian.settings.id, now=self.clock.now)

    def left(self, at: int = 0) -> list[dict[str, int]]:
        """Return what is left of every grant at one custodian."""
        return [dict(state.left) for state in grant_states(self.network.pair.custodians[at].store)]

    def granted(self, name: str, elements: Mapping[str, int], *, days: int = 10, purpose: str = "proefregio") -> Path:
        """Return the file of a grant for these elements, which two people of a partner stated and both accepted."""
        folder = self.folders[name]
        expires_on = datetime.datetime.fromtimestamp(self.clock.now, datetime.UTC).date() + datetime.timedelta(days)
        proposed = propose(
            folder,
            worker="anna",
            purpose=purpose,
            elements=elements,
            expires_on=expires_on,
            surroundings=self.surroundings,
        )
        approved = approve(folder, proposed.encode(), worker="carla", surroundings=self.surroundings).encode()
        self.accept(approved)
        file = self.path / f"grant-{len(self.left())}.json"
        file.write_bytes(approved)
        return file

    def client(self, name: str, *, worker: str = "anna", **options: Any) -> SluisClient:  # noqa: ANN401 - the client's own options
        """Return a client of one partner."""
        return SluisClient(self.folders[name], worker=worker, surroundings=self.surroundings, **options)


@contextmanager
def partner_world(
    path: Path, names: tuple[str, ...] = ("wijkteam", "gi"), *, budgets: Mapping[str, BudgetClass] | None = None
) -> Iterator[PartnerWorld]:
    """Hold a region with these partners, each with the workers anna (worker), bram (worker) and carla (approver)."""
    path.mkdir(exist_ok=True)
    (path / "log").mkdir()
    log = LogInFolder(path / "log")
    policy = policy_text(log.verifier, witness_key().verifier, quorum="w1")
    folders = {
        name: new_folder(path / name, oin=oin_of(at), name=name, log_policy=policy) for at, name in enumerate(names)
    }
    partners = [FolderPartner(oin=folder.settings.oin, name=name, folder=folder) for name, folder in folders.items()]
    budgets = budgets or budget_classes(worker=5_000, organisation=100_000)
    with custodian_pair(path / "custodians", partners, budgets=budgets) as pair:
        register = register_text(partners, budgets=budgets)
        for folder in folders.values():
            folder.import_register(register)
            folder.import_epoch(pair.epoch_text)
            folder.import_excluded(excluded_text())
        twin = BrokerTwin(
            log=log, register=folders[names[0]].register, clock=pair.clock, url=public_url(BROKER), broker_id=BROKER
        )
        yield PartnerWorld(
            path=path, folders=folders, network=Network(pair=pair, broker=twin), log=log, clock=pair.clock
        )
    log.close()


def new_folder(path: Path, *, oin: str, name: str, log_policy: str, purpose_families: bool = True) -> PartnerFolder:
    """Return a partner's new folder with three workers; `proefregio` uses every family."""
    settings = Settings(
        oin=oin,
        name=name,
        broker=Party(id=BROKER, url=public_url(BROKER)),
        custodians=tuple(Party(id=custodian, url=public_url(custodian)) for custodian in CUSTODIANS),
        families={"proefregio": ["nlbsn", "fam", "addr"]} if purpose_families else {},
    )
    pins = Pins(
        registrars={key.public.kid: key.public for key in REGISTRARS},
        custodians={custodian: seeded_key(custodian).public for custodian in CUSTODIANS},
    )
    folder = PartnerFolder.create(path, settings, pins=pins, log_policy=log_policy)
    for local_id, role in (("anna", "worker"), ("bram", "worker"), ("carla", "approver")):
        add_worker(folder, local_id=local_id, name=local_id.title(), roles=[role])
    return folder


def oin_of(at: int) -> str:
    """Return the number of the organisation at this place."""
    return f"0000000100123456{at:04}"


def problem_response(found: Problem, *, receipt: object = None) -> httpx.Response:
    """Return a problem as a response."""
    document = found.document() | ({} if receipt is None else {"receipt": receipt})
    return httpx.Response(
        found.kind.status, content=json.dumps(document), headers={"content-type": "application/problem+json"}
    )


def real(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
    """No fault at all: what the party itself answers."""
    del request
    return answer()


def down(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
    """A fault: nobody is there."""
    del answer
    raise httpx.ConnectError("refused", request=request)


def lost(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
    """A fault: it is carried out, and the answer gets lost."""
    answer()
    raise httpx.ReadError("reset", request=request)


def status(code: int, problem_id: str) -> Fault:
    """A fault: a bare problem with this id; nothing is carried out."""

    def fault(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        del request, answer
        response = problem_response(problem(problem_id, field="purpose", rule="is unknown", latest="2027-01-01"))
        response.status_code = code
        return response

    return fault


def altered(change: Callable[[dict[str, Any]], object]) -> Fault:
    """A fault: the answer's JSON is changed on its way."""

    def fault(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        del request
        response = answer()
        members = json.loads(response.content)
        change(members)
        return httpx.Response(response.status_code, content=json.dumps(members))

    return fault


def jcs_sha256(value: object) -> str:
    """Return SHA-256 in hex of canonical JSON."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()  # type: ignore[arg-type]  # rfc8785 itself checks every value


def signed_epoch(document: EpochDocument) -> bytes:
    """Return an epoch document with the signatures of both custodians."""
    signed = SignedDocument(document=document.to_mapping(), signatures=())
    for custodian in CUSTODIANS:
        signed = signed.with_signature(custodian, seeded_key(custodian))
    return signed.encode()


def resigned(document: SignedDocument) -> bytes:
    """Return a document without its signatures, as an attacker would hand it in."""
    return SignedDocument(document=document.document, signatures=()).encode()
