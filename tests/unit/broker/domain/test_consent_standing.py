"""What answers come to, each rule at its own edge: whole facts are compared, not the state alone."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from broker.domain.consent_standing import NO_STANDING, Standing, standing, suspects_among
from broker.domain.consents import GUARDIAN, PERSON, Answer, Capacity, Consent, ConsentEvent, ConsentState
from tests.property.broker.test_consents import DAY, HOLDER, NEEDED, OTHER, a_consent, said, yes

MONTH = DAY + timedelta(days=30)
ADULT = Standing(state=ConsentState.GIVEN, by=frozenset({PERSON}), age="from23", custody="unknown", until=MONTH)
CHILD = Standing(state=ConsentState.GIVEN, by=frozenset({GUARDIAN}), age="under12", custody="clear", until=MONTH)
HERSELF = yes("a", Capacity.PERSON)
MOTHER, FATHER = yes("m", Capacity.GUARDIAN), yes("f", Capacity.GUARDIAN)
BOTH = a_consent(MOTHER, FATHER, age="under12")


def no(capacity: Capacity = Capacity.PERSON, *, who: str = "a", answer: Answer = Answer.REFUSED) -> ConsentEvent:
    """Return a no of who has custody, where that is asked."""
    return yes(who, capacity, answer=answer, until=None)


def numbered(consent: Consent, first: int) -> Consent:
    """Return the record with its answers stored from this number on."""
    events = tuple(replace(one, number=number) for number, one in enumerate(consent.events, start=first))
    return replace(consent, events=events)


def approved(*consents: Consent, party: str | None = HOLDER) -> Standing:
    """Return what the yeses that two know of say."""
    return standing(
        consents, purpose="volwassene", category="betrokkenheid", party=party, needed=NEEDED.__getitem__, day=DAY,
        approved=True,
    )  # fmt: skip


def test_a_yes_of_an_adult_is_given_by_the_person_until_her_last_day() -> None:
    """The last day itself counts; after it the yes expired, and who gave it still stands there."""
    assert said(a_consent(HERSELF)) == ADULT
    assert said(a_consent(HERSELF), day=MONTH) == ADULT
    assert said(a_consent(HERSELF), day=MONTH + timedelta(days=1)) == replace(ADULT, state=ConsentState.EXPIRED)
    assert said(a_consent(replace(HERSELF, until=None))) == replace(ADULT, state=ConsentState.EXPIRED, until=None)


def test_only_what_was_asked_for_this_and_this_organisation_counts() -> None:
    """Another purpose, another category, another organisation, or nothing at all: nobody said anything."""
    for consent in (
        a_consent(HERSELF, purpose="overlast"),
        a_consent(HERSELF, categories=frozenset({"hulp"})),
        a_consent(HERSELF, parties=frozenset({OTHER})),
    ):
        assert said(consent) == NO_STANDING
    assert said() == NO_STANDING == Standing(state=ConsentState.UNKNOWN, age="unknown", custody="unknown")
    assert said(party=None) == NO_STANDING


def test_an_answer_for_one_organisation_is_none_for_another() -> None:
    """A yes limited to another leaves what was said to all; a no limited to one closes that one alone."""
    limited = replace(HERSELF, parties=frozenset({OTHER}))
    assert said(a_consent(limited)) == Standing(age="from23")
    assert said(a_consent(replace(limited, parties=frozenset({HOLDER, OTHER})))) == ADULT
    record = a_consent(HERSELF, replace(no(), parties=frozenset({OTHER})))
    assert said(record) == ADULT
    assert said(record, party=OTHER).state is ConsentState.REFUSED


def test_the_answer_stored_last_counts_of_each_person_in_each_capacity() -> None:
    """The order is that of the store, over all records; no answer replaces another's, or one in another capacity."""
    first, second = numbered(a_consent(no()), 1), numbered(a_consent(HERSELF), 2)
    assert said(first, second) == ADULT
    assert said(second, first) == ADULT
    assert said(numbered(first, 3), second).state is ConsentState.REFUSED
    father_refused = a_consent(no(Capacity.GUARDIAN, who="f"), MOTHER, age="under12")
    assert said(father_refused).state is ConsentState.REFUSED
    assert said(a_consent(no(), yes("a", Capacity.GUARDIAN), age="12to15")).state is ConsentState.REFUSED


