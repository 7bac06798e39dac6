"""Note that a phone call was answered: who, when, in which categories, on which ground; never what was said (D6)."""

from collections.abc import Mapping
from dataclasses import replace

from broker.call_ports import PhoneCallReader
from broker.domain.errors import FieldRuleError, NotFoundError, ReceiverUnknownError
from broker.domain.phone_calls import AnswerOrally, Oral, PhoneCall
from broker.domain.requests import Approval, Requester
from broker.flows.act import Act
from broker.flows.calling import organisation_key
from broker.flows.household_question import asked_stamps
from broker.flows.letters import (
    LEVEL,
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
from broker.flows.request_rules import check_approval, check_organisation, check_team, check_worker
from broker.flows.shown_phone_calls import phone_calls_document
from broker.flows.start_phone_call import phone_recording
from broker.flows.unwatched import stopped
from broker.ports import (
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
from policies import Refusal

ANSWERED, NOT_VERIFIED = "phone-call-answered", "phone-call-not-verified"


async def note_oral_answer(
    *, command: NoteOralAnswer, call_id: str, requester: Requester, approval: Approval | None, policies: Policies,
    clock: Clock, registers: RegisterReader, rosters: RosterReader, signals: SignalStore, phone: PhoneCallReader,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """That it was answered stands, for both sides; outcome `done`. It was decided on as telling is.

    Raises:
        NotFoundError: not a call to this organisation, or none at all; or the own signal it rests on is none.
        RefusedError: this may not be told, it was noted before, or somebody else knows who called where professionals
            decide themselves; with the receipt of its entry.
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
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, today = policies.at(base), clock.today()
        register = await registers.register()
        teller = check_organisation(register, act)
        call = await phone.received_call(organisation=requester.organisation, call_id=call_id)
        if call is None:
            raise NotFoundError
        of = replace(act, purpose=call.purpose, team=call.receiver_team)
        approved = check_approval(check_team(await rosters.roster(teller.oin), of), requester, approval)
        policy.check_holds(today)
        _check_asked(command, call)
        relied_on_caller = await signals.stamps([organisation_key(call.caller)])
        own = await own_signal(command.signal_id, organisation=teller.oin, policy=policy, today=today, signals=signals)
        relies_on = (*base, *relied_on_caller, *(() if own is None else own.stamps))
        if log.disclosures_stopped():
            return stopped(of, bundle=policy.sha256)
        # (2) Once; and where professionals decide themselves, by who knows who called.
        subject = _subject(command, call)
        hindered = _hindered(call, requester, personal=policy.decides_personally(teller.org_class))
        if hindered is not None:
            return _refused(of, hindered, policy, register, relies_on, subject=subject)
        # (3) Might it be told, in each of these categories? As any other telling is.
        facts = _facts(command, call, teller, register, role=requester.role, approved=approved, own=own)
        decided = decide_letter(policy, facts, command.categories, day=today)
        if isinstance(decided, Refusal):
            return refused(of, decided, register=register.number, relies_on=relies_on, tickets=())
        subject |= {"categories": dict(decided.rules), "level": command.level}
        if not decided.within:
            return _refused(of, LEVEL, policy, register, relies_on, subject=subject, decision=decided.permit.record())
        # (4) It stands, without what was said.
        oral = _oral(command, requester, now=clock.now())
        document = await phone_calls_document(
            "phone.oral", [replace(call, oral=oral)], to=teller.oin, now=clock.now(), register=register, rosters=rosters
        )
        recording = phone_recording("done", document, decided, subject=subject, own=own, register=register.number)
        tasks = decided.tasks(organisation=teller.oin, today=today, signal_id=command.signal_id)
        effects = Effects(relies_on=relies_on, changes=(AnswerOrally(call_id=call.id, oral=oral),), tasks=tasks)
        return outcome_of(of, recording, effects, status=AnswerStatus.DONE)

    # (5) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _refused(
    act: Act, problem_id: str, policy: PolicyInForce, register: Register, relies_on: tuple[Stamp, ...],
    *, subject: Mapping[str, object], decision: Mapping[str, object] | None = None,
) -> Outcome:  # fmt: skip
    return refused_openly(
        act, problem_id, policy=policy, register=register, relies_on=relies_on, subject=subject, decision=decision
    )


def _oral(command: NoteOralAnswer, requester: Requester, *, now: int) -> Oral:
    return Oral(
        worker=requester.worker,
        at=now,
        categories=tuple(command.categories),
        level=command.level,
        grounds=tuple(command.grounds),
    )


def _subject(command: NoteOralAnswer, call: PhoneCall) -> dict[str, object]:
    proof = stated_proof(command.proof) or call.proof
    return subject_of(
        call.id,
        mode="phone",
        answer="oral",
        verified=call.verified_at is not None,
        proof=None if proof is None else proof.reference,
    )


def _hindered(call: PhoneCall, requester: Requester, *, personal: bool) -> str | None:
    """Return the problem that stands in the way of noting an answer, or None."""
    if call.oral is not None:
        return ANSWERED
    return NOT_VERIFIED if personal and call.verified_by != requester.worker else None


def _check_asked(command: NoteOralAnswer, call: PhoneCall) -> None:
    """Hold only for what stays within the call, as an answer does within its question. Raises FieldRuleError."""
    check_different(command.categories)
    if not set(command.categories) <= set(call.categories):
        raise FieldRuleError("categories", "names one that was not asked for")
    if command.level > call.level:
        raise FieldRuleError("level", "is not from 1 to the one asked")


def _facts(
    command: NoteOralAnswer, call: PhoneCall, teller: Organisation, register: Register, *, role: str, approved: bool,
    own: OwnSignal | None,
) -> LetterFacts:  # fmt: skip
    told = register.organisations.get(call.caller)
    if told is None or not told.active:
        raise ReceiverUnknownError
    return LetterFacts(
        operation="share",
        sender=teller,
        recipient=told,
        role=role,
        purpose=call.purpose,
        grounds=tuple(command.grounds),
        own_signal=own is not None,
        approved=approved,
        proof=stated_proof(command.proof) or call.proof,
        level=command.level,
    )
