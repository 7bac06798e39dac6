"""Note that a phone call was answered: who, when, in which categories, on which ground; never what was said (D6)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from broker.call_ports import PhoneCallReader
from broker.consent_ports import ConsentReader
from broker.domain.errors import FieldRuleError, ReceiverUnknownError
from broker.domain.information_requests import LetterKind
from broker.domain.phone_calls import AnswerOrally, Oral, PhoneCall
from broker.domain.requests import Approval, Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.calling import organisation_key, time_for_codes
from broker.flows.citing import Cited, cited_by
from broker.flows.entry_payloads import Recording
from broker.flows.held_calls import Judging
from broker.flows.holding import answer_facts, answer_marks
from broker.flows.household_question import asked_stamps
from broker.flows.kept_consents import SeenConsents
from broker.flows.kept_letters import open_calls
from broker.flows.letters import (
    LEVEL,
    Decided,
    LetterFacts,
    check_different,
    decide_letter,
    own_signal,
    refused_openly,
    stated_proof,
    subject_of,
)
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, refused
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_of import unknown
from broker.flows.request_rules import check_approval, check_organisation, check_team, check_worker
from broker.flows.shown_phone_calls import is_active, phone_calls_document
from broker.flows.unwatched import stopped
from broker.flows.verify_caller import CALL_WITHHELD
from broker.flows.withholding import bases
from broker.match_ports import MatchReader
from broker.ports import (
    REGISTER,
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    OwnSignal,
    RegisterReader,
    RosterReader,
    SignalStore,
    Stamp,
)
from broker.protocol.phone_messages import NoteOralAnswer
from broker.protocol.register import Organisation, Register
from broker.request_ports import kept
from policies import Refusal

ANSWERED, NOT_VERIFIED = "phone-call-answered", "phone-call-not-verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noting:
    """An oral answer that is being noted: what was read for it, and what a decision on it relies on."""

    act: Act
    command: NoteOralAnswer
    call: PhoneCall
    policy: PolicyInForce
    register: Register
    own: OwnSignal | None
    cited: Cited
    relies_on: tuple[Stamp, ...]

    @property
    def rests_on(self) -> tuple[Stamp, ...]:
        """The stamps of what the answer rests on besides what the call does."""
        return (*(() if self.own is None else self.own.stamps), *self.cited.rests_on)

    def subject(self, **stated: object) -> dict[str, object]:
        """Return what the entry says it is about."""
        proof = stated_proof(self.command.proof) or self.call.proof
        return subject_of(
            self.call.id,
            mode="phone",
            answer="oral",
            verified=self.call.verified_at is not None,
            proof=None if proof is None else proof.reference,
            **stated,
            **self.cited.stated,
        )

    def facts(self, oral: Oral) -> LetterFacts:
        """Return what policy is asked about this answer: exactly what it is asked about one by letter."""
        letter, reply = self.call.as_letter(), oral.as_reply(self.call.id)
        role = self.act.requester.role
        return answer_facts(letter, reply, self.own, register=self.register, role=role, cited=self.cited)

    def refuse(self, problem_id: str, decided: Decided | None = None) -> Outcome:
        """Return that it is not noted, told as its own problem; what was to be noted stands in its entry."""
        categories = self.command.categories if decided is None else dict(decided.rules)
        return refused_openly(
            self.act, problem_id, policy=self.policy, register=self.register, relies_on=self.relies_on,
            subject=self.subject(categories=categories, level=self.command.level),
            decision=None if decided is None else decided.permit.record(),
        )  # fmt: skip

    def done(self, oral: Oral, document: Mapping[str, object], decided: Decided, *, day: date) -> Outcome:
        """Return that it stands."""
        recording = Recording(
            outcome="done", bundle=decided.permit.bundle, register=self.register.number,
            decision=decided.permit.record(), document=document,
            subject=self.subject(categories=dict(decided.rules), level=oral.level),
            own_handles=() if self.own is None else (self.own.signal.handle,),
        )  # fmt: skip
        change = AnswerOrally(call_id=self.call.id, oral=oral)
        tasks = decided.tasks(organisation=self.call.receiver, today=day, signal_id=oral.signal_id)
        marks = answer_marks(self.call.as_letter(), oral.as_reply(self.call.id), self.own, day=day)
        effects = Effects(relies_on=self.relies_on, changes=(change, *marks), tasks=tasks)
        return outcome_of(self.act, recording, effects, status=AnswerStatus.DONE)


async def note_oral_answer(
    *, command: NoteOralAnswer, call_id: str, requester: Requester, approval: Approval | None, policies: Policies,
    clock: Clock, registers: RegisterReader, rosters: RosterReader, signals: SignalStore, matches: MatchReader,
    consents: ConsentReader, exceptions: ExceptionReader, phone: PhoneCallReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """That it was answered stands, for both sides; outcome `done`. It was decided on as telling is.

    Raises:
        NotFoundError: not a call to this organisation, or none at all; or the own signal, consent or exception it rests
            on is none.
        RefusedError: this may not be told, it was noted before, what the call rests on has changed, or somebody else
            knows who called where professionals decide themselves; with the receipt of its entry.
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        RequestRuleError, ApprovalError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating(
        "note_oral_answer", "answer", command, requester, target=call_id, approval=approval,
        grounds=tuple(command.grounds),
    )  # fmt: skip

    async def decide() -> Outcome:
        # (1) Who, and that it was a call to his organisation.
        check_worker(requester)
        base = await signals.stamps((*asked_stamps(requester.organisation), REGISTER))
        policy, register, today = policies.at(base), await registers.register(), clock.today()
        teller = check_organisation(register, act)
        call, base = await _asked(call_id, requester, base, phone=phone, signals=signals, matches=matches)
        if call is None:
            return unknown(act, call_id, policy=policy, register=register, relies_on=base)
        of = replace(act, purpose=call.purpose, team=call.receiver_team)
        approved = check_approval(check_team(await rosters.roster(teller.oin), of), requester, approval)
        policy.check_holds(today)
        _check_asked(command, call)
        judging = Judging(
            act=of, organisation=teller, policy=policy, register=register, clock=clock, signals=signals,
            matches=matches, consents=consents, exceptions=exceptions,
        )  # fmt: skip
        on = await _read(command, call, judging, signals=signals, relies_on=base)
        if log.disclosures_stopped():
            return stopped(of, bundle=policy.sha256)
        # (2) Once; by who knows who called, where professionals decide themselves; and while the call rests on what
        # it did: who asked with a yes that was taken back is told nothing more.
        on, holds = await _call_holds(on, judging)
        if (hindered := _hindered(on, teller, holds=holds)) is not None:
            return on.refuse(hindered)
        # (3) Might it be told, in each of these categories? As any other answer is.
        oral = _oral(on, requester, now=clock.now(), approved=approved)
        decided = decide_letter(policy, on.facts(oral), command.categories, day=today)
        if isinstance(decided, Refusal):
            return refused(of, decided, register=register.number, relies_on=on.relies_on, tickets=())
        if not decided.within:
            return on.refuse(LEVEL, decided)
        # (4) It stands, without what was said.
        told, at = [replace(call, oral=oral)], await time_for_codes(clock, phone)
        document = await phone_calls_document(
            "phone.oral", told, to=teller.oin, now=at, register=register, rosters=rosters
        )  # fmt: skip
        return on.done(oral, document, decided, day=today)

    # (5) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def _asked(
    call_id: str, requester: Requester, base: tuple[Stamp, ...], *, phone: PhoneCallReader, signals: SignalStore,
    matches: MatchReader,
) -> tuple[PhoneCall | None, tuple[Stamp, ...]]:  # fmt: skip
    """Return the call to his organisation with this id, None where there is none for him, and what that relies on."""
    call = await phone.received_call(organisation=requester.organisation, call_id=call_id)
    theirs, read = await open_calls([] if call is None else [call], requester, signals=signals, matches=matches)
    return next(iter(theirs), None), (*base, *read)


