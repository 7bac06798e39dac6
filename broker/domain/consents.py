"""Consent as a list of events, one line per person whose answer counts, and the state that follows from it (D5).

Pure. Who must answer depends on the ground and the age; what it says is the same whenever it is computed:

    a no is a no      the last answer of anybody whose answer counts, also of one parent with custody of two
    withdrawn         as a no, from the moment it was withdrawn
    expired           the first last day of those who said yes, or the day the person came of another age, has passed
    given             everybody who must answer said yes; a parent's custody was looked up, and is not contested
    unknown           anything else: asked and not answered, not asked, or said by somebody whose answer does not count

A yes of somebody who is the suspect never counts. Neither does the no of a representative who is: another may answer.
Once somebody is marked, he is in every record of the organisation about this person. Who has no custody has no voice;
of the parents who have it all must say yes, and the record says how many there are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

PERSON, GUARDIAN = "person", "guardian"
"""The two voices that a ground can ask for."""
PARENTS = 2
"""How many have custody, where nobody looked up that it is one."""
MINORS = frozenset({"under12", "12to15", "16to17"})
"""Ages at which the parents speak for who cannot decide himself (BW 7:465 lid 2; Jeugdwet 7.3.15)."""
CUSTODY_SOURCES = frozenset({"brp", "gezagsregister", "court_decision"})
"""Where one looks up who has custody; what somebody merely states is no source."""
NO_CUSTODY = "none"
Custody = Literal["unknown", "clear", "contested"]
Needed = Callable[[str], frozenset[str]]
"""Age band to the voices that must say yes, by a ground."""


class Answer(StrEnum):
    """What one person answered, or that nobody asked."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NOT_ASKED = "not_asked"


class Capacity(StrEnum):
    """In which capacity somebody answers."""

    PERSON = "person"
    GUARDIAN = "guardian"
    MENTOR = "mentor"
    CURATOR = "curator"
    GEMACHTIGDE = "gemachtigde"


class ConsentState(StrEnum):
    """What the answers come to; the words of the policies."""

    UNKNOWN = "unknown"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentProof:
    """How it was asked and answered; the paper or signature itself stays with the partner, under `reference`.

    `spoken_with` is the worker at the broker who heard it, `interpreter` a code.
    """

    kind: str
    reference: str | None
    spoken_with: str | None
    interpreter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """One answer of one person; `who` is an HMAC under the organisation's own key, the same for the same person.

    Attributes:
        at: unix seconds.
        custody: where it was looked up that this parent has custody; `stated` or `none` where it was not.
        until: the last day of a yes.
        suspect: this person is who the danger comes from.
        parties: OINs that the answer is limited to; empty for all that were named.
        number: its place among all answers, as stored; of two in one second the later one counts.
    """

    at: int
    who: str
    capacity: Capacity
    answer: Answer
    reason: str | None = None
    custody: str = NO_CUSTODY
    custody_ref: str | None = None
    proof: ConsentProof | None = None
    until: date | None = None
    suspect: bool = False
    parties: frozenset[str] = frozenset()
    number: int = 0

    @property
    def voice(self) -> str:
        """Whose voice this is: a parent's, or the person's, also through a representative."""
        return GUARDIAN if self.capacity is Capacity.GUARDIAN else PERSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What one organisation asked about one person: for what, about which data, with which named organisations.

    Attributes:
        approved: a second person of the organisation signed the same record.
        parties: OINs of the organisations that may be told, or may tell.
        age: band of the person, as the organisation knows it; the broker never gets a birth date.
        age_ends_on: the first day of the quarter in which he comes in the next band, where another then answers.
        guardians: how many have custody, where it was looked up; the yes of fewer opens nothing.
        unable: he cannot decide this himself (wilsonbekwaam), so that a representative answers.
        contested: it is contested who has custody.
    """

    id: str
    organisation: str
    controller: str
    team: str
    recorded_by: str
    approved: bool
    recorded_on: date
    purpose: str
    categories: frozenset[str]
    parties: frozenset[str]
    age: str
    age_ends_on: date | None
    unable: bool
    contested: bool
    signal_id: str | None
    case_ref: str | None
    events: tuple[ConsentEvent, ...] = field(repr=False)
    guardians: int = PARENTS

    def voices(self, needed: Needed) -> frozenset[str]:
        """Return whose voices must say yes: of a minor who cannot decide that of his parents alone."""
        voices = needed(self.age)
        return frozenset({GUARDIAN}) if voices and self.unable and self.age in MINORS else voices


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
    approved: bool = False,
) -> Standing:  # fmt: skip
    """Return what the consents of one organisation about one person say, all of them together.

    The newest record says how old the person is and whether he can decide; a no in an older one is still a no.

    Args:
        consents: of one organisation about one person, the oldest first.
        purpose: asked for.
        category: of data.
        party: the organisation that would be told or shown; None for what holds towards none in particular.
        needed: who must say yes at which age.
        day: the calendar day.
        approved: by the records that a second person approved alone; who is marked is so by all of them.
    """
    listed = tuple(consents)
    about = [one for one in listed if one.purpose == purpose and category in one.categories]
    about = [one for one in about if (party is None or party in one.parties) and (one.approved or not approved)]
    if not about:
        return NO_STANDING
    newest = about[-1]
    last: dict[tuple[str, Capacity], ConsentEvent] = {}
    events = sorted((event for consent in about for event in consent.events), key=lambda event: event.number)
    for event in events:
        if not event.parties or party in event.parties:
            last[event.who, event.capacity] = event
    known = _known(event for consent in listed for event in consent.events)
    lines = tuple(line for line in map(known, last.values()) if _counts(line, newest))
    return _weighed(newest, lines, needed, day)


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
