"""Which sentence somebody reads who recorded an answer: what it opens now, and what the resident is owed (D5)."""

from broker.domain.consents import CUSTODY_SOURCES, Answer, Capacity, Consent
from broker.protocol.consent_messages import ConsentShown
from broker.protocol.days_nl import day_nl
from broker.protocol.messages import TextRef

UNSAFE = "unsafe"
_CONFIRMED = {"given": "consent.recorded_given", "to_send": "consent.recorded"}


def text_of(shown: ConsentShown, consent: Consent) -> TextRef:
    """Return the sentence about a record as it stands; a confirmation is only asked for where there is one to give."""
    if any(party.state == "given" for party in shown.parties):
        if consent.confirmation == UNSAFE and consent.review_on is not None:
            return TextRef(id="consent.recorded_unsafe", params={"date": day_nl(consent.review_on)})
        return TextRef(id=_CONFIRMED[consent.confirmation], params={})
    return TextRef(id=_why_not(consent), params={})


def _why_not(consent: Consent) -> str:
    last = {(event.who, event.capacity): event for event in consent.events}
    yes = [event for event in last.values() if event.answer is Answer.GIVEN]
    if not yes:
        return "consent.noted"
    if consent.contested:
        return "consent.custody_contested"
    parents = [event for event in yes if event.capacity is Capacity.GUARDIAN]
    if any(event.custody not in CUSTODY_SOURCES for event in parents):
        return "consent.custody_stated"
    return "consent.not_everybody"
