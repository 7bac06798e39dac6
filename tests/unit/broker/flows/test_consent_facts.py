"""What consents say of a question and of each hit: by whose records, towards whom, until when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from broker.consent_ports import AboutPerson, Pair, person_key
from broker.domain.consents import Answer, Capacity, Consent, ConsentState
from broker.domain.households import FoundToken, Hit, Household, MatchKind, TokenIndex, TokenRole
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.consent_facts import (
    Consented,
    agreed_of,
    agreed_until,
    own_consents,
    rests_on_of,
    said_of,
    with_holders,
)
from broker.flows.policy import PolicyInForce
from broker.ports import LookUp, Stamp, StampKey, StampKind
from tests.property.broker.test_consents import DAY, NEEDED, a_consent, yes
from tests.simulators.kept_records import KeptConsents
from tests.simulators.proposals import a_signal, an_index

ASKER, HOLDER, OTHER = "2" * 20, "0" * 20, "1" * 20
TRUDY, CHILD = an_index("trudy"), an_index("child")
MONTH, WEEK = DAY + timedelta(days=30), DAY + timedelta(days=7)
HERS = yes("a", Capacity.PERSON)
GIVEN = a_consent(HERS)
REFUSED = a_consent(replace(HERS, answer=Answer.REFUSED, until=None))
SIGNAL = a_signal("of-holder", organisation=HOLDER)
FOUND = FoundToken(index=TRUDY, role=TokenRole.SUBJECT, source=None, subject=TRUDY, signal=SIGNAL)


def by(organisation: str, consent: Consent, *, number: int = 1) -> Consent:
    """Return the record as this organisation's, about being told to or by any of the three."""
    events = tuple(replace(one, number=number) for one in consent.events)
    return replace(consent, organisation=organisation, parties=frozenset({ASKER, HOLDER, OTHER}), events=events)


def until(day: date, consent: Consent = GIVEN) -> Consent:
    """Return the record with this last day."""
    return replace(consent, events=tuple(replace(one, until=day) for one in consent.events))


def alone(consent: Consent) -> Consent:
    """Return the record of which no second person knows."""
    return replace(consent, approved=False)


def stamp_of(organisation: str, person: TokenIndex) -> Stamp:
    """Return the stamp of what one organisation recorded about one person."""
    return Stamp(of=person_key(organisation, person), version=1)


def consented(known: Mapping[Pair, tuple[Consent, ...]], *persons: TokenIndex) -> Consented:
    """Return what is recorded of a question about these persons, Trudy where none is named."""
    about = {
        (organisation, person): AboutPerson(
            consents=tuple(by(organisation, one, number=place) for place, one in enumerate(said, start=1)),
            stamp=stamp_of(organisation, person),
        )
        for (organisation, person), said in known.items()
    }
    return Consented(
        asker=ASKER, persons=persons or (TRUDY,), purpose="volwassene", day=DAY, needed=NEEDED.__getitem__,
        claimed=frozenset({"TOEST"}), alone=True, known=about,
    )  # fmt: skip


def test_the_facts_are_of_the_youngest_who_agrees() -> None:
    """Of more persons that said yes the youngest decides by whom; where none did, the first no, else what ended."""
    older, younger = replace(GIVEN, age="from23"), replace(GIVEN, age="16to17")
    ended = until(DAY - timedelta(days=1))
    withdrawn = a_consent(replace(HERS, answer=Answer.WITHDRAWN, until=None))
    asked = a_consent(replace(HERS, answer=Answer.ASKED, until=None))
    for first, second, state, age in (
        (older, younger, ConsentState.GIVEN, "16to17"),
        (younger, older, ConsentState.GIVEN, "16to17"),
        (REFUSED, older, ConsentState.GIVEN, "from23"),
        (withdrawn, REFUSED, ConsentState.REFUSED, "from23"),
        (ended, withdrawn, ConsentState.WITHDRAWN, "from23"),
        (asked, ended, ConsentState.EXPIRED, "from23"),
        (asked, replace(asked, age="16to17"), ConsentState.UNKNOWN, "from23"),
    ):
        found = consented({(ASKER, TRUDY): (first,), (ASKER, CHILD): (second,)}, TRUDY, CHILD).asked()
        assert (found.state, found.age) == (state, age)
    assert consented({(ASKER, CHILD): (asked,)}, CHILD).asked().age == "from23"
    nobody = replace(consented({}), persons=())
    assert (nobody.asked().state, nobody.asked().age) == (ConsentState.UNKNOWN, "unknown")
    assert consented({}).asked().state is ConsentState.UNKNOWN


