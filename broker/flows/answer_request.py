"""Answer a received request: all, a part, orally, or not; not sharing is a right without a consequence (D11)."""

import hashlib
from dataclasses import replace

from broker.consent_ports import ConsentReader
from broker.domain.errors import FieldRuleError, ReceiverUnknownError
from broker.domain.information_requests import (
    BOXED,
    DECLINED,
    STATE_OF_ANSWER,
    InformationRequest,
    LetterKind,
    RequestReply,
    StoreReply,
)
from broker.domain.notices import NoticeKind
from broker.domain.requests import Approval, Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.citing import NOTHING_CITED, Cited, cited_by
from broker.flows.holding import answer_facts, answer_marks, still_holds
from broker.flows.kept_consents import SeenConsents
from broker.flows.letters import (
    LAPSED,
    Decided,
    check_bundle,
    check_different,
    check_expiry,
    chunks_sha256,
    decide_letter,
    letter_fault,
    notice_for,
    own_signal,
    stated_proof,
)
from broker.flows.outcome import Answered, Effects, Outcome, refused
from broker.flows.policy import Policies
from broker.flows.request_of import OnRequest, act_on_request
from broker.flows.request_rules import check_approval, check_team
from broker.flows.shown_requests import secrecy_of
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
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
)
from broker.protocol.request_messages import PROFESSIONAL_SECRECY, AnswerRequest, box_bytes
from broker.protocol.sealed_letter import BOX_BYTES
from broker.request_ports import ChunkReader, RequestReader, kept
from policies import Refusal


