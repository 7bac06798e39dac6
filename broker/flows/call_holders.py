"""Send an oproep: holders are asked whether they want to call, and the asker always reads the same (D5, D8)."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from broker.call_ports import CallReader, calls_key
from broker.consent_ports import ConsentReader
from broker.domain.calls import Call, Ring, RingState, StoreCall
from broker.domain.changes import Change, MarkStanding, Task
from broker.domain.notices import NoticeKind, Notify
from broker.domain.requests import Approval, Requester
from broker.flows.act import Act
from broker.flows.duties import tasks_for
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import Question, asked_holders, asked_stamps, may_ask, prepare, question_of
from broker.flows.meeting import SEED_BYTES, Ids
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, refused
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import TicketIssuers, check_used_families
from broker.flows.ringing import Reached, reached
from broker.flows.shown_calls import calls_document
from broker.flows.still_asked import asked_on, last_permitted
from broker.flows.terms import as_counted, last_day_of, order_keys, terms_of_question
from broker.flows.unwatched import may_go_on, notes_to_fg, stopped
from broker.ports import (
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    Randomness,
    RegisterReader,
    RosterReader,
    SignalStore,
    TokenIndexer,
)
from broker.protocol.call_messages import CallHolders
from broker.protocol.days_nl import day_nl
from broker.request_ports import kept
from broker.task_ports import TaskReader
from policies import Permit, Refusal

_ID_BYTES = 16


async def call_holders(
    *,
    command: CallHolders,
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
    consents: ConsentReader,
    calls: CallReader,
    tasks: TaskReader,
    answers: AnswerStore,
    log: Log,
    address_mute_above: int,
) -> Answered:
    """Whoever may be rung is asked whether he wants to call; outcome `sent`, whether that is everybody or nobody.

    Raises:
        RefusedError: `may_ask` said no. NotDoneError: a decision failed. Both with the receipt of their entry.
        RequestRuleError, ApprovalError, ProtocolError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.checking(command, requester, approval)

    async def decide() -> Outcome:
        # (1) What everything below relies on is read before it; then the request's own rules.
        keys = (*asked_stamps(requester.organisation), *order_keys(command.proof, requester.organisation))
        # Of two oproepen at once the second sees what the first rang, and is decided again whomever that was.
        base = await signals.stamps((*keys, calls_key(requester.organisation, command.purpose)))
        policy, register, epoch = policies.at(base), await registers.register(), await registers.epoch()
        # (2) One ticket of each custodian covers it; they are spent at the commit.
        prepared = prepare(
            command, act=act, register=register, epoch=epoch, purposes=policy.purposes,
            roster=await rosters.roster(requester.organisation), issuers=issuers, tokens=tokens, now=clock.now(),
        )  # fmt: skip
        indexes, today = prepared.household.indexes(), clock.today()
        policy.check_holds(today)
        prepared = await as_counted(prepared, policy=policy, tasks=tasks, today=today)
        # (3) May it be asked? Standing comes from a proof or own signals alone, nothing else is looked up.
        own = await signals.own_on(organisation=requester.organisation, purpose=command.purpose, indexes=indexes)
        question = await question_of(prepared, own, policy=policy, today=today, consents=consents)
        # (4) No: openly, recorded, with what is possible.
        if isinstance(asked := may_ask(policy, question), Refusal):
            relied = (*base, *question.relied)
            return refused(act, asked, register=register.number, relies_on=relied, tickets=prepared.tickets)
        check_used_families(prepared.purpose, act)
        # (5) Nobody has watched the log for too long: nothing is looked up, but in acute danger.
        unwatched = log.disclosures_stopped()
        if unwatched and not may_go_on(question.facts()):
            return stopped(act, bundle=policy.sha256)
        # (6) Every token is looked up, and (7) every hit is decided on: it rings, or nobody hears of it.
        looked_up = await signals.look_up(indexes)
        question = await asked_holders(question, looked_up, consents=consents)
        found = reached(policy, question, looked_up, register=register, address_mute_above=address_mute_above)
        call = _call(command, question, policy, now=clock.now(), randomness=randomness)
        rings = await _asked_of(call, found, calls=calls, today=today, randomness=randomness)
        # (8) What the asker reads is made of his own question alone.
        document = calls_document("call.sent", [call], date=day_nl(call.asked_until + timedelta(days=1)))
        effects = Effects(
            relies_on=(*base, *question.relied, *looked_up.stamps),
            changes=(*_started(question, policy, randomness), *rings),
            tasks=_owed(asked, question, unwatched=unwatched),
        )
        recording = _recording(question, asked, found, document=document, register=register.number)
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (9) Recorded with everybody it asks in one transaction, and (10) only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _call(
    command: CallHolders, question: Question, policy: PolicyInForce, *, now: int, randomness: Randomness
) -> Call:  # fmt: skip
    """Return the oproep; nobody is asked for longer than the documents say, nor past the last day of its proof.

    A proof that counts for a working day (a report that is still to be written down) asks for no longer than that.
    """
    prepared, purpose = question.prepared, question.prepared.purpose.id
    requester, organisation = prepared.act.requester, prepared.organisation
    regions = policy.own_regions(purpose, (organisation.oin, organisation.org_class), day=question.today)
    until = policy.asked_until(purpose=purpose, regions=regions, day=question.today)
    last = last_day_of(prepared.proof)
    return Call(
        id=randomness.bytes(_ID_BYTES).hex(),
        organisation=requester.organisation,
        controller=command.controller,
        team=command.team,
        worker=requester.worker,
        purpose=command.purpose,
        case_ref=command.case_ref,
        sent_at=now,
        asked_until=last_permitted(policy, question.facts(), at_most=until if last is None else min(until, last)),
        asked_on=asked_on(question),
    )


