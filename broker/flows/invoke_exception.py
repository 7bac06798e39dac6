"""Tell without consent where no law already allows it: to whom first, then everything that must be there (D11)."""

from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from broker.domain.changes import StoreException, Task
from broker.domain.errors import FieldRuleError
from broker.domain.exceptions import (
    REPRESENTATIVE,
    Documented,
    ExceptionRecord,
    ExceptionType,
    Routed,
    fault_of,
    is_misdirected,
    routed,
)
from broker.domain.requests import Approval, Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.duties import tasks_for
from broker.flows.entry_payloads import Recording
from broker.flows.errors import DecisionFailedError
from broker.flows.excepting import consulted_in, documented_of, stated_of, told_of
from broker.flows.exception_persons import Persons, persons_of
from broker.flows.household_question import asked_stamps
from broker.flows.judging import ERROR
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, refused
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import TicketIssuers, check_approval, check_organisation, check_team, check_worker
from broker.ports import (
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    Randomness,
    RegisterReader,
    RosterReader,
    SignalStore,
    Stamp,
    TokenIndexer,
)
from broker.protocol.exception_messages import InvokeException
from broker.protocol.register import Organisation, Register
from policies import AskFacts, Permit, Refusal, Text
from policies.workdays import working_day_after

ID_BYTES = 16
REVIEW_TASK = "review-exception"
REVIEW_WORKING_DAYS = 1
_RIGHTS = {"veilig_thuis": "kan.meldrecht", "gi": "kan.aan-gi", "rvdk": "kan.aan-rvdk"}
"""What can be done instead, where a law already lets one tell."""
_TEXTS = {
    (False, True): "exception.invoked",
    (False, False): "exception.invoked_nobody",
    (True, True): "exception.acute",
    (True, False): "exception.acute_nobody",
}
"""What is told of an exception, by whether it is acute and whether it names anybody."""


