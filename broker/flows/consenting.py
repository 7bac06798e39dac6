"""What every flow of consent has in common: what an answer becomes, how a record is shown, and how one is refused."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from broker.domain.changes import Task
from broker.domain.consent_rules import check_events
from broker.domain.consent_standing import Standing, standing
from broker.domain.consents import Answer, Capacity, Consent, ConsentEvent, ConsentProof, ConsentState, Needed
from broker.domain.errors import FieldRuleError
from broker.flows.consent_facts import CONSENT_KIND
from broker.flows.consent_texts import UNSAFE, text_of
from broker.flows.duties import CONFIRM, LOOK_AGAIN
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

NO = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})
CONFIRM_DAYS = 7
"""Within how many days the resident has his confirmation, with how to take his yes back."""


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


def needed_if_any(policy: PolicyInForce, purpose: str) -> Needed | None:
    """Return who must say yes, None for a purpose that is no more or rests on consent no more."""
    try:
        return needed_for(policy, policy.purposes[purpose])
    except (KeyError, FieldRuleError):
        return None


def events_of(
    answers: Iterable[PersonAnswer], *, now: int, today: date, roster: Roster, approved: bool
) -> tuple[ConsentEvent, ...]:
    """Return the answers of a command as events. Raises FieldRuleError: one does not say what it must."""
    events = tuple(replace(_event(answer, now), approved=approved) for answer in answers)
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
    consent: Consent, *, needed: Needed | None, day: date, about: Sequence[Consent], reader: str,
    text: TextRef | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return a `consent/v1` that shows this own record as it stands, with what that means where no text is given."""
    shown = shown_of(consent, needed=needed, day=day, about=about, reader=reader)
    said = text or text_of(shown, consent)
    return consent_document({"outcome": "done", "text": said, "consents": [shown]})


def shown_of(
    consent: Consent, *, needed: Needed | None, day: date, about: Sequence[Consent], reader: str, hidden: bool = False
) -> ConsentShown:
    """Return a record as its own organisation sees it: what it says, and whether that counts beside the others.

    Args:
        consent: the record.
        needed: who must say yes at which age; None where the purpose rests on consent no more.
        day: the calendar day.
        about: all records about this person that the reader may know of, with this one; none where he is not known.
        reader: the worker who reads it.
        hidden: who reads it shields this person, so that no letter is safe whatever was said of it.
    """
    last = {(event.who, event.capacity): event for event in consent.events}
    yes = [event for event in consent.events if event.answer is Answer.GIVEN]
    return ConsentShown(
        consent_id=consent.id,
        purpose=consent.purpose,
        team=consent.team,
        categories=sorted(consent.categories),
        parties=[
            _party_shown(consent, party, needed, day, about=about, reader=reader) for party in sorted(consent.parties)
        ],
        persons=[_person_shown(consent, event, day) for event in last.values()],
        approved=consent.approved and all(event.approved for event in yes),
        confirmation="unsafe" if hidden else consent.confirmation,
        review_on=consent.review_on,
        recorded_on=consent.recorded_on,
        case_ref=consent.case_ref,
    )


def _party_shown(
    consent: Consent, party: str, needed: Needed | None, day: date, *, about: Sequence[Consent], reader: str
) -> PartyShown:
    if needed is None:
        return PartyShown(oin=party, state="unknown", until=None, in_record="unknown", no_in=None)

    def said(records: Sequence[Consent], category: str) -> Standing:
        return standing(
            records, purpose=consent.purpose, category=category, party=party, needed=needed, day=day, reader=reader
        )

    found = alone = said([consent], min(consent.categories))
    if alone.state is ConsentState.GIVEN and about:
        # What is no yes for one kind of data, by all that is recorded, is not told as a yes.
        counting = [said(about, category) for category in sorted(consent.categories)]
        found = next((one for one in counting if one.state is not ConsentState.GIVEN), counting[0])
    answered_no = [one.id for one in about if any(said([one], category).state in NO for category in consent.categories)]
    return PartyShown(
        oin=party, state=found.state.value, until=found.until, in_record=alone.state.value,
        no_in=answered_no[-1] if answered_no and found is not alone and found.state in NO else None,
    )  # fmt: skip


def _person_shown(consent: Consent, event: ConsentEvent, day: date) -> PersonShown:
    ended = (event.until is not None and event.until < day) or consent.is_of_another_age(day)
    answer = "expired" if event.answer is Answer.GIVEN and ended else event.answer.value
    shown = {
        "who": event.who,
        "capacity": event.capacity.value,
        "answer": answer,
        "reason": event.reason if event.answer is Answer.NOT_ASKED else None,
        "at": event.at,
        "until": event.until,
    }
    return PersonShown.model_validate(shown)


def owed_tasks(
    consent: Consent, *, needed: Needed, today: date, about: Sequence[Consent], reader: str, unsafe_too: bool = True
) -> tuple[Task, ...]:
    """Return what is owed to the resident of a record that is given: a confirmation, or to look again at why not yet.

    Args:
        consent: the record, as it stands.
        needed: who must say yes at which age.
        today: the calendar day.
        about: as for `shown_of`.
        reader: the worker who recorded it.
        unsafe_too: also the look again, which a record owes once.
    """
    parties = [
        _party_shown(consent, party, needed, today, about=about, reader=reader).state for party in consent.parties
    ]
    kind, due_on = CONFIRM, today + timedelta(days=CONFIRM_DAYS)
    if consent.confirmation == UNSAFE:
        kind, due_on = LOOK_AGAIN, consent.review_on or due_on
    if "given" not in parties or consent.confirmation == "given" or (kind == LOOK_AGAIN and not unsafe_too):
        return ()
    return (Task(kind=kind, organisation=consent.organisation, due_on=due_on, signal_id=consent.signal_id),)


def stated_of(consent_id: str, events: Iterable[ConsentEvent]) -> dict[str, object]:
    """Return what the entry says of these answers: codes only, never who."""
    answers = [{"capacity": event.capacity.value, "answer": event.answer.value} for event in events]
    return {"consent": {"id": consent_id, "answers": answers}}
