"""How long things are kept follows from what was stated of them, and is what the document says."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from broker.domain import keeping
from broker.domain.consents import Answer, Capacity, Consent, ConsentEvent
from broker.domain.erasures import KEPT_S
from broker.domain.keeping import Kept, before, consent_kept_until, ended_before, ended_for, lapses_on
from broker.domain.review import REVIEWED_DAYS

DAY = 86_400
ONE, OTHER = "1" * 20, "2" * 20
SAID = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())
UNTIL = date(2027, 5, 1)
RECORD = Consent(
    id="c" * 32, organisation="9" * 20, controller="9" * 20, team="team-1", recorded_by="worker", approved=True,
    recorded_on=date(2026, 11, 22), purpose="volwassene", categories=frozenset({"hulp"}),
    parties=frozenset({ONE, OTHER}), age="from23", age_ends_on=None, unable=False, contested=False, signal_id=None,
    case_ref=None, events=(),
)  # fmt: skip


def said(
    number: int, answer: Answer, *, until: date | None = None, who: str = "her", parties: frozenset[str] = frozenset()
) -> ConsentEvent:  # fmt: skip
    """Return an answer of somebody."""
    return ConsentEvent(
        at=SAID, who=who, capacity=Capacity.PERSON, answer=answer, until=until, parties=parties, number=number
    )  # fmt: skip


def record(*events: ConsentEvent) -> Consent:
    """Return a record with these answers."""
    return replace(RECORD, events=events)


YES = said(1, Answer.GIVEN, until=UNTIL)


@pytest.mark.parametrize(
    ("events", "lapses"),
    [
        ((YES,), UNTIL),
        ((YES, said(2, Answer.GIVEN, until=date(2027, 1, 1), who="him")), date(2027, 1, 1)),
        ((YES, said(2, Answer.WITHDRAWN)), None),
        ((YES, said(2, Answer.WITHDRAWN, parties=frozenset({ONE}))), UNTIL),
        ((YES, said(2, Answer.REFUSED, who="him")), None),
        ((said(1, Answer.REFUSED), said(2, Answer.GIVEN, until=UNTIL)), UNTIL),
        ((said(1, Answer.ASKED),), None),
    ],
)
def test_a_yes_lapses_with_the_first_of_its_last_days(events: tuple[ConsentEvent, ...], lapses: date | None) -> None:
    """A no ends it otherwise, and one towards some organisations leaves what holds towards the others."""
    assert lapses_on(record(*events)) == lapses


def test_a_yes_lapses_at_the_latest_when_another_answers() -> None:
    """In the quarter in which the person comes of another age it has ended."""
    assert lapses_on(replace(record(YES), age_ends_on=date(2027, 1, 1))) == date(2026, 12, 31)


def test_a_no_outlives_every_yes_beside_it() -> None:
    """A yes is kept a year after its last day, a no two years after it was said, whichever is later."""
    assert consent_kept_until(record(YES)) == date(2028, 5, 1)
    assert consent_kept_until(record(YES, said(2, Answer.REFUSED, who="him"))) == date(2028, 11, 23)
    assert consent_kept_until(record()) == date(2027, 11, 23)


def test_a_no_ends_it_for_whom_it_names() -> None:
    """For all that were named, or for some; and a later yes begins anew."""
    back = said(2, Answer.WITHDRAWN, parties=frozenset({ONE}))
    assert ended_for(RECORD, [YES]) == frozenset()
    assert ended_for(RECORD, [back]) == {ONE}
    assert ended_for(RECORD, [said(2, Answer.REFUSED)]) == {ONE, OTHER}
    assert ended_before(record(YES, back)) == {ONE}
    assert ended_before(record(YES, back, said(3, Answer.GIVEN, until=UNTIL))) == frozenset()
    assert ended_before(record(YES, said(2, Answer.REFUSED))) == frozenset()


def test_a_limit_is_a_day_or_a_second() -> None:
    """What has a last day is over after it; what has a moment, so many times a day later."""
    day = date(2026, 11, 22)
    assert before(Kept.LETTER_BOX, day=day, now=0) == "2026-11-22"
    assert before(Kept.REQUEST, day=day, now=0) == "2026-08-22"
    assert before(Kept.NOTICE, day=day, now=100 * DAY) == 70 * DAY


def test_the_document_says_what_is_done() -> None:
    """Every number of days in docs/retention.md is the one by which things go."""
    text = Path("docs/retention.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): line.split("|")[2] for line in text.splitlines() if line.startswith("| ")}
    stated = {
        "sealed box of a letter or an answer": [keeping.OPENED_DAYS],
        "the rest of a letter, with its answer": [REVIEWED_DAYS],
        "an oproep as its sender reads it": [keeping.KEPT_DAYS[Kept.CALL]],
        "a phone call, with the key of its belcode": [keeping.KEPT_DAYS[Kept.PHONE_CALL]],
        "a consent: record, answers, token": [keeping.CONSENT_DAYS, keeping.NO_DAYS],
        "an exception": [keeping.EXCEPTION_DAYS, keeping.ACUTE_DAYS],
        "a notice": [keeping.KEPT_DAYS[Kept.NOTICE]],
        "a term of a team (report, exclusion order) that is done or over": [keeping.TASK_DAYS],
        "what followed from an act (`tasks owed`) and is done": [keeping.KEPT_DAYS[Kept.OWED_TASK]],
        "a signal that was withdrawn or has ended, with all of it": [keeping.SIGNAL_DAYS],
        "content of an entry": [KEPT_S // DAY],
    }
    for what, days in stated.items():
        assert [int(word) for word in lines[what].split() if word.isdigit()][: len(days)] == days, what