async def _read(
    command: NoteOralAnswer, call: PhoneCall, judging: Judging, *, signals: SignalStore, relies_on: tuple[Stamp, ...]
) -> _Noting:
    """Return what is read for an oral answer. Raises NotFoundError, ReceiverUnknownError, FieldRuleError."""
    act, organisation = judging.act, judging.organisation.oin
    of_caller = await signals.stamps([organisation_key(call.caller)])
    if not is_active(call.caller, judging.register):
        raise ReceiverUnknownError
    own = await own_signal(
        command.signal_id, organisation=organisation, policy=judging.policy, today=judging.clock.today(),
        signals=signals, worker=act.requester.worker,
    )  # fmt: skip
    cited = await cited_by(
        command.consent_id, command.exception_id, organisation=organisation, worker=act.requester.worker,
        at=judging.clock.now(), grounds=act.grounds, policy=judging.policy,
        consents=SeenConsents(judging.consents, act.requester), exceptions=judging.exceptions,
    )  # fmt: skip
    return _Noting(
        act=act, command=command, call=call, policy=judging.policy, register=judging.register, own=own,
        cited=cited.about_own(own),
        relies_on=(*relies_on, *of_caller, *(() if own is None else own.stamps), *cited.stamps),
    )  # fmt: skip


async def _call_holds(on: _Noting, judging: Judging) -> tuple[_Noting, bool]:
    """Return whether the call rests on what it did, and with that what a decision relies on besides.

    What it cites is decided on anew; that a proof of the asker has run its term since is no reason not to note.
    """
    found, read = await bases([on.call], signals=judging.signals)
    holds = found[on.call.id].letter
    if holds and on.call.consent_id is not None:
        holds, anew = await judging.of(on.call)
        read = (*read, *anew)
    return replace(on, relies_on=(*on.relies_on, *read)), holds


def _oral(on: _Noting, requester: Requester, *, now: int, approved: bool) -> Oral:
    command = on.command
    return Oral(
        worker=requester.worker,
        at=now,
        categories=tuple(command.categories),
        level=command.level,
        grounds=tuple(command.grounds),
        proof=stated_proof(command.proof),
        approved=approved,
        signal_id=command.signal_id,
        consent_id=command.consent_id,
        exception_id=command.exception_id,
        rests_on=kept(on.rests_on),
    )


def _hindered(on: _Noting, teller: Organisation, *, holds: bool) -> str | None:
    """Return the problem that stands in the way of noting an answer, or None."""
    if on.call.oral is not None:
        return ANSWERED
    if on.policy.decides_personally(teller.org_class) and on.call.verified_by != on.act.requester.worker:
        return NOT_VERIFIED
    return None if holds else CALL_WITHHELD


def _check_asked(command: NoteOralAnswer, call: PhoneCall) -> None:
    """Hold only for what stays within the call, as an answer does within its question. Raises FieldRuleError."""
    if call.kind is LetterKind.TELLING:
        raise FieldRuleError("call", "was made to tell, and nobody answers it")
    check_different(command.categories)
    if not set(command.categories) <= set(call.categories):
        raise FieldRuleError("categories", "names one that was not asked for")
    if command.level > call.level:
        raise FieldRuleError("level", "is not from 1 to the one asked")
