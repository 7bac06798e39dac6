"""Signals: "we are involved", without content, and the rules of their end (D6, D16)."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from broker.domain.errors import (
    AgeQuarterNeededError,
    AssessmentNeededError,
    EndDateBeyondRuleError,
    FieldRuleError,
    InformingNeededError,
)

REVIEW_DAYS = 14
"""Days after a look-up on the standing of a signal in which it is not withdrawn without review (D5)."""
_QUARTER_MONTHS = (1, 4, 7, 10)


class EndReason(StrEnum):
    """Why a signal ended without anybody's act."""

    EXPIRY = "expiry"
    AGE = "age"
    RULES = "rules"
    """What it rested on, its ground or the purpose itself, has ended."""
    CONSENT = "consent"
    """The consent that it rested on alone has ended: a last day or an age has passed, or somebody took it back."""


class SignalState(StrEnum):
    """Where a signal is in its life; only an active one is ever matched.

    A frozen one rests on a ground or a purpose that has ended: shown to nobody, and ended when the document says so.
    """

    ACTIVE = "active"
    FROZEN = "frozen"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """That a person judged this youth: the day, and the worker's id at the broker."""

    on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Informing:
    """Whether the family knows; when `deferred`, a reason code and the day it is looked at again."""

    state: str
    reason: str | None
    review_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """An organisation, or one of its workers, that must not see one signal; `worker` None means all of them."""

    organisation: str
    worker: str | None

    def concerns(self, organisation: str, worker: str) -> bool:
        """Return whether this worker of this organisation is excluded."""
        return self.organisation == organisation and self.worker in (None, worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One organisation's involvement with one person, for one purpose.

    `id` is the holder's name for it; `handle` the random search handle that log entries use, erasable by dropping this
    row; `ground` the ground that won when it was registered; `case_ref` a hex HMAC under the holder's own key; `owner`
    the worker's id at the broker of who sees to it, None for a signal of before there were owners; `consent_until` the
    last day of the consent that it rests on, None where it rests on none.
    """

    id: str
    handle: str
    organisation: str
    controller: str
    parent_org: str | None
    team: str
    purpose: str
    ground: str
    epoch: int
    case_ref: str | None
    registered_on: date
    ends_on: date
    age_quarter: date | None = None
    assessment: Assessment | None = None
    informing: Informing | None = None
    state: SignalState = SignalState.ACTIVE
    withdrawal_reason: str | None = None
    shielded: bool = False
    last_standing_on: date | None = None
    owner: str | None = None
    consent_until: date | None = None
    exclusions: frozenset[Exclusion] = frozenset()

    @property
    def is_held(self) -> bool:
        """Whether neither its holder nor housekeeping has ended it."""
        return self.state in (SignalState.ACTIVE, SignalState.FROZEN)

    @property
    def last_day(self) -> date:
        """The last day on which it can be matched, as it stands."""
        return min(day for day in (self.ends_on, self.age_quarter, self.consent_until) if day is not None)

    def active_on(self, day: date) -> bool:
        """Return whether it can be matched on this day."""
        return self.state is SignalState.ACTIVE and self.ended_by(day) is None

    def ended_by(self, day: date) -> EndReason | None:
        """Return why its last day lies before this day, None while it does not; the first limit it met is the reason.

        `age_quarter` is kept only where an age bounds the signal, and is then the last day it can have.
        """
        limits = ((self.age_quarter, EndReason.AGE), (self.ends_on, EndReason.EXPIRY))
        last = self.last_day
        reasons = [reason for limit, reason in limits if limit == last]
        return next(iter(reasons), EndReason.CONSENT) if day > last else None

    def excludes(self, organisation: str, worker: str) -> bool:
        """Return whether this asker must not see it."""
        return any(exclusion.concerns(organisation, worker) for exclusion in self.exclusions)

    def hidden_from(self, colleague: str) -> bool:
        """Return whether this worker of the holder itself must not know of it: to him it is as if it were not there."""
        return self.excludes(self.organisation, colleague)

    def needs_review_to_withdraw(self, day: date) -> bool:
        """Return whether it served as standing so recently that a reviewer looks first (D5)."""
        return self.last_standing_on is not None and day <= self.last_standing_on + timedelta(days=REVIEW_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRule:
    """How long a signal of a purpose may last.

    `max_years` counts from the day it is registered or renewed; `age_bound` asks for the quarter of the birthday.
    """

    max_years: int | None
    age_bound: bool

    def check(self, *, ends_on: date, age_quarter: date | None, today: date) -> None:
        """Hold only if the end is allowed.

        Args:
            ends_on: the last day of the signal.
            age_quarter: first day of the quarter in which the youth reaches the age limit, or None.
            today: the calendar day of the decision.

        Raises:
            FieldRuleError: the end lies in the past, or the quarter does not begin on that day.
            AgeQuarterNeededError: the purpose is bound to an age and no quarter is given.
            EndDateBeyondRuleError: the end lies after the latest day allowed.
        """
        # (1) A signal that has ended is not registered.
        if ends_on < today:
            raise FieldRuleError("endsOn", "lies in the past")
        limits = [] if self.max_years is None else [years_after(today, self.max_years)]
        # (2) Bound to an age: no later than the birthday, of which only the quarter is known.
        if self.age_bound:
            if age_quarter is None:
                raise AgeQuarterNeededError
            if age_quarter.day != 1 or age_quarter.month not in _QUARTER_MONTHS:
                raise FieldRuleError("ageQuarter", "is not the first day of a quarter")
            limits.append(age_quarter)
        # (3) The earliest limit counts.
        if limits and ends_on > min(limits):
            raise EndDateBeyondRuleError(min(limits))


def years_after(day: date, years: int) -> date:
    """Return the same day so many years later; 29 February becomes the 28th."""
    year = day.year + years
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def check_assessment(assessment: Assessment | None, *, needed: bool, today: date) -> None:
    """Hold only if a person judged this youth, where the purpose needs it.

    Raises:
        AssessmentNeededError: it is needed and not there.
        FieldRuleError: it lies in the future.
    """
    if needed and assessment is None:
        raise AssessmentNeededError
    if assessment is not None and assessment.on > today:
        raise FieldRuleError("assessment.on", "lies in the future")


def check_informing(informing: Informing | None, *, needed: bool, today: date) -> None:
    """Hold only if the request says whether the family knows, and when not, why and until when.

    Raises:
        InformingNeededError: it is needed and not there, or deferred without a reason and a day.
        FieldRuleError: the day of review lies in the past, or a reason stands beside "informed".
    """
    if informing is None:
        if needed:
            raise InformingNeededError
        return
    if informing.state == "informed":
        if informing.reason is not None or informing.review_on is not None:
            raise FieldRuleError("informing", "is informed, so it has no reason and no day of review")
        return
    if informing.reason is None or informing.review_on is None:
        raise InformingNeededError
    if informing.review_on < today:
        raise FieldRuleError("informing.reviewOn", "lies in the past")
