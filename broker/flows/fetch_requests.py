"""Read own requests and fetch what waits in one: each box that leaves is decided on anew and recorded (red line 6)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from broker.consent_ports import ConsentReader
from broker.domain.errors import FieldRuleError, NotFoundError
from broker.domain.information_requests import (
    FURTHER,
    Delivery,
    InformationRequest,
    LetterKind,
    MoveDelivery,
    RequestState,
    RestsOn,
)
from broker.domain.requests import Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.answer_request import answer_facts
from broker.flows.citing import Cited, cited_by
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.involvement import seen_in_match
from broker.flows.letters import WITHHELD, LetterFacts, decide_letter, own_signal
from broker.flows.note_receipt import delivered
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_of import OnRequest, act_on_request
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_requests import requests_document, shown
from broker.flows.unwatched import stopped
from broker.flows.withholding import bases
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, OwnSignal, RegisterReader, SignalStore, Stamp
from broker.protocol.register import Register
from broker.protocol.request_messages import REQUESTS_PER_PAGE
from broker.request_ports import RequestReader, stamps_of
from policies import Refusal


async def list_requests(
    *, requester: Requester, after: str | None, policies: Policies, clock: Clock, registers: RegisterReader,
    signals: SignalStore, requests: RequestReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """At most `REQUESTS_PER_PAGE` own requests are read, sent and received, and that is recorded; outcome `done`.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_requests", requester)

    async def decide() -> Outcome:
        # (1) Who; (2) the requests of which his organisation is a side, without what is in them.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register = policies.at(base), await registers.register()
        organisation, today = check_organisation(register, act), clock.today()
        own = await requests.requests(organisation=organisation.oin, after=after or "", at_most=REQUESTS_PER_PAGE)
        # What it rests on may have changed since it was written: then no more is told of it than that.
        found, current = await bases(own, signals=signals)
        listed = [
            shown(one, to=organisation.oin, register=register, today=today, basis=found[one.id]) for one in own
        ]  # fmt: skip
        document = requests_document(text="letter.list", requests=listed)
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        return outcome_of(act, recording, Effects(relies_on=(*base, *current)), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def fetch_request(
    *, requester: Requester, request_id: str, policies: Policies, clock: Clock, registers: RegisterReader,
    signals: SignalStore, matches: MatchReader, consents: ConsentReader, exceptions: ExceptionReader,
    requests: RequestReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """What waits for this side is handed out, and its delivery is unknown until it is confirmed; outcome `done`.

    The receiver gets the letter, the asker the answer. It is handed out only while everything it rests on is as it was
    and it is still permitted; a withdrawal that is committed before withholds it for good.

    Raises:
        NotFoundError: this organisation is no side of it, or there is none at all.
        RefusedError: withheld, or for a colleague by name; with the receipt of its entry.
        NotDoneError and others of `broker.domain.errors`: see there.
    """
    act = Act.reading("fetch_request", requester)

    async def decide(on: OnRequest) -> Outcome:
        request, reply = on.request, on.request.reply
        # (1) Is there a box for this side at all?
        box = request.box if on.received else None if reply is None else reply.box
        if not box:  # one that was opened, or is past its day, is erased and not none
            text = "letter.one" if box is None else "letter.erased"
            return on.done(request, Effects(relies_on=on.relies_on), text=text)
        # (2) A personal question is read by the worker it is for.
        if on.received and (hindered := request.not_for(requester.worker)) is not None:
            return on.refuse(hindered)
        if log.disclosures_stopped():
            return stopped(act, bundle=on.policy.sha256)
        # (3) Everything it rests on is as it was, and it is not past its day; this is relied on at the commit.
        # (4) It is still permitted, by the policy in force and what it cites.
        on, holds = await still_holds(
            on, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
        )  # fmt: skip
        if not holds:
            return on.refuse(WITHHELD)
        # (5) Handed out: whether it arrives, nobody here can tell.
        present = request.delivery if on.received or reply is None else reply.delivery
        moved = present if FURTHER[present] else Delivery.UNKNOWN
        change = MoveDelivery(request_id=request.id, of_reply=not on.received, delivery=moved)
        of = request.kind.value if on.received else "answer"
        return on.done(
            delivered(request, change), Effects(relies_on=on.relies_on, changes=(change,)),
            text="letter.handed_out", of=of, box=box, fetched=of, boxSha256=hashlib.sha256(box).hexdigest(),
        )  # fmt: skip

    # (6) Recorded with the change in one transaction, and only then does the box leave.
    return await act_on_request(
        decide, act=act, request_id=request_id, receiver_only=None, policies=policies, clock=clock,
        registers=registers, signals=signals, requests=requests, answers=answers, log=log,
    )  # fmt: skip


async def still_holds(
    on: OnRequest, *, clock: Clock, signals: SignalStore, matches: MatchReader, consents: ConsentReader,
    exceptions: ExceptionReader,
) -> tuple[OnRequest, bool]:  # fmt: skip
    """Return the act with everything that handing out relies on, and whether that holds; whatever it is that leaves.

    Raises:
        DecisionFailedError: the decision failed.
    """
    rests = tuple(_rests(on.request, received=on.received))
    current = await signals.stamps([stamp.of for stamp in stamps_of(rests)])
    on = replace(on, relies_on=(*on.relies_on, *current, *await signals.stamps([on.other_key])))
    if current != stamps_of(rests) or _past(on):
        return on, False
    try:
        involved, stamps = await _involved(on, clock=clock, signals=signals, matches=matches)
        on = replace(on, relies_on=(*on.relies_on, *stamps), handles=involved.handles)
        letters = await _letters(on, involved, consents=consents, exceptions=exceptions)
    except (NotFoundError, FieldRuleError):
        return on, False
    on = replace(on, relies_on=(*on.relies_on, *(stamp for one in letters for stamp in one.facts.cited.stamps)))
    return on, bool(letters) and _still_permitted(on, letters)


def _rests(request: InformationRequest, *, received: bool) -> Iterable[RestsOn]:
    """Return what a box rests on: an answer on what its question rests on too."""
    yield from request.rests_on
    if not received and request.reply is not None:
        yield from request.reply.rests_on


def _past(on: OnRequest) -> bool:
    """Return whether a box is given no more: taken back, or past its last day."""
    request = on.request
    if request.state is RequestState.WITHDRAWN:
        return True
    last = request.expires_on if on.received or request.reply is None else request.reply.expires_on
    return on.today > last


@dataclass(frozen=True, slots=True, kw_only=True)
class _Involved:
    """By which own signals each side is involved today; `standing` says that the sender's entitle him."""

    standing: bool
    answerer: OwnSignal | None
    handles: tuple[str, ...]


async def _involved(
    on: OnRequest, *, clock: Clock, signals: SignalStore, matches: MatchReader
) -> tuple[_Involved, tuple[Stamp, ...]]:
    """Return what it rests on of signals, active today whether swept or not, and the stamps of a match.

    Raises:
        NotFoundError: a signal, or a match, is none any more.
    """
    request = on.request
    stamps: tuple[Stamp, ...] = ()
    own = await own_signal(
        request.signal_id, organisation=request.sender, policy=on.policy, today=on.today, signals=signals
    )  # fmt: skip
    sender = tuple([] if own is None else [own.signal])
    if request.match_id is not None:
        sender, stamps = await seen_in_match(
            request.match_id, organisation=request.sender, worker=request.sender_worker, policy=on.policy,
            register=on.register, clock=clock, matches=matches,
        )  # fmt: skip
    reply = None if on.received or request.reply is None else request.reply
    answerer = await own_signal(
        None if reply is None else reply.signal_id, organisation=request.receiver, policy=on.policy, today=on.today,
        signals=signals,
    )  # fmt: skip
    known = (*sender, *(() if answerer is None else (answerer.signal,)))
    standing = any(signal.purpose == request.purpose for signal in sender)
    return _Involved(standing=standing, answerer=answerer, handles=tuple(one.handle for one in known)), stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What must still be permitted for a box to leave."""

    facts: LetterFacts
    categories: tuple[str, ...]


async def _letters(
    on: OnRequest, involved: _Involved, *, consents: ConsentReader, exceptions: ExceptionReader
) -> tuple[_Letter, ...]:  # fmt: skip
    """Return what must still be permitted, with what each cites as it is now; nothing where a side is gone.

    The letter, for its receiver; the answer, for the asker, and the question too where it cites a consent: what was
    asked with a yes that has expired is answered no more.

    Raises:
        NotFoundError, FieldRuleError: what it cites is there no more.
    """
    request, reply, register = on.request, on.request.reply, on.register
    if not all((side := register.organisations.get(oin)) and side.active for oin in (request.sender, request.receiver)):
        return ()
    asked, found = on.received or reply is None or request.consent_id is not None, []
    if asked:
        cited = await _cited_by(on, consents=consents, exceptions=exceptions)
        facts = letter_facts(request, register, cited, standing=involved.standing)
        found.append(_Letter(facts=facts, categories=request.categories))
    if reply is not None and not on.received:
        cited = await cited_by(
            reply.consent_id, reply.exception_id, organisation=request.receiver, worker=reply.worker,
            at=reply.answered_at, grounds=reply.grounds, policy=on.policy, consents=consents, exceptions=exceptions,
        )  # fmt: skip
        facts = answer_facts(request, reply, involved.answerer, register=register, role="worker", cited=cited)
        found.append(_Letter(facts=facts, categories=reply.categories))
    return tuple(found)


async def _cited_by(on: OnRequest, *, consents: ConsentReader, exceptions: ExceptionReader) -> Cited:
    """Return what the letter cites. Raises NotFoundError, FieldRuleError: it does not any more."""
    request = on.request
    return await cited_by(
        request.consent_id, request.exception_id, organisation=request.sender, worker=request.sender_worker,
        at=request.sent_at, grounds=request.grounds, policy=on.policy, consents=consents, exceptions=exceptions,
    )  # fmt: skip


def _still_permitted(on: OnRequest, letters: Iterable[_Letter]) -> bool:
    """Return whether each could be sent today, by who sent it. Raises DecisionFailedError."""
    decisions = [decide_letter(on.policy, one.facts, one.categories, day=on.today) for one in letters]
    return all(not isinstance(decided, Refusal) and decided.within for decided in decisions)


def letter_facts(
    request: InformationRequest, register: Register, cited: Cited, *, standing: bool
) -> LetterFacts:  # fmt: skip
    """Return what policy is asked about a letter, or about the call that stands for one."""
    return LetterFacts(
        operation="request" if request.kind is LetterKind.REQUEST else "share",
        sender=register.organisations[request.sender],
        recipient=register.organisations[request.receiver],
        role=request.sender_role,
        purpose=request.purpose,
        grounds=request.grounds,
        own_signal=standing,
        approved=request.approved,
        proof=request.proof,
        level=request.level,
        cited=cited,
    )
