"""What the answers of one organisation about one person come to, towards another organisation (D5). Pure.

A later record does not argue away an earlier one: of two ages the younger counts until it has ended, contested custody
is so until a court has decided and a second person saw that, and whether somebody can decide, or how many have custody,
changes when a second person of the organisation approved it. Age and custody are facts of the person, so they count
whomever a record names and whatever it is for; whether somebody can decide is judged for each matter by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from broker.domain.consents import (
    CUSTODY_SOURCES,
    GUARDIAN,
    NO_CUSTODY,
    PERSON,
    Answer,
    Capacity,
    Consent,
    ConsentEvent,
    ConsentState,
    Custody,
    Needed,
)

COURT = "court_decision"
_AGES = ("under12", "12to15", "16to17", "18to22", "from23")
_BEST_FIRST = (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN, ConsentState.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What consents say of one person towards one organisation: the facts of a decision."""

    state: ConsentState = ConsentState.UNKNOWN
    by: frozenset[str] = frozenset()
    age: str = "unknown"
    custody: Custody = "unknown"
    until: date | None = None


NO_STANDING = Standing()


def standing(
    consents: Iterable[Consent], *, purpose: str, category: str, party: str | None, needed: Needed, day: date,
    approved: bool = False, reader: str | None = None,
) -> Standing:  # fmt: skip
    """Return what the consents of one organisation about one person say, all of them together.

    Args:
        consents: of one organisation about one person, the oldest first.
        purpose: asked for.
        category: of data.
        party: the organisation that would be told or shown; None for any of those that were named.
        needed: who must say yes at which age.
        day: the calendar day.
        approved: by the yeses alone that a second person approved, in records that one did.
        reader: the worker who acts on it: what he alone recorded though he is kept from the person counts for him.
    """
    listed = tuple(heard(consents, reader))
    about = [one for one in listed if one.purpose == purpose and category in one.categories]
    if party is not None:
        return _towards(party, about, listed, needed=needed, day=day, approved=approved)
    named = sorted(frozenset().union(*(one.parties for one in about)))
    found = [_towards(one, about, listed, needed=needed, day=day, approved=approved) for one in named]
    for state in _BEST_FIRST:
        if of_state := [one for one in found if one.state is state]:
            return max(of_state, key=lambda one: one.until or date.min)
    return found[0] if found else NO_STANDING


def lasts_until(said: Callable[[date], Standing], *, day: date) -> date | None:
    """Return the last day up to which a yes of this day goes on being one without a gap; None where it is none.

    Args:
        said: what is said on a day: whose age counts, and so who must answer, differs from day to day.
        day: the calendar day.
    """
    last: date | None = None
    now = said(day)
    while now.state is ConsentState.GIVEN and now.until is not None:
        last = now.until
        now = said(last + timedelta(days=1))
    return last


def heard(consents: Iterable[Consent], reader: str | None) -> Iterable[Consent]:
    """Return the records without what counts for nobody but another worker, who is kept from the person."""
    for consent in consents:
        events = tuple(event for event in consent.events if event.kept_from in (None, reader))
        if events or not consent.events:
            yield replace(consent, events=events)


def _towards(
    party: str, about: Iterable[Consent], listed: Sequence[Consent], *, needed: Needed, day: date, approved: bool
) -> Standing:
    named = [one for one in about if party in one.parties]
    counted = [one for one in named if one.seen_by_two or not approved]
    if not counted:
        return NO_STANDING
    last: dict[tuple[str, Capacity], ConsentEvent] = {}
    events = sorted((event for consent in counted for event in consent.events), key=lambda event: event.number)
    for event in events:
        counts = event.approved or not approved or event.answer is not Answer.GIVEN
        if counts and (not event.parties or party in event.parties):
            last[event.who, event.capacity] = event
    whole = _settled(named, listed, day)
    known = _known(event for consent in listed for event in consent.events)
    lines = tuple(line for line in map(known, last.values()) if _counts(line, whole))
    return _weighed(whole, lines, needed, day)


def _settled(named: Sequence[Consent], listed: Sequence[Consent], day: date) -> Consent:
    """Return the newest record that names this organisation, with the ability, age and custody that all together state.

    Args:
        named: for this purpose, these data and this organisation.
        listed: all about this person.
        day: the calendar day.
    """
    unable = named[0].unable
    for one in named[1:]:
        unable = one.unable if one.approved else unable
    contested, guardians = listed[0].contested, listed[0].guardians
    for one in listed[1:]:
        # One worker's word that a court ruled argues nothing away: a colleague has seen the ruling too.
        rulings = [event for event in one.events if event.custody == COURT and event.custody_ref is not None]
        ruled = any(event.approved for event in rulings)
        contested = one.contested or (contested and not ruled)
        guardians = one.guardians if one.approved else max(guardians, one.guardians)
    lasting = [one for one in listed if not one.is_of_another_age(day)] or [named[-1]]
    youngest = min(lasting, key=lambda one: _AGES.index(one.age))
    return replace(
        named[-1], unable=unable, contested=contested, guardians=guardians, age=youngest.age,
        age_ends_on=youngest.age_ends_on,
    )  # fmt: skip


