"""Tell without consent where no law already allows it: to whom first, then everything that must be there (D11)."""

from dataclasses import dataclass, replace
from datetime import date

from broker.domain.changes import StoreException, Task
from broker.domain.errors import FieldRuleError
from broker.domain.exceptions import (
    REPRESENTATIVE,
    Documented,
    ExceptionRecord,
    ExceptionType,
    Routed,
    fault_of,
    routed,
)
from broker.domain.requests import Approval, Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.duties import tasks_for
from broker.flows.entry_payloads import Recording
from broker.flows.errors import DecisionFailedError
from broker.flows.excepting import documented_of, stated_of, told_of
from broker.flows.household_question import asked_stamps
from broker.flows.judging import ERROR
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, refused
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import check_approval, check_organisation, check_team, check_worker
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
)
from broker.protocol.exception_messages import InvokeException
from broker.protocol.register import Organisation, Register
from policies import AskFacts, Permit, Refusal
from policies.workdays import working_day_after

ID_BYTES = 16
REVIEW_TASK = "review-exception"
REVIEW_WORKING_DAYS = 1
_RIGHTS = {"veilig_thuis": "kan.meldrecht", "gi": "kan.aan-gi", "rvdk": "kan.aan-rvdk"}
"""What can be done instead, where a law already lets one tell."""


async def invoke_exception(
    *,
    command: InvokeException,
    requester: Requester,
    approval: Approval | None,
    policies: Policies,
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
        RequestRuleError, ApprovalError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("invoke_exception", "exception", command, requester, approval=approval, team=command.team)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, today = policies.at(base), clock.today()
        register = await registers.register()
        organisation = check_organisation(register, act)
        roster = check_team(await rosters.roster(requester.organisation), act)
        approved = check_approval(roster, requester, approval)
        open_acute = await exceptions.open_acute(organisation=requester.organisation, worker=requester.worker)
        relied = (*base, open_acute.stamp)
        documented = documented_of(command.dossier, roster=roster, today=today)
        # (2) To whom? A right in law is no exception; refused with what can be done instead.
        check_recipient(command, register, policy)
        kind = ExceptionType(command.type)
        way = routed(kind, asker=organisation.org_class, recipient=command.recipient)
        if way is None:
            possible = (policy.bundle.texts.render(_RIGHTS[command.recipient], {}),)
            return refused_as(
                act, "exception-statutory-right", bundle=policy.sha256, register=register.number, relies_on=relied,
                possible=possible,
            )  # fmt: skip
        about = replace(act, purpose=way.purpose, grounds=(way.ground,))
        # (3) One answer missing, or nobody else consulted: nothing is sent.
        fault = fault_of(kind, documented, worker=requester.worker, asker=organisation.org_class)
        if fault is not None:
            return refused_as(about, fault, bundle=policy.sha256, register=register.number, relies_on=relied)
        # (4) May it be told, by the documents in force?
        told = _Telling(
            command=command, act=about, way=way, documented=documented, organisation=organisation, approved=approved,
            approval_asked=roster.meldcode_approval, acute_open=open_acute.is_open, today=today,
        )  # fmt: skip
        asked = may_tell(policy, told.facts())
        if isinstance(asked, Refusal):
            return refused(about, asked, register=register.number, relies_on=relied, tickets=())
        # (5) What is committed: the exception, what it owes, and that somebody else looks at it.
        record = told.record(randomness.bytes(ID_BYTES).hex(), now=clock.now())
        return _outcome(about, record, asked, policy=policy, register=register, relied=relied, today=today)

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

    def record(self, exception_id: str, *, now: int) -> ExceptionRecord:
        """Return the exception to store."""
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
        )


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
    act: Act, record: ExceptionRecord, asked: Permit, *, policy: PolicyInForce, register: Register,
    relied: tuple[Stamp, ...], today: date,
) -> Outcome:  # fmt: skip
    acute = record.type is ExceptionType.ACUTE
    tell_on = None if record.documented is None else record.documented.tell_on
    review = Task(
        kind=REVIEW_TASK, organisation=record.organisation, due_on=working_day_after(today, REVIEW_WORKING_DAYS)
    )
    recording = Recording(
        outcome="done", bundle=policy.sha256, register=register.number, decision=asked.record(),
        document=told_of("exception.acute" if acute else "exception.invoked", [record]),
        own_handles=(record.id,), more=stated_of(record),
    )  # fmt: skip
    effects = Effects(
        relies_on=relied,
        changes=(StoreException(record=record),),
        tasks=(review, *tasks_for(asked, organisation=record.organisation, today=today, tell_on=tell_on)),
    )
    return outcome_of(act, recording, effects, status=AnswerStatus.DONE)
