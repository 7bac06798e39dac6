"""Add to an own record of consent: another answer, or that somebody takes his yes back (D5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from broker.consent_ports import ConsentReader, OwnConsent
from broker.domain.changes import AddAnswers, Task
from broker.domain.consent_rules import SAID_BEFORE, check_alone, check_stated, fault_of, is_overtaken
from broker.domain.consents import Answer, Capacity, Consent, ConsentEvent, Needed
from broker.domain.errors import FieldRuleError, NotFoundError, TeamUnknownError
from broker.domain.flags import NETHERLANDS
from broker.domain.keeping import TellRelying, ended_for
from broker.domain.requests import Approval, Requester
from broker.flows.act import Act
from broker.flows.consent_ended import resting_on
from broker.flows.consent_opens import opens_nothing
from broker.flows.consenting import events_of, needed_if_any, owed_tasks, stated_of, told_of
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.kept_consents import KeptFrom, kept_from
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import check_approval, check_organisation, check_worker
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.consent_messages import AnswerConsent, WithdrawConsent
from broker.protocol.messages import TextRef
from broker.protocol.request_signing import SKEW_S
from broker.protocol.roster import Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What is added to a record, and the text that says so; of a yes that text follows from how it stands then."""

    events: tuple[ConsentEvent, ...]
    text: TextRef | None
    stated_at: int | None = None


