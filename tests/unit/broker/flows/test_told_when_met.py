"""What a new signal makes durable: decisions for others in its entry, matches with their region and coordinator."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from broker.consent_ports import person_key
from broker.domain.changes import MarkStanding
from broker.domain.households import Hit, MatchKind
from broker.domain.matches import KeptMatch, Link, MatchState, StoreMatch, TeamOf
from broker.domain.notices import NoticeKind, Notify
from broker.domain.said import NOTHING_SAID
from broker.domain.signals import Exclusion, Signal
from broker.flows.canonical import canonical, sha256_of
from broker.flows.coordinating import region_of
from broker.flows.household_question import Seen
from broker.flows.judging import Judged, Recorded
from broker.flows.meeting import Ids, Meeting, Told, beside, matches_made, meet
from broker.flows.policy import PolicyInForce
from broker.ports import Stamp
from broker.request_ports import request_key
from policies import AskFacts, Permit
from policies.errors import CalendarError
from policies.follow_up import Term
from tests.property.broker.test_consents import DAY
from tests.simulators.clock import SeededRandomness
from tests.simulators.enrolled import GEMEENTE, GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, WOONCORPORATIE
from tests.simulators.kept_records import KeptConsents
from tests.simulators.kept_signals import KeptMatches
from tests.simulators.proposals import a_signal, an_index
from tests.unit.broker.flows.deciders import Watched, permissive, permit
from tests.unit.broker.flows.test_meeting_facts import BOTH, GI_TEAM, IDS, OWN_TEAM, together
from tests.unit.broker.flows.test_seeing_facts import FAMILY, PERSON, REGISTER, SECOND, THEIRS

NEW = replace(a_signal("new", organisation=WIJKTEAM), registered_on=DAY)
COORDINATOR = TeamOf(organisation=GEMEENTE, team="matchcoordinatie")
EMPTY = Recorded(payload={"schema": "s", "decisions": []}, kept=(), omitted=0)


def told(name: str, *, level: int = 2, shielded: bool = False) -> Told:
    """Return a decision for the holder of the signal of this name."""
    judged = Judged(hits=(), shielded=False, permitted=level > 0, level=level, record={"rule": name})
    return Told(by=replace(a_signal(name), shielded=shielded), kind=PERSON, judged=judged)


def test_a_decision_for_another_stands_with_by_which_signal_it_was_told() -> None:
    """By its search handle, never by its id."""
    one = told("a")
    assert one.entry() == {**one.judged.entry(), "by": one.by.handle}


def test_decisions_for_others_stand_beside_the_own_ones_to_the_last_byte() -> None:
    """As many as fit, those that tell somebody first; the rest is a number and a hash, and tells nobody."""
    some = [told("n", level=0), told("a"), told("b")]
    used = len(canonical(dict(EMPTY.payload)))
    sizes = [len(canonical(one.entry())) + len(',"told":[]') for one in (some[1], some[2], some[0])]
    whole, kept = beside(EMPTY, some, room=used + sum(sizes) + 160)
    assert kept == [some[1], some[2], some[0]]
    assert whole.payload == {**EMPTY.payload, "told": [one.entry() for one in kept]}
    less, kept = beside(EMPTY, some, room=used + sum(sizes) + 159)
    assert kept == [some[1], some[2]]
    assert less.payload == {
        **EMPTY.payload,
        "told": [one.entry() for one in kept],
        "told_omitted": {"count": 1, "sha256": sha256_of([some[0].entry()])},
    }
    none, kept = beside(EMPTY, some, room=0)
    assert (kept, "told" in none.payload) == ([], False)


def made(policy: PolicyInForce, *links: Link, signal: Signal = NEW, known: tuple[KeptMatch, ...] = ()) -> KeptMatch:
    """Return the match of a new signal with their team by these links."""
    (match,) = matches_made(
        signal, {GI_TEAM: links}, said=NOTHING_SAID, known=known, ids=IDS, policy=policy, register=REGISTER, day=DAY
    )
    return match


def excluding(signal: Signal, *, worker: str | None = None) -> Signal:
    """Return a signal that is kept from the coordinator's organisation, or from one worker of it."""
    return replace(signal, exclusions=frozenset({Exclusion(organisation=GEMEENTE, worker=worker)}))