def suspects_among(events: Iterable[ConsentEvent]) -> frozenset[str]:
    """Return who was ever marked as who the danger comes from, in whatever capacity he answered."""
    return frozenset(event.who for event in events if event.suspect)


def _known(events: Iterable[ConsentEvent]) -> Callable[[ConsentEvent], ConsentEvent]:
    """Return what adds to a line what was said of that person in any other: a mark or a custody is not left out away.

    Somebody who takes his yes back says nothing of his custody, and is who he was.
    """
    listed = sorted(events, key=lambda event: event.number)
    suspects = suspects_among(listed)
    looked_up = [event for event in listed if event.capacity is Capacity.GUARDIAN and event.custody != NO_CUSTODY]
    custody = {event.who: event.custody for event in looked_up}

    def known(line: ConsentEvent) -> ConsentEvent:
        stated = custody.get(line.who, NO_CUSTODY) if line.custody == NO_CUSTODY else line.custody
        return replace(line, suspect=line.who in suspects, custody=stated)

    return known


def _weighed(newest: Consent, lines: tuple[ConsentEvent, ...], needed: Needed, day: date) -> Standing:
    voices = newest.voices(needed)
    # (1) A no of anybody whose answer counts; the person's own no counts at any age.
    counting = [line for line in lines if line.voice in voices or line.capacity is Capacity.PERSON]
    custody = _custody(newest, lines)
    for no in (Answer.REFUSED, Answer.WITHDRAWN):
        if any(line.answer is no for line in counting):
            return Standing(state=ConsentState(no.value), age=newest.age, custody=custody)
    # (2) Each voice that must say yes does, through everybody who speaks with it.
    by = frozenset(voice for voice in (PERSON, GUARDIAN) if _all_yes(lines, voice, of=newest))
    yes = [line for line in lines if line.voice in by and line.voice in voices]
    days = [line.until for line in yes if line.until is not None]
    ends = newest.age_ends_on - timedelta(days=1) if newest.age_ends_on else None
    until = min([*days, *([] if ends is None else [ends])], default=None)
    settled = bool(voices) and voices <= by and (custody == "clear" or GUARDIAN not in voices)
    state = ConsentState.GIVEN if settled else ConsentState.UNKNOWN
    by |= needed(newest.age) if settled else frozenset()
    # (3) It does not last.
    if settled and (until is None or day > until):
        state = ConsentState.EXPIRED
    return Standing(state=state, by=by, age=newest.age, custody=custody, until=until)


def _counts(line: ConsentEvent, newest: Consent) -> bool:
    """Return whether this is somebody whose answer can count at all for this person."""
    if line.capacity is Capacity.GUARDIAN:
        return line.custody != NO_CUSTODY
    return line.capacity is Capacity.PERSON or (newest.unable and not line.suspect)


def _all_yes(lines: Iterable[ConsentEvent], voice: str, *, of: Consent) -> bool:
    """Return whether everybody with this voice said yes: all parents with custody, or the person or who represents."""
    speaking = [line for line in lines if line.voice == voice]
    if voice == GUARDIAN and len({line.who for line in speaking}) < of.guardians:
        return False
    represented = any(line.capacity not in (Capacity.PERSON, Capacity.GUARDIAN) for line in speaking)
    if represented:  # who cannot decide need not say yes himself; that he says no was seen before
        speaking = [line for line in speaking if line.capacity is not Capacity.PERSON]
    return bool(speaking) and all(line.answer is Answer.GIVEN and not line.suspect for line in speaking)


def _custody(newest: Consent, lines: Iterable[ConsentEvent]) -> Custody:
    if newest.contested:
        return "contested"
    parents = [line for line in lines if line.voice == GUARDIAN]
    return "clear" if parents and all(line.custody in CUSTODY_SOURCES for line in parents) else "unknown"


def together(said: Iterable[Standing], *, counting: Iterable[Standing]) -> ConsentState:
    """Return what holds between two organisations: a no that either recorded is a no, a yes opens where it counts.

    Args:
        said: everything that either of them recorded about the other.
        counting: of that, what the holder recorded himself or a second person approved (D5).
    """
    states = {one.state for one in said}
    for no in (ConsentState.REFUSED, ConsentState.WITHDRAWN):
        if no in states:
            return no
    opened = {one.state for one in counting}
    for state in (ConsentState.GIVEN, ConsentState.EXPIRED):
        if state in opened:
            return state
    return ConsentState.UNKNOWN
