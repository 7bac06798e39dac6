"""Add to an own record of consent: another answer, or that somebody takes his yes back (D5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from broker.consent_ports import ConsentReader, OwnConsent
from broker.domain.changes import AddAnswers
from broker.domain.consent_rules import fault_of
from broker.domain.consents import Answer, Capacity, ConsentEvent, Needed
from broker.domain.errors import FieldRuleError, NotFoundError
from broker.domain.flags import NETHERLANDS
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.consenting import events_of, needed_for, stated_of, told_of
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import check_organisation, check_team, check_worker
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.consent_messages import AnswerConsent, WithdrawConsent
from broker.protocol.roster import Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What is added to a record, and the text that says so; `judged` where a yes may be one that cannot be given."""

    events: tuple[ConsentEvent, ...]
    text: str
    judged: bool


async def answer_consent(
    *,
    command: AnswerConsent,
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
    """The answers stand after the earlier ones; outcome `done`.

    Raises:
        NotFoundError: no such record of this organisation.
        RefusedError, NotDoneError and others: as `record_consent`.
    """
    act = Act.stating("answer_consent", "consent", command, requester, target=consent_id)

    def added(_: OwnConsent, roster: Roster) -> Added:
        events = events_of(command.answers, now=clock.now(), today=clock.today(), roster=roster)
        return Added(events=events, text="consent.answered", judged=True)

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
        return Added(events=(event,), text="consent.withdrawn", judged=False)

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
        if own is None:
            raise NotFoundError
        about = replace(act, purpose=own.consent.purpose, team=own.consent.team)
        roster = check_team(await rosters.roster(organisation), about)
        more, relied = added(own, roster), (*base, own.stamp)
        # (3) A yes that cannot be given: openly, recorded, without effect. A purpose that has ended needs none.
        purpose = policy.purposes.get(own.consent.purpose)
        needed = None if purpose is None else needed_for(policy, purpose)
        fault = _fault(own, more, needed)
        if fault is not None:
            return refused_as(about, fault, bundle=policy.sha256, register=register.number, relies_on=relied)
        # (4) What is committed.
        now = replace(own.consent, events=(*own.consent.events, *_numbered(own, more)))
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number,
            document=told_of(more.text, [now], needed=needed, day=today, **_time_of(more)),
            own_handles=(own.consent.id,), more=stated_of(own.consent.id, more.events),
        )  # fmt: skip
        change = AddAnswers(consent_id=own.consent.id, organisation=organisation, events=more.events)
        return outcome_of(about, recording, Effects(relies_on=relied, changes=(change,)), status=AnswerStatus.DONE)

    # (5) Recorded with the answers in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _fault(own: OwnConsent, more: Added, needed: Needed | None) -> str | None:
    """Return the problem of a yes that cannot be given, by all that is recorded about this person."""
    if not more.judged or needed is None:
        return None
    about = () if own.about is None else own.about.consents
    return fault_of(own.consent, more.events, needed=needed, about=about)


def _numbered(own: OwnConsent, more: Added) -> tuple[ConsentEvent, ...]:
    """Return the new answers in a place after all that stand, as the store will number them."""
    last = max((event.number for event in own.consent.events), default=0)
    return tuple(replace(event, number=last + at) for at, event in enumerate(more.events, start=1))


def _time_of(more: Added) -> dict[str, str]:
    """Return the time that a withdrawal is told with."""
    if more.judged:
        return {}
    return {"time": datetime.fromtimestamp(more.events[0].at, UTC).astimezone(NETHERLANDS).strftime("%H:%M")}