@pytest.mark.parametrize(
    ("answer", "state"), [(Answer.REFUSED, ConsentState.REFUSED), (Answer.WITHDRAWN, ConsentState.WITHDRAWN)]
)
def test_a_no_says_whose_age_and_custody_and_nothing_of_a_yes(answer: Answer, state: ConsentState) -> None:
    """A no names nobody who said yes and no last day; a refusal beside a withdrawal is a refusal."""
    record = a_consent(MOTHER, no(Capacity.GUARDIAN, who="f", answer=answer), age="under12")
    assert said(record) == Standing(state=state, age="under12", custody="clear")
    both = a_consent(no(answer=answer), no(Capacity.MENTOR, who="b"), unable=True)
    assert said(both) == Standing(state=ConsentState.REFUSED, age="from23")


def test_a_no_counts_of_who_has_a_voice_and_of_the_person_at_any_age() -> None:
    """A parent's no about an adult is nobody's; a child's own no is a no."""
    assert said(a_consent(HERSELF, no(Capacity.GUARDIAN, who="m"))) == replace(ADULT, custody="clear")
    own = a_consent(MOTHER, FATHER, no(who="child"), age="under12")
    assert said(own) == Standing(state=ConsentState.REFUSED, age="under12", custody="clear")


def test_both_parents_say_yes_where_both_have_custody() -> None:
    """One of two opens nothing, nor twice the same; where it was looked up that there is one, hers is enough."""
    assert said(BOTH) == CHILD
    waiting = Standing(age="under12", custody="clear", until=MONTH)
    assert said(a_consent(MOTHER, age="under12")) == replace(waiting, until=None)
    assert said(a_consent(MOTHER, age="under12", guardians=1)) == CHILD
    asked = a_consent(MOTHER, replace(FATHER, answer=Answer.ASKED), age="under12")
    assert said(asked) == replace(waiting, until=None)
    assert said(a_consent(age="under12", guardians=0)) == Standing(age="under12")


def test_a_yes_lasts_as_long_as_the_first_of_those_who_had_to_say_it() -> None:
    """The earliest last day counts of who had to say yes; that of anybody else shortens nothing."""
    short = DAY + timedelta(days=3)
    assert said(a_consent(MOTHER, replace(FATHER, until=short), age="under12")) == replace(CHILD, until=short)
    beside = yes("child", Capacity.PERSON, until=short)
    assert said(a_consent(MOTHER, FATHER, beside, age="under12")) == replace(CHILD, by=frozenset({PERSON, GUARDIAN}))


def test_a_yes_ends_the_day_before_another_answers() -> None:
    """When the person comes of another age, another answers from that day on."""
    ends = DAY + timedelta(days=10)
    turning = replace(BOTH, age_ends_on=ends)
    last = ends - timedelta(days=1)
    assert said(turning) == replace(CHILD, until=last)
    assert said(turning, day=last) == replace(CHILD, until=last)
    assert said(turning, day=ends) == replace(CHILD, state=ConsentState.EXPIRED, until=last)
    assert said(replace(turning, age_ends_on=MONTH + timedelta(days=2))) == CHILD


def test_custody_is_clear_where_every_parent_was_looked_up_and_none_contests_it() -> None:
    """What a parent merely states opens nothing; contested custody is nobody's yes; an adult has no custody."""
    for source in ("brp", "gezagsregister", "court_decision"):
        assert said(a_consent(MOTHER, replace(FATHER, custody=source), age="under12")) == CHILD
    stated = a_consent(MOTHER, replace(FATHER, custody="stated"), age="under12")
    assert said(stated) == replace(CHILD, state=ConsentState.UNKNOWN, custody="unknown")
    assert said(replace(BOTH, contested=True)) == replace(CHILD, state=ConsentState.UNKNOWN, custody="contested")
    none = a_consent(MOTHER, replace(FATHER, custody="none"), age="under12")
    assert said(none) == Standing(age="under12", custody="clear")
    assert said(a_consent(HERSELF, contested=True)) == replace(ADULT, custody="contested")


def test_who_cannot_decide_is_represented() -> None:
    """A representative speaks where it is recorded that she cannot; her own yes is not waited for, her no counts."""
    mentor = yes("r", Capacity.MENTOR)
    for capacity in (Capacity.MENTOR, Capacity.CURATOR, Capacity.GEMACHTIGDE):
        assert said(a_consent(replace(mentor, capacity=capacity), unable=True)) == ADULT
        assert said(a_consent(replace(mentor, capacity=capacity))) == Standing(age="from23")
    assert said(a_consent(replace(HERSELF, answer=Answer.ASKED), mentor, unable=True)) == ADULT
    assert said(a_consent(no(), mentor, unable=True)).state is ConsentState.REFUSED
    assert said(a_consent(HERSELF, no(Capacity.MENTOR, who="r"))) == ADULT
    assert said(a_consent(HERSELF, replace(mentor, answer=Answer.ASKED), unable=True)) == Standing(age="from23")


def test_of_a_minor_who_cannot_decide_the_parents_alone_speak() -> None:
    """From twelve she answers beside her parents, unless she cannot: then their yes is enough."""
    parents = a_consent(MOTHER, FATHER, age="12to15")
    half = Standing(by=frozenset({GUARDIAN}), age="12to15", custody="clear", until=MONTH)
    assert said(parents) == half
    whole = replace(half, state=ConsentState.GIVEN, by=frozenset({PERSON, GUARDIAN}))
    assert said(replace(parents, unable=True)) == whole
    assert said(a_consent(MOTHER, FATHER, HERSELF, age="12to15")) == whole
    assert said(a_consent(HERSELF, unable=True)) == ADULT


def test_who_the_danger_comes_from_never_says_yes() -> None:
    """Marked in any record, for any purpose: his yes opens nothing, a representative's no counts for nothing."""
    marked = replace(FATHER, suspect=True)
    closed = Standing(age="under12", custody="clear")
    assert said(a_consent(MOTHER, marked, age="under12")) == closed
    elsewhere = a_consent(replace(FATHER, answer=Answer.ASKED, suspect=True), purpose="overlast")
    assert said(elsewhere, numbered(BOTH, 5)) == closed
    mentor = no(Capacity.MENTOR, who="r")
    another = yes("s", Capacity.CURATOR)
    assert said(a_consent(mentor, another, unable=True)).state is ConsentState.REFUSED
    assert said(a_consent(replace(mentor, suspect=True), another, unable=True)) == ADULT
    assert suspects_among([MOTHER, marked, replace(MOTHER, who="x", suspect=True)]) == {"f", "x"}


def test_custody_that_was_said_elsewhere_stays_with_a_line_that_says_none() -> None:
    """Who takes a yes back says nothing of his custody: it is as he last said as a parent."""
    back = replace(FATHER, answer=Answer.WITHDRAWN, custody="none", until=None)
    assert said(a_consent(MOTHER, FATHER, back, age="under12")) == Standing(
        state=ConsentState.WITHDRAWN, age="under12", custody="clear"
    )
    nobodys = a_consent(MOTHER, replace(back, who="x"), age="under12", guardians=1)
    assert said(nobodys) == CHILD
    later = a_consent(replace(FATHER, answer=Answer.ASKED, custody="stated"), age="under12", purpose="overlast")
    silent = a_consent(MOTHER, replace(FATHER, custody="none"), age="under12")
    assert said(numbered(silent, 1), numbered(later, 9)).custody == "unknown"
    assert said(numbered(BOTH, 1), numbered(later, 9)) == CHILD
    own = a_consent(yes("f", Capacity.PERSON, custody="brp"), purpose="overlast")
    assert said(silent, numbered(own, 9)) == Standing(age="under12", custody="clear")


def test_a_later_line_of_custody_replaces_an_earlier_in_the_order_of_the_store() -> None:
    """Of two sources that one parent named, that of the answer stored last fills a line that names none."""
    first = numbered(a_consent(replace(FATHER, custody="stated"), purpose="overlast"), 1)
    second = numbered(a_consent(FATHER, purpose="overlast"), 2)
    silent = numbered(a_consent(MOTHER, replace(FATHER, custody="none"), age="under12"), 3)
    for records in ((first, second, silent), (second, first, silent), (silent, second, first)):
        assert said(*records) == CHILD


def test_a_younger_age_counts_until_it_has_ended() -> None:
    """A later record cannot make somebody older; an age that has ended says nothing any more."""
    ends = DAY + timedelta(days=40)
    young = numbered(a_consent(age="under12", age_ends_on=ends), 1)
    older = numbered(a_consent(MOTHER, FATHER, HERSELF, age="12to15"), 5)
    assert said(young, older) == replace(CHILD, by=frozenset({PERSON, GUARDIAN}))
    assert said(older, young) == replace(CHILD, by=frozenset({PERSON, GUARDIAN}))
    soon = replace(young, age_ends_on=DAY + timedelta(days=9))
    assert said(soon, older).until == DAY + timedelta(days=8)
    ended = replace(young, age_ends_on=DAY)
    assert said(ended, older).age == "12to15"
    assert said(replace(ended, age_ends_on=DAY + timedelta(days=1)), older).age == "under12"
    assert said(ended, replace(older, age_ends_on=DAY - timedelta(days=1))).age == "12to15"
    for younger, elder in (("12to15", "16to17"), ("16to17", "18to22"), ("18to22", "from23")):
        aged = standing(
            [a_consent(age=elder), a_consent(age=younger), a_consent(age=elder)], purpose="volwassene",
            category="betrokkenheid", party=HOLDER, needed=lambda _: frozenset({PERSON}), day=DAY,
        )  # fmt: skip
        assert aged.age == younger


def test_contested_custody_stays_so_until_a_court_decided() -> None:
    """A later record that says nothing of it changes nothing; a court's decision that two people saw does."""
    contested, later = replace(BOTH, contested=True), numbered(BOTH, 5)
    assert said(contested, later).custody == "contested"
    cited = replace(MOTHER, custody="court_decision", custody_ref="f" * 64, approved=True)
    assert said(contested, numbered(a_consent(cited, FATHER, age="under12"), 5)) == CHILD
    for half in (replace(cited, custody_ref=None), replace(cited, custody="brp"), replace(cited, approved=False)):
        assert said(contested, numbered(a_consent(half, FATHER, age="under12"), 5)).custody == "contested"
    ruled = a_consent(cited, FATHER, age="under12")
    assert said(replace(ruled, contested=True)).custody == "contested"
    assert said(ruled, replace(later, contested=True)).custody == "contested"
    assert said(contested, replace(ruled, contested=True), later).custody == "contested"


def test_ability_and_the_number_of_parents_change_when_two_said_so() -> None:
    """What one worker records alone makes nobody unable, nobody able, and no parent the only one."""
    mentor = yes("r", Capacity.MENTOR)
    able, unable = a_consent(mentor), numbered(a_consent(mentor, unable=True), 5)
    assert said(able, unable) == ADULT
    assert said(able, replace(unable, approved=False)) == Standing(age="from23")
    assert said(unable, numbered(able, 9)) == Standing(age="from23")
    assert said(unable, numbered(replace(able, approved=False), 9)) == ADULT
    two = a_consent(MOTHER, age="under12")
    one = numbered(replace(two, guardians=1), 5)
    assert said(two, one) == CHILD
    assert said(two, replace(one, approved=False)).state is ConsentState.UNKNOWN
    assert said(one, replace(two, approved=False)).state is ConsentState.UNKNOWN
    assert said(one, replace(two, approved=False, guardians=1)) == CHILD


