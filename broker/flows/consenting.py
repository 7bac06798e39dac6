"""What every flow of consent has in common: what an answer becomes, how a record is shown, and how one is refused."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from broker.domain.consent_rules import check_events
from broker.domain.consents import Answer, Capacity, Consent, ConsentEvent, ConsentProof, Needed, standing
from broker.domain.errors import FieldRuleError
from broker.flows.consent_facts import CONSENT_KIND
from broker.flows.policy import PolicyInForce
from broker.protocol.consent_messages import (
    ConsentShown,
    PartyShown,
    PersonAnswer,
    PersonShown,
    consent_document,
)
from broker.protocol.messages import TextRef
from broker.protocol.roster import Roster
from policies import Purpose


def needed_for(policy: PolicyInForce, purpose: Purpose) -> Needed:
    """Return who must say yes at which age, by the consent that this purpose rests on.

    Raises:
        FieldRuleError: it rests on none, so that nobody is asked what his answer would not change.
    """
    grounds = {ground for allowance in purpose.allowances for ground in allowance.grounds}
    for name in sorted(grounds & set(policy.bundle.grounds)):
        if policy.bundle.grounds[name].kind == CONSENT_KIND:
            return policy.bundle.grounds[name].consenters
    raise FieldRuleError("purpose", "does not rest on consent")


def events_of(
    answers: Iterable[PersonAnswer], *, now: int, today: date, roster: Roster
) -> tuple[ConsentEvent, ...]:  # fmt: skip
    """Return the answers of a command as events. Raises FieldRuleError: one does not say what it must."""
    events = tuple(_event(answer, now) for answer in answers)
    check_events(events, today=today)
    heard = {event.proof.spoken_with for event in events if event.proof is not None} - {None}
    if not heard <= set(roster.workers):
        raise FieldRuleError("answers.proof.spokenWith", "is nobody on the organisation's roster")
    return events


def _event(answer: PersonAnswer, now: int) -> ConsentEvent:
    proof = answer.proof
    return ConsentEvent(
        at=now,
        who=answer.who,
        capacity=Capacity(answer.capacity),
        answer=Answer(answer.answer),
        reason=answer.reason,
        custody=answer.custody,
        custody_ref=answer.custody_ref,
        proof=None
        if proof is None
        else ConsentProof(
            kind=proof.kind,
            reference=proof.reference,
            spoken_with=proof.spoken_with,
            interpreter=proof.interpreter,
        ),
        until=answer.until,
        suspect=answer.suspect,
    )


def told_of(
    text: str, consents: Iterable[Consent], *, needed: Needed | None, day: date, **params: str
) -> dict[str, Any]:  # fmt: skip
    """Return a `consent/v1` that shows these own records as they stand; `text` is a text id."""
    shown = [shown_of(consent, needed=needed, day=day) for consent in consents]
    return consent_document({"outcome": "done", "text": TextRef(id=text, params=params), "consents": shown})


def shown_of(consent: Consent, *, needed: Needed | None, day: date) -> ConsentShown:
    """Return a record as its own organisation sees it: by itself, as if there were no other about this person."""
    last = {(event.who, event.capacity): event for event in consent.events}
    category = min(consent.categories)
    parties = [
        PartyShown(
            oin=party,
            state="unknown"
            if needed is None
            else standing(
                [consent], purpose=consent.purpose, category=category, party=party, needed=needed, day=day
            ).state.value,
        )
        for party in sorted(consent.parties)
    ]
    return ConsentShown(
        consent_id=consent.id,
        purpose=consent.purpose,
        team=consent.team,
        categories=sorted(consent.categories),
        parties=parties,
        persons=[
            PersonShown(
                who=event.who,
                capacity=event.capacity.value,
                answer=event.answer.value,
                at=event.at,
                until=event.until,
            )
            for event in last.values()
        ],
        approved=consent.approved,
        recorded_on=consent.recorded_on,
        case_ref=consent.case_ref,
    )


def stated_of(consent_id: str, events: Iterable[ConsentEvent]) -> dict[str, object]:
    """Return what the entry says of these answers: codes only, never who."""
    answers = [{"capacity": event.capacity.value, "answer": event.answer.value} for event in events]
    return {"consent": {"id": consent_id, "answers": answers}}
