"""The broker's twin for tests of partners: answers, entries and receipts as docs/formats.md has them, state in memory.

It has no policy: everybody may ask and sees every hit of others, unless `refuse` or `fail` says otherwise.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import rfc8785

from broker.protocol import strict_json
from broker.protocol.errors import RequestTokenError, TicketError
from broker.protocol.messages import SIGNALS_PER_PAGE, CheckHousehold, RegisterSignal, RenewSignal, WithdrawSignal
from broker.protocol.problems import Problem, problem
from broker.protocol.register import Register
from broker.protocol.request_signing import APPROVAL_TYP, SignedRequest, Target, verify_request
from broker.protocol.tickets import Ticket, TicketUse, verify_ticket
from tests.simulators.custodian import CUSTODIANS, SteppedClock, seeded_key
from tests.unit.audit.log_simulator import LogInFolder, sealed, witness_key

BUNDLE = hashlib.sha256(b"a bundle").hexdigest()
KINDS = ("person", "member", "family", "address")
MUTE = 12


@dataclass(slots=True, kw_only=True)
class _Signal:
    id: str
    organisation: str
    purpose: str
    team: str
    ends_on: str
    case_ref: str | None
    subject: bytes
    parents: frozenset[bytes]
    address: bytes | None
    state: str = "active"

    def same_as(self, other: "_Signal") -> bool:
        """Whether both are active signals of one organisation on one person, which must never be."""
        return (self.organisation, self.subject, self.state) == (other.organisation, other.subject, "active")

    def wire(self) -> dict[str, Any]:
        return {
            "signalId": self.id,
            "purpose": self.purpose,
            "team": self.team,
            "state": self.state,
            "endsOn": self.ends_on,
            "caseRef": self.case_ref,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    organisation: str
    subject: bytes | None
    members: frozenset[bytes]
    parents: frozenset[bytes]
    address: bytes | None


@dataclass(slots=True, kw_only=True)
class BrokerTwin:
    """`refuse` answers the next requests, `fail` records the next one as an error, `cosign` asks the witness.

    `doubled` counts signals that an organisation had twice on one person. Workers in `left` are on no roster any more.
    """

    log: LogInFolder
    register: Register
    clock: SteppedClock
    url: str
    broker_id: str
    refuse: Problem | None = None
    fail: bool = False
    cosign: bool = True
    doubled: int = 0
    changed_since: bool = False
    signals: list[_Signal] = field(default_factory=list)
    page: int = SIGNALS_PER_PAGE
    repeats_pages: bool = False
    answers: dict[tuple[str, str], tuple[str, str, int, dict[str, Any]]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    spent: set[tuple[str, str]] = field(default_factory=set)
    jtis: set[str] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)

    def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Return what the broker answers to this request."""
        self.bodies.append(body)
        try:
            asker = self._asker(request, body)
            if asker.sender.worker in self.left:
                return _problem(problem("worker-unknown"))
            path = request.url.path
            if path.startswith("/v1/answers/"):
                return self._stored(asker, path.rpartition("/")[2])
            if request.method == "GET":
                return self._listed(asker, request.url.params.get("after", ""))
            return self._command(asker, path, strict_json.load_object(body))
        except RequestTokenError as error:
            return _problem(problem(error.code))
        except TicketError as error:
            return _problem(problem(error.code))

    def _asker(self, request: httpx.Request, body: bytes) -> SignedRequest:
        approval = request.headers.get("sluis-approval")
        if approval is not None:
            self._verified(request, body, approval, typ=APPROVAL_TYP)
        return self._verified(request, body, request.headers["authorization"])

    def _verified(self, request: httpx.Request, body: bytes, header: str, **typ: str) -> SignedRequest:
        statement = verify_request(
            header.removeprefix("Sluis "),
            key_of=self.register.signing_key,
            target=Target(audience=self.broker_id, method=request.method, url=str(request.url)),
            body=body,
            now=self.clock.now,
            **typ,
        )
        if statement.jti in self.jtis:
            raise RequestTokenError("request-token-replayed")
        self.jtis.add(statement.jti)
        return statement

    def _stored(self, asker: SignedRequest, key: str) -> httpx.Response:
        found = self.answers.get((asker.sender.organisation, key))
        # A worker reads his own answers only.
        if found is None or found[0] != asker.sender.worker:
            return _problem(problem("not-found"))
        _, _, status, document = found
        return self._again(status, document)

    def _again(self, status: int, document: dict[str, Any]) -> httpx.Response:
        if self.changed_since and status == httpx.codes.OK:
            stale = problem("answer-withheld-on-replay").document()
            receipt = document["receipt"]
            openings = {"actor": receipt["openings"]["actor"]}
            stale |= {"receipt": receipt | {"openings": openings}, "signalId": document["result"]["signalId"]}
            return httpx.Response(409, content=json.dumps(stale))
        return httpx.Response(status, content=json.dumps(document))

    def _command(self, asker: SignedRequest, path: str, members: dict[str, Any]) -> httpx.Response:
        sha256 = _sha256({name: value for name, value in members.items() if name != "tickets"})
        key = (asker.sender.organisation, members["idempotencyKey"])
        if key in self.answers:
            worker, first, status, document = self.answers[key]
            same = (worker, first) == (asker.sender.worker, sha256)
            return self._again(status, document) if same else _problem(problem("idempotency-key-reused"))
        kind = "check" if path == "/v1/household-checks" else "signal"
        tickets = self._tickets(asker, members, "check" if kind == "check" else "register")
        if self.fail:
            self.fail = False
            document = problem("not-done").document()
            receipt = self._entry(asker, kind, sha256, document, outcome="error", tickets=[])
            return httpx.Response(503, content=json.dumps(document | {"receipt": receipt}))
        if any((ticket.custodian, ticket.id) in self.spent for ticket in tickets):
            return _problem(problem("ticket-spent"))
        self.spent |= {(ticket.custodian, ticket.id) for ticket in tickets}
        if self.refuse is not None:
            document = self.refuse.document()
            status = self.refuse.kind.status
            receipt = self._entry(asker, kind, sha256, document, outcome="refused", tickets=tickets)
            document |= {"receipt": receipt}
        else:
            imported = any(ticket.grant is not None for ticket in tickets)
            result = self._carried_out(asker, path, members, imported=imported)
            receipt = self._entry(asker, kind, sha256, result, outcome=result["outcome"], tickets=tickets)
            document, status = {"result": result, "receipt": receipt, "padding": "0" * 64}, 200
        self.answers[key] = (asker.sender.worker, sha256, status, document)
        return httpx.Response(status, content=json.dumps(document))

    def _tickets(self, asker: SignedRequest, members: Mapping[str, Any], operation: str) -> list[Ticket]:
        if "household" not in members:
            return []
        household = members["household"]
        persons = [household["subject"], *household.get("members", [])]
        counts = {
            "nlbsn": sum(person is not None for person in persons),
            "fam": len(household["parents"]),
            "addr": int(household["address"] is not None),
        }
        use = TicketUse(
            broker=self.broker_id,
            organisation=asker.sender.organisation,
            worker=asker.sender.worker,
            operation=operation,
            purpose=members["purpose"],
            epoch=members["epoch"],
            counts={family: count for family, count in counts.items() if count},
        )
        keys = {custodian: seeded_key(custodian).public for custodian in CUSTODIANS}
        tickets = [verify_ticket(text, keys=keys, use=use, now=self.clock.now) for text in members["tickets"]]
        if {ticket.custodian for ticket in tickets} != set(CUSTODIANS):
            raise TicketError("ticket-missing")
        return tickets

    def _carried_out(
        self, asker: SignedRequest, path: str, members: dict[str, Any], *, imported: bool
    ) -> dict[str, Any]:
        oin = asker.sender.organisation
        if path == "/v1/signals":
            command = RegisterSignal.model_validate(members)
            signal = _Signal(
                id=members["idempotencyKey"][::-1],
                organisation=oin,
                purpose=command.purpose,
                team=command.team,
                ends_on=members["endsOn"],
                case_ref=command.case_ref,
                subject=command.household.subject.value,
                parents=frozenset(parent.token.value for parent in command.household.parents),
                address=command.household.address.value if command.household.address else None,
            )
            if any(one.same_as(signal) for one in self.signals):
                self.doubled += 1
            self.signals.append(signal)
            if imported:
                return _result("done", "signal.stored_import", signal_id=signal.id)
            question = _Question(
                organisation=oin,
                subject=signal.subject,
                members=frozenset(),
                parents=signal.parents,
                address=signal.address,
            )
            return self._shown(question, none="signal.stored", some="signal.stored_shown", signal_id=signal.id)
        if path == "/v1/household-checks":
            asked = CheckHousehold.model_validate(members).household
            question = _Question(
                organisation=oin,
                subject=asked.subject.value if asked.subject else None,
                members=frozenset(member.value for member in asked.members),
                parents=frozenset(parent.token.value for parent in asked.parents),
                address=asked.address.value if asked.address else None,
            )
            return self._shown(question, none="check.nothing", some="check.shown", signal_id=None)
        signal_id, _, verb = path.removeprefix("/v1/signals/").partition("/")
        found = next(signal for signal in self.signals if (signal.id, signal.organisation) == (signal_id, oin))
        if verb == "renewal":
            found.ends_on = RenewSignal.model_validate(members).ends_on.isoformat()
            return _result("done", "signal.renewed", signal_id=signal_id)
        WithdrawSignal.model_validate(members)
        found.state = "withdrawn"
        return _result("done", "signal.withdrawn", signal_id=signal_id)

    def _shown(self, question: _Question, *, none: str, some: str, signal_id: str | None) -> dict[str, Any]:
        strongest: dict[tuple[str, str], str] = {}
        for signal in self.signals:
            kind = self._kind(question, signal)
            if kind is not None:
                holder = (signal.organisation, signal.team)
                strongest[holder] = min(strongest.get(holder, kind), kind, key=KINDS.index)
        rows = [
            {"kind": kind, "level": 2, "holder": self._holder(oin, team)} for (oin, team), kind in strongest.items()
        ]
        registering = signal_id is not None
        outcome = "shown" if rows else "done" if registering else "nothing"
        return _result(outcome, some if rows else none, signal_id=signal_id, matches=rows)

    def _kind(self, question: _Question, signal: _Signal) -> str | None:
        if signal.organisation == question.organisation or signal.state != "active":
            return None
        if signal.subject == question.subject:
            return "person"
        if signal.subject in question.members:
            return "member"
        if signal.parents & question.parents:
            return "family"
        same = signal.address is not None and signal.address == question.address
        return "address" if same and self._crowd(question) <= MUTE else None

    def _crowd(self, question: _Question) -> int:
        others = (one for one in self.signals if one.organisation != question.organisation and one.state == "active")
        return sum(one.address == question.address and one.subject != question.subject for one in others)

    def _holder(self, oin: str, team: str) -> dict[str, Any]:
        contact = {
            "displayName": "Team Noord",
            "phone": "026 1234567",
            "workingDays": "ma-vr",
            "afterHoursPhone": None,
            "standIn": None,
        }
        return {"oin": oin, "name": self.register.organisations[oin].name, "team": team, "contact": contact}

    def _listed(self, asker: SignedRequest, after: str) -> httpx.Response:
        own = [signal for signal in self.signals if signal.organisation == asker.sender.organisation]
        page = sorted(
            (signal for signal in own if self.repeats_pages or signal.id > after), key=lambda signal: signal.id
        )[: self.page]
        result = _result("done", "signal.list", signal_id=None) | {"signals": [signal.wire() for signal in page]}
        receipt = self._entry(asker, "read", hashlib.sha256(b"").hexdigest(), result, outcome="done", tickets=[])
        return httpx.Response(200, content=json.dumps({"result": result, "receipt": receipt, "padding": ""}))

    def _entry(
        self,
        asker: SignedRequest,
        kind: str,
        sha256: str,
        told: Mapping[str, Any],
        *,
        outcome: str,
        tickets: list[Ticket],
    ) -> dict[str, object]:
        meta = {
            "schema": "entry-meta/v1",
            "request": {"sha256": sha256},
            "bundle": BUNDLE,
            "decision": {"rule": "proef-1", "ground": "PROEF"},
            "outcome": outcome,
            "shown": [
                {"oin": row["holder"]["oin"], "team": row["holder"]["team"], "kind": row["kind"], "level": row["level"]}
                for row in told.get("matches", [])
            ],
            "result_sha256": _sha256(told),
        }
        actor = {
            "schema": "entry-actor/v1",
            "organisation": asker.sender.organisation,
            "worker": asker.sender.worker,
            "jti": asker.jti,
            "tickets": [{"custodian": ticket.custodian, "id": ticket.id} for ticket in tickets],
        }
        appended = self.log.tick(sealed(kind, meta=meta, actor=actor))
        lines = [witness_key().sign(appended.checkpoint.encode(), time=self.clock.now)] if self.cosign else []
        since = None if self.cosign else self.clock.now
        return appended.receipt(0, cosignatures=lines, uncosigned_since=since).to_wire()


def _result(
    outcome: str, text: str, *, signal_id: str | None, matches: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "schema": "result/v1",
        "outcome": outcome,
        "signalId": signal_id,
        "matches": matches or [],
        "signals": None,
        "text": {"id": text, "params": {}},
    }


def _sha256(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(dict(value))).hexdigest()


def _problem(found: Problem) -> httpx.Response:
    return httpx.Response(found.kind.status, content=json.dumps(found.document()))
