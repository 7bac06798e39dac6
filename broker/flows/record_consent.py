"""Record what was asked about one person, and what everybody answered whose answer counts (D5)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from broker.consent_ports import ConsentReader
from broker.domain.changes import TicketId
from broker.domain.consent_rules import (
    SAID_BEFORE,
    check_alone,
    fault_of,
    is_overtaken,
)
from broker.domain.consents import Consent, ConsentEvent, Needed
from broker.domain.errors import (
    NotFoundError,
    PointInvalidError,
)
from broker.domain.households import StoredToken, TokenIndex, TokenRole
from broker.domain.requests import Approval, Requester
from broker.flows.act import Act
from broker.flows.consent_ended import resting_on
from broker.flows.consent_opens import opens_nothing
from broker.flows.consenting import events_of, needed_for
from broker.flows.household_question import asked_stamps
from broker.flows.kept_consents import kept_from
from broker.flows.naming_consent import check_named
from broker.flows.outcome import Answered, Outcome
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recorded_consent import RecordedConsent
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import (
    TicketIssuers,
    check_approval,
    check_families,
    check_organisation,
    check_purpose,
    check_team,
    check_tickets,
    check_used_families,
    check_worker,
)
from broker.ports import (
    AnswerStore,
    Clock,
    Log,
    OwnSignal,
    Randomness,
    RegisterReader,
    RosterReader,
    SignalStore,
    Stamp,
    TokenIndexer,
)
from broker.protocol.consent_messages import RecordConsent
from broker.protocol.epochs import EpochDocument
from broker.protocol.errors import TicketError
from broker.protocol.families import Family
from broker.protocol.register import Organisation, Register
from broker.protocol.ristretto import InvalidPointError
from broker.protocol.roster import Roster

ID_BYTES = 16


async def record_consent(
    *,
    command: RecordConsent,
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
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The answers are recorded, and open what they open from now on; outcome `done`.

    Raises:
        RefusedError: a yes by a parent without custody, by the suspect, or by somebody whose answer does not count; one
            that he took back before it came here; or one that could open nothing with a party.
        NotFoundError: no such own signal. NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError, ApprovalError, ProtocolError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = _act(command, requester, approval)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, today = policies.at(base), clock.today()
        register, epoch, organisation, roster, approved = await _who(act, registers, rosters)
        # (2) The request's own rules; one ticket of each custodian covers the person, where a token says who it is.
        needed = needed_for(policy, check_purpose(policy.purposes, act))
        check_named(command, organisation, register, policy, today=today, now=clock.now())
        tickets = _tickets(command, act, organisation, epoch, policy, issuers=issuers, now=clock.now())
        own = await _own_signal(command, requester, signals)
        said = events_of(command.answers, now=clock.now(), today=today, roster=roster, approved=approved)
        token, kept = stored_token(command, tokens), await kept_from(requester, approval, consents)
        subject, worker = _subject(token, own), requester.worker
        events = kept.marked(said, subject)
        consent = _consent(command, act, events, _Made(randomness.bytes(ID_BYTES).hex(), approved, today))
        # (3) A yes that cannot be given: openly, recorded, without effect.
        before = await _before(consent, subject, consents)
        relied = (*base, *(() if own is None else own.stamps), *before.stamps)
        fault = _fault(consent, command, kept.seen(before.consents, subject), needed)
        if fault := fault or opens_nothing(consent, events, policy, register, today):
            return refused_as(
                act, fault, bundle=policy.sha256, register=register.number, relies_on=relied, tickets=tickets
            )  # fmt: skip
        # (4) What is committed: the record, and that the resident gets his confirmation, or why not yet.
        seen = kept.seen(placed := before.and_then(consent), subject)
        resting = await resting_on(
            placed, events, subject, of=consent, needed=needed, worker=worker, policy=policy, today=today,
            signals=signals,
        )  # fmt: skip
        made = RecordedConsent(
            act=act, needed=needed, today=today, seen=seen, bundle=policy.sha256, register=register.number,
            tickets=tickets, token=token, own=own, relied=relied,
        )  # fmt: skip
        return made.outcome(consent, events, resting)

    # (5) Recorded with all of it in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def _who(
    act: Act, registers: RegisterReader, rosters: RosterReader
) -> tuple[Register, EpochDocument, Organisation, Roster, bool]:
    """Return what says who acts, and whether a colleague approves it. Raises RequestRuleError, ApprovalError."""
    check_worker(act.requester)
    register, epoch = await registers.register(), await registers.epoch()
    organisation = check_organisation(register, act)
    roster = check_team(await rosters.roster(act.requester.organisation), act)
    return register, epoch, organisation, roster, check_approval(roster, act.requester, act.approval)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What the organisation recorded about this person before; nothing where it is not known who it is."""

    subject: TokenIndex | None = None
    consents: tuple[Consent, ...] = ()
    stamps: tuple[Stamp, ...] = ()

    def and_then(self, consent: Consent) -> tuple[Consent, ...]:
        """Return everything about this person with this record, whose answers come after all that stand."""
        return (*self.consents, numbered_after(self.consents, consent))