async def answer_request(
    *, command: AnswerRequest, request_id: str, requester: Requester, approval: Approval | None, policies: Policies,
    clock: Clock, randomness: Randomness, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    matches: MatchReader, consents: ConsentReader, exceptions: ExceptionReader, requests: RequestReader,
    chunks: ChunkReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The request has this one answer, which waits for the asker; outcome `done`.

    Raises:
        NotFoundError: not received by this organisation, or none at all; or the own signal,
            consent or exception it rests on is none.
        RefusedError: already answered, withdrawn, expired, for a named colleague, or not permitted to tell; with the
            receipt of its entry.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError, ApprovalError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating(
        "answer_request", "answer", command, requester, target=request_id, approval=approval,
        grounds=tuple(command.grounds),
    )  # fmt: skip

    async def decide(on: OnRequest) -> Outcome:
        # (1) The answer's own rules.
        _check_members(command, on.request)
        on = replace(on, act=replace(act, purpose=on.request.purpose, team=on.request.receiver_team))
        # (2) Once, in time, and by whom it is for; an attempt is told openly and recorded.
        roster = await rosters.roster(on.organisation.oin)
        hindered = on.request.closed_by(on.today) or on.request.not_for(requester.worker) or on.of_another_team(roster)
        if hindered is not None:
            return on.refuse(hindered)
        # (3) Not sharing needs no permission.
        check_bundle(command.bundle, on.policy)
        check_expiry(command.expires_on, today=on.today)
        if command.kind == DECLINED:
            reply = _reply(command, requester, now=clock.now(), approved=False, rests_on=())
            return _answered(on, reply, randomness=randomness, decided=None)
        on.policy.check_holds(on.today)
        if on.other is None or not on.other.active:
            raise ReceiverUnknownError
        own, cited = await _basis(
            command, on, now=clock.now(), signals=signals, consents=consents, exceptions=exceptions
        )  # fmt: skip
        rests_on = (*(() if own is None else own.stamps), *cited.rests_on)
        approved = check_approval(check_team(roster, on.act), requester, approval)
        if log.disclosures_stopped():
            return stopped(on.act, bundle=on.policy.sha256)
        # (4) May this be told to who asked, on the answerer's own grounds?
        reply = _reply(command, requester, now=clock.now(), approved=approved, rests_on=rests_on)
        facts = answer_facts(on.request, reply, own, register=on.register, role=requester.role, cited=cited)
        decided = decide_letter(on.policy, facts, command.categories, day=on.today)
        on = replace(on, relies_on=(*on.relies_on, *rests_on, *cited.stamps, *await signals.stamps([on.other_key])))
        if isinstance(decided, Refusal):
            return refused(on.act, decided, register=on.register.number, relies_on=on.relies_on, tickets=())
        fault = await letter_fault(decided, command.chunks, organisation=on.organisation.oin, chunks=chunks)
        # (5) What nobody could fetch, for what the question rests on has changed, is not sent either.
        on, reaches = await _reaches(
            on, reply, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
        )  # fmt: skip
        if fault is not None or not reaches:
            return on.refuse(fault or LAPSED)
        return _answered(on, reply, randomness=randomness, decided=decided, cited=cited, own=own)

    # (6) Recorded with the answer in one transaction, and only then told.
    return await act_on_request(
        decide, act=act, request_id=request_id, receiver_only=True, policies=policies, clock=clock,
        registers=registers, signals=signals, matches=matches, requests=requests, answers=answers, log=log,
    )  # fmt: skip


async def _basis(
    command: AnswerRequest, on: OnRequest, *, now: int, signals: SignalStore, consents: ConsentReader,
    exceptions: ExceptionReader,
) -> tuple[OwnSignal | None, Cited]:  # fmt: skip
    """Return the own signal that an answer rests on, and what it cites. Raises NotFoundError."""
    organisation = on.organisation.oin
    own = await own_signal(
        command.signal_id, organisation=organisation, policy=on.policy, today=on.today, signals=signals,
        worker=on.act.requester.worker,
    )  # fmt: skip
    cited = await cited_by(
        command.consent_id, command.exception_id, organisation=organisation, worker=on.act.requester.worker, at=now,
        grounds=on.act.grounds, policy=on.policy,
        consents=SeenConsents(consents, on.act.requester), exceptions=exceptions,
    )  # fmt: skip
    return own, cited.about_own(own)


async def _reaches(
    on: OnRequest, reply: RequestReply, *, clock: Clock, signals: SignalStore, matches: MatchReader,
    consents: ConsentReader, exceptions: ExceptionReader,
) -> tuple[OnRequest, bool]:  # fmt: skip
    """Return whether who asked could fetch this answer now, and with the act what that relies on."""
    after = replace(on.request, state=STATE_OF_ANSWER[reply.kind], reply=reply)
    at_asker = replace(on, organisation=on.register.organisations[on.request.sender], request=after)
    seen, holds = await still_holds(
        at_asker, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
    )  # fmt: skip
    return replace(on, relies_on=seen.relies_on), holds


def _check_members(command: AnswerRequest, request: InformationRequest) -> None:
    """Hold only for an answer whose members fit together and stay within the question. Raises FieldRuleError."""
    declined = command.kind == DECLINED
    if request.kind is LetterKind.TELLING:
        raise FieldRuleError("kind", "is for a question; this was told, and nobody answers it")
    box = None if command.box is None else box_bytes(command.box)
    if box is None and command.kind in BOXED:
        raise FieldRuleError("box", "is needed for all and part")
    if box is not None and command.kind not in BOXED and len(box) != BOX_BYTES[0]:
        raise FieldRuleError("box", "is of the smallest size for what says nothing")
    if command.chunks and command.kind not in BOXED:
        raise FieldRuleError("chunks", "are for what is answered in writing")
    if (command.reason is not None) != declined:
        raise FieldRuleError("reason", "is for what is not shared, and for nothing else")
    if declined:
        if command.categories or command.level or command.grounds or command.proof or command.signal_id:
            raise FieldRuleError("categories", "are not for what is not shared")
        return
    check_different(command.categories)
    if not command.categories or not set(command.categories) <= set(request.categories):
        raise FieldRuleError("categories", "are not among those asked")
    if command.kind == "all" and set(command.categories) != set(request.categories):
        raise FieldRuleError("categories", "are not all of those asked")
    if not 1 <= command.level <= request.level:
        raise FieldRuleError("level", "is not from 1 to the one asked")
    if not command.grounds:
        raise FieldRuleError("grounds", "has too few items")


def _reply(
    command: AnswerRequest, requester: Requester, *, now: int, approved: bool, rests_on: tuple[Stamp, ...]
) -> RequestReply:
    told = command.kind != DECLINED
    return RequestReply(
        id=command.idempotency_key,
        controller=command.controller,
        worker=requester.worker,
        kind=command.kind,
        reason=command.reason,
        categories=tuple(command.categories),
        level=command.level,
        grounds=tuple(command.grounds),
        proof=stated_proof(command.proof),
        signal_id=command.signal_id if told else None,
        consent_id=command.consent_id if told else None,
        exception_id=command.exception_id if told else None,
        approved=approved,
        bundle=command.bundle,
        answered_at=now,
        expires_on=command.expires_on,
        rests_on=kept(rests_on),
        chunks=tuple(command.chunks),
        box=None if command.box is None else box_bytes(command.box),
    )


def _answered(
    on: OnRequest, reply: RequestReply, *, randomness: Randomness, decided: Decided | None,
    cited: Cited = NOTHING_CITED, own: OwnSignal | None = None,
) -> Outcome:  # fmt: skip
    request = on.request
    text, params = _said(on, reply)
    told = notice_for(
        request.sender, request.sender_team, NoticeKind.ANSWER, about=request.id, randomness=randomness
    )  # fmt: skip
    handles = () if own is None else (own.signal.handle,)
    on = replace(on, handles=handles, own_handles=handles)
    after = replace(request, state=STATE_OF_ANSWER[reply.kind], reply=reply)
    permit = None if decided is None else decided.permit
    effects = Effects(
        relies_on=on.relies_on,
        changes=(
            StoreReply(request_id=on.request.id, reply=reply),
            told,
            *answer_marks(on.request, reply, own, day=on.today),
        ),
        tasks=() if decided is None else decided.tasks(organisation=on.organisation.oin, today=on.today),
    )
    return on.done(
        after, effects, text=text, params=params, decision=None if permit is None else permit.record(),
        proof=None if reply.proof is None else reply.proof.reference,
        answer=reply.id, how=reply.kind, reason=reply.reason,
        categories={} if decided is None else dict(decided.rules), level=reply.level,
        boxSha256=None if reply.box is None else hashlib.sha256(reply.box).hexdigest(),
        chunksSha256=chunks_sha256(reply.chunks),
        **cited.stated,
    )  # fmt: skip


def _said(on: OnRequest, reply: RequestReply) -> tuple[str, dict[str, str]]:
    """Return what who answers is told, and what stands in it: of his professional secrecy the law that is his right."""
    law = secrecy_of(on.request, register=on.register, policy=on.policy)
    if reply.reason == PROFESSIONAL_SECRECY and law is not None:
        return "letter.reply.declined_secrecy", {"law": law}
    return f"letter.reply.{reply.kind}", {}