def test_a_no_that_two_know_of_stays_until_two_say_otherwise() -> None:
    """One worker's later yes takes a refusal or a withdrawal that a second person signed not away."""
    withdrawn = a_consent(replace(HERS, answer=Answer.WITHDRAWN, until=None))
    for no, state in ((REFUSED, ConsentState.REFUSED), (withdrawn, ConsentState.WITHDRAWN)):
        said = consented({(ASKER, TRUDY): (no, alone(GIVEN))})
        assert said.asked().state is state
        assert said.of_hit(HOLDER, TRUDY) == state.value
        assert consented({(ASKER, TRUDY): (alone(no), alone(GIVEN))}).asked().state is ConsentState.GIVEN
    assert consented({(ASKER, TRUDY): (alone(GIVEN),)}).asked().state is ConsentState.GIVEN
    signed = a_consent(replace(HERS, approved=True), approved=False)
    assert consented({(ASKER, TRUDY): (REFUSED, signed)}).asked().state is ConsentState.GIVEN


def test_a_holder_is_shown_where_a_yes_of_two_or_his_own_says_so() -> None:
    """The asker's yes lets it look; that the holder is shown takes a second person, or what the holder heard."""
    assert consented({(ASKER, TRUDY): (signed(GIVEN),)}).of_hit(HOLDER, TRUDY) == "given"
    assert consented({(ASKER, TRUDY): (alone(GIVEN),)}).of_hit(HOLDER, TRUDY) == "unknown"
    both = {(ASKER, TRUDY): (alone(GIVEN),), (HOLDER, TRUDY): (GIVEN,)}
    assert consented(both).of_hit(HOLDER, TRUDY) == "given"
    assert consented(both).of_hit(OTHER, TRUDY) == "unknown"
    assert consented(both).of_hit(HOLDER, CHILD) == "unknown"
    assert consented({(HOLDER, TRUDY): (GIVEN,)}).of_hit(HOLDER, TRUDY) == "unknown"


def signed(consent: Consent) -> Consent:
    """Return the record with every answer signed by a second person."""
    return replace(consent, events=tuple(replace(one, approved=True) for one in consent.events))


def test_a_no_to_either_keeps_the_holder_unseen() -> None:
    """What she told the holder, or told the asker of that holder alone, closes it; the state says which no it was."""
    refused_there = consented({(ASKER, TRUDY): (signed(GIVEN),), (HOLDER, TRUDY): (REFUSED,)})
    assert refused_there.of_hit(HOLDER, TRUDY) == "refused"
    assert refused_there.of_hit(OTHER, TRUDY) == "given"
    of_him = replace(HERS, answer=Answer.REFUSED, until=None, parties=frozenset({HOLDER}))
    limited = a_consent(replace(HERS, approved=True), approved=False)
    closed = consented({(ASKER, TRUDY): (limited, a_consent(of_him))})
    assert (closed.of_hit(HOLDER, TRUDY), closed.of_hit(OTHER, TRUDY)) == ("refused", "given")
    ended = consented({(ASKER, TRUDY): (until(DAY - timedelta(days=1)),), (HOLDER, TRUDY): (GIVEN,)})
    assert ended.of_hit(HOLDER, TRUDY) == "expired"
    by_one = consented({(ASKER, TRUDY): (limited, alone(a_consent(of_him)))})
    assert (by_one.of_hit(HOLDER, TRUDY), by_one.of_hit(OTHER, TRUDY)) == ("refused", "given")


def test_a_yes_about_one_organisation_shows_no_other() -> None:
    """What two know of names this very holder, and what the holder heard names this very asker."""
    of_other = a_consent(replace(HERS, approved=True, parties=frozenset({OTHER})), approved=False)
    beside = consented({(ASKER, TRUDY): (of_other, alone(GIVEN))})
    assert beside.asked().state is ConsentState.GIVEN
    assert beside.of_hit(HOLDER, TRUDY) == "unknown"
    heard = a_consent(replace(HERS, parties=frozenset({OTHER})))
    assert consented({(ASKER, TRUDY): (alone(GIVEN),), (HOLDER, TRUDY): (heard,)}).of_hit(HOLDER, TRUDY) == "unknown"


def test_only_involvement_for_the_same_purpose_counts() -> None:
    """What may be told of anything else, or for another purpose, does not say who is involved."""
    for other in (replace(GIVEN, categories=frozenset({"hulp"})), replace(GIVEN, purpose="overlast")):
        assert consented({(ASKER, TRUDY): (other,)}).asked().state is ConsentState.UNKNOWN


