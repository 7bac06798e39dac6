"""Whether what is told of a letter, or handed out, still holds: the facts of its decision, and that decided anew (D8).

Lists and fetches go by one rule: what would be withheld is told of no more than that it was sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from broker.domain.changes import MarkStanding
from broker.domain.errors import FieldRuleError, NotFoundError
from broker.domain.information_requests import (
    BOXED,
    InformationRequest,
    LetterKind,
    RequestReply,
    RequestState,
    RestsOn,
)
from broker.flows.citing import Cited, cited_by
from broker.flows.involvement import seen_in_match
from broker.flows.letters import LetterFacts, decide_letter, own_signal
from broker.flows.request_of import OnRequest
from broker.flows.withholding import Basis, as_it_was
from broker.letter_ports import MatchById, OwnConsents, OwnExceptions, OwnSignals
from broker.ports import Clock, OwnSignal, Stamp
from broker.protocol.register import Register
from broker.request_ports import stamps_of
from policies import Refusal


async def as_told(
    on: OnRequest, *, clock: Clock, signals: OwnSignals, matches: MatchById, consents: OwnConsents,
    exceptions: OwnExceptions,
) -> OnRequest:  # fmt: skip
    """Return the act with what may be told of its letter now, and everything that this relies on.

    What this side was not handed yet is decided on anew, as its fetch would be. Of an oral answer, which nobody
    fetches, that is what it cites: how long the asker may ask after it was given changes nothing.

    Raises:
        DecisionFailedError: the decision failed.
    """
    request, reply = on.request, on.request.reply
    receiver = on.register.organisations.get(request.receiver)
    if not on.received and receiver is not None and request.unread_for_good(on.today, holds=False):
        # Whether what was sent can be read yet, by the rule by which it would be: its sender is told when it cannot.
        at_receiver, holds = await still_holds(
            replace(on, organisation=receiver), clock=clock, signals=signals, matches=matches, consents=consents,
            exceptions=exceptions,
        )  # fmt: skip
        basis = Basis(letter=on.basis.letter and holds, answer=on.basis.answer)
        return replace(on, relies_on=at_receiver.relies_on, basis=basis)
    if not request.is_untold(received=on.received) or not (on.basis.letter if on.received else on.basis.answer):
        return on
    if not on.received and reply is not None and reply.kind not in BOXED:
        if request.consent_id is reply.consent_id is reply.exception_id is None:
            return on
        lasting = replace(request, reply=replace(reply, expires_on=date.max))
        on = replace(on, request=lasting)
    judged, holds = await still_holds(
        on, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
    )  # fmt: skip
    letter, answer = (holds, on.basis.answer) if on.received else (on.basis.letter, holds)
    return replace(judged, request=request, basis=Basis(letter=letter, answer=answer))


async def still_holds(
    on: OnRequest, *, clock: Clock, signals: OwnSignals, matches: MatchById, consents: OwnConsents,
    exceptions: OwnExceptions,
) -> tuple[OnRequest, bool]:  # fmt: skip
    """Return the act with everything that handing out relies on, and whether that holds; whatever it is that leaves.

    Raises:
        DecisionFailedError: the decision failed.
    """
    rests = _rests(on.request, received=on.received)
    current = await signals.stamps([stamp.of for part in rests for stamp in stamps_of(part)])
    present = {stamp.of: stamp for stamp in current}
    on = replace(on, relies_on=(*on.relies_on, *current, *await signals.stamps([on.other_key])))
    if _past(on) or not all(as_it_was(part, present) for part in rests):
        return on, False
    try:
        involved, stamps = await _involved(on, clock=clock, signals=signals, matches=matches)
        on = replace(on, relies_on=(*on.relies_on, *stamps), handles=involved.handles)
        letters = await _letters(on, involved, consents=consents, exceptions=exceptions)
    except (NotFoundError, FieldRuleError):
        return on, False
    on = replace(on, relies_on=(*on.relies_on, *(stamp for one in letters for stamp in one.facts.cited.stamps)))
    return on, bool(letters) and _still_permitted(on, letters)


def _rests(request: InformationRequest, *, received: bool) -> tuple[tuple[RestsOn, ...], ...]:
    """Return what a box rests on: an answer on what its question rests on too."""
    return (request.rests_on,) if received else (request.rests_on, request.answer_rests_on)


def _past(on: OnRequest) -> bool:
    """Return whether a box is given no more: taken back, or past its last day."""
    request = on.request
    if request.state is RequestState.WITHDRAWN:
        return True
    last = request.expires_on if on.received or request.reply is None else request.reply.expires_on
    return on.today > last


@dataclass(frozen=True, slots=True, kw_only=True)
class _Involved:
    """By which own signals each side is involved today; `standing` says that the sender's, by id, entitle him."""

    standing: bool
    sender: tuple[str, ...]
    answerer: OwnSignal | None
    handles: tuple[str, ...]


async def _involved(
    on: OnRequest, *, clock: Clock, signals: OwnSignals, matches: MatchById
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
    ids, handles = tuple(one.id for one in sender), tuple(one.handle for one in known)
    return _Involved(standing=standing, sender=ids, answerer=answerer, handles=handles), stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What must still be permitted for a box to leave."""

    facts: LetterFacts
    categories: tuple[str, ...]


async def _letters(
    on: OnRequest, involved: _Involved, *, consents: OwnConsents, exceptions: OwnExceptions
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
        cited = cited.about(involved.sender)
        facts = letter_facts(request, register, cited, standing=involved.standing)
        found.append(_Letter(facts=facts, categories=request.categories))
    if reply is not None and not on.received:
        cited = await cited_by(
            reply.consent_id, reply.exception_id, organisation=request.receiver, worker=reply.worker,
            at=reply.answered_at, grounds=reply.grounds, policy=on.policy, consents=consents, exceptions=exceptions,
        )  # fmt: skip
        cited = cited.about_own(involved.answerer)
        facts = answer_facts(request, reply, involved.answerer, register=register, role="worker", cited=cited)
        found.append(_Letter(facts=facts, categories=reply.categories))
    return tuple(found)


async def _cited_by(on: OnRequest, *, consents: OwnConsents, exceptions: OwnExceptions) -> Cited:
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


def answer_facts(
    request: InformationRequest, reply: RequestReply, own: OwnSignal | None, *, register: Register, role: str,
    cited: Cited,
) -> LetterFacts:  # fmt: skip
    """Return what policy is asked about an answer; where it states no proof of its own, that of the question counts.

    An own signal for another purpose is what it rests on, and entitles to nothing.
    """
    return LetterFacts(
        operation="share",
        sender=register.organisations[request.receiver],
        recipient=register.organisations[request.sender],
        role=role,
        purpose=request.purpose,
        grounds=reply.grounds,
        own_signal=own is not None and own.signal.purpose == request.purpose,
        approved=reply.approved,
        proof=reply.proof or request.proof,
        level=reply.level,
        cited=cited,
    )


def answer_marks(
    request: InformationRequest, reply: RequestReply, own: OwnSignal | None, *, day: date
) -> tuple[MarkStanding, ...]:
    """Return that the own signal gave an answer its standing today, where nothing else did (D5)."""
    beside = (reply.proof or request.proof, reply.consent_id, reply.exception_id)
    if own is None or own.signal.purpose != request.purpose or any(one is not None for one in beside):
        return ()
    return (MarkStanding(signal_id=own.signal.id, on=day),)
