"""What is cited becomes facts of the decision, exactly so far as it reaches: pure, each condition at its own edge."""

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.consent_ports import AboutPerson, OwnConsent, consent_key, person_key
from broker.domain.consents import Answer, Capacity, Consent
from broker.domain.errors import FieldRuleError, NotFoundError
from broker.domain.exceptions import FIVE, REST_S, SIX, TELLS_S, Documented, ExceptionRecord, ExceptionType
from broker.exception_ports import OwnException, worker_key
from broker.flows.citing import (
    NOTHING_CITED,
    Cited,
    CitedConsent,
    CitedException,
    cited_consent,
    cited_exception,
)
from broker.flows.policy import PolicyInForce
from broker.ports import Stamp
from policies import AskFacts
from tests.property.broker.test_consents import DAY, HOLDER, NEEDED, OTHER, a_consent, yes
from tests.simulators.kept_records import KeptConsents, KeptExceptions
from tests.simulators.proposals import an_index

OWN, WORKER, AT = "2" * 20, "w", 1_000_000
FACTS = AskFacts(
    day=DAY,
    operation="share",
    organisation=OWN,
    org_class="wijkteam",
    role="worker",
    purpose="volwassene",
    grounds=("TOEST",),
    standing="none",
    approval="none",
    families=frozenset(),
    recipient="politie",
    recipient_organisation=HOLDER,
    category="betrokkenheid",
    level=3,
)
TRUDY = an_index("trudy")
RECORD_STAMP = Stamp(of=consent_key("c"), version=3)
PERSON_STAMP = Stamp(of=person_key(OWN, TRUDY), version=5)
WORKER_STAMP = Stamp(of=worker_key(OWN, WORKER), version=7)
GIVEN = a_consent(yes("a", Capacity.PERSON))
DOSSIER = Documented(
    commitment="f" * 64, answered=frozenset(SIX), consulted="colleague", with_veilig_thuis=False, tell_on=DAY,
    deferral=None, meldcode_step=4,
)  # fmt: skip
EXCEPTION = ExceptionRecord(
    id="e", organisation=OWN, controller=OWN, team="team-1", worker=WORKER, type=ExceptionType.CVP, recipient="politie",
    recipient_organisation=HOLDER, purpose="volwassene", ground="CVP", category="betrokkenheid", reason="veiligheid",
    at=AT, approved_by="b", documented=DOSSIER, persons=1,
)  # fmt: skip
ON_EXCEPTION = replace(FACTS, grounds=("CVP",))


def cited(consent: Consent, *about: Consent, alone: bool = True) -> Cited:
    """Return a letter that cites this record, of a person about whom these were recorded as well; or of nobody."""
    person = AboutPerson(consents=about, stamp=PERSON_STAMP) if about else None
    own = OwnConsent(consent=consent, stamp=RECORD_STAMP, about=person)
    return Cited(consent=CitedConsent(own=own, needed=NEEDED.__getitem__, alone=alone))


def relying(record: ExceptionRecord = EXCEPTION, *, at: int = AT, worker: str = WORKER, **own: object) -> Cited:
    """Return a letter of this worker at this moment, about the exception's own signal, that cites it."""
    kept = OwnException(record=record, stamp=WORKER_STAMP, signals=frozenset({"s"}))
    kept = replace(kept, **own)  # type: ignore[arg-type]  # its fields
    return Cited(exception=CitedException(own=kept, worker=worker, at=at, signals=frozenset({"s"})))


def test_a_letter_that_cites_nothing_knows_no_more() -> None:
    """Facts stay as they are; there is no stamp and nothing for the entry."""
    assert NOTHING_CITED.known(FACTS, other=HOLDER) == FACTS
    assert (NOTHING_CITED.stamps, NOTHING_CITED.rests_on, NOTHING_CITED.stated) == ((), (), {})