def test_what_is_shown_is_shown_again_until_the_first_yes_ends() -> None:
    """Of who was asked about and who is shown the earliest counts; of two yeses that open one holder the longer."""
    short = consented({(ASKER, TRUDY): (signed(until(WEEK)),)})
    assert short.last_day([(HOLDER, TRUDY)]) == WEEK
    assert short.last_day([]) == WEEK
    two = {(ASKER, TRUDY): (signed(until(MONTH)),), (ASKER, CHILD): (signed(until(WEEK)),)}
    assert consented(two).last_day([(HOLDER, TRUDY)]) == MONTH
    assert consented(two).last_day([(HOLDER, CHILD)]) == WEEK
    assert consented(two, TRUDY, CHILD).last_day([]) == WEEK
    held = {(ASKER, TRUDY): (alone(until(MONTH)),), (HOLDER, TRUDY): (until(WEEK),)}
    assert consented(held).last_day([(HOLDER, TRUDY)]) == WEEK
    assert consented(held).last_day([(OTHER, TRUDY)]) == MONTH
    longer = {(ASKER, TRUDY): (signed(until(WEEK)),), (HOLDER, TRUDY): (until(MONTH),)}
    assert consented({**longer, (ASKER, TRUDY): (signed(until(MONTH)),)}).last_day([(HOLDER, TRUDY)]) == MONTH
    assert consented({(ASKER, TRUDY): (REFUSED,)}).last_day([(HOLDER, TRUDY)]) is None
    assert replace(consented({}), persons=()).last_day([]) is None
    over = {(ASKER, TRUDY): (until(DAY - timedelta(days=1)),), (ASKER, CHILD): (signed(until(MONTH)),)}
    assert consented(over, TRUDY, CHILD).last_day([]) == MONTH


def test_what_one_holder_agreed_lasts_by_his_records_alone() -> None:
    """Without a claim of consent nothing was agreed, and nothing ends."""
    held = consented({(ASKER, TRUDY): (alone(until(MONTH)),), (HOLDER, TRUDY): (until(WEEK),)})
    assert agreed_until(held, SIGNAL, TRUDY) == WEEK
    assert agreed_until(held, a_signal("x", organisation=OTHER), TRUDY) == MONTH
    assert agreed_until(None, SIGNAL, TRUDY) is None
    both = consented(
        {
            (ASKER, TRUDY): (GIVEN,),
            (ASKER, CHILD): (GIVEN,),
            (HOLDER, CHILD): (),
            (HOLDER, TRUDY): (),
            (OTHER, CHILD): (),
        }
    )
    assert set(agreed_of(both, SIGNAL, CHILD)) == {
        stamp_of(ASKER, TRUDY), stamp_of(ASKER, CHILD), stamp_of(HOLDER, CHILD),
    }  # fmt: skip
    assert agreed_of(None, SIGNAL, CHILD) == ()
    assert set(both.stamps) == {one.stamp for one in both.known.values()}


def test_a_signal_on_consent_ends_with_its_subjects_yes() -> None:
    """On another ground it does not; without a yes it has today and no more; a member's yes is none."""
    two = {(ASKER, TRUDY): (until(MONTH),), (ASKER, CHILD): (until(WEEK),)}
    assert consented(two, TRUDY, CHILD).rests_until("TOEST") == MONTH
    assert consented(two, TRUDY, CHILD).rests_until("WMO-5.2.6") is None
    assert consented({(ASKER, TRUDY): (REFUSED,)}).rests_until("TOEST") == DAY
    members = {(ASKER, TRUDY): (REFUSED,), (ASKER, CHILD): (until(WEEK),)}
    assert consented(members, TRUDY, CHILD).rests_until("TOEST") == DAY


def test_each_hit_has_the_word_of_its_own_person() -> None:
    """By the subject of the signal that was found; without a claim of consent nobody said anything."""
    another = a_signal("of-child", organisation=HOLDER)
    tokens = (FOUND, replace(FOUND, index=CHILD, subject=CHILD, signal=another))
    hits = [Hit(kind=MatchKind.PERSON, signal=one) for one in (SIGNAL, another)]
    known = {(ASKER, TRUDY): (signed(GIVEN),), (ASKER, CHILD): (REFUSED,)}
    assert said_of(consented(known), hits, found=tokens) == {SIGNAL.id: "given", another.id: "refused"}
    assert said_of(None, hits, found=tokens) == {}
    heard = consented({(ASKER, TRUDY): (alone(GIVEN),), (HOLDER, TRUDY): (GIVEN,)})
    assert said_of(heard, hits[:1], found=tokens) == {SIGNAL.id: "given"}


def an_act(*grounds: str, purpose: str | None = "volwassene") -> Act:
    """Return a check on these grounds."""
    worker = Requester(organisation=ASKER, worker="w", role="worker", parent_org=None, acr="", jti="j")
    return Act(
        type="check_household", kind="check", sha256="0" * 64, requester=worker, controller=ASKER, purpose=purpose,
        grounds=grounds, counts={},
    )  # fmt: skip


