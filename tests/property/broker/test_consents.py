"""What consents say follows from their answers alone: nothing but a yes of everybody who must say it opens anything."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broker.domain.consent_standing import Standing, standing, together
from broker.domain.consents import (
    GUARDIAN,
    PERSON,
    Answer,
    Capacity,
    Consent,
    ConsentEvent,
    ConsentState,
)

DAY = date(2026, 11, 22)
HOLDER, OTHER = "0" * 20, "1" * 20
NEEDED = {
    "under12": frozenset({GUARDIAN}),
    "12to15": frozenset({GUARDIAN, PERSON}),
    "16to17": frozenset({PERSON}),
    "from23": frozenset({PERSON}),
}
REFUSALS = (ConsentState.REFUSED, ConsentState.WITHDRAWN)
capacities = st.sampled_from(list(Capacity))
events = st.builds(
    ConsentEvent,
    at=st.just(1),
    who=st.sampled_from("abc"),
    capacity=capacities,
    answer=st.sampled_from(list(Answer)),
    custody=st.sampled_from(["none", "stated", "brp", "court_decision"]),
    until=st.sampled_from([None, DAY - timedelta(days=1), DAY, DAY + timedelta(days=30)]),
    suspect=st.booleans(),
    parties=st.sampled_from([frozenset[str](), frozenset({HOLDER}), frozenset({OTHER})]),
)


def a_consent(*answers: ConsentEvent, **changed: object) -> Consent:
    """Return a record with these answers in this order."""
    made = Consent(
        id="c",
        organisation="2" * 20,
        controller="2" * 20,
        team="team-1",
        recorded_by="w",
        approved=True,
        recorded_on=DAY,
        purpose="volwassene",
        categories=frozenset({"betrokkenheid"}),
        parties=frozenset({HOLDER, OTHER}),
        age="from23",
        age_ends_on=None,
        unable=False,
        contested=False,
        signal_id=None,
        case_ref=None,
        events=tuple(replace(answer, number=number) for number, answer in enumerate(answers, start=1)),
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # the fields of a record


def said(*consents: Consent, party: str | None = HOLDER, day: date = DAY) -> Standing:
    """Return what these records say towards one organisation."""
    return standing(
        consents, purpose="volwassene", category="betrokkenheid", party=party, needed=NEEDED.__getitem__, day=day
    )


def yes(who: str, capacity: Capacity, **changed: object) -> ConsentEvent:
    """Return a yes that counts, where this person's answer does."""
    made = ConsentEvent(
        at=1, who=who, capacity=capacity, answer=Answer.GIVEN, custody="brp", until=DAY + timedelta(days=30)
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # the fields of an answer


consents = st.builds(
    lambda answers, age, unable, contested, ends, guardians: a_consent(
        *answers, age=age, unable=unable, contested=contested, age_ends_on=ends, guardians=guardians
    ),
    st.lists(events, max_size=5),
    st.sampled_from(sorted(NEEDED)),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, DAY, DAY + timedelta(days=60)]),
    st.sampled_from([1, 2]),
)


@given(consents)
def test_given_means_that_everybody_said_yes_who_must(consent: Consent) -> None:
    """A state of given has the voices of the age, custody looked up where a parent speaks, and a last day to come."""
    found = said(consent)
    if found.state is ConsentState.GIVEN:
        assert NEEDED[consent.age] <= found.by
        parents = GUARDIAN in consent.voices(NEEDED.__getitem__)
        assert found.custody == "clear" or not parents
        assert found.until is not None
        assert found.until >= DAY
        assert not consent.contested or not parents


@given(consents, st.sampled_from([Answer.REFUSED, Answer.WITHDRAWN]))
def test_the_persons_own_no_is_a_no_whatever_was_said_before(consent: Consent, no: Answer) -> None:
    """Whoever says no himself, at any age and whether he can decide or not, closes it."""
    after = replace(
        consent,
        events=(*consent.events, ConsentEvent(at=2, who="z", capacity=Capacity.PERSON, answer=no, number=99)),
    )
    assert said(after).state in REFUSALS