def test_a_yes_gives_standing_where_nothing_else_does() -> None:
    """Beside an own signal it gives none, unless consent is all that is claimed; what else entitles stays."""
    expected = replace(FACTS, consent="given", consent_by=frozenset({"person"}), age="from23")
    one = cited(GIVEN, GIVEN)
    assert one.known(FACTS, other=HOLDER) == replace(expected, standing="consent")
    own = replace(FACTS, standing="own_signal")
    assert one.known(own, other=HOLDER) == replace(expected, standing="consent")
    assert cited(GIVEN, GIVEN, alone=False).known(own, other=HOLDER) == replace(expected, standing="own_signal")
    assert cited(GIVEN, GIVEN, alone=False).known(FACTS, other=HOLDER).standing == "consent"
    proven = replace(FACTS, standing="statutory_reference")
    assert one.known(proven, other=HOLDER) == replace(expected, standing="statutory_reference")


def test_custody_is_among_the_facts() -> None:
    """What was looked up of the parents decides with the yes of both."""
    child = a_consent(yes("m", Capacity.GUARDIAN), yes("f", Capacity.GUARDIAN), age="under12")
    told = cited(child, child).known(FACTS, other=HOLDER)
    assert (told.consent, told.consent_by, told.age, told.custody) == (
        "given", frozenset({"guardian"}), "under12", "clear",
    )  # fmt: skip


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, purpose="overlast"),
        replace(FACTS, category="hulp"),
        replace(FACTS, day=DAY + timedelta(days=31)),
    ],
)
def test_a_yes_counts_for_what_it_was_given(facts: AskFacts) -> None:
    """Another purpose or category, or after its last day: it gives no standing."""
    told = cited(GIVEN, GIVEN).known(facts, other=HOLDER)
    assert told.standing == "none"
    assert told.consent != "given"


def test_a_yes_counts_towards_whom_it_names() -> None:
    """Another organisation was not named."""
    limited = replace(GIVEN, parties=frozenset({OTHER}))
    assert cited(limited, limited).known(FACTS, other=HOLDER).consent == "unknown"
    assert cited(limited, limited).known(FACTS, other=OTHER).consent == "given"
    assert cited(limited).known(FACTS, other=HOLDER).consent == "unknown"
    refused = replace(yes("a", Capacity.PERSON), answer=Answer.REFUSED, until=None, parties=frozenset({HOLDER}))
    beside = replace(a_consent(refused), events=(replace(refused, number=9),))
    assert cited(GIVEN, GIVEN, beside).known(FACTS, other=HOLDER).consent == "refused"
    assert cited(GIVEN, GIVEN, beside).known(FACTS, other=OTHER).consent == "given"


def test_what_the_person_said_elsewhere_closes_and_does_not_open() -> None:
    """A no in another record closes the cited one; a yes there does not stand in for the cited one."""
    refused = a_consent(replace(yes("a", Capacity.PERSON), answer=Answer.REFUSED, until=None))
    later = replace(refused, events=tuple(replace(one, number=9) for one in refused.events))
    assert cited(GIVEN, GIVEN, later).known(FACTS, other=HOLDER).consent == "refused"
    assert cited(later, GIVEN).known(FACTS, other=HOLDER).consent == "refused"
    assert cited(a_consent(), GIVEN).known(FACTS, other=HOLDER).consent == "unknown"


def test_a_record_about_nobody_known_here_needs_two() -> None:
    """What is held against no other record opens only when a second person saw it; about a known one it opens."""
    alone = replace(GIVEN, approved=False)
    assert cited(alone).known(FACTS, other=HOLDER).consent == "unknown"
    signed = replace(alone, events=tuple(replace(one, approved=True) for one in GIVEN.events))
    assert cited(signed).known(FACTS, other=HOLDER).standing == "consent"
    assert cited(alone, alone).known(FACTS, other=HOLDER).consent == "given"


def test_what_was_read_is_relied_on_and_what_may_be_taken_back_withholds() -> None:
    """A consent withholds by its own stamp, its person's is read as well; an exception withholds nothing."""
    assert (cited(GIVEN).stamps, cited(GIVEN).rests_on) == ((RECORD_STAMP,), (RECORD_STAMP,))
    about = cited(GIVEN, GIVEN)
    assert (about.stamps, about.rests_on) == ((RECORD_STAMP, PERSON_STAMP), (RECORD_STAMP,))
    assert (relying().stamps, relying().rests_on) == ((WORKER_STAMP,), ())
    both = replace(about, exception=relying().exception)
    assert both.stamps == (RECORD_STAMP, PERSON_STAMP, WORKER_STAMP)
    assert both.stated == {"consent": "c", "exception": "e"}


