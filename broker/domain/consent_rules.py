"""What a record of consent must say, and which yes is refused: pure, judged before anything is recorded."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from broker.domain.consent_standing import suspects_among
from broker.domain.consents import CUSTODY_SOURCES, NO_CUSTODY, Answer, Capacity, Consent, ConsentEvent, Needed
from broker.domain.errors import FieldRuleError

SAID_BEFORE = "consent-said-before"
"""The problem of an answer that waited for a connection, and arrives after a no of the same person."""
_NO = frozenset({Answer.REFUSED, Answer.WITHDRAWN})
LONGEST_DAYS = 366
"""After so many days at most a person is asked anew."""
_YEARS_OF: Mapping[str, int] = {"under12": 12, "12to15": 4, "16to17": 2, "18to22": 5}
"""How many years each age lasts; after 22 nobody comes of another."""
_QUARTERS = frozenset({1, 4, 7, 10})


def check_events(events: Iterable[ConsentEvent], *, today: date) -> None:
    """Hold only for answers that say what they must. Raises FieldRuleError."""
    listed = tuple(events)
    if len({(event.who, event.capacity) for event in listed}) != len(listed):
        raise FieldRuleError("answers", "name a person twice")
    for event in listed:
        if (event.answer is Answer.NOT_ASKED) is not (event.reason is not None):
            raise FieldRuleError("answers.reason", "is there exactly where somebody was not asked")
        if event.answer is Answer.GIVEN:
            _check_yes(event, today)


def _check_yes(event: ConsentEvent, today: date) -> None:
    if event.proof is None:
        raise FieldRuleError("answers.proof", "is missing beside a yes")
    if event.proof.kind == "spoken" and event.proof.spoken_with is None:
        raise FieldRuleError("answers.proof.spokenWith", "is missing beside what was spoken")
    if event.until is None or not today <= event.until <= today + timedelta(days=LONGEST_DAYS):
        raise FieldRuleError("answers.until", "does not lie within a year from today")


def check_age(age: str, ends_on: date | None, *, today: date) -> None:
    """Hold only where it is said when another answers: at every age but the last, and no later than that can be.

    Raises:
        FieldRuleError: missing, beside an age that ends no more, no first day of a quarter, or not in that time.
    """
    years = _YEARS_OF.get(age)
    if (ends_on is None) is not (years is None):
        raise FieldRuleError("ageEndsOn", "is there exactly where the person is younger than 23")
    if ends_on is None or years is None:
        return
    if ends_on.day != 1 or ends_on.month not in _QUARTERS:
        raise FieldRuleError("ageEndsOn", "is no first day of a quarter")
    # Who comes of age in this very quarter answers as if he had already.
    if not today < ends_on <= date(today.year + years, today.month, 1):
        raise FieldRuleError("ageEndsOn", "does not lie ahead, or lies further than this age lasts")


def check_alone(guardians: int, events: Iterable[ConsentEvent]) -> None:
    """Hold only where the yes of one parent alone says where that was looked up. Raises FieldRuleError."""
    for event in events:
        yes = event.answer is Answer.GIVEN and event.custody in CUSTODY_SOURCES
        if guardians == 1 and yes and event.custody_ref is None:
            raise FieldRuleError("answers.custodyRef", "is missing where one parent alone has custody")


def fault_of(
    consent: Consent, events: Iterable[ConsentEvent], *, needed: Needed, about: Iterable[Consent] = ()
) -> str | None:
    """Return the problem of a yes by somebody who cannot give it, None where there is none.

    Args:
        consent: the record that these answers are in or come after.
        events: what is answered now.
        needed: who must say yes at which age.
        about: all else that the organisation recorded about this person, as far as it is known here.
    """
    listed = tuple(events)
    before = [event for one in (consent, *about) for event in one.events]
    voices, suspects = consent.voices(needed), suspects_among((*before, *listed))
    for event in listed:
        if event.answer is not Answer.GIVEN:
            continue
        if event.capacity is Capacity.GUARDIAN and event.custody == NO_CUSTODY:
            return "consent-without-custody"
        if event.who in suspects:
            return "consent-by-suspect"
        represents = event.capacity not in (Capacity.PERSON, Capacity.GUARDIAN)
        unable = consent.unable and event.capacity is Capacity.PERSON
        if event.voice not in voices or unable or (represents and not consent.unable):
            return "consent-not-theirs"
    return None


def is_overtaken(
    consent: Consent, events: Iterable[ConsentEvent], *, stated_at: int | None, about: Iterable[Consent] = ()
) -> bool:
    """Return whether somebody said no after he gave one of these answers, which would come after that no now.

    Args:
        consent: the record that these answers are in or come after.
        events: what is answered now; a no is never too late.
        stated_at: unix seconds at which the worker stated them; None for now.
        about: all else that the organisation recorded about this person, as far as it is known here.
    """
    if stated_at is None:
        return False
    said = {(event.who, event.capacity) for event in events if event.answer not in _NO}
    return any(
        event.at > stated_at and event.answer in _NO and (event.who, event.capacity) in said
        for one in (consent, *about)
        if one.purpose == consent.purpose and one.categories & consent.categories
        for event in one.events
        if (event.parties or one.parties) & consent.parties
    )


def check_stated(stated_at: int | None, *, latest: int) -> None:
    """Hold only where what was stated does not lie ahead. Raises FieldRuleError."""
    if stated_at is not None and stated_at > latest:
        raise FieldRuleError("statedAt", "lies ahead")
