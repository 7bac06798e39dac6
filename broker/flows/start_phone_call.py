"""I call now: the same decision and the same record as a request for information, and a belcode to say (D6)."""

from collections.abc import Mapping

from broker.call_ports import PhoneCallReader
from broker.domain.phone_calls import KEY_BYTES, PhoneCall, StorePhoneCall
from broker.domain.requests import Approval, Requester
from broker.flows.act import Act
from broker.flows.calling import organisation_key, time_for_codes
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.letters import (
    LEVEL,
    Decided,
    LetterFacts,
    check_different,
    decide_letter,
    own_signal,
    receiver_of,
    refused_openly,
    stated_proof,
    subject_of,
)
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, refused
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_approval, check_organisation, check_purpose, check_team, check_worker
from broker.flows.shown_phone_calls import phone_calls_document
from broker.flows.unwatched import stopped
from broker.ports import (
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    OwnSignal,
    Randomness,
    RegisterReader,
    RosterReader,
    SignalStore,
)
from broker.protocol.phone_messages import StartPhoneCall
from broker.protocol.register import Organisation
from policies import Refusal


async def start_phone_call(
    *, command: StartPhoneCall, requester: Requester, approval: Approval | None, policies: Policies, clock: Clock,
    randomness: Randomness, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    phone: PhoneCallReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The call is announced, with a belcode that both sides can read; outcome `sent`.

    Raises:
        RefusedError: `may_ask` said no, or yes to less than this level; with the receipt of its entry.
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        RequestRuleError, ApprovalError, NotFoundError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating(
        "start_phone_call", "request", command, requester, approval=approval, purpose=command.purpose,
        grounds=tuple(command.grounds), team=command.team,
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
        check_different(command.categories)
        to = await receiver_of(command.to, command.to_team, sender=caller.oin, register=register, rosters=rosters)
        own = await own_signal(command.signal_id, organisation=caller.oin, policy=policy, today=today, signals=signals)
        # (2) Nobody has watched the log for too long: no call is made on its word.
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (3) May it be asked, in each of these categories? As a request is.
        facts = _facts(command, caller, to, role=requester.role, approved=approved, own=own)
        decided = decide_letter(policy, facts, command.categories, day=today)
        relies_on = (*base, *(() if own is None else own.stamps))
        # (4) No: openly, recorded, with what is possible.
        if isinstance(decided, Refusal):
            return refused(act, decided, register=register.number, relies_on=relies_on, tickets=())
        subject = _subject(command, decided.rules)
        if not decided.within:
            return refused_openly(
                act, LEVEL, policy=policy, register=register, relies_on=relies_on, subject=subject,
                decision=decided.permit.record(),
            )  # fmt: skip
        # (5) The call, with a key of its own for its code.
        now = await time_for_codes(clock, phone)
        call = _call(command, requester, key=randomness.bytes(KEY_BYTES), now=now)
        document = await phone_calls_document(
            "phone.made", [call], to=caller.oin, now=now, register=register, rosters=rosters, outcome="sent"
        )
        recording = phone_recording("sent", document, decided, subject=subject, own=own, register=register.number)
        tasks = decided.tasks(organisation=caller.oin, today=today, signal_id=command.signal_id)
        effects = Effects(relies_on=relies_on, changes=(StorePhoneCall(call=call),), tasks=tasks)
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (6) Recorded with the call in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def phone_recording(
    outcome: str, document: Mapping[str, object], decided: Decided, *, subject: Mapping[str, object],
    own: OwnSignal | None, register: int,
) -> Recording:  # fmt: skip
    """Return how an act on a phone call ended that was decided on, and done."""
    return Recording(
        outcome=outcome,
        bundle=decided.permit.bundle,
        register=register,
        decision=decided.permit.record(),
        document=document,
        subject=subject,
        own_handles=() if own is None else (own.signal.handle,),
    )


def _facts(
    command: StartPhoneCall, caller: Organisation, to: Organisation, *, role: str, approved: bool, own: OwnSignal | None
) -> LetterFacts:
    return LetterFacts(
        operation="request",
        sender=caller,
        recipient=to,
        role=role,
        purpose=command.purpose,
        grounds=tuple(command.grounds),
        own_signal=own is not None,
        approved=approved,
        proof=stated_proof(command.proof),
        level=command.level,
    )


def _subject(command: StartPhoneCall, rules: Mapping[str, str]) -> dict[str, object]:
    return subject_of(
        command.idempotency_key,
        mode="phone",
        to=command.to,
        toTeam=command.to_team,
        categories=dict(rules),
        level=command.level,
        proof=None if command.proof is None else command.proof.reference,
    )


def _call(command: StartPhoneCall, requester: Requester, *, key: bytes, now: int) -> PhoneCall:
    return PhoneCall(
        id=command.idempotency_key,
        caller=requester.organisation,
        caller_team=command.team,
        worker=requester.worker,
        controller=command.controller,
        receiver=command.to,
        receiver_team=command.to_team,
        purpose=command.purpose,
        grounds=tuple(command.grounds),
        categories=tuple(command.categories),
        level=command.level,
        made_at=now,
        key=key,
        proof=stated_proof(command.proof),
        statement=command.statement,
    )