def test_an_exception_is_the_dossier_of_exactly_its_letter() -> None:
    """Its dossier, approval, own meldcode and the fact that no other is open become facts, and nothing else does."""
    known = relying().known(ON_EXCEPTION, other=HOLDER)
    assert known == replace(ON_EXCEPTION, dossier="complete", acute_open=False, approval="approved")
    unasked = relying(replace(EXCEPTION, approved_by=None, approval_asked=False)).known(ON_EXCEPTION, other=HOLDER)
    assert unasked == replace(ON_EXCEPTION, dossier="complete", acute_open=False, meldcode_approval=False)
    signed = replace(ON_EXCEPTION, approval="approved")
    assert relying(replace(EXCEPTION, approved_by=None)).known(signed, other=HOLDER).approval == "approved"


@pytest.mark.parametrize(
    "letter",
    [
        relying(worker="another"),
        relying(rejected=True),
        relying(told=frozenset({OTHER})),
        relying(told=frozenset({HOLDER, OTHER})),
        relying(replace(EXCEPTION, level=2)),
        relying(at=AT + TELLS_S + 1),
        relying(replace(EXCEPTION, recipient="gi")),
        relying(replace(EXCEPTION, recipient_organisation=OTHER)),
        relying(replace(EXCEPTION, purpose="nood")),
        relying(replace(EXCEPTION, category="hulp")),
        relying(replace(EXCEPTION, ground="VITAAL")),
        relying(replace(EXCEPTION, persons=0)),
        relying(signals=frozenset({"t"})),
        relying().about(["s", "t"]),
        Cited(exception=CitedException(own=OwnException(record=EXCEPTION, stamp=WORKER_STAMP), worker=WORKER, at=AT)),
    ],
)
def test_an_exception_beside_anything_else_is_none(letter: Cited) -> None:
    """Another worker, receiver, purpose, category, ground or level, too late, or found not in order: no dossier."""
    assert letter.known(ON_EXCEPTION, other=HOLDER) == ON_EXCEPTION


@pytest.mark.parametrize(
    "letter",
    [
        relying(told=frozenset({HOLDER})),
        relying(at=AT + TELLS_S),
        relying(replace(EXCEPTION, recipient_organisation=None)),
        relying(replace(EXCEPTION, level=4)),
        relying().about([]),
        relying(signals=frozenset({"s", "t"})),
    ],
)
def test_an_exception_tells_the_same_receiver_again_within_its_days(letter: Cited) -> None:
    """A correction needs no second exception; which organisation it is may be left open, and less may be told."""
    assert letter.known(ON_EXCEPTION, other=HOLDER).dossier == "complete"


def test_an_exception_among_other_grounds_is_none() -> None:
    """It counts for a letter that claims its ground and no other beside it."""
    two = replace(ON_EXCEPTION, grounds=("CVP", "TOEST"))
    assert relying().known(two, other=HOLDER) == two


def test_the_rest_of_an_acute_exception_counts_from_when_it_was_there() -> None:
    """Without its rest it tells for a day; told with its rest it is a dossier, judged as of the moment of telling."""
    acute = replace(EXCEPTION, type=ExceptionType.ACUTE, documented=None, approved_by=None)
    told = relying(acute).known(ON_EXCEPTION, other=HOLDER)
    assert told == replace(ON_EXCEPTION, dossier="acuut", acute_open=False)
    assert relying(acute, at=AT + REST_S).known(ON_EXCEPTION, other=HOLDER).dossier == "acuut"
    assert relying(acute, at=AT + REST_S + 1).known(ON_EXCEPTION, other=HOLDER).dossier == "none"
    rested = acute.with_rest(replace(DOSSIER, deferral="BW-7:448-TE"), at=AT + 100)
    assert relying(rested, at=AT + 99).known(ON_EXCEPTION, other=HOLDER).dossier == "acuut"
    assert relying(rested, at=AT + 100).known(ON_EXCEPTION, other=HOLDER).dossier == "complete"
    late = acute.with_rest(DOSSIER, at=AT + 2 * REST_S)
    assert relying(late, at=AT + 2 * REST_S - 1).known(ON_EXCEPTION, other=HOLDER).dossier == "none"


