"""Register an own signal; registering is asking (D4, D5, D7)."""

from broker.consent_ports import ConsentReader
from broker.domain.changes import StoreSignal, Task
from broker.domain.errors import SignalExistsError
from broker.domain.households import TokenRole
from broker.domain.matches import MeetLater
from broker.domain.requests import Approval, Requester
from broker.domain.signals import Signal
from broker.flows.act import Act
from broker.flows.duties import tasks_of_signal
from broker.flows.household_question import (
    Prepared,
    Question,
    Seen,
    asked_holders,
    asked_stamps,
    may_ask,
    prepare,
    question_of,
    recording_of,
    see,
    unasked,
)
from broker.flows.meeting import Meeting, meet
from broker.flows.outcome import Answered, Effects, Outcome, match_of, outcome_of, refused, result_document
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import (
    TicketIssuers,
    assessment_of,
    check_signal_rules,
    check_used_families,
    informing_of,
    tokens_to_store,
)
from broker.flows.unwatched import may_go_on, notes_to_fg, stopped
from broker.match_ports import MatchReader
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
from broker.protocol.messages import Match, RegisterSignal
from broker.protocol.register import Register
from policies import Permit, Refusal

ID_BYTES = 16


async def register_signal(
    *,
    command: RegisterSignal,
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
    matches: MatchReader,
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
    address_mute_above: int,
) -> Answered:
    """The signal is stored and recorded, and only then is told who else is involved: outcome `shown` or `nothing`.

    With tickets of an import grant nobody is looked up and the outcome is `done`.

    Raises:
        RefusedError: `may_ask` said no. NotDoneError: a decision failed. Both with the receipt of their entry.
        SignalExistsError: this team has an active signal for this purpose on this person.
        RequestRuleError, ApprovalError, ProtocolError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.registering(command, requester, approval)

    async def decide() -> Outcome:
        # (1) What everything below relies on is read before it; then the request's own rules.
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register, epoch = policies.at(base), await registers.register(), await registers.epoch()
        # (2) One ticket of each custodian covers it; they are spent at the commit.
        prepared = prepare(
            command, act=act, register=register, epoch=epoch, purposes=policy.purposes,
            roster=await rosters.roster(requester.organisation), issuers=issuers, tokens=tokens, now=clock.now(),
        )  # fmt: skip
        indexes, today, nobody = prepared.household.indexes(), clock.today(), await unasked(prepared, signals=signals)
        policy.check_holds(today)
        check_signal_rules(command, prepared.purpose, today=today)
        # (3) May it be asked? Standing comes from own signals and own records of consent; nothing else is looked up.
        own = await signals.own_on(organisation=requester.organisation, purpose=command.purpose, indexes=indexes)
        question = await question_of(prepared, own, policy=policy, today=today, consents=consents)
        # (4) No: openly, recorded, with what is possible.
        if isinstance(asked := may_ask(policy, question), Refusal):
            return refused_registration(question, asked, register=register, relied=(*base, *question.relied))
        check_used_families(prepared.purpose, act)
        check_is_new(question, team=command.team)
        # (5) Nobody has watched the log for too long: nothing is looked up, but in acute danger. An import never is.
        unwatched = nobody is None and log.disclosures_stopped()
        if unwatched and not may_go_on(question.facts()):
            return stopped(act, bundle=policy.sha256)
        # (6) Every token is looked up, but none in an import; (7) every hit is decided on, shown or not.
        looked_up = nobody or await signals.look_up(indexes)
        question = await asked_holders(question, looked_up, consents=consents)
        seen = see(policy, question, looked_up, register=register, address_mute_above=address_mute_above)
        rows = [match_of(row, register=register, roster=await rosters.roster(row.organisation)) for row in seen.rows]
        signal = new_signal(command, question, asked, seen, randomness=randomness)
        # (8) Who was hit is told too, if he in his turn may see the new signal; decided for each of them.
        met = await meet(
            signal, seen, person=prepared.household.subject, matches=matches, consents=consents, policy=policy,
            register=register, randomness=randomness,
        )  # fmt: skip
        tasks = (*tasks_of_signal(asked, signal, today=today), *notes_to_fg(question.facts(), unwatched=unwatched))
        change = StoreSignal(signal=signal, tokens=tokens_to_store(command, tokens=tokens))
        effects = effects_of(change, met, base, tasks=tasks, later=nobody is not None)
        document = told_of(prepared, rows, signal_id=signal.id)
        recording = recording_of(question, asked, met.seen, register=register, document=document, written=signal.handle)
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (9) Recorded with all it changes in one transaction, and (10) only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def refused_registration(
    question: Question, refusal: Refusal, *, register: Register, relied: tuple[Stamp, ...]
) -> Outcome:
    """Return the outcome of a registration that may not be asked; its entry names the grant, if any."""
    prepared = question.prepared
    return refused(
        prepared.act,
        refusal,
        register=register.number,
        relies_on=relied,
        tickets=prepared.tickets,
        grant=prepared.grant,
    )


def effects_of(
    change: StoreSignal, met: Meeting, base: tuple[Stamp, ...], *, tasks: tuple[Task, ...], later: bool
) -> Effects:
    """Return what becomes durable with a registration; its answer rests on what it shows only.

    Args:
        later: nobody was looked up, so that the signal waits for its turn to be met.
    """
    seen, signal = met.seen, change.signal
    waits = (MeetLater(signal_id=signal.id, organisation=signal.organisation),) if later else ()
    return Effects(
        relies_on=(*base, *seen.relies_on),
        changes=(change, *met.changes, *waits),
        tasks=tasks,
        rests_on=(*base, *seen.rests_on) if seen.rows else (),
        valid_until=seen.valid_until,
        signal_id=change.signal.id,
    )


def told_of(prepared: Prepared, matches: list[Match], *, signal_id: str) -> dict[str, object]:
    """Return what the asker of a registration is told; an import tells of nobody."""
    outcome, text = ("shown", "signal.stored_shown") if matches else ("nothing", "signal.stored")
    if prepared.grant is not None:
        outcome, text = "done", "signal.stored_import"
    return result_document(outcome=outcome, text=text, matches=matches, signal_id=signal_id)


def check_is_new(question: Question, *, team: str) -> None:
    """Hold only if this team has no active signal for this purpose on this person. Raises SignalExistsError."""
    subject = question.prepared.household.subject
    for token in question.own:
        same_person = token.role is TokenRole.SUBJECT and token.index == subject
        if same_person and token.signal.team == team and token.signal.active_on(question.today):
            raise SignalExistsError


def new_signal(
    command: RegisterSignal, question: Question, asked: Permit, seen: Seen, *, randomness: Randomness
) -> Signal:
    """Return the signal to store. Registering that shows somebody is a look-up, so it counts as standing (D5).

    What a purpose does not need is not kept: the quarter of a birthday only where an age bounds the signal.
    """
    prepared: Prepared = question.prepared
    return Signal(
        id=randomness.bytes(ID_BYTES).hex(),
        handle=randomness.bytes(ID_BYTES).hex(),
        organisation=prepared.organisation.oin,
        controller=command.controller,
        parent_org=prepared.organisation.parent_org,
        team=command.team,
        purpose=prepared.purpose.id,
        ground=asked.ground,
        epoch=command.epoch,
        case_ref=command.case_ref,
        registered_on=question.today,
        ends_on=command.ends_on,
        age_quarter=command.age_quarter if prepared.purpose.age_limit is not None else None,
        assessment=assessment_of(command),
        informing=informing_of(command),
        last_standing_on=question.today if seen.rows else None,
        owner=prepared.act.requester.worker,
        consent_until=None if question.consented is None else question.consented.rests_until(asked.ground),
    )
