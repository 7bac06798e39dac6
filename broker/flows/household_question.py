"""The part that registering and checking have in common: may it be asked, and what may be seen (D5, D8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from broker.consent_ports import ConsentReader
from broker.domain.changes import TicketId
from broker.domain.disclosures import CONTACT_LEVEL, MatchRow, audible, is_crowd, match_rows
from broker.domain.households import FoundToken, Hit, Household, MatchKind, TokenIndex, find_hits, gives_standing
from broker.flows.act import Act
from broker.flows.consent_facts import Consented, own_consents, rests_on_of, said_of, with_holders
from broker.flows.entry_payloads import HITS_ROOM, HITS_SCHEMA, SHIELDED_ROOM, SHIELDED_SCHEMA, Recording
from broker.flows.errors import DecisionFailedError
from broker.flows.judging import ERROR, Recorded, judge_hits, permitted_hits, record_decisions
from broker.flows.policy import PolicyInForce
from broker.flows.request_rules import (
    TicketIssuers,
    check_approval,
    check_families,
    check_organisation,
    check_purpose,
    check_team,
    check_tickets,
    index_household,
)
from broker.flows.standing import with_standing
from broker.ports import BUNDLE, LookUp, SignalStore, Stamp, StampKey, StampKind, TokenIndexer
from broker.protocol.epochs import EpochDocument
from broker.protocol.messages import CheckHousehold, RegisterSignal, StatutoryProof
from broker.protocol.register import Organisation, Register
from broker.protocol.roster import Roster
from policies import AskFacts, Permit, Purpose, Refusal
from policies.facts import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request whose own rules hold: who asks, for what, about which household, with which tickets.

    `grant` is the id of the import grant whose tickets they are, or None: an import asks about nobody. `proof` is that
    of a task in law, where one is stated.
    """

    act: Act
    organisation: Organisation
    purpose: Purpose
    approved: bool
    household: Household
    tickets: tuple[TicketId, ...]
    grant: str | None
    proof: StatutoryProof | None


def prepare(
    command: RegisterSignal | CheckHousehold,
    *,
    act: Act,
    register: Register,
    roster: Roster | None,
    epoch: EpochDocument,
    purposes: Mapping[str, Purpose],
    issuers: TicketIssuers,
    tokens: TokenIndexer,
    now: int,
) -> Prepared:
    """Return the request, once its own rules hold and its tickets cover it.

    Raises:
        RequestRuleError, ApprovalError, OrganisationUnknownError, OrganisationSuspendedError, TicketError
    """
    organisation = check_organisation(register, act)
    known = check_team(roster, act)
    approved = check_approval(known, act.requester, act.approval)
    purpose = check_purpose(purposes, act)
    check_families(organisation, epoch, act)
    household = index_household(command.household, epoch=command.epoch, tokens=tokens)
    covering = check_tickets(command.tickets, issuers=issuers, act=act, now=now)
    return Prepared(
        act=act,
        organisation=organisation,
        purpose=purpose,
        approved=approved,
        household=household,
        tickets=covering.tickets,
        grant=covering.grant,
        proof=None if isinstance(command, RegisterSignal) else command.proof,
    )


async def unasked(prepared: Prepared, *, signals: SignalStore) -> LookUp | None:
    """Return what an import looks up: nobody, so that ten thousand registrations are not ten thousand questions (D2).

    It relies on its subject's stamp all the same, read before own signals are: of two imports in a tick one is stale.
    None for every other request.
    """
    subject = prepared.household.subject
    if prepared.grant is None or subject is None:
        return None
    return LookUp(found=(), stamps=await signals.stamps([StampKey(kind=StampKind.TOKEN, key=subject.reveal())]))


_OPERATIONS: Mapping[str, Operation] = {
    "register_signal": "register",
    "check_household": "check",
    "call_holders": "call",
}
"""What each flow does, in the policy's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A prepared request with what `may_ask` needs besides; computed, but for grounds and proof: those are claimed.

    `standing` holds the ids of the own signals that it stands on; none where it stands on a proof.
    """

    prepared: Prepared
    today: date
    standing: frozenset[str]
    own: tuple[FoundToken, ...] = field(default=(), repr=False)
    own_handles: frozenset[str] = frozenset()
    """Search handles of the own signals on the household, so that a look is found again by it."""
    consented: Consented | None = None
    """What was recorded of the persons asked about; None where no consent is claimed."""
    own_stamps: tuple[Stamp, ...] = ()

    @property
    def relied(self) -> tuple[Stamp, ...]:
        """The stamps of the own signals and of the consents that were read."""
        return (*self.own_stamps, *(() if self.consented is None else self.consented.stamps))

    def facts(self) -> AskFacts:
        """Return the facts of the asker."""
        act, organisation = self.prepared.act, self.prepared.organisation
        facts = AskFacts(
            day=self.today,
            operation=_OPERATIONS[act.type],
            organisation=organisation.oin,
            org_class=organisation.org_class,
            role=act.requester.role,
            purpose=self.prepared.purpose.id,
            grounds=act.grounds,
            standing="none",
            approval="approved" if self.prepared.approved else "none",
            families=act.families(),
            simulated_bsn_right=organisation.simulated_bsn_right,
        )
        return with_standing(facts, own=self.standing, proof=self.prepared.proof, consented=self.consented)


