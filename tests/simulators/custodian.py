"""Two custodians in one process: the real code on two folders of their own, with partners, registrars and a clock.

with custodian_pair(tmp_path, [partner]) as pair:
    a, b = pair.evaluate(partner, batch(nlbsn=[blinded.point]))
"""

import datetime
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.custodian import ceremony, folder, grants
from broker.custodian.evaluation import PATH, Custodian, evaluate
from broker.custodian.settings import Registrar, Settings
from broker.protocol.epochs import SCHEMA, EpochDocument
from broker.protocol.families import Family
from broker.protocol.grant import Grant, SignedGrant, Signer
from broker.protocol.messages import EvaluationAnswer, FamilyAnswers
from broker.protocol.register import Bucket, BudgetClass, Organisation
from broker.protocol.request_signing import Sender, Target, sign_request
from broker.protocol.ristretto import Point
from broker.protocol.roster import Worker, roster_document
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey, b64url, b64url_bytes
from broker.protocol.tokens import Evaluation, random_points

BROKER = "broker.demo.sluis.test"
CUSTODIANS = ("custodian-a.demo.sluis.test", "custodian-b.demo.sluis.test")
FAMILIES = (Family.NLBSN, Family.FAM, Family.ADDR)
START_S = 1_795_000_000  # unix seconds; November 2026
EPOCH = 1


class SteppedClock:
    """A clock that moves only when a test says so; the wall clock may also jump by itself."""

    def __init__(self, wall_s: int = START_S) -> None:
        self._wall_us = wall_s * 1_000_000
        self._monotonic_us = 5_000_000_000

    def wall_us(self) -> int:
        """Return the wall clock."""
        return self._wall_us

    def monotonic_us(self) -> int:
        """Return the monotonic clock."""
        return self._monotonic_us

    @property
    def now(self) -> int:
        """The wall clock in seconds."""
        return self._wall_us // 1_000_000

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._wall_us += round(seconds * 1_000_000)
        self._monotonic_us += round(seconds * 1_000_000)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back while no time passes."""
        self._wall_us += round(seconds * 1_000_000)

    def reboot(self) -> None:
        """Start the monotonic clock anew, as a machine does that starts again."""
        self._monotonic_us = 1_000_000


def seeded_key(name: str) -> SigningKey:
    """Return a signing key that is the same in every run: a fixture, worth nothing."""
    return SigningKey.from_seed(hashlib.sha256(f"sluis test key {name}".encode()).digest())


REGISTRARS = (seeded_key("registrar 1"), seeded_key("registrar 2"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPartner:
    """An organisation with its signing key and its workers, by their local name and role."""

    oin: str = "00000001001234560001"
    name: str = "Wijkteam Voorbeeld"
    org_class: str = "wijkteam"
    status: str = "active"
    parent_org: str | None = None
    families: Sequence[str] = ("nlbsn", "fam", "addr")
    workers: Mapping[str, str] = field(
        default_factory=lambda: {"anna": "worker", "bram": "worker", "carla": "approver"}
    )
    budgets: Mapping[str, BudgetClass] | None = None

    @property
    def key(self) -> SigningKey:
        """The key that signs its requests and rosters."""
        return seeded_key(self.oin)

    def sub(self, worker: str, audience: str) -> str:
        """Return the worker's pairwise id at a party."""
        return hashlib.sha256(f"{self.oin} {worker} {audience}".encode()).hexdigest()[:26]

    def organisation(self) -> Organisation:
        """Return its line of the register."""
        key = self.key.public
        return Organisation(
            oin=self.oin,
            name=self.name,
            org_class=self.org_class,
            status=self.status,
            parent_org=self.parent_org,
            signing_keys={key.kid: key},
            sealing_keys={},
            families=frozenset(self.families),
            simulated_bsn_right=False,
            worker_cap=100,
            budgets=self.budgets,
        )

    def roster(self, audience: str, *, number: int = 1) -> bytes:
        """Return its signed roster for one audience."""
        workers = [
            Worker(sub=self.sub(name, audience), roles=frozenset([role]), broker_sub=self.sub(name, BROKER))
            for name, role in self.workers.items()
        ]
        document = roster_document(oin=self.oin, audience=audience, number=number, workers=workers, teams=[])
        return document.with_signature(self.oin, self.key).encode()


def budget_classes(*, worker: int = 60, organisation: int = 2_000) -> dict[str, BudgetClass]:
    """Return four equal classes: what a worker and an organisation may spend at once, and again each day."""
    sizes = BudgetClass(
        worker=Bucket(capacity=worker, per_day=worker),
        organisation=Bucket(capacity=organisation, per_day=organisation),
    )
    return dict.fromkeys(("check", "urgent", "register", "import"), sizes)