def test_the_coordinator_of_their_region_sees_to_what_both_are_told(policy: PolicyInForce) -> None:
    """Not where one of the two is not told, nor from whom a signal is kept or who was not named by whom it is about."""
    assert made(policy, BOTH).coordinators == (COORDINATOR,)
    for link in (replace(BOTH, tells=False), replace(BOTH, shown=False)):
        assert made(policy, link).coordinators == ()
    on_consent = replace(THEIRS, ground="TOEST")
    for signal in (excluding(THEIRS), on_consent):
        assert made(policy, replace(BOTH, signal=signal)).coordinators == ()
        for half in (replace(BOTH, signal=signal, tells=False), replace(BOTH, signal=signal, shown=False)):
            assert made(policy, BOTH, half).coordinators == (COORDINATOR,)
    for new in (excluding(NEW), replace(NEW, ground="TOEST")):
        assert made(policy, BOTH, signal=new).coordinators == ()
    assert made(policy, replace(BOTH, signal=excluding(THEIRS, worker="w"))).coordinators == (COORDINATOR,)


def test_contact_is_due_by_the_term_of_their_region_for_this_purpose(policy: PolicyInForce) -> None:
    """The region's own term for the purpose of the new signal, or else the law's."""
    term = Term(amount=2, unit="D", working_days=False, source="Test")
    follow_up = policy.bundle.follow_up
    terms = {**follow_up.terms, "proefregio": {("eerste_contact", "proefregio"): term}}
    quicker = replace(policy, bundle=replace(policy.bundle, follow_up=replace(follow_up, terms=terms)))
    assert made(quicker, BOTH).due_on == term.last_day(DAY)
    assert made(policy, BOTH).due_on > term.last_day(DAY)


def region(policy: PolicyInForce, *links: Link, purpose: str = "proefregio", other: str = GI) -> str | None:
    """Return the region of a new signal for this purpose and another organisation."""
    team, signal = TeamOf(organisation=other, team="team-1"), replace(NEW, purpose=purpose)
    return region_of(signal, team, links, policy=policy, register=REGISTER, day=DAY)


def test_the_region_is_that_of_an_agreement_of_both(policy: PolicyInForce) -> None:
    """On the new signal's purpose, or else on that of a signal that both see; what only one sees shows in nothing."""
    assert region(policy) == "proefregio"
    agreed = region(policy, purpose="verwijsindex")
    assert agreed not in {None, "proefregio"}
    assert region(policy, purpose="verwijsindex", other=WOONCORPORATIE) is None
    assert region(policy, purpose="vt-melding") is None
    assert region(policy, BOTH, purpose="vt-melding") == "proefregio"
    for half in (replace(BOTH, tells=False), replace(BOTH, shown=False)):
        assert region(policy, half, purpose="vt-melding") is None
    assert region(policy, BOTH, purpose="verwijsindex") == agreed


def low(policy: PolicyInForce) -> PolicyInForce:
    """Return a policy that shows that somebody is involved, and not who."""

    def judge(question: str, facts: AskFacts) -> Permit:
        return replace(permit(question, facts), level=1)

    return replace(policy, decision_point=Watched(inner=policy.decision_point, before=judge))


def test_what_a_side_sees_no_more_mutes_nothing(policy: PolicyInForce) -> None:
    """A decision that does not name the other side is no sight; one by which the newer side alone is told is."""
    assert made(low(policy), BOTH, known=(together(newer=True),)).newer_side.state is MatchState.NEW
    half = replace(BOTH, tells=False)
    earlier = replace(together(newer=True), links=(half,))
    assert made(permissive(policy), half, known=(earlier,)).newer_side.state is MatchState.TOGETHER


TRUDY, CHILD = an_index("trudy"), an_index("child")
HIDDEN = replace(a_signal("hidden", organisation=SCHOOL), shielded=True)
ON_CONSENT = replace(SECOND, ground="TOEST", team="team-2")
ADDRESS = a_signal("neighbour", organisation=VEILIG_THUIS)
HITS = (
    Hit(kind=PERSON, signal=THEIRS), Hit(kind=FAMILY, signal=HIDDEN), Hit(kind=PERSON, signal=ON_CONSENT),
    Hit(kind=MatchKind.ADDRESS, signal=ADDRESS),
)  # fmt: skip
RELIED = Stamp(of=request_key("relied"), version=3)


async def met(policy: PolicyInForce, hits: Iterable[Hit] = HITS, *, consents: KeptConsents) -> Meeting:
    """Return what the new signal of the wijkteam brings about, that was shown the first of what it hit."""
    found = tuple(hits)
    seen = Seen(
        rows=(), open=EMPTY, shielded=replace(EMPTY, payload={"schema": "shielded", "decisions": []}),
        handles=frozenset(), hits=found, shown=frozenset({(PERSON, THEIRS.id)}), relies_on=(RELIED,), rests_on=(),
        valid_until=None, subjects={hit.signal.id: CHILD for hit in found},
    )  # fmt: skip
    return await meet(
        NEW, seen, person=TRUDY, matches=KeptMatches(), consents=consents, policy=policy, register=REGISTER,
        randomness=SeededRandomness(),
    )  # fmt: skip


