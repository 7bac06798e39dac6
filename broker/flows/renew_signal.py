"""Give an own signal another end (D16)."""

from broker.domain.changes import RenewSignal as RenewChange
from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, result_document
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_purpose, check_worker, end_rule
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.messages import RenewSignal


async def renew_signal(
    *,
    command: RenewSignal,
    signal_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The organisation's own active signal ends on another day; outcome `done`.

    Raises:
        NotFoundError: no such signal, another organisation's, or one that is active no more or rests on what has
            ended.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.on_own_signal("renew_signal", command, requester, signal_id)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) An own signal that is still active.
        own = await signals.own(organisation=requester.organisation, signal_id=signal_id)
        today = clock.today()
        if own is None or not own.signal.active_on(today) or own.signal.hidden_from(requester.worker):
            raise NotFoundError
        policy.check_holds(today)
        if not policy.counts(own.signal, day=today):
            raise NotFoundError
        # (3) The end is within the rule of its purpose, counted from today.
        about = act.about(own.signal)
        rule = end_rule(check_purpose(policy.purposes, about))
        rule.check(ends_on=command.ends_on, age_quarter=own.signal.age_quarter, today=today)
        # (4) What is committed.
        document = result_document(outcome="done", text="signal.renewed", signal_id=signal_id)
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, document=document,
            own_handles=(own.signal.handle,),
        )  # fmt: skip
        effects = Effects(
            relies_on=(*base, *own.stamps),
            changes=(RenewChange(signal_id=signal_id, ends_on=command.ends_on),),
            signal_id=signal_id,
        )
        return outcome_of(about, recording, effects, status=AnswerStatus.DONE)

    # (5) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )
