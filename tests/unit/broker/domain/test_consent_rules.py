"""What a record of consent must say: each rule at its own edge, named by field and rule."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from broker.domain.consent_rules import (
    LONGEST_DAYS,
    check_age,
    check_alone,
    check_events,
    check_stated,
    fault_of,
    is_overtaken,
)
from broker.domain.consents import GUARDIAN, PERSON, Answer, Capacity, Consent, ConsentEvent, ConsentProof
from broker.domain.errors import FieldRuleError
from tests.property.broker.test_consents import NEEDED, a_consent

TODAY = date(2026, 11, 22)
PAPER = ConsentProof(kind="paper", reference="f" * 64, spoken_with=None, interpreter="none")


def said(answer: Answer = Answer.GIVEN, **changed: object) -> ConsentEvent:
    """Return an answer that says what it must."""
    made = ConsentEvent(at=1, who="a", capacity=Capacity.PERSON, answer=answer, custody="brp", proof=PAPER, until=TODAY)
    return replace(made, **changed)  # type: ignore[arg-type]  # the fields of an answer


def broken(*events: ConsentEvent) -> tuple[str, str] | None:
    """Return the field and the rule that these answers break, None where they break none."""
    try:
        check_events(events, today=TODAY)
    except FieldRuleError as error:
        return error.field, error.rule
    return None


def spoken(with_whom: str | None) -> ConsentProof:
    """Return what was spoken."""
    return ConsentProof(kind="spoken", reference=None, spoken_with=with_whom, interpreter="none")


def test_nobody_answers_twice_at_once_in_one_capacity() -> None:
    """One person has one line in each capacity: which of two counts would be a guess."""
    twice = ("answers", "name a person twice")
    assert broken(said(), said(Answer.ASKED)) == twice
    assert broken(said(), said(capacity=Capacity.MENTOR), said(who="b")) is None
    assert broken() is None


def test_a_reason_stands_exactly_where_somebody_was_not_asked() -> None:
    """A reason beside an answer says nothing; not asking without one cannot be judged."""
    rule = ("answers.reason", "is there exactly where somebody was not asked")
    assert broken(said(Answer.NOT_ASKED, reason="unsafe")) is None
    assert broken(said(Answer.NOT_ASKED)) == rule
    assert broken(said(reason="unsafe")) == rule
    assert broken(said(Answer.REFUSED), said(Answer.NOT_ASKED, who="b")) == rule


def test_a_yes_has_its_proof() -> None:
    """A yes stands on paper, or was heard by somebody who is named."""
    assert broken(said(proof=None)) == ("answers.proof", "is missing beside a yes")
    heard = ("answers.proof.spokenWith", "is missing beside what was spoken")
    assert broken(said(proof=spoken(None))) == heard
    assert broken(said(proof=spoken("w"))) is None
    assert broken(said(Answer.REFUSED, proof=None, until=None)) is None
    assert broken(said(Answer.REFUSED, proof=spoken(None), until=None)) is None


@pytest.mark.parametrize(
    ("days", "fits"), [(-1, False), (0, True), (LONGEST_DAYS, True), (LONGEST_DAYS + 1, False), (None, False)]
)
def test_a_yes_lasts_a_year_at_most(days: int | None, fits: bool) -> None:  # noqa: FBT001 - a row of a table
    """From today to a year from today, both days included; a yes without a last day is none."""
    until = None if days is None else TODAY + timedelta(days=days)
    rule = ("answers.until", "does not lie within a year from today")
    assert broken(said(until=until)) == (None if fits else rule)


THERE = "is there exactly where the person is younger than 23"
FIRST = "is no first day of a quarter"
AHEAD = "does not lie ahead, or lies further than this age lasts"


@pytest.mark.parametrize(
    ("age", "ends_on", "rule"),
    [
        ("from23", None, None),
        ("from23", date(2027, 1, 1), THERE),
        ("unknown", None, None),
        ("12to15", None, THERE),
        ("12to15", date(2027, 1, 1), None),
        ("12to15", date(2027, 4, 1), None),
        ("12to15", date(2027, 7, 1), None),
        ("12to15", date(2027, 10, 1), None),
        ("12to15", date(2027, 1, 2), FIRST),
        ("12to15", date(2027, 2, 1), FIRST),
        ("12to15", date(2027, 12, 1), FIRST),
        ("12to15", date(2026, 10, 1), AHEAD),
        ("under12", date(2038, 10, 1), None),
        ("under12", date(2039, 1, 1), AHEAD),
        ("12to15", date(2030, 10, 1), None),
        ("12to15", date(2031, 1, 1), AHEAD),
        ("16to17", date(2028, 10, 1), None),
        ("16to17", date(2029, 1, 1), AHEAD),
        ("18to22", date(2031, 10, 1), None),
        ("18to22", date(2032, 1, 1), AHEAD),
    ],
)
def test_an_age_ends_on_a_quarter_it_can_end_in(age: str, ends_on: date | None, rule: str | None) -> None:
    """Every age but the last has the first day of the quarter in which another answers, within the years it lasts."""
    if rule is None:
        check_age(age, ends_on, today=TODAY)
        return
    with pytest.raises(FieldRuleError) as broke:
        check_age(age, ends_on, today=TODAY)
    assert (broke.value.field, broke.value.rule) == ("ageEndsOn", rule)


def test_an_age_ends_after_today_and_at_most_its_years_from_this_month() -> None:
    """On the first day of a quarter itself that day has come; the same quarter so many years on is the last."""
    check_age("16to17", date(2028, 1, 1), today=date(2026, 1, 1))
    for ends_on in (date(2026, 1, 1), date(2028, 4, 1)):
        with pytest.raises(FieldRuleError):
            check_age("16to17", ends_on, today=date(2026, 1, 1))


def test_the_yes_of_one_parent_alone_says_where_that_was_looked_up() -> None:
    """Who states that there is one parent states the record that says so; of two parents, of a no, or unseen: not."""
    alone = said(capacity=Capacity.GUARDIAN)
    for source in ("brp", "gezagsregister", "court_decision"):
        with pytest.raises(FieldRuleError) as broke:
            check_alone(1, [said(Answer.REFUSED), replace(alone, custody=source)])
        assert (broke.value.field, broke.value.rule) == (
            "answers.custodyRef",
            "is missing where one parent alone has custody",
        )
    check_alone(1, [replace(alone, custody_ref="f" * 64)])
    check_alone(2, [alone])
    check_alone(0, [alone])
    check_alone(1, [replace(alone, answer=Answer.REFUSED), replace(alone, custody="stated")])


def fault(consent: Consent, *events: ConsentEvent, about: tuple[Consent, ...] = ()) -> str | None:
    """Return the problem of these answers in or after this record."""
    return fault_of(consent, events, needed=NEEDED.__getitem__, about=about)


def test_a_parent_without_custody_cannot_say_yes() -> None:
    """A yes of who has no custody is refused; a no of the same person is recorded."""
    child, parent = a_consent(age="under12"), said(capacity=Capacity.GUARDIAN, custody="none")
    assert fault(child, parent) == "consent-without-custody"
    assert fault(child, replace(parent, answer=Answer.REFUSED)) is None
    assert fault(child, replace(parent, custody="stated")) is None
    assert fault(child, replace(parent, answer=Answer.REFUSED), replace(parent, who="b")) == "consent-without-custody"


def test_who_the_danger_comes_from_cannot_say_yes() -> None:
    """Marked now, before, or in another record about this person, in whatever capacity: his yes is refused."""
    child, parent = a_consent(age="under12"), said(capacity=Capacity.GUARDIAN)
    marked = said(Answer.ASKED, suspect=True, capacity=Capacity.MENTOR)
    assert fault(child, parent) is None
    assert fault(child, replace(parent, suspect=True)) == "consent-by-suspect"
    assert fault(a_consent(marked, age="under12"), parent) == "consent-by-suspect"
    assert fault(child, parent, about=(a_consent(marked),)) == "consent-by-suspect"
    assert fault(child, parent, about=(a_consent(replace(marked, who="b")),)) is None
    assert fault(child, replace(parent, answer=Answer.REFUSED), about=(a_consent(marked),)) is None


@pytest.mark.parametrize(
    ("age", "unable", "capacity", "theirs"),
    [
        ("from23", False, Capacity.PERSON, True),
        ("from23", True, Capacity.PERSON, False),
        ("from23", True, Capacity.MENTOR, True),
        ("from23", True, Capacity.CURATOR, True),
        ("from23", True, Capacity.GEMACHTIGDE, True),
        ("from23", False, Capacity.MENTOR, False),
        ("from23", False, Capacity.GUARDIAN, False),
        ("under12", False, Capacity.PERSON, False),
        ("under12", True, Capacity.GUARDIAN, True),
        ("12to15", False, Capacity.PERSON, True),
        ("12to15", False, Capacity.GUARDIAN, True),
        ("12to15", True, Capacity.GUARDIAN, True),
        ("12to15", True, Capacity.PERSON, False),
    ],
)
def test_a_yes_is_theirs_whose_voice_is_asked(age: str, unable: bool, capacity: Capacity, theirs: bool) -> None:  # noqa: FBT001 - a row of a table
    """Whoever can decide says yes himself; who cannot is represented; parents answer at the ages the ground names."""
    found = fault(a_consent(age=age, unable=unable), said(capacity=capacity))
    assert found == (None if theirs else "consent-not-theirs")


def test_the_voices_are_those_of_the_ground() -> None:
    """Nobody can say yes to what asks for nobody's yes."""
    nobody = a_consent(age="under12", unable=True)
    assert nobody.voices(lambda _: frozenset()) == frozenset()
    assert nobody.voices(NEEDED.__getitem__) == frozenset({GUARDIAN})
    assert a_consent(unable=True).voices(NEEDED.__getitem__) == frozenset({PERSON})
    event = said(capacity=Capacity.GUARDIAN)
    assert fault_of(nobody, [event], needed=lambda _: frozenset()) == "consent-not-theirs"


