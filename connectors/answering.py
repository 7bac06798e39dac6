"""From a reply to an outcome: nothing of an answer is believed before its receipt holds, and nothing is an outage."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import ValidationError

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.messages import Result, Telling, TextRef
from connectors.answers import Outcome, ProblemDocument, VerifiedEntry, rendered
from connectors.errors import HalfGrantedError, NotDoneError, ReceiptError, RefusedError
from connectors.evaluation import ticket_id
from connectors.exchange import MAX_ANSWER, Reply
from connectors.final_problems import OF_A_GRANT, RECORDED, REPLAYED, ends_command
from connectors.folder import PartnerFolder
from connectors.outbox import Command
from connectors.receipts import (
    ERROR,
    NO_BODY_SHA256,
    REFUSED,
    Expected,
    digest,
    request_digest,
    shown_in,
    store_receipt,
    verify_answer,
)
from connectors.result_schemas import RESULT, RESULT_SCHEMAS
from connectors.workers import pairwise_id

_OK, _SERVER_ERROR = 200, 500


class Asked(Enum):
    """What a reply is the answer to: the POST of a command, the GET of its stored answer, or a plain reading."""

    POST = "post"
    STORED = "stored"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer of the broker with its receipt still to be verified; `details` is a result of another schema."""

    result: Result
    details: Telling | None
    members: Mapping[str, Any]
    receipt: object


@dataclass(frozen=True, slots=True)
class Answers:
    """Reads the broker's replies for one folder, and keeps each receipt that holds."""

    folder: PartnerFolder

    def outcome(self, command: Command, reply: Reply, asked: Asked) -> Outcome:
        """Return what a verified answer says; its receipt is kept.

        Raises:
            RefusedError: openly refused for certain, by a receipt that holds or by a problem that ends this command.
            NotDoneError: nobody knows. ReceiptError: the receipt does not hold, so nothing of it is believed.
        """
        jti = None if asked is Asked.STORED else reply.jti
        problem = problem_in(reply)
        if problem is not None:
            return self._of_problem(command, problem, asked, jti)
        answer = _answer(command, reply)
        result = answer.result
        entry = self._verified(command, answer.receipt, answer=answer.members, outcome=result.outcome, jti=jti)
        return Outcome(
            row=command.local.get("row") or "",
            outcome=result.outcome,
            text_nl=_text(result.text),
            matches=tuple(result.matches),
            signal_id=result.signal_id,
            signals=tuple(result.signals or ()),
            receipts=(entry,),
            details=answer.details,
        )

    def _of_problem(self, command: Command, problem: ProblemDocument, asked: Asked, jti: str | None) -> Outcome:
        """Raise what the problem means; a replay whose answer was withheld was carried out."""
        members = {name: value for name, value in problem.members.items() if name != "receipt"}
        if problem.id == REPLAYED:
            return self._withheld(command, problem, members)
        broker, recorded = self.folder.settings.broker.id, None
        failed = problem.status >= _SERVER_ERROR
        # (1) What is recorded counts by its entry; a refusal that must be recorded does not count without one.
        if problem.receipt is not None or problem.id in RECORDED:
            ended = ERROR if failed else REFUSED
            recorded = self._verified(command, problem.receipt, answer=members, outcome=ended, jti=jti)
        if failed:
            raise NotDoneError(_published(problem.id), party=broker, key=command.key or None, receipt=recorded)
        # (2) What is not recorded ends a command only where it can mean nothing but: not carried out.
        ends = asked is Asked.READ or (
            asked is Asked.POST
            and ends_command(problem.id, effect=command.effect, granted=command.grant is not None)
        )  # fmt: skip
        if recorded is not None or ends:
            raise RefusedError(problem, party=broker, receipt=recorded)
        raise NotDoneError("not-done", party=broker, key=command.key, problem=problem)

    def _withheld(self, command: Command, problem: ProblemDocument, members: Mapping[str, Any]) -> Outcome:
        entry = self._verified(command, problem.receipt, answer=members, outcome=None, jti=None)
        return Outcome(
            row=command.local.get("row") or "",
            outcome="done",
            text_nl=problem.text_nl,
            matches=(),
            signal_id=problem.signal_id,
            signals=(),
            receipts=(entry,),
        )

    def _verified(
        self, command: Command, wire: object, *, answer: Mapping[str, Any], outcome: str | None, jti: str | None
    ) -> VerifiedEntry:
        """Return the entry, verified for this command and answer and kept; an `outcome` of None means withheld."""
        settings = self.folder.settings
        expected = Expected(
            kind=command.kind,
            organisation=settings.oin,
            worker=pairwise_id(self.folder.pairwise_key, audience=settings.broker.id, local_id=command.worker),
            request_sha256=request_digest(command.body) if command.body else NO_BODY_SHA256,
            shown_sha256=None if outcome is None else digest(answer),
            outcome=outcome,
            shown=() if outcome is None else shown_in(answer),
            jti=jti,
            tickets=frozenset(ticket_id(ticket) for ticket in command.tickets),
        )
        try:
            entry = verify_answer(wire, policy=self.folder.log_policy, expected=expected)
        except ReceiptError as error:
            raise ReceiptError(error.step, key=command.key or None) from None
        store_receipt(self.folder.receipts, entry, wire=wire, answer=answer, expected=expected)
        return entry


def problem_in(reply: Reply) -> ProblemDocument | None:
    """Return the problem a reply states, or None where it states none."""
    return None if reply.status == _OK else ProblemDocument.parse(reply.body, status=reply.status)


def not_done_after(refusal: RefusedError, *, key: str) -> NotDoneError:
    """Return that nobody knows what became of this command, because a party refused to help finding out."""
    if refusal.problem.id in OF_A_GRANT and not refusal.by_all:
        return HalfGrantedError(refusal.problem, party=refusal.party, key=key)
    return NotDoneError("not-done", party=refusal.party, key=key, problem=refusal.problem)


def _answer(command: Command, reply: Reply) -> _Answer:
    """Return the parts of an answer; what is no answer of a broker is an outage."""
    outage = NotDoneError("not-done", key=command.key or None)
    if reply.status != _OK:
        raise outage
    try:
        members = strict_json.load_object(reply.body, max_bytes=MAX_ANSWER)
        result = members["result"]
        return _read(result, receipt=members["receipt"])
    except (MalformedError, ValidationError, LookupError):
        raise outage from None


def _read(result: Mapping[str, Any], *, receipt: object) -> _Answer:
    """Return a result of any schema that is known. Raises ValidationError, LookupError: it is none."""
    if result["schema"] == RESULT:
        read = Result.model_validate(result, by_alias=True, by_name=False)
        return _Answer(result=read, details=None, members=result, receipt=receipt)
    details = RESULT_SCHEMAS[result["schema"]].model_validate(result, by_alias=True, by_name=False)
    plain = {
        "schema": RESULT, "outcome": details.outcome, "signalId": None, "matches": [], "signals": None,
        "text": result["text"],
    }  # fmt: skip
    read = Result.model_validate(plain, by_alias=True, by_name=False)
    return _Answer(result=read, details=details, members=result, receipt=receipt)


def _text(text: TextRef) -> str:
    return rendered(text.id, text.params, otherwise=text.id)


def _published(problem_id: str) -> str:
    """Return the id where it is a published outage, else the general one."""
    known = {"storage-unavailable", "log-unavailable", "log-uncosigned", "custodian-unreachable", "not-done"}
    return problem_id if problem_id in known else "not-done"