@given(consents, st.sampled_from([Answer.REFUSED, Answer.WITHDRAWN]))
def test_one_parents_no_is_a_no(consent: Consent, no: Answer) -> None:
    """Where parents answer, the no of one of them closes it, also of one from whom the danger comes."""
    event = ConsentEvent(at=2, who="z", capacity=Capacity.GUARDIAN, answer=no, custody="brp", suspect=True, number=99)
    after = replace(consent, events=(*consent.events, event))
    if GUARDIAN in consent.voices(NEEDED.__getitem__):
        assert said(after).state in REFUSALS
    else:
        assert said(after).state is said(consent).state


@given(consents, st.sampled_from(list(Answer)))
def test_who_has_no_custody_has_no_voice(consent: Consent, answer: Answer) -> None:
    """Somebody as parent, of whom nobody looked up any custody, neither opens nor closes anything."""
    event = yes("z", Capacity.GUARDIAN, answer=answer, custody="none")
    after = replace(consent, events=(*consent.events, replace(event, number=99)))
    assert said(after).state is said(consent).state


@given(consents, consents)
def test_who_is_marked_stays_marked(older: Consent, newer: Consent) -> None:
    """Where everybody was marked in an older record, a newer one that leaves the marks out is not given."""
    marked = replace(older, events=tuple(replace(yes(who, Capacity.PERSON), suspect=True) for who in "abc"))
    bare = replace(newer, events=tuple(replace(event, suspect=False) for event in newer.events))
    assert said(marked, bare).state is not ConsentState.GIVEN


@given(consents)
def test_fewer_parents_than_have_custody_open_nothing(consent: Consent) -> None:
    """Where parents answer, as many of them said yes as have custody, each of them by where it was looked up."""
    if said(consent).state is ConsentState.GIVEN and GUARDIAN in NEEDED[consent.age]:
        parents = {event.who for event in consent.events if event.capacity is Capacity.GUARDIAN}
        assert len(parents) >= consent.guardians


@given(consents, st.permutations(range(5)))
def test_who_answered_first_makes_no_difference(consent: Consent, order: list[int]) -> None:
    """Of different persons the order says nothing; of one person the last answer counts."""
    by_person = {(event.who, event.capacity): event for event in consent.events}
    alone = list(by_person.values())
    mixed = [alone[place] for place in order if place < len(alone)]
    renumbered = [replace(event, number=at) for at, event in enumerate(mixed)]
    assert said(replace(consent, events=tuple(renumbered))) == said(replace(consent, events=tuple(alone)))


@given(consents, consents)
def test_a_no_in_an_older_record_is_not_outweighed(older: Consent, newer: Consent) -> None:
    """A person's no in one record is answered by his own yes only, never by another record without him."""
    no = ConsentEvent(at=2, who="z", capacity=Capacity.PERSON, answer=Answer.REFUSED, number=50)
    assert said(replace(older, events=(*older.events, no)), newer).state in REFUSALS


@given(consents)
def test_a_suspects_yes_opens_nothing(consent: Consent) -> None:
    """Were everybody who answered the suspect, nothing would be given."""
    suspects = replace(consent, events=tuple(replace(event, suspect=True) for event in consent.events))
    assert said(suspects).state is not ConsentState.GIVEN


