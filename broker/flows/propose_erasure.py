"""Propose to erase the content of own entries: the first of two people; the FG is told (D12)."""

from broker.domain.changes import StoreErasure, Task
from broker.domain.erasures import EntryRange, Erasure
from broker.domain.errors import RoleNotAllowedError
from broker.domain.requests import PRIVACYFUNCTIONARIS, Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.erasable_entries import check_erasable, ranges_of
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, result_document
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation
from broker.log_ports import EntryReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.erasure_messages import ProposeErasure

PROPOSED_TASK = "fg-erasure-proposed"


async def propose_erasure(
    *,
    command: ProposeErasure,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    answers: AnswerStore,
    entries: EntryReader,
    log: Log,
) -> Answered:
    """The proposal waits for a second person and is known to the FG; outcome `done`. Nothing was erased.

    Raises:
        RoleNotAllowedError: not a privacyfunctionaris.
        NotFoundError, AlreadyErasedError, FieldRuleError: see `check_erasable`.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.erasing("propose_erasure", command, requester, command.idempotency_key)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        if requester.role != PRIVACYFUNCTIONARIS:
            raise RoleNotAllowedError
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) Own entries only, all of them there.
        ranges = ranges_of(command)
        await check_erasable(ranges, act=act, entries=entries, now=clock.now())
        # (3) What is committed: the proposal, and that the FG is told.
        erasure = _erasure(command, requester, ranges, clock.now())
        task = Task(kind=PROPOSED_TASK, organisation=requester.organisation, due_on=clock.today())
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number,
            document=result_document(outcome="done", text="erasure.proposed"),
            more={"erasure": {**erasure_document(erasure), "ranges": [one.document() for one in ranges]}},
        )  # fmt: skip
        effects = Effects(relies_on=base, changes=(StoreErasure(erasure=erasure),), tasks=(task,))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (4) Recorded with the proposal in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def erasure_document(erasure: Erasure) -> dict[str, object]:
    """Return what the entry of an erasure says about it besides its ranges."""
    return {"id": erasure.id, "ground": erasure.ground, "decision_ref": erasure.decision_ref}


def _erasure(command: ProposeErasure, requester: Requester, ranges: tuple[EntryRange, ...], now: int) -> Erasure:
    return Erasure(
        id=command.idempotency_key,
        organisation=requester.organisation,
        controller=command.controller,
        proposed_by=requester.worker,
        proposed_at=now,
        ground=command.ground,
        decision_ref=command.decision_ref,
        ranges=ranges,
    )