def names(group: Recorded) -> list[Any]:
    """Return the handles by which others were told, as they stand in a group of the entry."""
    told_there: Any = group.payload.get("told", [])
    return [one["by"] for one in told_there]


async def test_what_others_are_told_stands_in_the_entry_and_is_made_durable(policy: PolicyInForce) -> None:
    """Open and shielded apart; who is told has a match, a mark on his signal and a notice; an address makes none."""
    meeting = await met(permissive(policy), consents=KeptConsents())
    assert names(meeting.seen.open) == [THEIRS.handle, ON_CONSENT.handle]
    assert names(meeting.seen.shielded) == [HIDDEN.handle]
    ids = Ids(seed=SeededRandomness().bytes(32))
    marks = [one for one in meeting.changes if isinstance(one, MarkStanding)]
    assert marks == [MarkStanding(signal_id=one, on=DAY) for one in sorted({THEIRS.id, ON_CONSENT.id, HIDDEN.id})]
    matches = [one.match for one in meeting.changes if isinstance(one, StoreMatch)]
    teams = [GI_TEAM, TeamOf(organisation=SCHOOL, team="team-1"), TeamOf(organisation=GI, team="team-2")]
    assert [one.older_side.of for one in matches] == teams
    assert [one.newer_side.of for one in matches] == [OWN_TEAM] * 3
    assert [one.newer_side.told for one in matches] == [True, False, False]
    assert [one.id for one in matches] == [ids.of(one.organisation, one.team) for one in teams]
    assert [[link.kind for link in one.links] for one in matches] == [[PERSON], [FAMILY], [PERSON]]
    notices = [one for one in meeting.changes if isinstance(one, Notify)]
    assert [(one.kind, one.about) for one in notices] == [
        (NoticeKind.MATCH, matches[0].id), (NoticeKind.COORDINATED, matches[0].id), (NoticeKind.MATCH, matches[1].id),
        (NoticeKind.MATCH, matches[2].id),
    ]  # fmt: skip
    assert notices[0].id == ids.of(NoticeKind.MATCH.value, GI, "team-1", matches[0].id)


async def test_a_shielded_signal_that_tells_nothing_alerts_its_holder(policy: PolicyInForce) -> None:
    """With an id out of the same seed, and no match."""
    meeting = await met(low(policy), [Hit(kind=PERSON, signal=HIDDEN)], consents=KeptConsents())
    ids = Ids(seed=SeededRandomness().bytes(32))
    assert meeting.changes == (
        Notify(
            id=ids.of(NoticeKind.SHIELD_ALERT.value, HIDDEN.id), organisation=SCHOOL, team="team-1",
            kind=NoticeKind.SHIELD_ALERT, about=HIDDEN.id,
        ),
    )  # fmt: skip


async def test_what_was_recorded_of_whom_it_met_is_read_and_relied_on(policy: PolicyInForce) -> None:
    """Of every person by every holder that was hit and by the new one, beside what was relied on before."""
    consents = KeptConsents()
    meeting = await met(permissive(policy), consents=consents)
    pairs = {(oin, person) for oin in (WIJKTEAM, GI, SCHOOL) for person in (TRUDY, CHILD)}
    assert consents.asked == [frozenset(pairs)]
    relied = meeting.seen.relies_on
    assert relied[0] == RELIED
    assert {one.of for one in relied[1:]} == {person_key(*pair) for pair in pairs}


@pytest.mark.parametrize("kind", [PERSON, FAMILY])
async def test_the_other_side_is_asked_about_the_new_signal_in_the_kind_it_was_hit(
    policy: PolicyInForce, kind: MatchKind
) -> None:
    """On the day it was registered, and about no other signal."""
    point = Watched(inner=policy.decision_point, before=permit)
    meeting = await met(replace(policy, decision_point=point), [Hit(kind=kind, signal=THEIRS)], consents=KeptConsents())
    assert [(one.holder, one.kind) for one in point.seen if one.holder == WIJKTEAM] == [(WIJKTEAM, kind.value)]
    (match,) = [one.match for one in meeting.changes if isinstance(one, StoreMatch)]
    assert [(link.signal.id, link.kind, link.tells) for link in match.links] == [(THEIRS.id, kind, True)]


async def test_a_calendar_that_is_not_known_fails_for_everybody(policy: PolicyInForce) -> None:
    """Also where nobody was met: by the law's own term for this purpose, whatever the region's is."""
    follow_up = policy.bundle.follow_up
    term = Term(amount=100_000, unit="D", working_days=True, source="Test")
    law = {**follow_up.terms[None], ("eerste_contact", "proefregio"): term}
    endless = replace(follow_up, terms={**follow_up.terms, None: law})
    with pytest.raises(CalendarError):
        await met(replace(policy, bundle=replace(policy.bundle, follow_up=endless)), [], consents=KeptConsents())