async def question_of(
    prepared: Prepared, own: LookUp, *, policy: PolicyInForce, today: date, consents: ConsentReader
) -> Question:
    """Return the question with the standing that a proof, own consents, or own signals on this household give it."""
    worker = prepared.act.requester.worker
    counting = policy.counting(own.found, day=today)
    found = tuple(token for token in counting if not token.signal.hidden_from(worker))
    mine = gives_standing(prepared.household, found, kinds=prepared.purpose.match_kinds, day=today)
    return Question(
        prepared=prepared,
        today=today,
        standing=mine if prepared.proof is None else frozenset[str](),
        own=found,
        own_stamps=own.stamps,
        own_handles=frozenset(token.signal.handle for token in found if token.signal.id in mine),
        consented=await own_consents(prepared.act, prepared.household, policy=policy, day=today, consents=consents),
    )


async def asked_holders(question: Question, looked_up: LookUp, *, consents: ConsentReader) -> Question:
    """Return the question with what holders recorded of who was found, where consent is claimed."""
    return replace(question, consented=await with_holders(question.consented, looked_up.found, consents=consents))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the look-up gave: the rows to show, both groups of decisions, and what they rest on.

    `rests_on` and `valid_until` concern shown signals only; `handles` and `hits` every signal that was hit; `shown` are
    the kinds of match, with the id of the signal, that the rows rest on; `subjects` those of what was found.
    """

    rows: tuple[MatchRow, ...]
    open: Recorded
    shielded: Recorded
    handles: frozenset[str]
    hits: tuple[Hit, ...]
    shown: frozenset[tuple[MatchKind, str]]
    relies_on: tuple[Stamp, ...]
    rests_on: tuple[Stamp, ...]
    valid_until: date | None
    subjects: Mapping[str, TokenIndex] = field(repr=False)


def asked_stamps(organisation: str) -> tuple[StampKey, ...]:
    """Return what every question relies on: the bundle, and the asker's own line and roster."""
    return (
        StampKey(kind=StampKind.POLICY, key=BUNDLE),
        StampKey(kind=StampKind.ORGANISATION, key=organisation.encode("ascii")),
    )


def may_ask(policy: PolicyInForce, question: Question) -> Permit | Refusal:
    """Return the decision whether this may be asked. Raises DecisionFailedError: there is none."""
    return decided_to_ask(policy, question.facts())


def decided_to_ask(policy: PolicyInForce, facts: AskFacts) -> Permit | Refusal:
    """Return the decision whether who has these facts may ask. Raises DecisionFailedError: there is none."""
    decision = policy.decision_point.may_ask(facts)
    if isinstance(decision, Refusal) and decision.reason == ERROR:
        raise DecisionFailedError
    return decision


def see(
    policy: PolicyInForce,
    question: Question,
    looked_up: LookUp,
    *,
    register: Register,
    address_mute_above: int,
) -> Seen:
    """Return what may be shown of everything found, having decided on all of it.

    Args:
        address_mute_above: an address with more visible signals of others than this says nothing (D4).

    Raises:
        DecisionFailedError: a decision failed, or a match does not fit its entry.
    """
    prepared, consented = question.prepared, question.consented
    counting = policy.counting(looked_up.found, day=question.today)
    found = find_hits(prepared.household, counting, asker=prepared.organisation.oin, day=question.today)
    hits = [hit for hit in found if hit.kind.value in prepared.purpose.match_kinds]
    subjects = {token.signal.id: token.subject for token in counting}
    judged = judge_hits(
        policy,
        question.facts(),
        hits,
        register=register,
        worker=prepared.act.requester.worker,
        consents=said_of(consented, hits, found=counting),
    )
    # Whether the address is mute is judged on what may be seen, after every hit was decided on.
    visible = permitted_hits(judged)
    mute = is_crowd(visible, above=address_mute_above)
    recorded = record_decisions(HITS_SCHEMA, [one for one in judged if not one.shielded], room=HITS_ROOM, mute=mute)
    shielded = record_decisions(SHIELDED_SCHEMA, [one for one in judged if one.shielded], room=SHIELDED_ROOM)
    permitted = audible(recorded.permitted(), mute=mute)
    rows = match_rows(permitted)
    # What is not in the log is not disclosed, and a match is never dropped silently: then it is not done.
    if rows != match_rows(audible(visible, mute=mute)):
        raise DecisionFailedError
    named = {(row.organisation, row.team) for row in rows}
    shown = [one.hit.signal for one in permitted if (one.hit.signal.organisation, one.hit.signal.team) in named]
    persons = {(signal.organisation, subjects[signal.id]) for signal in shown}
    rests_on, until = rests_on_of(looked_up, consented, shown, persons, asker=prepared.organisation.oin)
    return Seen(
        rows=rows,
        open=recorded,
        shielded=shielded,
        handles=frozenset(hit.signal.handle for hit in hits),
        hits=tuple(hits),
        shown=frozenset((one.hit.kind, one.hit.signal.id) for one in permitted if one.level >= CONTACT_LEVEL),
        relies_on=(*looked_up.stamps, *question.relied),
        rests_on=rests_on,
        valid_until=until,
        subjects=subjects,
    )


def recording_of(
    question: Question,
    asked: Permit,
    seen: Seen,
    *,
    register: Register,
    document: Mapping[str, object],
    written: str | None = None,
) -> Recording:
    """Return how a question that was carried out ended; `written` is the search handle of a signal it stored."""
    own = question.own_handles if written is None else question.own_handles | {written}
    return Recording(
        outcome="done" if question.prepared.grant else "shown" if seen.rows else "nothing",
        bundle=asked.bundle,
        register=register.number,
        document=document,
        decision=asked.record(),
        shown=seen.rows,
        tickets=question.prepared.tickets,
        handles=seen.handles,
        own_handles=own,
        hits=seen.open.payload,
        shielded=seen.shielded.payload,
        grant=question.prepared.grant,
    )