def test_each_age_has_its_voices() -> None:
    """Under 12 the parents, from 12 to 15 both, from 16 the person (AVG and Jeugdwet, `lex/gronden.yaml`)."""
    mother, father, self_ = (
        yes("m", Capacity.GUARDIAN),
        yes("f", Capacity.GUARDIAN),
        yes("p", Capacity.PERSON),
    )
    both = (mother, father)
    table = [
        ("under12", both, ConsentState.GIVEN),
        ("under12", (mother, replace(father, answer=Answer.ASKED)), ConsentState.UNKNOWN),
        ("under12", (replace(mother, custody="stated"),), ConsentState.UNKNOWN),
        ("under12", (mother,), ConsentState.UNKNOWN),
        ("12to15", both, ConsentState.UNKNOWN),
        ("12to15", (*both, self_), ConsentState.GIVEN),
        ("16to17", both, ConsentState.UNKNOWN),
        ("16to17", (self_,), ConsentState.GIVEN),
    ]
    for age, answers, state in table:
        assert said(a_consent(*answers, age=age)).state is state, age
    alone = a_consent(mother, age="under12", guardians=1)
    assert said(alone).state is ConsentState.GIVEN


def test_parents_speak_for_a_minor_who_cannot_decide() -> None:
    """Of 12 and older, and unable: his parents say yes in his place, and his own no still counts (BW 7:465)."""
    mother, father = yes("m", Capacity.GUARDIAN), yes("f", Capacity.GUARDIAN)
    for age in ("12to15", "16to17"):
        unable = a_consent(mother, father, age=age, unable=True)
        found = said(unable)
        assert (found.state, found.by >= NEEDED[age]) == (ConsentState.GIVEN, True)
        assert said(replace(unable, unable=False)).state is ConsentState.UNKNOWN
        assert said(replace(unable, contested=True)).state is ConsentState.UNKNOWN
        own = a_consent(mother, father, yes("p", Capacity.PERSON, answer=Answer.REFUSED), age=age, unable=True)
        assert said(own).state is ConsentState.REFUSED


def test_who_takes_his_yes_back_is_who_he_was() -> None:
    """A withdrawal states no custody and no mark: a parent's counts by the custody that was known, a suspect's not."""
    mother, father = yes("m", Capacity.GUARDIAN), yes("f", Capacity.GUARDIAN)
    back = yes("f", Capacity.GUARDIAN, answer=Answer.WITHDRAWN, custody="none")
    assert said(a_consent(mother, father, back, age="under12")).state is ConsentState.WITHDRAWN
    mentor, curator = yes("m", Capacity.MENTOR, suspect=True), yes("c", Capacity.CURATOR)
    again = yes("m", Capacity.MENTOR, answer=Answer.WITHDRAWN)
    assert said(a_consent(mentor, curator, again, unable=True)).state is ConsentState.GIVEN


def test_a_representative_answers_for_who_cannot_decide() -> None:
    """A mentor says yes for who is unable; one from whom the danger comes does not, and another may."""
    mentor, curator = yes("m", Capacity.MENTOR), yes("c", Capacity.CURATOR)
    assert said(a_consent(mentor)).state is ConsentState.UNKNOWN
    assert said(a_consent(mentor, unable=True)).state is ConsentState.GIVEN
    suspect = replace(mentor, suspect=True)
    assert said(a_consent(suspect, unable=True)).state is ConsentState.UNKNOWN
    no = replace(suspect, answer=Answer.REFUSED)
    assert said(a_consent(no, curator, unable=True)).state is ConsentState.GIVEN


def test_it_ends_with_its_last_day_and_with_the_age() -> None:
    """After the last day, or from the quarter in which the person comes of another age, it is expired."""
    consent = a_consent(yes("p", Capacity.PERSON, until=DAY))
    assert said(consent).state is ConsentState.GIVEN
    assert said(consent, day=DAY + timedelta(days=1)).state is ConsentState.EXPIRED
    older = replace(consent, age_ends_on=DAY)
    assert said(older).state is ConsentState.EXPIRED


def test_it_holds_towards_who_was_named() -> None:
    """An organisation that was not named, or for which it was taken back, has nothing; the others keep theirs."""
    taken = yes("p", Capacity.PERSON, answer=Answer.WITHDRAWN, parties=frozenset({HOLDER}))
    consent = a_consent(yes("p", Capacity.PERSON), taken)
    assert said(consent).state is ConsentState.WITHDRAWN
    assert said(consent, party=OTHER).state is ConsentState.GIVEN
    assert said(consent, party="9" * 20) == Standing()
    assert said(consent, party=None).state is ConsentState.GIVEN


