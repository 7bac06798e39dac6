"""How a request ended, before it is recorded: the document for the asker and the proposal for the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from broker.domain.acts import ReviewNote, SearchTerms
from broker.domain.changes import Change, Task, TicketId
from broker.domain.disclosures import MatchRow
from broker.domain.errors import NotDoneError, NotFoundError, RecordedError, RefusedError, WithdrawalNeedsReviewError
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording, entry_payloads
from broker.ports import AnswerStatus, AnswerToStore, Committed, Proposal, Stamp
from broker.protocol.messages import Contact, Holder, Match, OwnSignal, Result, TextRef
from broker.protocol.problems import Problem, problem_kinds
from broker.protocol.register import Register
from broker.protocol.roster import Roster
from policies import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a flow returns: `result` and `receipt` in wire form (docs/formats.md section 6), without padding.

    `replayed` says that it was done before and only answered again.
    """

    result: Mapping[str, object] = field(repr=False)
    receipt: Mapping[str, object] = field(repr=False)
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A document for the asker and the proposal that records it; `status` None means not done.

    `unknown` is an act on an id that is none of his: recorded for his own reviewer, and told as any other unknown id.
    """

    status: AnswerStatus | None
    document: Mapping[str, object] = field(repr=False)
    proposal: Proposal
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What becomes durable with an entry besides the entry, and what it rests on.

    `relies_on` is re-checked at the commit; `rests_on` and `valid_until` decide whether the answer is given again, and
    name only what is shown in it. `involved` are persons of the organisation who had a part in it without asking.
    """

    relies_on: tuple[Stamp, ...] = ()
    changes: tuple[Change, ...] = ()
    tasks: tuple[Task, ...] = ()
    rests_on: tuple[Stamp, ...] = ()
    valid_until: date | None = None
    signal_id: str | None = None
    note: ReviewNote | None = None
    involved: frozenset[str] = frozenset()


def search_terms(act: Act, *, handles: frozenset[str] = frozenset()) -> SearchTerms:
    """Return under what the entry of this act is found by who reviews it."""
    return SearchTerms(organisation=act.requester.organisation, controller=act.controller, handles=handles)


def outcome_of(act: Act, recording: Recording, effects: Effects, *, status: AnswerStatus) -> Outcome:
    """Return the outcome of an act that was carried out or openly refused: one entry, tickets spent, answer kept."""
    answer = None
    if act.key is not None:
        answer = AnswerToStore(
            key=act.key,
            status=status,
            document=recording.document,
            rests_on=effects.rests_on,
            valid_until=effects.valid_until,
            signal_id=effects.signal_id,
        )
    proposal = Proposal(
        kind=act.kind,
        payloads=entry_payloads(act, recording),
        relies_on=effects.relies_on,
        tickets=recording.tickets,
        changes=effects.changes,
        tasks=_made_by(act, recording, effects),
        answer=answer,
        search=search_terms(act, handles=frozenset((*recording.own_handles, *recording.handles))),
        note=effects.note,
    )
    return Outcome(status=status, document=recording.document, proposal=proposal)


def _made_by(act: Act, recording: Recording, effects: Effects) -> tuple[Task, ...]:
    """Return the tasks that follow from an act with whose it is, so that none of them ends what another looks at."""
    approver = None if act.approval is None else act.approval.worker
    had_part = {act.requester.worker, approver, recording.proposer, *effects.involved}
    makers = frozenset(one for one in had_part if one is not None)
    own = act.requester.organisation
    return tuple(
        replace(task, makers=task.makers | makers, actor=act.requester.worker if task.organisation == own else None)
        for task in effects.tasks
    )


def refused(
    act: Act,
    refusal: Refusal,
    *,
    register: int,
    relies_on: tuple[Stamp, ...],
    tickets: tuple[TicketId, ...],
    grant: str | None = None,
) -> Outcome:
    """Return the outcome of a refusal by `may_ask`: open, in plain Dutch, with what is possible (D8)."""
    text = refusal.text
    possible = [{"textId": way.id, "text": way.nl} for way in refusal.possible]
    document = Problem(
        kind=problem_kinds()["refused"],
        params=text.params,
        text=text.id,
        detail=text.nl,
        extra={"possible": possible},
    ).document()
    recording = Recording(
        outcome="refused",
        reason=refusal.reason,
        bundle=refusal.bundle,
        register=register,
        decision=refusal.record(),
        document=document,
        tickets=tickets,
        grant=grant,
    )
    return outcome_of(act, recording, Effects(relies_on=relies_on), status=AnswerStatus.REFUSED)


def not_done(act: Act, *, bundle: str, reason: str, problem: str = "not-done") -> Outcome:
    """Return the outcome of a failure: recorded, nothing disclosed, nothing spent, so that it can be tried again.

    Args:
        act: what was asked.
        bundle: hex hash of the policy in force.
        reason: a code, for the entry.
        problem: the published problem that says it.
    """
    document = Problem(kind=problem_kinds()[problem]).document()
    recording = Recording(outcome="error", reason=reason, bundle=bundle, register=None, document=document)
    proposal = Proposal(kind=act.kind, payloads=entry_payloads(act, recording), search=search_terms(act))
    return Outcome(status=None, document=document, proposal=proposal)


def answered(outcome: Outcome, committed: Committed) -> Answered:
    """Return what the asker is told, now that its entry is durable.

    Raises:
        NotFoundError: it was about an id that is none of his; without the receipt, as for any other unknown id.
        RefusedError, WithdrawalNeedsReviewError, NotDoneError: with the recorded document and the receipt.
    """
    if outcome.unknown:
        raise NotFoundError
    if outcome.status is AnswerStatus.DONE:
        return Answered(result=outcome.document, receipt=committed.receipt)
    raise recorded_error(outcome.status, outcome.document, committed.receipt)


def recorded_error(
    status: AnswerStatus | None, document: Mapping[str, object], receipt: Mapping[str, object]
) -> RecordedError:
    """Return the error that carries a recorded refusal or failure to the edge."""
    if status is AnswerStatus.REFUSED:
        return RefusedError(document=document, receipt=receipt)
    if status is AnswerStatus.REVIEW:
        return WithdrawalNeedsReviewError(document=document, receipt=receipt)
    return NotDoneError(document=document, receipt=receipt)


def result_document(
    *,
    outcome: str,
    text: str,
    params: Mapping[str, str] | None = None,
    matches: Iterable[Match] = (),
    signal_id: str | None = None,
    signals: list[OwnSignal] | None = None,
) -> dict[str, object]:
    """Return a `result/v1` in wire form; `text` is a text id of the Dutch catalogue, filled in with `params`."""
    result = Result.model_validate(
        {
            "schema": "result/v1",
            "outcome": outcome,
            "signal_id": signal_id,
            "matches": list(matches),
            "signals": signals,
            "text": TextRef(id=text, params=dict(params or {})),
        }
    )
    return result.model_dump(mode="json", by_alias=True)


def match_of(row: MatchRow, *, register: Register, roster: Roster | None) -> Match:
    """Return a disclosed row with the holder's name and, where its roster has one, its team's contact card (D6)."""
    contact = None
    card = None if roster is None else roster.teams.get(row.team)
    if card is not None:
        contact = Contact(
            display_name=card.display_name,
            phone=card.phone,
            working_days=card.working_days,
            after_hours_phone=card.after_hours_phone,
            stand_in=card.stand_in,
        )
    name = register.organisations[row.organisation].name
    holder = Holder(oin=row.organisation, name=name, team=row.team, contact=contact)
    return Match(kind=row.kind.value, level=row.level, holder=holder)
