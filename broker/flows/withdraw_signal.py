"""End an own signal; one that was used to look is looked at first (D5, D16)."""

from datetime import date, timedelta

from broker.domain.changes import Change, EndSignal, Task
from broker.domain.errors import NotFoundError
from broker.domain.flags import is_high, kinds_alone, local
from broker.domain.requests import Requester
from broker.domain.review import IN_ORDER, VERDICT, is_closed
from broker.domain.signals import REVIEW_DAYS, Signal, SignalState
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, result_document
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.wrongly_made import MISTAKE, NOBODY_TOLD, Receivers, receivers_of
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.messages import WithdrawSignal
from broker.protocol.problems import problem
from broker.protocol.register import Register
from broker.review_ports import ActReader, NoteReader, RefusedWithdrawal

REVIEW_TASK = "review-withdrawal"


async def withdraw_signal(
    *,
    command: WithdrawSignal,
    signal_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    matches: MatchReader,
    acts: ActReader,
    notes: NoteReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The organisation's own signal is active no more and matches nothing; outcome `done`.

    Raises:
        NotFoundError: no such signal, another organisation's, or one that has ended.
        WithdrawalNeedsReviewError: it served as standing in the last 14 days, and no reviewer has found such a
            withdrawal in order since; the signal stays, a review task was written in the same transaction. With the
            receipt of its entry.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.on_own_signal("withdraw_signal", command, requester, signal_id)
    # (1) What waits for a reviewer is opened before the tick, so that nobody's answer waits for it.
    own = await signals.own(organisation=requester.organisation, signal_id=signal_id)
    refused = None if own is None else await _refused(own.signal, today=clock.today(), acts=acts)

    async def decide() -> Outcome:
        # (2) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (3) An own signal that has not ended; what is frozen can be withdrawn too.
        own = await signals.own(organisation=requester.organisation, signal_id=signal_id)
        today = clock.today()
        if own is None or not _can_end(own.signal, requester, today):
            raise NotFoundError
        about, relies_on = act.about(own.signal), (*base, *own.stamps)
        # (4) Looking and then erasing one's own reason to look is not done without a reviewer.
        needed = own.signal.needs_review_to_withdraw(today)
        released = await _released(refused, own.signal, notes=notes) if needed else None
        if needed and released is None:
            recording = Recording(
                outcome="refused", reason="withdrawal-needs-review", bundle=policy.sha256, register=register.number,
                document=problem("withdrawal-needs-review").document(), own_handles=(own.signal.handle,),
            )  # fmt: skip
            due_on = today + timedelta(days=REVIEW_DAYS)
            task = Task(
                kind=REVIEW_TASK, organisation=requester.organisation, due_on=due_on, signal_id=signal_id,
                makers=owner_of(own.signal),
            )  # fmt: skip
            return outcome_of(
                about, recording, Effects(relies_on=relies_on, tasks=(task,)), status=AnswerStatus.REVIEW
            )  # fmt: skip
        # (5) Who was told of what was wrong hears that it was; who sees it no more does not.
        wrong = await _told_wrongly(command, own.signal, matches=matches, policy=policy, register=register, day=today)
        # (6) What is committed.
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, own_handles=(own.signal.handle,),
            document=result_document(outcome="done", text="signal.withdrawn", signal_id=signal_id),
            hits=wrong.hits, shielded=wrong.shielded,
        )  # fmt: skip
        changes: tuple[Change, ...] = (_end(own.signal, command, newest_act=released), *wrong.notices)
        effects = Effects(relies_on=(*relies_on, *wrong.looked_at), changes=changes, signal_id=signal_id)
        return outcome_of(about, recording, effects, status=AnswerStatus.DONE)

    # (7) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def owner_of(signal: Signal) -> frozenset[str]:
    """Return who sees to a signal: that it was looked with, and has ended, is for somebody else to judge."""
    return frozenset() if signal.owner is None else frozenset({signal.owner})


def _can_end(signal: Signal, requester: Requester, today: date) -> bool:
    """Return whether this worker may know of the signal, and it has not ended."""
    return signal.is_held and signal.ended_by(today) is None and not signal.hidden_from(requester.worker)


def _end(signal: Signal, command: WithdrawSignal, *, newest_act: int | None) -> EndSignal:
    return EndSignal(
        signal_id=signal.id,
        state=SignalState.WITHDRAWN,
        reason=command.reason,
        last_standing_on=signal.last_standing_on,
        newest_act=newest_act,
    )


async def _told_wrongly(
    command: WithdrawSignal, signal: Signal, *, matches: MatchReader, policy: PolicyInForce, register: Register,
    day: date,
) -> Receivers:  # fmt: skip
    """Return who hears that this was wrong; nobody where it was not."""
    if command.reason != MISTAKE:
        return NOBODY_TOLD
    return await receivers_of(
        signal, act_id=command.idempotency_key, matches=matches, policy=policy, register=register, day=day
    )


async def _refused(signal: Signal, *, today: date, acts: ActReader) -> RefusedWithdrawal | None:
    """Return the withdrawal that waits for a reviewer, after which nobody looked with this signal; else None."""
    if not signal.needs_review_to_withdraw(today):
        return None
    refused = await acts.refused_withdrawal(organisation=signal.organisation, handle=signal.handle)
    # A look whose entry was erased is still a look: its day stands beside the signal.
    looked_on = signal.last_standing_on
    return refused if refused is None or looked_on is None or looked_on <= local(refused.act.at).date() else None


async def _released(refused: RefusedWithdrawal | None, signal: Signal, *, notes: NoteReader) -> int | None:
    """Return the newest entry about a signal whose refused withdrawal reviewers found in order, else None."""
    if refused is None:
        return None
    given = await notes.notes(organisation=signal.organisation, kind=VERDICT, about=str(refused.act.index))
    closed = is_closed(given, high=is_high(kinds_alone(refused.act)))
    return refused.newest if closed and given[-1].note.body["verdict"] == IN_ORDER else None