def test_a_later_record_argues_no_earlier_one_away() -> None:
    """A father's no and contested custody stay, whatever age, ability or number of parents is stated afterwards."""
    mother, father, self_ = yes("m", Capacity.GUARDIAN), yes("f", Capacity.GUARDIAN), yes("p", Capacity.PERSON)
    no = replace(father, answer=Answer.REFUSED)
    ends = DAY + timedelta(days=400)
    first = a_consent(no, mother, self_, age="12to15", age_ends_on=ends, contested=True)
    for later in (
        a_consent(replace(self_, number=9), age="16to17", age_ends_on=ends),
        a_consent(yes("c", Capacity.MENTOR), age="12to15", age_ends_on=ends, unable=True),
        a_consent(mother, self_, age="12to15", age_ends_on=ends, guardians=1, approved=False),
    ):
        assert said(first, later).state is ConsentState.REFUSED
    # The father says yes too: then it is contested, until a court has decided.
    agreed = replace(first, events=(mother, father, self_))
    again = a_consent(mother, father, self_, age="12to15", age_ends_on=ends)
    assert said(agreed, again).custody == "contested"
    # And until a second person saw that: what one worker adds alone rules nothing.
    alone = replace(mother, custody="court_decision", custody_ref="r")
    assert said(agreed, replace(again, events=(alone, father, self_))).custody == "contested"
    ruled = replace(alone, approved=True)
    assert said(agreed, replace(again, events=(ruled, father, self_))).state is ConsentState.GIVEN
    # Once the younger age has ended, the older one counts.
    young = replace(agreed, contested=False, age_ends_on=DAY)
    assert said(young, a_consent(self_, age="16to17", age_ends_on=ends)).state is ConsentState.GIVEN


def test_whether_somebody_can_decide_changes_with_approval_only() -> None:
    """A worker alone neither makes a person unable, whose mentor then answers, nor able again, without the mentor."""
    self_, mentor = yes("p", Capacity.PERSON), yes("m", Capacity.MENTOR)
    asked = a_consent(replace(self_, answer=Answer.ASKED))
    unable = a_consent(mentor, unable=True, approved=False)
    assert said(asked, unable).state is ConsentState.UNKNOWN
    assert said(asked, replace(unable, approved=True)).state is ConsentState.GIVEN
    refused = a_consent(replace(mentor, answer=Answer.REFUSED), unable=True)
    assert said(refused, a_consent(self_, approved=False)).state is ConsentState.REFUSED
    assert said(refused, a_consent(self_)).state is ConsentState.GIVEN


def test_taken_back_for_all_who_were_named_is_taken_back() -> None:
    """Towards nobody in particular a yes stands as long as one named organisation is left."""
    taken = yes("p", Capacity.PERSON, answer=Answer.WITHDRAWN, parties=frozenset({HOLDER, OTHER}))
    assert said(a_consent(yes("p", Capacity.PERSON), taken), party=None).state is ConsentState.WITHDRAWN


def test_two_sides_open_together_what_neither_closed() -> None:
    """A no on either side is a no; a yes opens where the holder recorded it, or a second person approved it."""
    states = {state: Standing(state=state) for state in ConsentState}
    given, refused, unknown = (
        states[ConsentState.GIVEN],
        states[ConsentState.REFUSED],
        states[ConsentState.UNKNOWN],
    )
    assert together([given, refused], counting=[given]) is ConsentState.REFUSED
    assert together([given, unknown], counting=[unknown]) is ConsentState.UNKNOWN
    assert together([given, unknown], counting=[given]) is ConsentState.GIVEN
    assert together([given], counting=[states[ConsentState.EXPIRED]]) is ConsentState.EXPIRED
