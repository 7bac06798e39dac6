"""Hand over every signal of who leaves in one act, to somebody who is on the roster."""

from broker.domain.changes import HandOver
from broker.domain.errors import FieldRuleError, RoleNotAllowedError
from broker.domain.requests import APPROVER, WORKER, Requester
from broker.domain.signals import Signal
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.owners import active_workers, is_ownerless, owners_document
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation
from broker.ports import ANY_SHIELD, AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.owner_messages import HandOverSignals


async def hand_over_signals(
    *,
    command: HandOverSignals,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """Every held signal of this worker, or of nobody who works here, has this owner; outcome `done`.

    A worker hands over his own, and takes up what nobody sees to; an approver hands over anybody's. Nobody is made the
    owner of what he is kept from, or hands over such: it stays as it is, for somebody else to take up.

    Raises:
        RoleNotAllowedError: a colleague's signals by a worker, or neither of these roles.
        FieldRuleError: `to` does not work here.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("hand_over_signals", "admin", command, requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        if requester.role != APPROVER and (requester.role != WORKER or command.of not in (None, requester.worker)):
            raise RoleNotAllowedError
        base = await signals.stamps((*asked_stamps(requester.organisation), ANY_SHIELD))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) To somebody who works here, by the roster as it is now.
        active = active_workers(await rosters.roster(requester.organisation))
        if command.to not in active:
            raise FieldRuleError("to", "is no worker on the roster")
        # (3) All that there are, in one act.
        own = await known_to(requester, to=command.to, signals=signals)
        ids = tuple(
            one.id
            for one in own
            if (is_ownerless(one, active) if command.of is None else one.is_held and one.owner == command.of)
        )
        change = HandOver(organisation=requester.organisation, ids=ids, to=command.to)
        document = owners_document("owners.handed_over", handed_over=len(ids))
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        effects = Effects(relies_on=base, changes=(change,))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (4) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def known_to(requester: Requester, *, to: str, signals: SignalStore) -> tuple[Signal, ...]:
    """Return the own signals of which both this requester and whom they go to may know."""
    own = await signals.list_own(organisation=requester.organisation)
    return tuple(one for one in own if not any(one.hidden_from(worker) for worker in (requester.worker, to)))