def register_text(
    partners: Sequence[SimulatedPartner],
    *,
    number: int = 1,
    budgets: Mapping[str, BudgetClass] | None = None,
    signers: Sequence[SigningKey] = REGISTRARS,
) -> bytes:
    """Return a register of these partners, signed by both registrars unless a test says otherwise."""
    document: dict[str, Any] = {
        "schema": "register/v1",
        "number": number,
        "organisations": [partner.organisation().document() for partner in partners],
        "budgetClasses": {name: size.document() for name, size in (budgets or budget_classes()).items()},
    }
    signed = SignedDocument(document=document, signatures=())
    for key in signers:
        signed = signed.with_signature(key.public.kid, key)
    return signed.encode()


def batch(
    *,
    operation: str = "check",
    budget_class: str = "check",
    epoch: int = EPOCH,
    batch_id: str | None = None,
    real: int | None = None,
    grant_id: str | None = None,
    **families: Sequence[bytes],
) -> bytes:
    """Return the body of an evaluation request, one random family by default.

    Points are padded to 8, 16 or 32, but in an import, which is exact.
    """
    asked = []
    sizes = range(33) if budget_class == "import" else (8, 16, 32)
    for name, points in (families or {"nlbsn": random_points(1, secrets.token_bytes)}).items():
        size = next(size for size in sizes if size >= len(points))
        padded = [*points, *random_points(size - len(points), secrets.token_bytes)]
        count = len(points) if real is None else real
        asked.append({"family": name, "real": count, "points": [b64url(point) for point in padded]})
    members = {
        "batchId": batch_id or secrets.token_hex(16),
        "operation": operation,
        "budgetClass": budget_class,
        "purpose": "verwijsindex",
        "epoch": epoch,
        "grantId": grant_id,
        "families": asked,
    }
    return json.dumps(members).encode()


def grant_of(partner: SimulatedPartner, *, now: int = START_S, **changed: Any) -> Grant:  # noqa: ANN401 - any member
    """Return the grant that this partner asks for: three persons with two parents, for ten days."""
    issued = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
    members: dict[str, Any] = {
        "id": secrets.token_hex(16),
        "organisation": partner.oin,
        "custodians": CUSTODIANS,
        "purpose": "verwijsindex",
        "elements": {"nlbsn": 3, "fam": 2},
        "issued_on": issued,
        "expires_on": issued + datetime.timedelta(days=10),
    }
    return Grant(**{**members, **changed})


def grant_text(
    partner: SimulatedPartner,
    grant: Grant,
    *,
    people: Sequence[tuple[str, str]] = (("anna", "worker"), ("carla", "approver")),
    at: int = START_S,
) -> bytes:
    """Return the grant as these people of the partner, by local name and role, stated it."""
    signed = SignedGrant(grant=grant)
    for name, role in people:
        signed = signed.stated_by(Signer(sub=partner.sub(name, BROKER), role=role, at=at), partner.key)
    return signed.encode()


def accept_grant(path: Path, text: bytes, *, now: int) -> Grant:
    """Accept a grant at the custodian of this folder. Raises what `accept` raises."""
    custodian = Settings.load(path).id
    with folder.open_trust(path) as (store, trust):
        return grants.accept(store, trust.current(), text, custodian=custodian, now=now)


def authorization(
    partner: SimulatedPartner,
    body: bytes,
    *,
    custodian: str,
    now: int,
    url: str | None = None,
    worker: str = "anna",
    **claims: Any,  # noqa: ANN401 - claims a test wants to be otherwise
) -> str:
    """Return the header under which this worker sends this body to this custodian."""
    sender = Sender(
        organisation=partner.oin,
        worker=claims.pop("sub", partner.sub(worker, custodian)),
        role=claims.pop("role", "worker"),
        parent_org=claims.pop("parent_org", partner.parent_org),
    )
    target = Target(audience=custodian, method="POST", url=url or public_url(custodian) + PATH)
    jti = claims.pop("jti", secrets.token_hex(16))
    key = claims.pop("key", partner.key)
    return "Sluis " + sign_request(key, sender=sender, target=target, body=body, jti=jti, now=now, **claims)


def public_url(custodian: str) -> str:
    """Return the address that partners use for a custodian."""
    return f"https://{custodian}"


def make_folder(path: Path, custodian: str, *, bind: str = "127.0.0.1:0", url: str | None = None) -> Path:
    """Return a new custodian's folder, with a signing key that is the same in every run."""
    key = seeded_key(custodian)
    settings = Settings(
        id=custodian,
        public_url=url or public_url(custodian),
        bind=bind,
        broker_id=BROKER,
        registrars=tuple(Registrar(**registrar.public.jwk()) for registrar in REGISTRARS),
    )
    folder.create(path, settings, json.dumps(key.public.jwk()), key)
    return path