def test_towards_anybody_the_best_that_was_said_to_one_counts() -> None:
    """Of those who were named the one that may be told longest; else a no, a withdrawal, or what ended."""
    to_one, to_other = (replace(HERSELF, parties=frozenset({party})) for party in (HOLDER, OTHER))
    longer = replace(to_other, until=MONTH + timedelta(days=9))
    assert said(a_consent(to_one, longer), party=None) != ADULT  # one line in one capacity: the later replaced it
    one, other = a_consent(to_one, parties=frozenset({HOLDER})), a_consent(longer, parties=frozenset({OTHER}))
    assert said(one, numbered(other, 5), party=None) == replace(ADULT, until=longer.until)
    assert said(numbered(other, 5), one, party=None) == replace(ADULT, until=longer.until)
    refused = numbered(a_consent(no(), parties=frozenset({OTHER})), 5)
    assert said(one, refused, party=None) == ADULT
    ended = a_consent(replace(to_one, until=DAY - timedelta(days=1)), parties=frozenset({HOLDER}))
    assert said(ended, refused, party=None).state is ConsentState.REFUSED
    back = numbered(a_consent(no(answer=Answer.WITHDRAWN), parties=frozenset({OTHER})), 5)
    assert said(ended, back, party=None).state is ConsentState.WITHDRAWN
    asked = a_consent(replace(HERSELF, answer=Answer.ASKED), parties=frozenset({OTHER}), age="16to17")
    assert said(ended, asked, party=None).state is ConsentState.EXPIRED
    endless = a_consent(replace(HERSELF, until=None), parties=frozenset({OTHER}))
    assert said(endless, ended, party=None).until == DAY - timedelta(days=1)
    assert said(a_consent(parties=frozenset({OTHER})), party=None) == Standing(age="from23")


def test_a_yes_that_two_know_of() -> None:
    """Where two must know, a record or an answer that a second person signed counts, and every no does."""
    alone = a_consent(HERSELF, approved=False)
    assert approved(alone) == NO_STANDING
    assert approved(a_consent(HERSELF)) == Standing(age="from23")
    signed = replace(HERSELF, approved=True)
    assert approved(a_consent(signed, approved=False)) == ADULT
    assert approved(a_consent(signed, no(), approved=False)).state is ConsentState.REFUSED
    assert approved(a_consent(signed, replace(HERSELF, until=DAY), approved=False)) == ADULT
    assert approved(a_consent(signed), numbered(replace(alone, age="16to17"), 5)).age == "16to17"
    assert said(alone) == ADULT
    assert said(alone, party=None) == ADULT
    assert approved(alone, party=None) == NO_STANDING


def test_an_age_ends_on_its_own_day() -> None:
    """On the first day of that quarter another answers already; where no day stands none does."""
    assert not a_consent().is_of_another_age(date(2099, 1, 1))
    assert a_consent(age_ends_on=DAY).is_of_another_age(DAY)
    assert not a_consent(age_ends_on=DAY).is_of_another_age(DAY - timedelta(days=1))


@pytest.mark.parametrize(
    "elsewhere",
    [{"parties": frozenset({OTHER})}, {"purpose": "overlast"}, {"categories": frozenset({"hulp"})}],
    ids=["towards another", "for another purpose", "about other data"],
)
def test_age_and_custody_are_facts_of_the_person(elsewhere: dict[str, Any]) -> None:
    """They count in a record that names another, is for something else or about other data, for two as well."""
    both = numbered(replace(BOTH, approved=True, events=tuple(replace(one, approved=True) for one in BOTH.events)), 5)
    contested = replace(BOTH, contested=True, **elsewhere)
    for told in (said(contested, both), approved(contested, both)):
        assert (told.state, told.custody) == (ConsentState.UNKNOWN, "contested")
    alone = a_consent(MOTHER, age="under12", guardians=1, approved=False)
    assert said(numbered(alone, 5)).state is ConsentState.GIVEN
    assert said(replace(BOTH, **elsewhere), numbered(alone, 5)).state is ConsentState.UNKNOWN
    herself = numbered(a_consent(HERSELF, age="16to17"), 5)
    younger = a_consent(age="under12", **elsewhere)
    told = said(younger, herself)
    assert (told.state, told.age) == (ConsentState.UNKNOWN, "under12")
    ended = replace(younger, age_ends_on=DAY)
    assert said(ended, herself).age == "16to17"


def test_whether_somebody_can_decide_is_judged_for_each_matter() -> None:
    """That she cannot decide about one thing says nothing of another."""
    unable = a_consent(unable=True, purpose="overlast")
    assert said(unable, numbered(a_consent(HERSELF), 5)) == ADULT
