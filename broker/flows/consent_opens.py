"""Whether a yes can open anything with who is named: nobody is asked for what his answer would not change (D5)."""

from collections.abc import Iterable
from datetime import date

from broker.domain.consents import Answer, Consent, ConsentEvent
from broker.flows.consent_facts import CONSENT_KIND, INVOLVEMENT
from broker.flows.policy import PolicyInForce
from broker.protocol.register import Organisation, Register
from policies.lines import PolicyLine
from policies.vocabulary import RING, SEE, WILDCARD

OPENS_NOTHING = "consent-opens-nothing"
_BOTH_WAYS = frozenset({SEE, RING})
"""Who is shown or rung is so to the other, whichever of the two asks."""


def opens_nothing(
    consent: Consent, events: Iterable[ConsentEvent], policy: PolicyInForce, register: Register, day: date
) -> str | None:
    """Return the problem of a yes with which nothing could be told, asked or shown to a party; None without one.

    A no is always taken: it may stand in the way of what a later document opens.
    """
    if not any(event.answer is Answer.GIVEN for event in events):
        return None
    own = register.organisations[consent.organisation]
    parties = [register.organisations.get(party) for party in sorted(consent.parties)]
    for party in parties:
        if party is None or not _opens(consent, own, party, policy, day):
            return OPENS_NOTHING
    return None


def _opens(consent: Consent, own: Organisation, party: Organisation, policy: PolicyInForce, day: date) -> bool:
    """Return whether some rule of this day lets consent open some of this data between these two.

    A municipality that sees to it that teams contact each other is told of a match where the resident named it.
    """
    if INVOLVEMENT in consent.categories and policy.coordinates(party.oin):
        return True
    sides = ((own.oin, own.org_class), (party.oin, party.org_class))
    agreed = {WILDCARD, *policy.bundle.shared(purpose=consent.purpose, sides=sides, day=day)}
    grounds = {ground.id for ground in policy.bundle.grounds.values() if ground.kind == CONSENT_KIND}
    return any(
        _between(line, own.org_class, party.org_class)
        for line in policy.bundle.lines
        if line.eft == "allow"
        and line.ground in grounds
        and line.party in agreed
        and line.purpose in (consent.purpose, WILDCARD)
        and line.cat in {*consent.categories, WILDCARD}
        and line.since <= f"{day:%Y%m%d}" < line.until
    )


def _between(line: PolicyLine, own: str, party: str) -> bool:
    """Return whether the line is about these two classes: telling and asking from the own side, sight from either."""
    if line.act == "request":
        return line.ask in (own, WILDCARD)
    pairs = [(own, party), *([(party, own)] if line.act in _BOTH_WAYS else [])]
    known = line.act == "share" or line.act in _BOTH_WAYS
    return known and any(line.ask in (ask, WILDCARD) and line.hold in (hold, WILDCARD) for ask, hold in pairs)