async def test_the_own_records_are_read_of_everybody_asked_about(policy: PolicyInForce) -> None:
    """Only where consent is claimed, and only the asker's own: who may not ask must not notice what others recorded."""
    reader = KeptConsents(persons={(ASKER, TRUDY): (by(ASKER, GIVEN),), (HOLDER, TRUDY): (by(HOLDER, REFUSED),)})
    household = Household(subject=TRUDY, members=(CHILD,))
    found = await own_consents(an_act("TOEST"), household, policy=policy, day=DAY, consents=reader)
    assert found is not None
    assert (found.asker, found.persons, found.purpose, found.day, found.alone) == (
        ASKER, (TRUDY, CHILD), "volwassene", DAY, True,
    )  # fmt: skip
    assert reader.asked == [frozenset({(ASKER, TRUDY), (ASKER, CHILD)})]
    assert found.asked().state is ConsentState.GIVEN
    assert found.needed("under12") == frozenset({"guardian"})
    claiming_none: tuple[tuple[str, ...], ...] = ((), ("WMO-5.2.6",), ("NO-SUCH-GROUND",))
    for grounds in claiming_none:
        assert await own_consents(an_act(*grounds), household, policy=policy, day=DAY, consents=reader) is None
    for another in ("WMO-5.2.6", "NO-SUCH-GROUND"):
        beside = await own_consents(an_act(another, "TOEST"), household, policy=policy, day=DAY, consents=reader)
        assert beside is not None
        assert beside.alone is False
        assert beside.needed("under12") == frozenset({"guardian"})
    members = await own_consents(
        an_act("TOEST", purpose=None), Household(subject=None, members=(CHILD,)), policy=policy, day=DAY,
        consents=reader,
    )  # fmt: skip
    assert members is not None
    assert (members.persons, members.purpose) == ((CHILD,), "")


async def test_after_the_look_up_the_holders_records_are_read_of_who_was_found() -> None:
    """And the asker's own of those it did not ask about; what is known is not read twice, nor lost."""
    asked = consented({(ASKER, TRUDY): (GIVEN,)})
    reader = KeptConsents(persons={(HOLDER, CHILD): (by(HOLDER, GIVEN),)})
    token = replace(FOUND, subject=CHILD)
    told = await with_holders(asked, [FOUND, token], consents=reader)
    assert told is not None
    assert reader.asked == [frozenset({(HOLDER, TRUDY), (HOLDER, CHILD), (ASKER, CHILD)})]
    assert set(told.known) == {(ASKER, TRUDY), *reader.asked[0]}
    assert told.known[HOLDER, CHILD].consents == (by(HOLDER, GIVEN),)
    assert replace(told, known=asked.known) == asked
    assert await with_holders(None, [FOUND], consents=reader) is None


def test_an_answer_rests_on_what_is_shown_and_on_nothing_else() -> None:
    """Signals and holders that are shown, consents of who was asked about or is shown; no record beside it."""
    unseen = a_signal("unseen", organisation=OTHER)
    of_signals = {
        name: Stamp(of=StampKey(kind=kind, key=name.encode("ascii")), version=1)
        for one in (SIGNAL, unseen)
        for kind, name in ((StampKind.SHIELD, one.id), (StampKind.ORGANISATION, one.organisation))
    }
    looked_up = LookUp(found=(), stamps=tuple(of_signals.values()))
    known = consented(
        {
            (ASKER, TRUDY): (signed(until(WEEK)),), (ASKER, CHILD): (signed(GIVEN),), (HOLDER, CHILD): (GIVEN,),
            (HOLDER, TRUDY): (REFUSED,), (OTHER, CHILD): (GIVEN,),
        }
    )  # fmt: skip
    stamps, last = rests_on_of(looked_up, known, [SIGNAL], {(HOLDER, CHILD)}, asker=ASKER)
    assert set(stamps) == {
        of_signals[SIGNAL.id], of_signals[HOLDER], stamp_of(ASKER, TRUDY), stamp_of(ASKER, CHILD),
        stamp_of(HOLDER, CHILD),
    }  # fmt: skip
    assert last == WEEK
    assert rests_on_of(looked_up, known, [], set(), asker=ASKER) == ((), None)
    without = rests_on_of(looked_up, None, [SIGNAL, unseen], set(), asker=ASKER)
    assert without == (looked_up.stamps, min(SIGNAL.ends_on, unseen.ends_on))
    ending = replace(SIGNAL, ends_on=DAY)
    assert rests_on_of(looked_up, known, [ending], {(HOLDER, CHILD)}, asker=ASKER)[1] == DAY
    nothing = rests_on_of(looked_up, consented({}), [SIGNAL], {(HOLDER, TRUDY)}, asker=ASKER)
    assert nothing[1] == SIGNAL.ends_on
