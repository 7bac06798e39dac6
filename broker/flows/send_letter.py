"""Send a letter to another organisation: a request for information, or what is told unasked (D6, D11)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from broker.consent_ports import ConsentReader
from broker.domain.information_requests import InformationRequest, LetterKind, StoreRequest
from broker.domain.notices import NoticeKind, Notify
from broker.domain.requests import Approval, Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.citing import Cited, cited_by
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.involvement import Involvement, Named, involvement, marks
from broker.flows.kept_consents import SeenConsents
from broker.flows.letters import (
    CANNOT_TELL,
    Decided,
    LetterFacts,
    answerable,
    check_bundle,
    check_different,
    check_expiry,
    chunks_sha256,
    decide_letter,
    letter_fault,
    notice_for,
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
from broker.flows.shown_requests import requests_document, shown
from broker.flows.unwatched import stopped
from broker.flows.withholding import UNCHANGED
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
    StampKey,
    StampKind,
)
from broker.protocol.register import Organisation, Register
from broker.protocol.request_messages import SendLetter, SendRequest, Tell, box_bytes
from broker.request_ports import ChunkReader, kept
from policies import Refusal

_NOTICES = {LetterKind.REQUEST: NoticeKind.REQUEST, LetterKind.TELLING: NoticeKind.DELIVERY}
_TEXTS = {LetterKind.REQUEST: "letter.sent", LetterKind.TELLING: "letter.told"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """A letter on its way: what was read for it, and what a decision on it relies on."""

    act: Act
    command: SendLetter
    kind: LetterKind
    policy: PolicyInForce
    register: Register
    involved: Involvement
    cited: Cited
    relies_on: tuple[Stamp, ...]

    def refuse(self, problem_id: str, decided: Decided | None = None) -> Outcome:
        """Return that it is not sent, told as its own problem and recorded."""
        return refused_openly(
            self.act, problem_id, policy=self.policy, register=self.register, relies_on=self.relies_on,
            subject=self.subject({} if decided is None else decided.rules),
            decision=None if decided is None else decided.permit.record(),
        )  # fmt: skip

    def subject(self, rules: Mapping[str, str]) -> Mapping[str, object]:
        """Return what the entry says it is about; `rules` spoke for its categories."""
        command = self.command
        box = box_bytes(command.box) or b""
        return subject_of(
            command.idempotency_key,
            to=command.to,
            toTeam=command.to_team,
            categories=dict(rules),
            level=command.level,
            expiresOn=command.expires_on.isoformat(),
            proof=None if command.proof is None else command.proof.reference,
            boxSha256=hashlib.sha256(box).hexdigest(),
            chunksSha256=chunks_sha256(command.chunks),
            **self.cited.stated,
        )


async def send_letter(
    *, command: SendLetter, requester: Requester, approval: Approval | None, policies: Policies, clock: Clock,
    randomness: Randomness, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    matches: MatchReader, consents: ConsentReader, exceptions: ExceptionReader, chunks: ChunkReader,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The letter waits for its receiver, and only he opens it; outcome `sent`. Its id is the idempotency key.

    Raises:
        RefusedError: `may_ask` said no, or yes to less than this level, or a chunk of an attachment is not there; with
            the receipt of its entry.
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        NotFoundError: the own signal, match, consent or exception it rests on is none.
        RequestRuleError, ApprovalError and others of `broker.domain.errors`: nothing was recorded.
    """
    kind = LetterKind.REQUEST if isinstance(command, SendRequest) else LetterKind.TELLING
    act = Act.stating(
        "request_information" if kind is LetterKind.REQUEST else "share_information",
        "request" if kind is LetterKind.REQUEST else "answer", command, requester, approval=approval,
        purpose=command.purpose, grounds=tuple(command.grounds), team=command.team,
    )  # fmt: skip

    async def decide() -> Outcome:
        # (1) Who, and the letter's own rules: between two different organisations, bound to the policy in force.
        check_worker(requester)
        base = await signals.stamps((*asked_stamps(requester.organisation), _organisation_key(command.to)))
        policy, today = policies.at(base), clock.today()
        register, roster = await registers.register(), await rosters.roster(requester.organisation)
        sender = check_organisation(register, act)
        approved = check_approval(check_team(roster, act), requester, approval)
        check_purpose(policy.purposes, act)
        policy.check_holds(today)
        _check_letter(command, requester, policy, today=today)
        to = await receiver_of(command.to, command.to_team, sender=sender.oin, register=register, rosters=rosters)
        involved = await involvement(
            _named(command), requester=requester, policy=policy, register=register, roster=roster, clock=clock,
            signals=signals, matches=matches,
        )  # fmt: skip
        cited = await _cited(command, act, policy=policy, now=clock.now(), consents=consents, exceptions=exceptions)
        on = _Sending(
            act=act, command=command, kind=kind, policy=policy, register=register, involved=involved,
            cited=cited.about(one.id for one in involved.signals), relies_on=(*base, *involved.stamps, *cited.stamps),
        )  # fmt: skip
        # (2) Another team's match, or a closed one: openly refused. Nobody watches the log: nothing is told.
        if involved.hindered is not None:
            return on.refuse(involved.hindered)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (3) May it be asked, or told, in each of these categories?
        facts = facts_of(on, sender, to, approved=approved)
        decided = decide_letter(policy, facts, command.categories, day=today)
        # (4) No: openly, recorded, with what is possible.
        if isinstance(decided, Refusal):
            return refused(act, decided, register=register.number, relies_on=on.relies_on, tickets=())
        fault = await letter_fault(decided, command.chunks, organisation=sender.oin, chunks=chunks)
        if kind is LetterKind.REQUEST and not answerable(policy, facts, command.categories, day=today):
            fault = CANNOT_TELL
        if fault is not None:
            return on.refuse(fault, decided)
        # (5) The letter, and what it rests on: once that changes it is not handed out any more.
        letter = _letter(on, to=to, now=clock.now(), approved=approved)
        notice = notice_for(to.oin, command.to_team, _NOTICES[kind], about=letter.id, randomness=randomness)
        return _sent(on, letter, decided, day=today, notice=notice)

    # (6) Recorded with the letter in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _check_letter(command: SendLetter, requester: Requester, policy: PolicyInForce, *, today: date) -> None:
    """Hold only for an own id, different categories, a term, and the bundle in force. Raises: as each of them."""
    check_own_id(command.idempotency_key, requester)
    check_different(command.categories)
    check_expiry(command.expires_on, today=today)
    check_bundle(command.bundle, policy)


