"""How long is kept what stands beside the log, in rows and sealed bytes: as long as its purpose needs, and no longer.

What was acknowledged stays in the log for a term of its own (`broker.domain.erasures`), and a proof outlives both. A
row is for who still has to do something with it, or may still be asked about it. When it goes is computed from what its
own side stated, never from what that brought about for others: that it is gone tells nobody anything (D8).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from broker.domain.consents import Answer, Consent, ConsentEvent
from broker.domain.exceptions import ExceptionRecord, ExceptionType
from broker.domain.flags import local
from broker.domain.review import REVIEWED_DAYS

OPENED_DAYS = 2
"""Days the box of a letter is kept once its receiver has opened it: what he opened lies in his own folder by then."""
CONSENT_DAYS = 366
"""Days a record of consent is kept after its last yes has ended: it may have to be shown (AVG art. 7(1))."""
NO_DAYS = 2 * 366
"""Days a no is kept after it was said: as long as a signal lasts at most (D16), so that nobody's yes outlives it."""
EXCEPTION_DAYS = 366
"""Days an exception is kept after the person was to be told of it."""
ACUTE_DAYS = 5 * 366
"""Days an acute one is kept, as its entry's content is: until it is judged its worker can invoke no other."""
TASK_DAYS = 366
"""Days after its last day that a term is kept: of one report it runs once, and an order has the days first recorded."""
SIGNAL_DAYS = 5 * 366
"""Days after its last day that a signal is kept: by its tokens acts on the household of who hides there stay hidden."""
ENDED = frozenset({Answer.REFUSED, Answer.WITHDRAWN})


class Kept(StrEnum):
    """What is kept for a time."""

    LETTER_BOX = "letter_box"
    """The sealed box of a request, or of what was told unasked."""
    ANSWER_BOX = "answer_box"
    REQUEST = "request"
    """The rest of a letter, with its answer."""
    RINGS = "rings"
    """Whom an oproep reached, and what each of them did."""
    CALL = "call"
    PHONE_CALL = "phone_call"
    CONSENT = "consent"
    EXCEPTION = "exception"
    NOTICE = "notice"
    """A notice that its organisation has."""
    TEAM_TASK = "team_task"
    """A term that is done, or an exclusion order that is over."""
    OWED_TASK = "owed_task"
    """What followed from an act, and is done."""
    SIGNAL = "signal"
    """A signal that has ended, with its tokens, once no content of an entry about it is left."""


class Over(StrEnum):
    """What has come to its end, so that somebody is told, once."""

    REQUEST = "request"
    """Nobody answered in time: its sender is told."""
    CONSENT = "consent"
    """The last day of a yes has passed: who relied on it is told."""


KEPT_DAYS: Mapping[Kept, int] = {
    Kept.LETTER_BOX: 0,
    Kept.ANSWER_BOX: 0,
    Kept.REQUEST: REVIEWED_DAYS,
    Kept.RINGS: 0,
    Kept.CALL: REVIEWED_DAYS,
    Kept.PHONE_CALL: REVIEWED_DAYS,
    Kept.CONSENT: 0,
    Kept.EXCEPTION: 0,
    Kept.NOTICE: 30,
    Kept.TEAM_TASK: TASK_DAYS,
    Kept.OWED_TASK: REVIEWED_DAYS,
    Kept.SIGNAL: SIGNAL_DAYS,
}
"""Days after the last day (or the moment) that stands in the row itself, as `docs/retention.md` lists them."""
BY_SECOND = frozenset({Kept.PHONE_CALL, Kept.NOTICE, Kept.OWED_TASK})
"""What has a moment and no last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRows:
    """A change: these rows are gone, but for those that are needed longer since; `before` is what was read with."""

    kind: Kept
    ids: tuple[str | int, ...]
    before: str | int

    @property
    def named(self) -> str:
        """What an entry calls this."""
        return self.kind.value


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOver:
    """A change: who is concerned by the end of these is told, once; those that did not end after all are left."""

    kind: Over
    ids: tuple[str, ...]
    before: str

    @property
    def named(self) -> str:
        """What an entry calls this."""
        return f"{self.kind.value}_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class TellRelying:
    """A change: who relied on this consent of an organisation is told that it ended, and nobody of who else is.

    `parties` are OINs that it ended for.
    """

    consent_id: str
    parties: frozenset[str]


KeepingChange = ForgetRows | TellOver | TellRelying


def before(kind: Kept, *, day: date, now: int) -> str | int:
    """Return the day (ISO), or the unix second, before which the last moment of what is forgotten on this day lies."""
    days = KEPT_DAYS[kind]
    return now - days * 86_400 if kind in BY_SECOND else (day - timedelta(days=days)).isoformat()


def opened_box_until(at: int) -> date:
    """Return up to and with which day the box is kept at most that was opened in this unix second."""
    return _day(at) + timedelta(days=OPENED_DAYS)


def lapses_on(consent: Consent) -> date | None:
    """Return the last day of the first yes to end; None where nobody's yes holds, or somebody's no does.

    A no towards some organisations alone leaves what holds towards the others.
    """
    lines = _last_of(event for event in consent.events if not event.parties)
    if any(line.answer in ENDED for line in lines):
        return None
    days = [line.until for line in lines if line.answer is Answer.GIVEN and line.until is not None]
    if days and consent.age_ends_on is not None:
        days.append(consent.age_ends_on - timedelta(days=1))
    return min(days, default=None)


def consent_kept_until(consent: Consent) -> date:
    """Return the last day on which a record is needed by itself: to show a yes that was relied on, or to hold a no."""
    said = max([consent.recorded_on, *(_day(event.at) for event in consent.events)])
    days = [event.until for event in consent.events if event.until is not None]
    barred = said + timedelta(days=NO_DAYS if bars(consent) else 0)
    return max(max([said, *days]) + timedelta(days=CONSENT_DAYS), barred)


def exception_kept_until(record: ExceptionRecord) -> date:
    """Return the last day on which an exception is needed."""
    if record.type is ExceptionType.ACUTE:
        return _day(record.at) + timedelta(days=ACUTE_DAYS)
    told = None if record.documented is None else record.documented.tell_on
    return max(_day(record.at), told or date.min) + timedelta(days=EXCEPTION_DAYS)


def bars(consent: Consent) -> bool:
    """Return whether a record holds something that keeps a yes from counting: a no, or the mark of a suspect."""
    no = any(line.answer in ENDED for line in _last_of(consent.events))
    return no or any(event.suspect for event in consent.events)


def ended_for(consent: Consent, events: Iterable[ConsentEvent]) -> frozenset[str]:
    """Return the organisations for which one of these answers is a no."""
    found: set[str] = set()
    for event in events:
        if event.answer in ENDED:
            found |= event.parties or consent.parties
    return frozenset(found)


def ended_before(consent: Consent) -> frozenset[str]:
    """Return the organisations for which somebody took his yes back and gave none since, while it holds for others."""
    found: frozenset[str] = frozenset()
    for event in sorted(consent.events, key=lambda event: event.number):
        if event.answer is Answer.GIVEN:
            found -= event.parties or consent.parties
        elif event.answer in ENDED and event.parties:
            found |= event.parties
    return found


def _last_of(events: Iterable[ConsentEvent]) -> tuple[ConsentEvent, ...]:
    last = {(event.who, event.capacity): event for event in sorted(events, key=lambda event: event.number)}
    return tuple(last.values())


def _day(at: int) -> date:
    return local(at).date()
