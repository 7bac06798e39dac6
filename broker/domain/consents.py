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

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
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
        approved: a second person of the organisation signed this very answer.
        kept_from: the worker who recorded it, where he is kept from a signal about this person and nobody else saw it.
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
    approved: bool = False
    kept_from: str | None = None

    @property
    def voice(self) -> str:
        """Whose voice this is: a parent's, or the person's, also through a representative."""
        return GUARDIAN if self.capacity is Capacity.GUARDIAN else PERSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What one organisation asked about one person: for what, about which data, with which named organisations.

    Attributes:
        approved: a second person of the organisation signed the record as it was made.
        parties: OINs of the organisations that may be told, or may tell.
        age: band of the person, as the organisation knows it; the broker never gets a birth date.
        age_ends_on: the first day of the quarter in which he comes in the next band, where another then answers.
        guardians: how many have custody, where it was looked up; the yes of fewer opens nothing.
        confirmation: of the resident: `given`, still `to_send`, or `unsafe` until `review_on` at least.
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
    confirmation: Literal["given", "to_send", "unsafe"] = "to_send"
    review_on: date | None = None

    @property
    def seen_by_two(self) -> bool:
        """Whether a second person approved it, or an answer in it."""
        return self.approved or any(event.approved for event in self.events)

    def is_of_another_age(self, day: date) -> bool:
        """Return whether another answers since the person came of age."""
        return self.age_ends_on is not None and self.age_ends_on <= day

    def voices(self, needed: Needed) -> frozenset[str]:
        """Return whose voices must say yes: of a minor who cannot decide that of his parents alone."""
        voices = needed(self.age)
        return frozenset({GUARDIAN}) if voices and self.unable and self.age in MINORS else voices