def facts_of(on: _Sending, sender: Organisation, to: Organisation, *, approved: bool) -> LetterFacts:
    """Return what policy is asked about a letter."""
    command = on.command
    return LetterFacts(
        operation="request" if on.kind is LetterKind.REQUEST else "share",
        sender=sender,
        recipient=to,
        role=on.act.requester.role,
        purpose=command.purpose,
        grounds=tuple(command.grounds),
        own_signal=bool(on.involved.standing(command.purpose)),
        approved=approved,
        proof=stated_proof(command.proof),
        level=command.level,
        cited=on.cited,
    )


async def _cited(
    command: SendLetter, act: Act, *, policy: PolicyInForce, now: int, consents: ConsentReader,
    exceptions: ExceptionReader,
) -> Cited:  # fmt: skip
    return await cited_by(
        command.consent_id, _exception(command), organisation=act.requester.organisation, worker=act.requester.worker,
        at=now, grounds=act.grounds, policy=policy,
        consents=SeenConsents(consents, act.requester), exceptions=exceptions,
    )  # fmt: skip


def _exception(command: SendLetter) -> str | None:
    """Return the exception that is cited; no question rests on one."""
    return command.exception_id if isinstance(command, Tell) else None


def _organisation_key(oin: str) -> StampKey:
    return StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii"))


def _named(command: SendLetter) -> Named:
    return Named(
        signal_id=command.signal_id, match_id=command.match_id, team=command.team, to=command.to,
        to_team=command.to_team,
    )  # fmt: skip


def _letter(on: _Sending, *, to: Organisation, now: int, approved: bool) -> InformationRequest:
    command, requester, policy = on.command, on.act.requester, on.policy
    return InformationRequest(
        id=command.idempotency_key,
        kind=on.kind,
        sender=requester.organisation,
        sender_team=command.team,
        sender_worker=requester.worker,
        sender_role=requester.role,
        controller=command.controller,
        receiver=to.oin,
        receiver_team=command.to_team,
        asked_team=command.to_team,
        personal=on.kind is LetterKind.REQUEST and policy.decides_personally(to.org_class),
        purpose=command.purpose,
        grounds=tuple(command.grounds),
        categories=tuple(command.categories),
        level=command.level,
        proof=stated_proof(command.proof),
        signal_id=command.signal_id,
        approved=approved,
        bundle=policy.sha256,
        sent_at=now,
        expires_on=command.expires_on,
        rests_on=kept((*on.involved.rests_on, *on.cited.rests_on)),
        match_id=command.match_id,
        consent_id=command.consent_id,
        exception_id=_exception(command),
        chunks=tuple(command.chunks),
        about_signals=on.involved.about_signals,
        box=box_bytes(command.box) or b"",
    )


def _sent(on: _Sending, letter: InformationRequest, decided: Decided, *, day: date, notice: Notify) -> Outcome:
    told = shown(letter, to=letter.sender, register=on.register, policy=on.policy, today=day, basis=UNCHANGED)
    recording = Recording(
        outcome="sent", bundle=letter.bundle, register=on.register.number, decision=decided.permit.record(),
        document=requests_document(text=_TEXTS[letter.kind], requests=[told], outcome="sent"),
        subject=on.subject(decided.rules),
    )  # fmt: skip
    effects = Effects(
        relies_on=on.relies_on,
        changes=(StoreRequest(request=letter), notice, *marks(on.involved, command=on.command, day=day)),
        tasks=decided.tasks(organisation=letter.sender, today=day, signal_id=letter.signal_id),
    )
    return outcome_of(on.act, on.involved.recorded(recording), effects, status=AnswerStatus.DONE)
