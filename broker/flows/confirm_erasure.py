"""Confirm an erasure, as the second of two people: entry and erasure in one transaction, then keys are destroyed."""

import logging

from broker.domain.changes import ErasePayloads, Task
from broker.domain.erasures import EntryRange, Erasure
from broker.domain.errors import (
    FieldRuleError,
    NotFoundError,
    NotRecordedError,
    RoleNotAllowedError,
)
from broker.domain.requests import APPROVER, PRIVACYFUNCTIONARIS, Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.erasable_entries import check_erasable, ranges_of
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, result_document
from broker.flows.policy import Policies
from broker.flows.propose_erasure import erasure_document
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import check_organisation
from broker.log_ports import EntryReader, ErasureReader, KeyDestruction
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.erasure_messages import ConfirmErasure

ERASED_TASK = "fg-erased"
MANDATED = (APPROVER, PRIVACYFUNCTIONARIS)
"""Whom an organisation can mandate as the second person, on its own roster; never its FG, who supervises."""

_log = logging.getLogger("sluis.flows")


async def confirm_erasure(
    *,
    command: ConfirmErasure,
    erasure_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    answers: AnswerStore,
    entries: EntryReader,
    erasures: ErasureReader,
    rosters: RosterReader,
    keys: KeyDestruction,
    log: Log,
) -> Answered:
    """What was proposed is erased, by one entry of kind `erasure`, and the FG is told; outcome `done`.

    The keys that opened older copies are destroyed before this returns, or, where that was cut off, later.

    Raises:
        RoleNotAllowedError: not an approver or privacyfunctionaris.
        NotFoundError: no such proposal of this organisation that still waits, or by one who may propose none any
            more; or see `check_erasable`.
        RefusedError: the same person proposed it; with the receipt of its entry.
        FieldRuleError: the list is not the one that was proposed.
        AlreadyErasedError: something of it was erased meanwhile.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.erasing("confirm_erasure", command, requester, erasure_id)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        if requester.role not in MANDATED:
            raise RoleNotAllowedError
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) What another person proposed, and exactly that.
        erasure = await erasures.erasure(organisation=requester.organisation, erasure_id=erasure_id)
        if erasure is None or not erasure.awaits_decision(clock.now()):
            raise NotFoundError
        await _check_first(erasure, rosters)
        ranges = ranges_of(command)
        # Nobody is the second of two people on his own list: refused, and recorded.
        if requester.worker == erasure.proposed_by:
            return refused_as(
                act, "approver-is-requester", bundle=policy.sha256, register=register.number, relies_on=base,
                proposer=erasure.proposed_by,
            )  # fmt: skip
        _check_list(command, erasure, ranges)
        # (3) Still there, and still own.
        await check_erasable(ranges, act=act, entries=entries, now=clock.now())
        # (4) What is committed: the erasure itself, and that the FG is told.
        change = ErasePayloads(ranges=ranges, erasure=erasure, decided_by=requester.worker)
        task = Task(kind=ERASED_TASK, organisation=requester.organisation, due_on=clock.today())
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number,
            document=result_document(outcome="done", text="erasure.done"),
            more={"erasure": erasure_document(erasure), "erased": [one.document() for one in ranges]},
            proposer=erasure.proposed_by,
        )  # fmt: skip
        effects = Effects(relies_on=base, changes=(change,), tasks=(task,))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (5) Recorded with the erasure in one transaction.
    answered = await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )
    # (6) Then no key is left that opens an older copy. It is erased in any case: a cut-off is finished later.
    try:
        await keys.finish()
    except NotRecordedError as error:
        _log.error("keys of an erasure are not destroyed yet: %s", type(error).__name__)
    return answered


async def _check_first(erasure: Erasure, rosters: RosterReader) -> None:
    """Hold only while who proposed it may still propose: one who left since is no first of two people (D13)."""
    roster = await rosters.roster(erasure.organisation)
    proposer = None if roster is None else roster.workers.get(erasure.proposed_by)
    if proposer is None or PRIVACYFUNCTIONARIS not in proposer.roles:
        raise NotFoundError


def _check_list(command: ConfirmErasure, erasure: Erasure, ranges: tuple[EntryRange, ...]) -> None:
    """Hold only for the very list that was proposed. Raises FieldRuleError."""
    stated = (command.controller, command.ground, command.decision_ref, ranges)
    if stated != (erasure.controller, erasure.ground, erasure.decision_ref, erasure.ranges):
        raise FieldRuleError("ranges", "or ground, decision or controller are not those that were proposed")
