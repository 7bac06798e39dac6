"""A command reaches the broker once: kept sealed until its receipt is verified, then forgotten (D2, red line 13)."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.messages import Result, TextRef
from connectors.answers import Outcome, ProblemDocument, VerifiedEntry, rendered
from connectors.casebook import Casebook, OwnSignal
from connectors.errors import NotDoneError, ReceiptError, RefusedError
from connectors.evaluation import reissue, ticket_id
from connectors.exchange import MAX_ANSWER, Exchange, Reply
from connectors.folder import PartnerFolder
from connectors.outbox import Command, Outbox
from connectors.receipts import NO_BODY_SHA256, Expected, digest, request_digest, store_receipt, verify_answer
from connectors.workers import pairwise_id

_OK, _NOT_FOUND, _SERVER_ERROR = 200, 404, 500
_REPLAYED = "answer-withheld-on-replay"
_RENEWABLE = frozenset({"ticket-expired"})
_STATES = {"withdraw": "withdrawn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer of the broker with its receipt still to be verified."""

    result: Result
    members: Mapping[str, Any]
    receipt: object


class Delivery:
    """Sends commands and reads; the only place where an answer becomes an outcome."""

    def __init__(self, folder: PartnerFolder, exchange: Exchange, outbox: Outbox, book: Casebook) -> None:
        self._folder = folder
        self._exchange = exchange
        self._outbox = outbox
        self._book = book

    async def send(self, command: Command) -> Outcome:
        """Return the outcome of a new command.

        Raises:
            RefusedError: the broker refused; the command is forgotten.
            NotDoneError: nobody knows; the command waits in the outbox.
            ReceiptError: the answer is not shown; the command waits in the outbox.
        """
        # (1) Durable and sealed before a byte of it leaves.
        self._outbox.put(command, now=self._exchange.surroundings.now())
        return await self._post(command)

    async def resume(self, command: Command) -> Outcome:
        """Return the outcome of a waiting command: asked for by its key, else sent again. Raises as `send`."""
        # (1) Was it carried out after all?
        path = f"/v1/answers/{command.key}"
        reply = await self._ask(command, path, method="GET", body=b"")
        if reply.status != _NOT_FOUND:
            return self._concluded(command, reply)
        # (2) It was not: the same command again, with tickets of the batch that was charged already.
        return await self._post(await self._renewed(command))

    async def read(self, path: str, *, worker: str) -> Outcome:
        """Return what the broker lists. Raises RefusedError, NotDoneError, ReceiptError."""
        reply = await self._exchange.send(self._folder.settings.broker, path, method="GET", body=b"", worker=worker)
        command = Command(
            key="",
            kind="read",
            effect="read",
            path=path,
            worker=worker,
            approver=None,
            body={},
            tickets=(),
            evaluation="",
            local={},
        )  # fmt: skip - one value after another, none of them worth a line
        return self._outcome(command, reply)

    async def _post(self, command: Command) -> Outcome:
        # (2) One request; its answer decides what becomes of the command.
        reply = await self._ask(command, command.path, method="POST", body=_body(command))
        problem = _problem(reply)
        if problem is not None and problem.id in _RENEWABLE and command.evaluation:
            renewed = await self._renewed(command)
            reply = await self._ask(renewed, renewed.path, method="POST", body=_body(renewed))
            return self._concluded(renewed, reply)
        return self._concluded(command, reply)

    async def _ask(self, command: Command, path: str, *, method: str, body: bytes) -> Reply:
        try:
            return await self._exchange.send(
                self._folder.settings.broker,
                path,
                method=method,
                body=body,
                worker=command.worker,
                approver=command.approver if method == "POST" else None,
            )
        except NotDoneError as error:
            raise NotDoneError(error.problem_id, party=error.party, key=command.key) from None

    async def _renewed(self, command: Command) -> Command:
        if not command.evaluation:
            return command
        try:
            tickets = await reissue(self._exchange, self._folder, command.evaluation, worker=command.worker)
        except RefusedError:
            # The broker has not carried it out, and without tickets it never will.
            self._outbox.delete(command.key)
            raise
        renewed = replace(command, tickets=tickets)
        self._outbox.put(renewed, now=self._exchange.surroundings.now())
        return renewed

    def _concluded(self, command: Command, reply: Reply) -> Outcome:
        """Return the outcome and forget the command, unless nobody can tell yet what became of it."""
        try:
            outcome = self._outcome(command, reply)
        except RefusedError:
            self._outbox.delete(command.key)
            raise
        # (5) The effect is in the own books before the command is forgotten.
        self._note(command, outcome)
        self._outbox.delete(command.key)
        return outcome

    def _outcome(self, command: Command, reply: Reply) -> Outcome:
        problem = _problem(reply)
        if problem is not None:
            return self._problem_outcome(command, problem)
        answer = _answer(command, reply)
        # (3) Nothing is shown before the receipt holds for this request and this answer, (4) and is kept.
        entry = self._verified(command, answer.receipt, answer=answer.members, shown=digest(answer.members))
        result = answer.result
        return Outcome(
            row=command.local.get("row") or "",
            outcome=result.outcome,
            text_nl=_text(result.text),
            matches=tuple(result.matches),
            signal_id=result.signal_id,
            signals=tuple(result.signals or ()),
            receipts=(entry,),
        )

    def _problem_outcome(self, command: Command, problem: ProblemDocument) -> Outcome:
        """Raise what the problem means; a replay whose answer was withheld was carried out."""
        members = {name: value for name, value in problem.members.items() if name != "receipt"}
        if problem.id == _REPLAYED:
            entry = self._verified(command, problem.receipt, answer=members, shown=None)
            return Outcome(
                row=command.local.get("row") or "",
                outcome="done",
                text_nl=problem.text_nl,
                matches=(),
                signal_id=problem.signal_id,
                signals=(),
                receipts=(entry,),
            )
        broker, recorded = self._folder.settings.broker.id, None
        if problem.receipt is not None:
            recorded = self._verified(command, problem.receipt, answer=members, shown=digest(members))
        if problem.status >= _SERVER_ERROR:
            raise NotDoneError(_published(problem.id), party=broker, key=command.key or None, receipt=recorded)
        raise RefusedError(problem, party=broker, receipt=recorded)

    def _verified(
        self, command: Command, wire: object, *, answer: Mapping[str, Any], shown: str | None
    ) -> VerifiedEntry:
        expected = Expected(
            kind=command.kind,
            organisation=self._folder.settings.oin,
            worker=pairwise_id(
                self._folder.pairwise_key, audience=self._folder.settings.broker.id, local_id=command.worker
            ),
            request_sha256=request_digest(command.body) if command.body else NO_BODY_SHA256,
            shown_sha256=shown,
            tickets=frozenset(ticket_id(ticket) for ticket in command.tickets),
        )
        try:
            entry = verify_answer(wire, policy=self._folder.log_policy, expected=expected)
        except ReceiptError as error:
            raise ReceiptError(error.step, key=command.key or None) from None
        store_receipt(self._folder.receipts, entry, wire=wire, answer=answer, expected=expected)
        return entry

    def _note(self, command: Command, outcome: Outcome) -> None:
        case_ref, person_mac = command.local.get("case_ref"), command.local.get("person_mac")
        if command.effect == "register" and outcome.signal_id is not None:
            self._book.put_signal(
                OwnSignal(
                    signal_id=outcome.signal_id,
                    case_ref=case_ref,
                    purpose=command.body["purpose"],
                    team=command.body["team"],
                    ends_on=datetime.date.fromisoformat(command.body["endsOn"]),
                    state="active",
                    receipt=outcome.receipts[0].index,
                )
            )
            if case_ref is not None and person_mac is not None:
                self._book.put_person(case_ref, bytes.fromhex(person_mac))
        signal_id = command.local.get("signal_id")
        if signal_id is not None:
            ends_on = command.body.get("endsOn")
            self._book.change_signal(
                signal_id,
                state=_STATES.get(command.effect),
                ends_on=None if ends_on is None else datetime.date.fromisoformat(ends_on),
            )


def _body(command: Command) -> bytes:
    members = dict(command.body)
    if command.evaluation:
        members["tickets"] = list(command.tickets)
    return json.dumps(members, separators=(",", ":")).encode()


def _problem(reply: Reply) -> ProblemDocument | None:
    return None if reply.status == _OK else ProblemDocument.parse(reply.body, status=reply.status)


def _answer(command: Command, reply: Reply) -> _Answer:
    """Return the parts of an answer; what is no answer of a broker is an outage."""
    outage = NotDoneError("not-done", key=command.key or None)
    if reply.status != _OK:
        raise outage
    try:
        members = strict_json.load_object(reply.body, max_bytes=MAX_ANSWER)
        result = members["result"]
        return _Answer(result=Result.model_validate(result), members=result, receipt=members["receipt"])
    except (MalformedError, ValidationError, LookupError):
        raise outage from None


def _text(text: TextRef) -> str:
    return rendered(text.id, text.params, otherwise=text.id)


def _published(problem_id: str) -> str:
    """Return the id where it is a published outage, else the general one."""
    known = {"storage-unavailable", "log-unavailable", "custodian-unreachable", "not-done"}
    return problem_id if problem_id in known else "not-done"