def hold_ceremony(first: Path, second: Path, *, epoch: int = EPOCH, families: Sequence[Family] = FAMILIES) -> bytes:
    """Return the epoch document of both custodians, after a whole key ceremony between their folders."""
    folders = dict(zip(CUSTODIANS, (first, second), strict=True))
    promised = {
        name: ceremony.commit(path, custodian=name, epoch=epoch, families=families) for name, path in folders.items()
    }
    peer = dict(zip(CUSTODIANS, reversed(CUSTODIANS), strict=True))
    opened = {name: ceremony.open_shares(path, peer_commitments=promised[peer[name]]) for name, path in folders.items()}
    signed = [
        ceremony.finish(
            path,
            peer_commitments=promised[peer[name]],
            peer_openings=opened[peer[name]],
            key=folder.signing_key(path),
        )
        for name, path in folders.items()
    ]
    return ceremony.join(signed)


def enrol_all(path: Path, partners: Sequence[SimulatedPartner], *, now: int, number: int = 1) -> None:
    """Enrol every partner at the custodian of this folder, after its register was imported."""
    audience = Settings.load(path).id
    with folder.open_trust(path) as (_, trust):
        for partner in partners:
            trust.enrol(partner.oin, partner.roster(audience, number=number), now=now)


def import_register(path: Path, text: bytes, *, now: int) -> None:
    """Take a register into force at the custodian of this folder."""
    with folder.open_trust(path) as (_, trust):
        trust.import_register(text, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianPair:
    """Both custodians, open in this thread."""

    folders: tuple[Path, Path]
    custodians: tuple[Custodian, Custodian]
    epoch_text: bytes
    clock: SteppedClock

    @property
    def epochs(self) -> EpochDocument:
        """The epoch document that both signed."""
        return EpochDocument.from_mapping(SignedDocument.parse(self.epoch_text, schema=SCHEMA).document)

    def ask(self, at: int, partner: SimulatedPartner, body: bytes, **claims: Any) -> EvaluationAnswer:  # noqa: ANN401 - any claim
        """Return what custodian `at` (0 or 1) answers to this body. Raises what `evaluate` raises."""
        custodian = self.custodians[at]
        header = authorization(partner, body, custodian=custodian.settings.id, now=self.clock.now, **claims)
        return EvaluationAnswer.model_validate_json(evaluate(custodian, authorization=header, body=body))

    def evaluate(self, partner: SimulatedPartner, body: bytes) -> dict[str, EvaluationAnswer]:
        """Return the answers of both, by custodian id."""
        return {name: self.ask(at, partner, body) for at, name in enumerate(CUSTODIANS)}


def evaluation_of(item: FamilyAnswers) -> Evaluation:
    """Return one custodian's answers for one family, as the token code takes them."""
    proof = b64url_bytes(item.proof, field="proof", length=64)
    return Evaluation(answers=tuple(Point(token.value) for token in item.points), proof=proof)


def evaluations(answers: Mapping[str, EvaluationAnswer], family: str) -> dict[str, Evaluation]:
    """Return both custodians' answers for one family, ready to be verified and combined."""
    from_wire = {
        name: next(item for item in answer.families if item.family == family) for name, answer in answers.items()
    }
    return {name: evaluation_of(item) for name, item in from_wire.items()}


@contextmanager
def custodian_pair(
    path: Path,
    partners: Sequence[SimulatedPartner],
    *,
    budgets: Mapping[str, BudgetClass] | None = None,
    clock: SteppedClock | None = None,
) -> Iterator[CustodianPair]:
    """Hold two custodians that made their key together and enrolled these partners."""
    clock = clock or SteppedClock()
    epoch_text = make_pair(path, partners, budgets=budgets, now=clock.now)
    with open_pair(path, epoch_text, clock=clock) as made:
        yield made


def make_pair(
    path: Path, partners: Sequence[SimulatedPartner], *, budgets: Mapping[str, BudgetClass] | None = None, now: int
) -> bytes:
    """Return the epoch document of two new custodians in this folder, which enrolled these partners."""
    first, second = (make_folder(path / name.partition(".")[0], name) for name in CUSTODIANS)
    epoch_text = hold_ceremony(first, second)
    for at in (first, second):
        import_register(at, register_text(partners, budgets=budgets), now=now)
        enrol_all(at, partners, now=now)
    return epoch_text


@contextmanager
def open_pair(path: Path, epoch_text: bytes, *, clock: SteppedClock) -> Iterator[CustodianPair]:
    """Hold the two custodians in this folder open."""
    first, second = (path / name.partition(".")[0] for name in CUSTODIANS)
    with ExitStack() as stack:
        a, b = (stack.enter_context(folder.open_custodian(at, clock=clock)) for at in (first, second))
        yield CustodianPair(folders=(first, second), custodians=(a, b), epoch_text=epoch_text, clock=clock)