def _fault(
    consent: Consent, command: RecordConsent, before: tuple[Consent, ...], needed: Needed
) -> str | None:  # fmt: skip
    """Return the problem of a yes that cannot be given, or was taken back before it came here; None for none."""
    if is_overtaken(consent, consent.events, stated_at=command.stated_at, about=before):
        return SAID_BEFORE
    return fault_of(consent, consent.events, needed=needed, about=before)


def _subject(token: StoredToken | None, own: OwnSignal | None) -> TokenIndex | None:
    """Return about whom a record is: whose token it has, or whom its own signal is about; None for nobody known."""
    return token.index if token is not None else None if own is None else own.subject


async def _before(consent: Consent, subject: TokenIndex | None, consents: ConsentReader) -> _Before:
    if subject is None:
        return _Before()
    pair = (consent.organisation, subject)
    about = (await consents.about([pair]))[pair]
    return _Before(subject=subject, consents=about.consents, stamps=(about.stamp,))


def numbered_after(before: Iterable[Consent], consent: Consent) -> Consent:
    """Return the record with its answers in a place after all that stand, as the store will number them."""
    last = max((event.number for one in before for event in one.events), default=0)
    placed = [replace(event, number=last + at) for at, event in enumerate(consent.events, start=1)]
    return replace(consent, events=tuple(placed))


def _act(command: RecordConsent, requester: Requester, approval: Approval | None) -> Act:
    stated = Act.stating(
        "record_consent", "consent", command, requester, approval=approval, purpose=command.purpose, team=command.team
    )
    counts = {} if command.subject is None else {Family.NLBSN.value: 1}
    return replace(stated, epoch=command.epoch, counts=counts)


def _tickets(
    command: RecordConsent,
    act: Act,
    organisation: Organisation,
    epoch: EpochDocument,
    policy: PolicyInForce,
    *,
    issuers: TicketIssuers,
    now: int,
) -> tuple[TicketId, ...]:
    """Return the tickets that cover the person; none where no token says who it is. Raises TicketError."""
    if command.subject is None:
        if command.tickets:
            raise TicketError("ticket-count")
        return ()
    check_families(organisation, epoch, act)
    check_used_families(policy.purposes[command.purpose], act)
    covering = check_tickets(command.tickets, issuers=issuers, act=act, now=now)
    if covering.grant is not None:
        raise TicketError("ticket-of-grant")
    return covering.tickets


def stored_token(command: RecordConsent, tokens: TokenIndexer) -> StoredToken | None:
    """Return what is stored of the person's token. Raises PointInvalidError: it is none."""
    if command.subject is None:
        return None
    token = command.subject.value
    try:
        index = tokens.index(command.epoch, Family.NLBSN, token)
    except InvalidPointError:
        raise PointInvalidError("subject") from None
    return StoredToken(
        index=index, family=Family.NLBSN.value, role=TokenRole.SUBJECT, source=None, sealed=tokens.seal(token)
    )


async def _own_signal(command: RecordConsent, requester: Requester, signals: SignalStore) -> OwnSignal | None:
    if command.signal_id is None:
        return None
    own = await signals.own(organisation=requester.organisation, signal_id=command.signal_id)
    if own is None or not own.signal.is_held or own.signal.hidden_from(requester.worker):
        raise NotFoundError
    return own


@dataclass(frozen=True, slots=True)
class _Made:
    id: str
    approved: bool
    today: date


def _consent(command: RecordConsent, act: Act, events: tuple[ConsentEvent, ...], made: _Made) -> Consent:
    check_alone(command.guardians, events)
    return Consent(
        id=made.id,
        organisation=act.requester.organisation,
        controller=command.controller,
        team=command.team,
        recorded_by=act.requester.worker,
        approved=made.approved,
        recorded_on=made.today,
        purpose=command.purpose,
        categories=frozenset(command.categories),
        parties=frozenset(command.parties),
        age=command.age,
        age_ends_on=command.age_ends_on,
        unable=command.unable,
        contested=command.contested,
        guardians=command.guardians,
        confirmation=command.confirmation,
        review_on=command.review_on,
        signal_id=command.signal_id,
        case_ref=command.case_ref,
        events=events,
    )