async def _asked_of(
    call: Call, found: Reached, *, calls: CallReader, today: date, randomness: Randomness
) -> tuple[Change, ...]:  # fmt: skip
    """Return the call with its rings, a notice for each team that is asked, and one where a shield was hit.

    Who declined the very same is not asked it again: declining is done once. Where a ring of the same worker and
    basis asks it still, or will be called on, that one goes on until the later last day, and what he reads is true.
    """

    def new_id() -> str:
        return randomness.bytes(_ID_BYTES).hex()

    before = await calls.asked_by(
        organisation=call.organisation, purpose=call.purpose, day=today, signals=[one.id for one in found.rung]
    )  # fmt: skip
    possible = [
        Ring(
            id=new_id(),
            call=call,
            organisation=one.organisation,
            team=one.team,
            signal_id=one.id,
            rests_on=kept(found.rests_on[one.id]),
            valid_until=found.until[one.id],
            found_as=found.found[one.id],
        )
        for one in found.rung
    ]
    rings, again = _new_and_going_on(possible, before)
    told = [(ring.organisation, ring.team, NoticeKind.CALL, ring.id) for ring in (*rings, *again)]
    told += [(one.organisation, one.team, NoticeKind.SHIELD_ALERT, one.id) for one in found.alerted]
    notices = [
        Notify(id=new_id(), organisation=organisation, team=team, kind=kind, about=about)
        for organisation, team, kind, about in told
    ]
    return (StoreCall(call=call, rings=rings, again=tuple(ring.id for ring in again)), *notices)


def _new_and_going_on(
    possible: Iterable[Ring], before: Iterable[Ring]
) -> tuple[tuple[Ring, ...], tuple[Ring, ...]]:  # fmt: skip
    """Return the rings that are new, and those of before that go on in place of one of these."""
    new: list[Ring] = []
    again: list[Ring] = []
    for ring in possible:
        going_on = [earlier for earlier in before if earlier.may_go_on_as(ring)]
        if any(earlier.state is RingState.DECLINED and earlier.asks_what(ring) for earlier in before):
            continue
        (again if going_on else new).append(going_on[0] if going_on else ring)
    return tuple(new), tuple(again)


def _started(question: Question, policy: PolicyInForce, randomness: Randomness) -> tuple[Change, ...]:
    """Return what was stood on, and the terms of the proof; as much randomness is drawn whatever there is."""
    stood_on = (MarkStanding(signal_id=one, on=question.today) for one in sorted(question.standing))
    return (*stood_on, *terms_of_question(question, policy, Ids(seed=randomness.bytes(SEED_BYTES))))


def _owed(asked: Permit, question: Question, *, unwatched: bool) -> tuple[Task, ...]:
    organisation = question.prepared.act.requester.organisation
    owed = tasks_for(asked, organisation=organisation, today=question.today)
    return (*owed, *notes_to_fg(question.facts(), unwatched=unwatched))


def _recording(
    question: Question, asked: Permit, found: Reached, *, document: Mapping[str, object], register: int
) -> Recording:
    return Recording(
        outcome="sent",
        bundle=asked.bundle,
        register=register,
        document=document,
        decision=asked.record(),
        tickets=question.prepared.tickets,
        handles=found.handles,
        own_handles=question.own_handles,
        hits=found.open.payload,
        shielded=found.shielded.payload,
    )
