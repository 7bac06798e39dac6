"""A partner that really blinds, asks both custodians, combines, signs and posts; without a folder or an outbox."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from broker.protocol.epochs import SCHEMA, EpochDocument
from broker.protocol.families import Family
from broker.protocol.messages import EvaluationAnswer, FamilyAnswers
from broker.protocol.request_signing import Target
from broker.protocol.ristretto import Point
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import b64url, b64url_bytes
from broker.protocol.tokens import Blinded, Evaluation, Identifier, blind, random_points, verify_and_combine
from tests.simulators.enrolled import request_token

BATCHES = (8, 16, 32)
PATIENCE_S = 60.0
"""Seconds to wait for an answer: a slow machine answers late, and that is no failure."""


def padding_of(real: int) -> int:
    """Return how many random points make a batch of the smallest size that holds the real ones."""
    return next(size for size in BATCHES if size >= real) - real


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What two custodians made of a household: wire tokens per family in the order asked, and one ticket of each."""

    tokens: Mapping[Family, Sequence[str]]
    tickets: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One evaluation request with what is needed to read its answers."""

    operation: str
    blinds: Mapping[Family, Sequence[Blinded]]
    padding: Mapping[Family, Sequence[Point]]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WirePartner:
    """One organisation's worker on the network. `broker` is (id, url), `custodians` id -> url."""

    oin: str
    broker: tuple[str, str]
    custodians: Mapping[str, str]
    epoch: bytes
    purpose: str = "proefregio"
    ground: str = "TEST-PROEFREGIO"
    key_name: str = ""
    client: httpx.Client | None = None
    """Keeps connections open; without one each request opens its own."""
    worker: str = ""
    """Who asks, where it is not the organisation's first worker."""
    role: str = "worker"
    parent_org: str | None = None
    """Of which organisation it says that it is part."""
    clock: Callable[[], float] = time.time

    def ask(
        self, party: str, url: str, method: str, path: str, body: bytes = b"", *, jti: str = "", approved: bool = False
    ) -> httpx.Response:
        """Return what a party answers to one signed request."""
        target = Target(audience=party, method=method, url=url + path)
        now = int(self.clock())
        jti = jti or secrets.token_hex(16)
        signed = request_token(
            self.oin, target=target, body=body, now=now, jti=jti, key_name=self.key_name, worker=self.worker,
            role=self.role, parent_org=self.parent_org,
        )  # fmt: skip
        headers = {"Authorization": f"Sluis {signed}", "Content-Type": "application/json"}
        if approved:
            again = secrets.token_hex(16)
            headers["Sluis-Approval"] = request_token(
                self.oin, target=target, body=body, now=now, jti=again, role="approver", approval=True,
                parent_org=self.parent_org,
            )  # fmt: skip
        send = httpx.request if self.client is None else self.client.request
        return send(method, url + path, content=body, headers=headers, timeout=PATIENCE_S)

    def post(self, path: str, body: Mapping[str, Any], *, approved: bool = False, jti: str = "") -> httpx.Response:
        """Return the broker's answer to a signed POST."""
        raw = json.dumps(body).encode()
        return self.ask(*self.broker, "POST", path, raw, jti=jti, approved=approved)

    def get(self, path: str) -> httpx.Response:
        """Return the broker's answer to a signed GET."""
        return self.ask(*self.broker, "GET", path)

    def evaluate(self, operation: str, identifiers: Mapping[Family, Sequence[str]]) -> Tokens:
        """Return the tokens of these identifiers, both custodians' proofs verified."""
        batch = self.blinded(operation, identifiers)
        return self.combined(batch, {custodian: self.evaluated(custodian, batch) for custodian in self.custodians})

    def blinded(self, operation: str, identifiers: Mapping[Family, Sequence[str]]) -> Batch:
        """Return the request that both custodians get, which may be sent again as it is."""
        blinds = {
            family: [blind(_identifier(family, value), secrets.token_bytes) for value in values]
            for family, values in identifiers.items()
            if values
        }
        padding = {
            family: random_points(padding_of(len(blinded)), secrets.token_bytes) for family, blinded in blinds.items()
        }
        body = json.dumps(self.evaluation(operation, blinds, padding)).encode()
        return Batch(operation=operation, blinds=blinds, padding=padding, body=body)

    def evaluated(self, custodian: str, batch: Batch) -> EvaluationAnswer:
        """Return what one custodian answers. Raises httpx.HTTPError: it did not."""
        answer = self.ask(custodian, self.custodians[custodian], "POST", "/v1/evaluations", batch.body)
        return EvaluationAnswer.model_validate(answer.raise_for_status().json(), by_alias=True)

    def combined(self, batch: Batch, answers: Mapping[str, EvaluationAnswer]) -> Tokens:
        """Return the tokens that the custodians' answers give, their proofs verified."""
        document = EpochDocument.from_mapping(SignedDocument.parse(self.epoch, schema=SCHEMA).document)
        tokens = {
            family: verify_and_combine(
                blinded,
                {custodian: _evaluation_of(answer, family) for custodian, answer in answers.items()},
                document.descriptor(family),
                padding=batch.padding[family],
            )
            for family, blinded in batch.blinds.items()
        }
        wire = {family: [b64url(token.reveal()) for token in made] for family, made in tokens.items()}
        return Tokens(tokens=wire, tickets=[answer.ticket for answer in answers.values()])

    def register(self, *, subject: str, parents: Sequence[str] = (), approved: bool = False) -> httpx.Response:
        """Return the broker's answer to the registration of a signal on this subject."""
        return self.post("/v1/signals", self.registration(subject=subject, parents=parents), approved=approved)

    def registration(self, *, subject: str, parents: Sequence[str] = ()) -> dict[str, Any]:
        """Return the body that registers a signal on this subject."""
        return self.registering(self.evaluate("register", {Family.NLBSN: [subject], Family.FAM: parents}))

    def registering(self, made: Tokens) -> dict[str, Any]:
        """Return the body that registers a signal with these tokens."""
        return {
            **self._command(made),
            "household": _household(made),
            "endsOn": time.strftime("%Y-%m-%d", time.gmtime(self.clock() + 100 * 86_400)),
            "ageQuarter": None,
            "assessment": None,
            "informing": None,
        }

    def check(self, *, subject: str, parents: Sequence[str] = (), members: Sequence[str] = ()) -> httpx.Response:
        """Return the broker's answer to a check of this household."""
        made = self.evaluate("check", {Family.NLBSN: [subject, *members], Family.FAM: parents})
        return self.post("/v1/household-checks", self.checking(made))

    def checking(self, made: Tokens) -> dict[str, Any]:
        """Return the body that checks the household of these tokens."""
        others = list(made.tokens.get(Family.NLBSN, ()))[1:]
        return {**self._command(made), "proof": None, "household": {**_household(made), "members": others}}

    def _command(self, made: Tokens) -> dict[str, Any]:
        return {
            "idempotencyKey": secrets.token_hex(16),
            "controller": self.oin,
            "caseRef": None,
            "purpose": self.purpose,
            "grounds": [self.ground],
            "team": "team-1",
            "epoch": 1,
            "tickets": list(made.tickets),
        }

    def evaluation(
        self, operation: str, blinds: Mapping[Family, Sequence[Blinded]], padding: Mapping[Family, Sequence[Point]]
    ) -> dict[str, Any]:
        """Return the body of an evaluation request for these blinded points."""
        return {
            "batchId": secrets.token_hex(16),
            "operation": operation,
            "budgetClass": "check" if operation == "oproep" else operation,
            "purpose": self.purpose,
            "epoch": 1,
            "grantId": None,
            "families": [
                {
                    "family": family.value,
                    "real": len(blinded),
                    "points": [b64url(point) for point in (*(item.point for item in blinded), *padding[family])],
                }
                for family, blinded in blinds.items()
            ],
        }


def _household(made: Tokens) -> dict[str, Any]:
    parents = [{"token": token, "source": "brp"} for token in made.tokens.get(Family.FAM, ())]
    subject, address = (next(iter(made.tokens.get(family, ())), None) for family in (Family.NLBSN, Family.ADDR))
    return {"subject": subject, "parents": parents, "address": address}


def _identifier(family: Family, value: str) -> Identifier:
    """Return an identifier of a kind of our own; only a connector may make real ones."""
    return Identifier(family, f"{family.value} simulated {hashlib.sha256(value.encode()).hexdigest()}".encode())


def _evaluation_of(answer: EvaluationAnswer, family: Family) -> Evaluation:
    item: FamilyAnswers = next(item for item in answer.families if item.family == family.value)
    proof = b64url_bytes(item.proof, field="proof", length=64)
    return Evaluation(answers=tuple(Point(token.value) for token in item.points), proof=proof)
