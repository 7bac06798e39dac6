"""I call now: the same decision and the same record as a letter, and a belcode to say (D6).

A call asks or tells. It is decided on with exactly the facts of the letter that it stands for: what it cites, and
whether who is asked could ever tell, included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from broker.call_ports import PhoneCallReader
from broker.consent_ports import ConsentReader
from broker.domain.errors import FieldRuleError
from broker.domain.information_requests import LetterKind
from broker.domain.phone_calls import KEY_BYTES, CodeTime, PhoneCall, StorePhoneCall
from broker.domain.requests import Approval, Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.calling import organisation_key, time_for_codes
from broker.flows.citing import Cited, cited_by
from broker.flows.entry_payloads import Recording
from broker.flows.holding import letter_facts
from broker.flows.household_question import asked_stamps
from broker.flows.involvement import Involvement, Named, involvement, marks
from broker.flows.kept_consents import SeenConsents
from broker.flows.letters import (
    CANNOT_TELL,
    LEVEL,
    Decided,
    LetterFacts,
    answerable,
    check_different,
    decide_letter,
    receiver_of,
    refused_openly,
    stated_proof,
    subject_of,
)
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, refused
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import (
    check_approval,
    check_organisation,
    check_own_id,
    check_purpose,
    check_team,
    check_worker,
)
from broker.flows.shown_phone_calls import phone_calls_document
from broker.flows.unwatched import stopped
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
)
from broker.protocol.phone_messages import StartPhoneCall
from broker.protocol.register import Register
from broker.request_ports import kept
from policies import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Announcing:
    """A call that is being announced: what was read for it, and what a decision on it relies on."""

    act: Act
    command: StartPhoneCall
    policy: PolicyInForce
    register: Register
    involved: Involvement
    cited: Cited
    relies_on: tuple[Stamp, ...]

    def refuse(self, problem_id: str, decided: Decided | None = None) -> Outcome:
        """Return that it is not announced, told as its own problem and recorded."""
        return refused_openly(
            self.act, problem_id, policy=self.policy, register=self.register, relies_on=self.relies_on,
            subject=self.subject({} if decided is None else decided.rules),
            decision=None if decided is None else decided.permit.record(),
        )  # fmt: skip

    def subject(self, rules: Mapping[str, str]) -> Mapping[str, object]:
        """Return what the entry says it is about; `rules` spoke for its categories."""
        command = self.command
        return subject_of(
            command.idempotency_key,
            mode="phone",
            to=command.to,
            toTeam=command.to_team,
            categories=dict(rules),
            level=command.level,
            proof=None if command.proof is None else command.proof.reference,
            **self.cited.stated,
        )

    def made(self, call: PhoneCall, document: Mapping[str, object], decided: Decided, *, day: date) -> Outcome:
        """Return that it is announced."""
        recording = Recording(
            outcome="sent", bundle=self.policy.sha256, register=self.register.number,
            decision=decided.permit.record(), document=document, subject=self.subject(decided.rules),
        )  # fmt: skip
        effects = Effects(
            relies_on=self.relies_on,
            changes=(StorePhoneCall(call=call), *marks(self.involved, command=self.command, day=day)),
            tasks=decided.tasks(organisation=call.caller, today=day, signal_id=call.signal_id),
        )
        return outcome_of(self.act, self.involved.recorded(recording), effects, status=AnswerStatus.DONE)


async def start_phone_call(
    *, command: StartPhoneCall, requester: Requester, approval: Approval | None, policies: Policies, clock: Clock,
    randomness: Randomness, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    matches: MatchReader, consents: ConsentReader, exceptions: ExceptionReader, phone: PhoneCallReader,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The call is announced, with a belcode that both sides can read; outcome `sent`.

    Raises:
        RefusedError: `may_ask` said no, or yes to less than this level, or who is called could never tell this; with
            the receipt of its entry.
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        NotFoundError: the own signal, match, consent or exception it rests on is none.
        RequestRuleError, ApprovalError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating(
        "start_phone_call", "request" if command.kind == "request" else "answer", command, requester, approval=approval,
        purpose=command.purpose, grounds=tuple(command.grounds), team=command.team,
    )  # fmt: skip

    async def decide() -> Outcome:
        # (1) Who, and the call's own rules: between two different organisations, to a team that can be reached.
        check_worker(requester)
        base = await signals.stamps((*asked_stamps(requester.organisation), organisation_key(command.to)))
        policy, today = policies.at(base), clock.today()
        register, roster = await registers.register(), await rosters.roster(requester.organisation)
        caller = check_organisation(register, act)
        approved = check_approval(check_team(roster, act), requester, approval)
        check_purpose(policy.purposes, act)
        policy.check_holds(today)
        _check_members(command, requester)
        await receiver_of(command.to, command.to_team, sender=caller.oin, register=register, rosters=rosters)
        involved = await involvement(
            _named(command), requester=requester, policy=policy, register=register, roster=roster, clock=clock,
            signals=signals, matches=matches,
        )  # fmt: skip
        cited = await _cited(command, act, involved, policy, clock=clock, consents=consents, exceptions=exceptions)
        read = (*base, *involved.stamps, *cited.stamps)
        on = _Announcing(
            act=act, command=command, policy=policy, register=register, involved=involved, cited=cited, relies_on=read
        )
        # (2) Another team's match, or a closed one: openly refused. Nobody watches the log: no call on its word.
        if involved.hindered is not None:
            return on.refuse(involved.hindered)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (3) The call, with a key of its own for its code. May it be made, in each of these categories?
        now = await time_for_codes(clock, phone)
        call = _call(on, key=randomness.bytes(KEY_BYTES), now=now, approved=approved)
        facts = letter_facts(call.as_letter(), register, cited, standing=bool(involved.standing(command.purpose)))
        decided = decide_letter(policy, facts, command.categories, day=today)
        # (4) No: openly, recorded, with what is possible.
        if isinstance(decided, Refusal):
            return refused(act, decided, register=register.number, relies_on=read, tickets=())
        if (fault := _fault(on, decided, facts, day=today)) is not None:
            return on.refuse(fault, decided)
        # (5) Its belcode, for the caller to say.
        document = await phone_calls_document(
            "phone.made", [call], to=caller.oin, now=now, register=register, rosters=rosters, outcome="sent"
        )
        return on.made(call, document, decided, day=today)

    # (6) Recorded with the call in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _check_members(command: StartPhoneCall, requester: Requester) -> None:
    """Hold only for an own id, different categories, an exception only for what is told. Raises FieldRuleError."""
    check_own_id(command.idempotency_key, requester)
    check_different(command.categories)
    if command.exception_id is not None and command.kind == "request":
        raise FieldRuleError("exceptionId", "is for what is told, and no question rests on one")


def _named(command: StartPhoneCall) -> Named:
    return Named(
        signal_id=command.signal_id, match_id=command.match_id, team=command.team, to=command.to,
        to_team=command.to_team,
    )  # fmt: skip


async def _cited(
    command: StartPhoneCall, act: Act, involved: Involvement, policy: PolicyInForce, *, clock: Clock,
    consents: ConsentReader, exceptions: ExceptionReader,
) -> Cited:  # fmt: skip
    cited = await cited_by(
        command.consent_id, command.exception_id, organisation=act.requester.organisation, worker=act.requester.worker,
        at=clock.now(), grounds=act.grounds, policy=policy,
        consents=SeenConsents(consents, act.requester), exceptions=exceptions,
    )  # fmt: skip
    return cited.about(one.id for one in involved.signals)


def _fault(on: _Announcing, decided: Decided, facts: LetterFacts, *, day: date) -> str | None:
    """Return the problem of a call that was permitted; None where it is at its level, to who could ever tell."""
    if not decided.within:
        return LEVEL
    asks = on.command.kind == "request"
    return CANNOT_TELL if asks and not answerable(on.policy, facts, on.command.categories, day=day) else None


def _call(on: _Announcing, *, key: bytes, now: CodeTime, approved: bool) -> PhoneCall:
    command, requester = on.command, on.act.requester
    return PhoneCall(
        id=command.idempotency_key,
        kind=LetterKind(command.kind),
        caller=requester.organisation,
        caller_team=command.team,
        worker=requester.worker,
        role=requester.role,
        approved=approved,
        controller=command.controller,
        receiver=command.to,
        receiver_team=command.to_team,
        purpose=command.purpose,
        grounds=tuple(command.grounds),
        categories=tuple(command.categories),
        level=command.level,
        made_at=now.recorded,
        clocked_at=now.clock,
        key=key,
        proof=stated_proof(command.proof),
        signal_id=command.signal_id,
        match_id=command.match_id,
        consent_id=command.consent_id,
        exception_id=command.exception_id,
        about_signals=on.involved.about_signals,
        rests_on=kept((*on.involved.rests_on, *on.cited.rests_on)),
        statement=command.statement,
    )