async def invoke_exception(
    *,
    command: InvokeException,
    requester: Requester,
    approval: Approval | None,
    policies: Policies,
    issuers: TicketIssuers,
    tokens: TokenIndexer,
    clock: Clock,
    randomness: Randomness,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    exceptions: ExceptionReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The exception is an entry with its review task in one transaction, and may now be cited; outcome `done`.

    Raises:
        RefusedError: a law already lets one tell this recipient, an answer is missing, nobody else was consulted, an
            earlier acute one is open, or `may_ask` said no. NotDoneError: it failed. Both with the receipt.
        NotFoundError: it names a signal that is none of its own, has ended, or is kept from this worker.
        RequestRuleError, ApprovalError, ProtocolError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("invoke_exception", "exception", command, requester, approval=approval, team=command.team)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, today, register = policies.at(base), clock.today(), await registers.register()
        organisation = check_organisation(register, act)
        roster = check_team(await rosters.roster(requester.organisation), act)
        approved = check_approval(roster, requester, approval)
        open_acute = await exceptions.open_acute(organisation=requester.organisation, worker=requester.worker)
        documented = documented_of(command.dossier, roster=roster, today=today)
        # About whom? One ticket of each custodian covers the tokens; they are spent whatever the outcome.
        persons = await persons_of(
            command, act, organisation, await registers.epoch(), issuers=issuers, tokens=tokens, signals=signals,
            now=clock.now(),
        )  # fmt: skip
        relied = (*base, open_acute.stamp, *persons.stamps)
        refuse = partial(
            refused_as, bundle=policy.sha256, register=register.number, relies_on=relied, tickets=persons.tickets
        )  # fmt: skip
        # (2) To whom? A right in law is no exception; refused with what can be done instead.
        check_recipient(command, register, policy)
        if is_misdirected(kind := ExceptionType(command.type), command.recipient):
            return refuse(act, "exception-acute-recipient")
        if (way := routed(kind, asker=organisation.org_class, recipient=command.recipient)) is None:
            return refuse(act, "exception-statutory-right", possible=_right(policy, command.recipient))
        about = replace(act, purpose=way.purpose, grounds=(way.ground,))
        # (3) One answer missing, or nobody else consulted: nothing is sent.
        if fault := fault_of(kind, documented, worker=requester.worker, asker=organisation.org_class):
            return refuse(about, fault)
        # (4) May it be told, by the documents in force?
        told = _Telling(
            command=command, act=about, way=way, documented=documented, organisation=organisation, approved=approved,
            approval_asked=roster.meldcode_approval, acute_open=open_acute.is_open, today=today,
        )  # fmt: skip
        if isinstance(asked := may_tell(policy, told.facts()), Refusal):
            return refused(about, asked, register=register.number, relies_on=relied, tickets=persons.tickets)
        # (5) What is committed: the exception, what it owes, and that somebody else looks at it.
        return _outcome(
            told, randomness.bytes(ID_BYTES).hex(), asked, persons=persons, policy=policy, register=register,
            relied=relied, now=clock.now(),
        )  # fmt: skip

    # (6) Recorded with its review task in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    """Who would tell whom, with what there is."""

    command: InvokeException
    act: Act
    way: Routed
    documented: Documented | None
    organisation: Organisation
    approved: bool
    approval_asked: bool
    acute_open: bool
    today: date

    def facts(self) -> AskFacts:
        """Return the facts of telling; none of them is claimed but the type, the recipient, the category and level."""
        documented = self.documented
        acute = self.command.type == ExceptionType.ACUTE.value
        return AskFacts(
            day=self.today,
            operation="share",
            organisation=self.organisation.oin,
            org_class=self.organisation.org_class,
            role=self.act.requester.role,
            purpose=self.way.purpose,
            grounds=(self.way.ground,),
            standing="none",
            approval="approved" if self.approved else "none",
            meldcode_approval=self.approval_asked,
            families=frozenset(),
            dossier="acuut" if acute else "complete",
            acute_open=self.acute_open,
            recipient=self.command.recipient,
            recipient_organisation=self.command.recipient_organisation,
            category=self.command.category,
            level=self.command.level,
            deferral="none" if documented is None or documented.deferral is None else documented.deferral,
        )

    def record(self, exception_id: str, *, now: int, persons: int) -> ExceptionRecord:
        """Return the exception to store, about so many persons."""
        command, requester = self.command, self.act.requester
        return ExceptionRecord(
            id=exception_id,
            organisation=self.organisation.oin,
            controller=command.controller,
            team=command.team,
            worker=requester.worker,
            type=ExceptionType(command.type),
            recipient=command.recipient,
            recipient_organisation=command.recipient_organisation,
            purpose=self.way.purpose,
            ground=self.way.ground,
            category=command.category,
            reason=command.reason,
            at=now,
            approved_by=self.act.approval.worker if self.approved and self.act.approval is not None else None,
            approval_asked=self.approval_asked,
            level=command.level,
            documented=self.documented,
            case_ref=command.case_ref,
            persons=persons,
        )


def _right(policy: PolicyInForce, recipient: str) -> tuple[Text, ...]:
    """Return in words by which right in law this recipient is told."""
    return (policy.bundle.texts.render(_RIGHTS[recipient], {}),)


def check_recipient(command: InvokeException, register: Register, policy: PolicyInForce) -> None:
    """Hold only for a known kind of recipient, which the named organisation is. Raises FieldRuleError."""
    if command.recipient not in {*policy.bundle.classes, REPRESENTATIVE}:
        raise FieldRuleError("recipient", "is no kind of organisation that the documents know")
    named = command.recipient_organisation
    if named is None:
        return
    known = register.organisations.get(named)
    if known is None or known.org_class != command.recipient:
        raise FieldRuleError("recipientOrganisation", "is not of this kind in the register")


def may_tell(policy: PolicyInForce, facts: AskFacts) -> Permit | Refusal:
    """Return the decision whether this may be told. Raises DecisionFailedError: there is none."""
    decision = policy.decision_point.may_ask(facts)
    if isinstance(decision, Refusal) and decision.reason == ERROR:
        raise DecisionFailedError
    return decision


def _outcome(
    told: _Telling, exception_id: str, asked: Permit, *, persons: Persons, policy: PolicyInForce, register: Register,
    relied: tuple[Stamp, ...], now: int,
) -> Outcome:  # fmt: skip
    act, today = told.act, told.today
    record = told.record(exception_id, now=now, persons=persons.count)
    acute = record.type is ExceptionType.ACUTE
    tell_on = None if record.documented is None else record.documented.tell_on
    review = Task(
        kind=REVIEW_TASK, organisation=record.organisation, due_on=working_day_after(today, REVIEW_WORKING_DAYS)
    )
    recording = Recording(
        outcome="done", bundle=policy.sha256, register=register.number, decision=asked.record(),
        document=told_of(_TEXTS[acute, bool(persons.count)], [record]),
        own_handles=(record.id, *persons.handles), more=stated_of(record), tickets=persons.tickets,
    )  # fmt: skip
    effects = Effects(
        relies_on=relied,
        changes=(StoreException(record=record, tokens=persons.tokens, signal_id=persons.signal_id),),
        tasks=(review, *tasks_for(asked, organisation=record.organisation, today=today, tell_on=tell_on)),
        involved=consulted_in(record.documented),
    )
    return outcome_of(act, recording, effects, status=AnswerStatus.DONE)
