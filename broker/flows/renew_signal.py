"""Give an own signal another end (D16)."""

from datetime import date

from broker.consent_ports import ConsentReader
from broker.domain.changes import RenewSignal as RenewChange
from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.consent_ended import renewable
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, result_document
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import check_organisation, check_purpose, check_worker, end_rule
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.days_nl import day_nl
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
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The organisation's own active signal ends on another day; outcome `done`.

    One that rests on consent lasts no longer than that does, whatever day is asked for.

    Raises:
        RefusedError: it rests on consent that is no yes today; with the receipt of its entry.
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
        # (4) What rests on consent is renewed on what that says today.
        rests = await renewable(own, worker=requester.worker, policy=policy, today=today, consents=consents)
        relies_on, handles = (*base, *own.stamps, *rests.stamps), (own.signal.handle,)
        if rests.refused:
            return refused_as(
                about, "renewal-without-consent", bundle=policy.sha256, register=register.number, relies_on=relies_on,
                own_handles=handles,
            )  # fmt: skip
        # (5) What is committed.
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, own_handles=handles,
            document=_renewed(signal_id, command.ends_on, rests.until),
        )  # fmt: skip
        change = RenewChange(signal_id=signal_id, ends_on=command.ends_on, consent_until=rests.until)
        effects = Effects(relies_on=relies_on, changes=(change,), signal_id=signal_id)
        return outcome_of(about, recording, effects, status=AnswerStatus.DONE)

    # (6) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _renewed(signal_id: str, ends_on: date, consent_until: date | None) -> dict[str, object]:
    """Return what the holder is told; where the consent ends earlier, that day."""
    if consent_until is None or ends_on <= consent_until:
        return result_document(outcome="done", text="signal.renewed", signal_id=signal_id)
    params = {"date": day_nl(consent_until)}
    return result_document(outcome="done", text="signal.renewed_consent", params=params, signal_id=signal_id)
