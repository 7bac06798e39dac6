"""Bring the rest of an acute exception: the dossier, and with whom it was talked over, or list own ones (D11)."""

from dataclasses import replace
from datetime import date

from broker.domain.changes import FinishException, SettleOwed, Task
from broker.domain.errors import NotFoundError
from broker.domain.exceptions import Documented, ExceptionRecord, ExceptionType, fault_of
from broker.domain.requests import Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.changing_match import in_team
from broker.flows.duties import INFORM, LOOK_AGAIN, NAME_CONSULTATION
from broker.flows.entry_payloads import Recording
from broker.flows.excepting import consulted_in, documented_of, stated_of, told_of
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import check_organisation, check_team, check_worker
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.exception_messages import EXCEPTIONS_PER_PAGE, CompleteException
from broker.protocol.roster import Roster


async def complete_exception(
    *,
    command: CompleteException,
    exception_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    exceptions: ExceptionReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The rest of what was acute is there; it stays open until somebody else has reviewed it. Outcome `done`.

    After a day it is taken all the same, and says that it is late.

    Raises:
        NotFoundError: no such acute exception of this organisation.
        RefusedError: it is there already, a colleague of another team brings it, an answer is missing, or nobody else
            was consulted. NotDoneError: it failed. With the receipt.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("complete_exception", "exception", command, requester, target=exception_id)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, today = policies.at(base), clock.today()
        register = await registers.register()
        organisation = check_organisation(register, act)
        # (2) An own one that was acute and waits for its rest.
        own = await exceptions.own(organisation=requester.organisation, exception_id=exception_id)
        if own is None or own.record.type is not ExceptionType.ACUTE:
            raise NotFoundError
        record, relied = own.record, (*base, own.stamp)
        about = replace(act, purpose=record.purpose, grounds=(record.ground,), team=record.team)
        roster = check_team(await rosters.roster(requester.organisation), about)
        # (3) All six answers, and somebody else than who told.
        rest = documented_of(command.dossier, roster=roster, today=today)
        fault = _hindrance(record, requester, roster)
        fault = fault or fault_of(ExceptionType.CVP, rest, worker=record.worker, asker=organisation.org_class)
        if fault is not None or rest is None:
            return refused_as(
                about, fault or "exception-incomplete", bundle=policy.sha256, register=register.number,
                relies_on=relied,
            )  # fmt: skip
        # (4) What is committed.
        complete = record.with_rest(rest, at=clock.now())
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, own_handles=(record.id,),
            document=told_of("exception.late" if complete.is_late else "exception.completed", [complete]),
            more=stated_of(complete),
        )  # fmt: skip
        effects = Effects(
            relies_on=relied,
            changes=(FinishException(record=complete), _settled(complete, rest)),
            tasks=(_task(record, rest, today),),
            involved=consulted_in(rest),
        )
        return outcome_of(about, recording, effects, status=AnswerStatus.DONE)

    # (5) Recorded with the rest in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _settled(record: ExceptionRecord, rest: Documented) -> SettleOwed:
    """Return that naming who was consulted is done, and that he ends no review of what he was consulted about."""
    return SettleOwed(
        organisation=record.organisation, entry=record.index, kinds=frozenset({NAME_CONSULTATION}),
        involved=consulted_in(rest),
    )  # fmt: skip


def _hindrance(record: ExceptionRecord, requester: Requester, roster: Roster) -> str | None:
    """Return why this worker brings no rest of an own exception: another team's, or it is there; None where he may."""
    if requester.worker != record.worker and not in_team(record.team, requester, roster):
        return "exception-of-another-team"
    return None if record.waits_for_rest else "exception-completed"


def _task(record: ExceptionRecord, rest: Documented, today: date) -> Task:
    """Return that the person is told on the day that was named, or that it is looked at again why not."""
    kind = INFORM if rest.deferral is None else LOOK_AGAIN
    return Task(kind=kind, organisation=record.organisation, due_on=rest.tell_on or today)


async def list_exceptions(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    exceptions: ExceptionReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most `EXCEPTIONS_PER_PAGE` own exceptions are read and that is recorded; outcome `done`.

    Args:
        after: the id after which the page begins; the order is that of the ids.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_exceptions", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register = policies.at(base), await registers.register()
        check_organisation(register, act)
        # (2) Own exceptions only.
        own = await exceptions.list_own(
            organisation=requester.organisation, after=after, at_most=EXCEPTIONS_PER_PAGE
        )  # fmt: skip
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, document=told_of("exception.list", own)
        )  # fmt: skip
        return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )
