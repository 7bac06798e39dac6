"""A partner's side of the broker's API without its custodians' network: bodies, tokens, tickets and signatures.

Tokens are points made from a label, tickets are signed with the keys of custodians from fixed seeds: all repeatable.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.protocol.epochs import EpochDocument
from broker.protocol.families import Family
from broker.protocol.own_ids import CHANCE_BYTES, own_id
from broker.protocol.request_signing import Target
from broker.protocol.ristretto import group
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey, b64url
from broker.protocol.tickets import FamilyCount, Ticket, sign_ticket
from tests.simulators.enrolled import key, request_token, worker_id
from tests.simulators.two_custodians import NAMES, TwoCustodians
from tests.simulators.two_refreshes import TwoRefreshes

BROKER = "broker.demo.sluis.test"
PUBLIC_URL = "http://broker.demo.sluis.test"
EPOCH = 1


def token(label: str, family: Family = Family.NLBSN) -> str:
    """Return the wire token that this label always has in this family."""
    return b64url(group().from_hash(hashlib.sha512(f"{family.value} {label}".encode()).digest()))


def custodian_keys() -> dict[str, VerifyKey]:
    """Return the public keys of the two custodians."""
    return {name: key(name).public for name in NAMES}


def epoch_document(epoch: int = EPOCH) -> SignedDocument:
    """Return the descriptors of three families, signed by both custodians."""
    families = (Family.NLBSN, Family.FAM, Family.ADDR)
    descriptors = tuple(
        TwoCustodians(family=family, epoch=epoch, seed=seed).descriptor for seed, family in enumerate(families)
    )
    document = EpochDocument(epoch=epoch, descriptors=descriptors).to_mapping()
    signed = SignedDocument(document=document, signatures=())
    for name in NAMES:
        signed = signed.with_signature(name, key(name))
    return signed


def refreshed_epoch(refresh: int, *, seed: int = 0) -> SignedDocument:
    """Return the epoch of `epoch_document` after so many refreshes; another seed gives other keys, so no refresh."""
    descriptors = []
    for at, family in enumerate((Family.NLBSN, Family.FAM, Family.ADDR)):
        custodians = TwoCustodians(family=family, epoch=EPOCH, seed=at + seed)
        for number in range(1, refresh + 1):
            TwoRefreshes(custodians, number).take()
        descriptors.append(custodians.descriptor)
    document = EpochDocument(epoch=EPOCH, descriptors=tuple(descriptors), refresh=refresh).to_mapping()
    signed = SignedDocument(document=document, signatures=())
    for name in NAMES:
        signed = signed.with_signature(name, key(name))
    return signed


def household(
    *,
    subject: str | None,
    parents: Sequence[str] = (),
    members: Sequence[str] | None = None,
    address: str | None = None,
) -> dict[str, Any]:
    """Return the household of a body; with `members` it is that of a check."""
    made: dict[str, Any] = {
        "subject": None if subject is None else token(subject),
        "parents": [{"token": token(parent, Family.FAM), "source": "brp"} for parent in parents],
        "address": None if address is None else token(address, Family.ADDR),
    }
    return made if members is None else {**made, "members": [token(member) for member in members]}


def _ids(seed: str) -> Iterator[str]:
    number = 0
    while True:
        yield hashlib.sha256(f"{seed} {number}".encode()).hexdigest()[:32]
        number += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One signed request, ready to be posted."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Asker:
    """One organisation's worker, who signs what he sends; `now` is the clock's unix seconds."""

    oin: str
    now: int
    purpose: str = "proefregio"
    ground: str = "TEST-PROEFREGIO"
    seed: str = ""
    role: str = "worker"
    _next: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        """Start the row of ids that this seed gives."""
        self._next = _ids(f"{self.oin} {self.seed}")

    def id(self) -> str:
        """Return the next id, of this organisation's own making."""
        return own_id(self.oin, bytes.fromhex(next(self._next))[:CHANCE_BYTES])

    def tickets(
        self,
        operation: str,
        household: Mapping[str, Any],
        *,
        epoch: int = EPOCH,
        issued_at: int | None = None,
        grants: Sequence[str | None] = (None, None),
        lifetime_s: int = 600,
        purpose: str = "",
        worker: str = "",
    ) -> list[str]:
        """Return one ticket of each custodian that covers the tokens of a household; `grants` one of each."""
        issued = self.now if issued_at is None else issued_at
        people = [household["subject"], *household.get("members", [])]
        counts = {
            "nlbsn": len([person for person in people if person is not None]),
            "fam": len(household["parents"]),
            "addr": 0 if household["address"] is None else 1,
        }
        families = {name: FamilyCount(real=real, answers_sha256="0" * 64) for name, real in counts.items() if real} or {
            "nlbsn": FamilyCount(real=0, answers_sha256="0" * 64)
        }
        batch = self.id()
        return [
            sign_ticket(
                key(custodian),
                Ticket(
                    custodian=custodian,
                    broker=BROKER,
                    organisation=self.oin,
                    worker=worker or worker_id(self.oin, "worker"),
                    operation=operation,
                    purpose=purpose or self.purpose,
                    epoch=epoch,
                    families=families,
                    batch=batch,
                    id=self.id(),
                    issued_at=issued,
                    expires_at=issued + lifetime_s,
                    grant=grant,
                ),
            )
            for custodian, grant in zip(NAMES, grants, strict=True)
        ]

    def command(self, **members: object) -> dict[str, Any]:
        """Return the members every body has, and these."""
        return {"idempotencyKey": self.id(), "controller": self.oin, "caseRef": None, **members}

    def registration(self, household: Mapping[str, Any], **changed: object) -> dict[str, Any]:
        """Return the body that registers a signal on a household."""
        body = self.command(
            purpose=self.purpose,
            grounds=[self.ground],
            team="team-1",
            epoch=EPOCH,
            household=household,
            endsOn="2027-06-01",
            ageQuarter=None,
            assessment=None,
            informing=None,
            tickets=self.tickets("register", household),
        )
        return {**body, **changed}

    def check(self, household: Mapping[str, Any], **changed: object) -> dict[str, Any]:
        """Return the body that checks a household."""
        body = self.command(
            purpose=self.purpose,
            grounds=[self.ground],
            team="team-1",
            epoch=EPOCH,
            household=household,
            tickets=self.tickets("check", household),
        )
        return {**body, **changed}

    def post(self, path: str, body: Mapping[str, Any] | bytes, *, approved: bool = False, jti: str = "") -> Sent:
        """Return a POST of this body, signed by the worker and, if asked, approved by the approver."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._sent("POST", path, raw, approved=approved, jti=jti)

    def get(self, path: str) -> Sent:
        """Return a signed GET."""
        return self._sent("GET", path, b"", approved=False, jti="")

    def _sent(self, method: str, path: str, body: bytes, *, approved: bool, jti: str) -> Sent:
        target = Target(audience=BROKER, method=method, url=PUBLIC_URL + path)
        signed = request_token(self.oin, target=target, body=body, jti=jti or self.id(), now=self.now, role=self.role)
        headers = {"Authorization": f"Sluis {signed}", "Content-Type": "application/json"}
        if approved:
            headers["Sluis-Approval"] = request_token(
                self.oin, target=target, body=body, jti=self.id(), now=self.now, role="approver", approval=True
            )
        return Sent(method=method, path=path, body=body, headers=headers)