async def answer_consent(
    *,
    command: AnswerConsent,
    consent_id: str,
    requester: Requester,
    approval: Approval | None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The answers stand after the earlier ones; outcome `done`.

    A colleague approves these very answers: that he approved the record says nothing of what is added to it.

    Raises:
        NotFoundError: no such record of this organisation. ApprovalError: no approval of a colleague.
        RefusedError, NotDoneError and others: as `record_consent`.
    """
    act = Act.stating("answer_consent", "consent", command, requester, approval=approval, target=consent_id)

    def added(own: OwnConsent, roster: Roster) -> Added:
        approved = check_approval(roster, requester, approval)
        today = clock.today()
        events = events_of(command.answers, now=clock.now(), today=today, roster=roster, approved=approved)
        check_alone(own.consent.guardians, events)
        said_yes = any(event.answer is Answer.GIVEN for event in events)
        check_stated(command.stated_at, latest=clock.now() + SKEW_S)
        text = None if said_yes else TextRef(id="consent.answered", params={})
        return Added(events=events, text=text, stated_at=command.stated_at)

    return await _recorded(
        added, act=act, consent_id=consent_id, policies=policies, clock=clock, registers=registers, rosters=rosters,
        signals=signals, consents=consents, answers=answers, log=log,
    )  # fmt: skip


async def withdraw_consent(
    *,
    command: WithdrawConsent,
    consent_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The yes counts no more from this entry on: nothing that relied on it commits or is shown again; outcome `done`.

    Raises:
        NotFoundError: no such record of this organisation.
        FieldRuleError: this person has no answer in it, or a party is not named in it.
        NotDoneError and others: as `record_consent`.
    """
    act = Act.stating("withdraw_consent", "consent", command, requester, target=consent_id)

    def added(own: OwnConsent, _: Roster) -> Added:
        capacity, consent = Capacity(command.capacity), own.consent
        if not any((event.who, event.capacity) == (command.who, capacity) for event in consent.events):
            raise FieldRuleError("who", "has no answer in this record")
        if not set(command.parties) <= consent.parties:
            raise FieldRuleError("parties", "name an organisation that the record does not")
        event = ConsentEvent(
            at=clock.now(), who=command.who, capacity=capacity, answer=Answer.WITHDRAWN, reason=command.by,
            parties=frozenset(command.parties),
        )  # fmt: skip
        return Added(events=(event,), text=TextRef(id="consent.withdrawn", params={"time": _time(event)}))

    return await _recorded(
        added, act=act, consent_id=consent_id, policies=policies, clock=clock, registers=registers, rosters=rosters,
        signals=signals, consents=consents, answers=answers, log=log,
    )  # fmt: skip


async def _recorded(
    added: Callable[[OwnConsent, Roster], Added], *, act: Act, consent_id: str, policies: Policies, clock: Clock,
    registers: RegisterReader, rosters: RosterReader, signals: SignalStore, consents: ConsentReader,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Return what either flow is told, once what it adds is durable."""
    organisation = act.requester.organisation

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(act.requester)
        base = await signals.stamps(asked_stamps(organisation))
        policy, today = policies.at(base), clock.today()
        register = await registers.register()
        check_organisation(register, act)
        # (2) An own record; anybody else's reads as none.
        own = await consents.own(organisation=organisation, consent_id=consent_id)
        kept = await kept_from(act.requester, act.approval, consents)
        if own is None or not kept.sees(own.consent, own.subject):
            raise NotFoundError
        about = replace(act, purpose=own.consent.purpose, team=own.consent.team)
        # A team or a purpose that is no more keeps nobody from saying no.
        roster = await rosters.roster(organisation)
        if roster is None:
            raise TeamUnknownError
        more, relied = added(own, roster), (*base, own.stamp)
        more = replace(more, events=kept.marked(more.events, own.subject))
        # (3) A yes that cannot be given: openly, recorded, without effect.
        needed = needed_if_any(policy, own.consent.purpose)
        if fault := _fault(own, more, needed, kept) or opens_nothing(own.consent, more.events, policy, register, today):
            return refused_as(about, fault, bundle=policy.sha256, register=register.number, relies_on=relied)
        # (4) What is committed.
        now = replace(own.consent, events=(*own.consent.events, *_numbered(own, more)))
        placed, worker = _all_with(now, own), act.requester.worker
        seen = kept.seen(placed, own.subject)
        resting = await resting_on(
            placed, more.events, own.subject, of=now, needed=needed, worker=worker,
            policy=policy, today=today, signals=signals,
        )  # fmt: skip
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number,
            document=told_of(now, needed=needed, day=today, text=more.text, about=seen, reader=worker),
            own_handles=(own.consent.id, *resting.handles), more=stated_of(own.consent.id, more.events),
        )  # fmt: skip
        effects = Effects(
            relies_on=(*relied, *resting.stamps), changes=(*_changes(own.consent, more), *resting.changes),
            tasks=(*_tasks(now, more, needed, today, about=seen, reader=worker), *resting.tasks),
        )  # fmt: skip
        return outcome_of(about, recording, effects, status=AnswerStatus.DONE)

    # (5) Recorded with the answers in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _all_with(now: Consent, own: OwnConsent) -> tuple[Consent, ...]:
    """Return everything that is recorded about this person, with this record as it is now."""
    about = () if own.about is None else own.about.consents
    return tuple(now if one.id == now.id else one for one in about) or (now,)


def _fault(own: OwnConsent, more: Added, needed: Needed | None, kept: KeptFrom) -> str | None:
    """Return the problem of a yes that cannot be given, by all about this person that the worker may know of."""
    about = () if own.about is None else kept.seen(own.about.consents, own.subject)
    if is_overtaken(own.consent, more.events, stated_at=more.stated_at, about=about):
        return SAID_BEFORE
    if needed is None:
        return None
    return fault_of(own.consent, more.events, needed=needed, about=about)


def _changes(consent: Consent, more: Added) -> tuple[AddAnswers | TellRelying, ...]:
    """Return the answers as a change, and after a no that who relied on the yes is told, whoever that is."""
    change = AddAnswers(consent_id=consent.id, organisation=consent.organisation, events=more.events)
    ended = ended_for(consent, more.events)
    return (change, TellRelying(consent_id=consent.id, parties=ended)) if ended else (change,)


def _numbered(own: OwnConsent, more: Added) -> tuple[ConsentEvent, ...]:
    """Return the new answers in a place after all that stand, in any record, as the store will number them."""
    records = (own.consent, *(() if own.about is None else own.about.consents))
    last = max((event.number for one in records for event in one.events), default=0)
    return tuple(replace(event, number=last + at) for at, event in enumerate(more.events, start=1))


def _tasks(
    now: Consent, more: Added, needed: Needed | None, today: date, *, about: tuple[Consent, ...], reader: str
) -> tuple[Task, ...]:
    """Return that whoever said yes now gets his confirmation too; what is not safe was noted with the record."""
    if needed is None or not any(event.answer is Answer.GIVEN for event in more.events):
        return ()
    owing = replace(now, confirmation="to_send") if now.confirmation == "given" else now
    return owed_tasks(owing, needed=needed, today=today, about=about, reader=reader, unsafe_too=False)


def _time(event: ConsentEvent) -> str:
    """Return the time of the day that a withdrawal is told with."""
    return datetime.fromtimestamp(event.at, UTC).astimezone(NETHERLANDS).strftime("%H:%M")