def test_the_ground_on_which_telling_is_put_off_is_that_of_the_newest_dossier() -> None:
    """What the letter states stays where the dossier puts nothing off."""
    deferred = replace(EXCEPTION, documented=replace(DOSSIER, deferral="BW-7:448-TE"))
    assert relying(deferred).known(ON_EXCEPTION, other=HOLDER).deferral == "BW-7:448-TE"
    stated = replace(ON_EXCEPTION, deferral="WVGGZ")
    assert relying().known(stated, other=HOLDER).deferral == "WVGGZ"
    acute = replace(EXCEPTION, type=ExceptionType.ACUTE, documented=None)
    assert relying(acute).known(stated, other=HOLDER).deferral == "WVGGZ"
    rested = acute.with_rest(replace(DOSSIER, deferral="BW-7:448-TE"), at=AT)
    assert relying(rested).known(stated, other=HOLDER).deferral == "BW-7:448-TE"


def test_a_therapeutic_exception_without_its_five_conditions_is_no_dossier() -> None:
    """What the six answers say of a conflict of duties says nothing of it."""
    therapy = replace(EXCEPTION, type=ExceptionType.THERAPEUTIC)
    assert relying(therapy).known(ON_EXCEPTION, other=HOLDER).dossier == "none"
    met = replace(therapy, documented=replace(DOSSIER, answered=frozenset(FIVE)))
    assert relying(met).known(ON_EXCEPTION, other=HOLDER).dossier == "complete"


CONSENTS = KeptConsents(records=(OwnConsent(consent=GIVEN, stamp=RECORD_STAMP),))
EXCEPTIONS = KeptExceptions(records=(OwnException(record=EXCEPTION, stamp=WORKER_STAMP),))


async def citing(policy: PolicyInForce, consent_id: str | None, *grounds: str, by: str = OWN) -> CitedConsent | None:
    """Return what is cited under this id beside these grounds."""
    return await cited_consent(
        consent_id, organisation=by, worker="w", grounds=grounds, policy=policy, consents=CONSENTS
    )


async def test_a_consent_is_cited_where_it_is_claimed(policy: PolicyInForce) -> None:
    """The own record, with who must say yes by that ground, and whether anything else is claimed."""
    found = await citing(policy, "c", "TOEST")
    assert found is not None
    assert (found.own.consent, found.alone) == (GIVEN, True)
    assert found.needed("under12") == frozenset({"guardian"})
    beside = await citing(policy, "c", "WMO-5.2.6", "TOEST")
    assert beside is not None
    assert beside.alone is False
    assert beside.needed("under12") == frozenset({"guardian"})
    unknown = await citing(policy, "c", "NO-SUCH-GROUND", "TOEST")
    assert unknown is not None
    assert unknown.alone is False
    assert await citing(policy, None, "TOEST") is None
    assert await citing(policy, None) is None


async def test_a_consent_without_its_ground_is_refused_by_field(policy: PolicyInForce) -> None:
    """The field and the rule are named; what another recorded, or nobody, is not there."""
    for grounds in ((), ("WMO-5.2.6",), ("NO-SUCH-GROUND",)):
        with pytest.raises(FieldRuleError) as broke:
            await citing(policy, "c", *grounds)
        assert (broke.value.field, broke.value.rule) == ("consentId", "is cited without consent as a ground")
    for consent_id, by in (("d", OWN), ("c", OTHER)):
        with pytest.raises(NotFoundError):
            await citing(policy, consent_id, "TOEST", by=by)


async def test_an_exception_is_cited_by_its_own_organisation() -> None:
    """With the worker and the moment of the letter; another's is not there; none is none."""
    found = await cited_exception("e", organisation=OWN, worker="x", at=9, exceptions=EXCEPTIONS)
    assert found is not None
    assert (found.own.record, found.worker, found.at) == (EXCEPTION, "x", 9)
    assert await cited_exception(None, organisation=OWN, worker="x", at=9, exceptions=EXCEPTIONS) is None
    for exception_id, by in (("f", OWN), ("e", OTHER)):
        with pytest.raises(NotFoundError):
            await cited_exception(exception_id, organisation=by, worker="x", at=9, exceptions=EXCEPTIONS)