def test_an_answer_from_before_a_no_is_overtaken_by_it() -> None:
    """Stated before the same person said no, of the same data, to one of the same organisations; a no never is."""
    later = 100
    yes = said(at=later, answer=Answer.GIVEN)
    for no in (Answer.REFUSED, Answer.WITHDRAWN):
        with_no = a_consent(said(at=50, answer=no))
        for answer in Answer:
            expected = answer not in (Answer.REFUSED, Answer.WITHDRAWN)
            assert is_overtaken(with_no, [replace(yes, answer=answer)], stated_at=49) is expected
            assert not is_overtaken(with_no, [replace(yes, answer=answer)], stated_at=50)
            assert not is_overtaken(with_no, [replace(yes, answer=answer)], stated_at=None)
    here, with_no = a_consent(yes), a_consent(said(at=50, answer=Answer.REFUSED))

    def overtaken(by: Consent, *events: ConsentEvent) -> bool:
        return is_overtaken(here, events or (yes,), stated_at=1, about=(a_consent(), by))

    assert overtaken(with_no)
    assert not overtaken(with_no, replace(yes, who="b"))
    assert not overtaken(with_no, replace(yes, capacity=Capacity.GUARDIAN))
    assert overtaken(with_no, replace(yes, who="b"), yes)
    assert not overtaken(a_consent(said(at=50, answer=Answer.GIVEN)))
    assert not overtaken(replace(with_no, purpose="another"))
    assert not overtaken(replace(with_no, categories=frozenset({"another"})))
    assert not overtaken(replace(with_no, parties=frozenset({"another"})))
    to_another = replace(with_no.events[0], parties=frozenset({"another"}))
    assert not overtaken(replace(with_no, events=(to_another,)))
    to_one = replace(to_another, parties=frozenset({"another", min(here.parties)}))
    assert overtaken(replace(with_no, events=(to_one,)))


def test_nothing_is_stated_ahead_of_time() -> None:
    """Up to the latest second; what a client leaves out is stated now."""
    check_stated(None, latest=0)
    check_stated(10, latest=10)
    with pytest.raises(FieldRuleError):
        check_stated(11, latest=10)
