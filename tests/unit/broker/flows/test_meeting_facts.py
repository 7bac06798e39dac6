"""What a new signal brings about, function by function: whose links, which side is told, who has a notice."""

import hashlib
from dataclasses import replace

from broker.domain.changes import MarkStanding
from broker.domain.households import Hit
from broker.domain.matches import KeptMatch, Link, MatchState, TeamOf
from broker.domain.notices import NoticeKind
from broker.domain.said import NOTHING_SAID
from broker.flows.meeting import Ids, alerts_of, links_by_team, matches_made, notices_of, stood_on
from broker.flows.policy import PolicyInForce
from tests.property.broker.test_consents import DAY
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM
from tests.simulators.proposals import a_signal
from tests.unit.broker.flows.deciders import permissive
from tests.unit.broker.flows.test_seeing_facts import FAMILY, OURS, PERSON, REGISTER, SECOND, THEIRS, a_match

IDS = Ids(seed=b"seed")
GI_TEAM, OWN_TEAM = TeamOf(organisation=GI, team="team-1"), TeamOf(organisation=WIJKTEAM, team="team-1")
BOTH = Link(signal=THEIRS, kind=PERSON, shown=True, tells=True)
COORDINATOR = TeamOf(organisation=SCHOOL, team="coordinators")


def test_an_id_is_of_its_seed_and_names() -> None:
    """32 characters nobody guesses; the same names under another seed, or other names, have another."""
    assert IDS.of("a", "b") == hashlib.sha256(b"seeda\x00b").hexdigest()[:32]
    assert len({IDS.of("a", "b"), IDS.of("ab"), IDS.of("b", "a"), Ids(seed=b"other").of("a", "b")}) == 4


def test_a_team_is_linked_by_each_of_its_signals_once_in_its_strongest_kind() -> None:
    """Where either side sees the other; a signal that neither sees links nobody."""
    hits = [
        Hit(kind=PERSON, signal=THEIRS),
        Hit(kind=FAMILY, signal=THEIRS),
        Hit(kind=FAMILY, signal=SECOND),
        Hit(kind=PERSON, signal=a_signal("another team", organisation=SCHOOL)),
        Hit(kind=PERSON, signal=replace(a_signal("unseen"), team="team-2")),
    ]
    shown = frozenset({(PERSON, THEIRS.id), (FAMILY, THEIRS.id), (FAMILY, hits[3].signal.id)})
    tells = frozenset({(FAMILY, SECOND.id), (PERSON, hits[3].signal.id)})
    assert links_by_team(hits, shown=shown, tells=tells) == {
        GI_TEAM: (
            Link(signal=THEIRS, kind=PERSON, shown=True, tells=False),
            Link(signal=SECOND, kind=FAMILY, shown=False, tells=True),
        ),
        TeamOf(organisation=SCHOOL, team="team-1"): (
            Link(signal=hits[3].signal, kind=PERSON, shown=False, tells=True),
        ),
    }
    assert links_by_team(hits, shown=frozenset(), tells=frozenset()) == {}
    other_team = [hits[0], Hit(kind=PERSON, signal=replace(SECOND, team="team-2"))]
    teams = links_by_team(other_team, shown=shown, tells=frozenset({(PERSON, SECOND.id)}))
    assert set(teams) == {GI_TEAM, TeamOf(organisation=GI, team="team-2")}


def made(policy: PolicyInForce, *links: Link, known: tuple[KeptMatch, ...] = (), new: str = "new") -> KeptMatch:
    """Return the match of a new signal of ours with their team by these links."""
    signal = replace(a_signal(new, organisation=WIJKTEAM), registered_on=DAY)
    (match,) = matches_made(
        signal, {GI_TEAM: links}, said=NOTHING_SAID, known=known, ids=IDS, policy=policy, register=REGISTER, day=DAY
    )
    return match


def test_each_side_of_a_match_is_told_by_its_own_decision(policy: PolicyInForce) -> None:
    """What the one may see says nothing of the other; each begins anew, on the day it was made."""
    for shown, tells in ((True, True), (True, False), (False, True)):
        match = made(policy, Link(signal=THEIRS, kind=PERSON, shown=shown, tells=tells))
        assert [(one.of, one.told, one.state, one.changed_on) for one in match.sides] == [
            (OWN_TEAM, shown, MatchState.NEW, DAY), (GI_TEAM, tells, MatchState.NEW, DAY),
        ]  # fmt: skip
        assert (match.made_on, match.newer.id) == (DAY, a_signal("new").id)
        assert match.links == (Link(signal=THEIRS, kind=PERSON, shown=shown, tells=tells),)
        assert match.due_on > DAY
        assert match.id == IDS.of(GI, "team-1")
        assert match.casusregisseur is None


def together(*, newer: bool) -> KeptMatch:
    """Return an earlier match of the two teams, in which one side said that they work together."""
    earlier = a_match(BOTH)
    if newer:
        return replace(earlier, newer_side=replace(earlier.newer_side, state=MatchState.TOGETHER))
    return replace(earlier, older_side=replace(earlier.older_side, state=MatchState.TOGETHER))


def test_who_works_together_is_told_no_more_by_the_same_signals(policy: PolicyInForce) -> None:
    """Only the side that said so, of that very team, on a signal by which both are told, and while it sees it."""
    point = permissive(policy)
    for newer in (True, False):
        match = made(point, BOTH, known=(together(newer=newer),))
        states = [one.state for one in match.sides]
        assert states == [
            MatchState.TOGETHER if newer else MatchState.NEW,
            MatchState.NEW if newer else MatchState.TOGETHER,
        ]
    assert made(point, BOTH, known=(a_match(BOTH),)).newer_side.state is MatchState.NEW
    elsewhere = Link(signal=SECOND, kind=PERSON, shown=True, tells=True)
    assert made(point, elsewhere, known=(together(newer=True),)).newer_side.state is MatchState.NEW
    unseen = replace(together(newer=True), links=(replace(BOTH, shown=False),))
    assert made(point, BOTH, known=(unseen,)).newer_side.state is MatchState.NEW
    own = together(newer=True)
    other_team = replace(own, older_side=replace(own.older_side, of=TeamOf(organisation=GI, team="team-2")))
    assert made(point, BOTH, known=(other_team,)).newer_side.state is MatchState.NEW
    ours = replace(own, newer_side=replace(own.newer_side, of=TeamOf(organisation=WIJKTEAM, team="team-2")))
    assert made(point, BOTH, known=(ours,)).newer_side.state is MatchState.NEW


def test_what_told_somebody_counts_as_standing() -> None:
    """The older signals by which somebody is told, each once; those that were only shown are none."""
    match = a_match(
        replace(BOTH, signal=SECOND), BOTH, replace(BOTH, signal=OURS, tells=False),
    )  # fmt: skip
    expected = tuple(MarkStanding(signal_id=one, on=DAY) for one in sorted({THEIRS.id, SECOND.id}))
    assert stood_on([match, a_match(BOTH)], day=DAY) == expected
    assert stood_on([], day=DAY) == ()


def test_who_shielded_a_signal_is_alerted_unless_a_match_tells_him() -> None:
    """One notice to its own team for each shielded signal that was hit; an open one has none."""
    shielded = replace(SECOND, shielded=True, team="team-7")
    hits = [Hit(kind=PERSON, signal=THEIRS), Hit(kind=PERSON, signal=shielded), Hit(kind=FAMILY, signal=shielded)]
    (alert,) = alerts_of(hits, [a_match(BOTH)], ids=IDS)
    assert (alert.organisation, alert.team, alert.kind, alert.about) == (
        GI, "team-7", NoticeKind.SHIELD_ALERT, shielded.id,
    )  # fmt: skip
    assert alert.id == IDS.of(NoticeKind.SHIELD_ALERT.value, shielded.id)
    by_match = a_match(Link(signal=shielded, kind=PERSON, shown=False, tells=True))
    assert alerts_of(hits, [by_match], ids=IDS) == ()
    only_shown = a_match(Link(signal=shielded, kind=PERSON, shown=True, tells=False))
    assert alerts_of(hits, [only_shown], ids=IDS) == (alert,)


def test_the_other_side_and_the_coordinator_have_a_notice() -> None:
    """The older side where it is told and has not muted it; the coordinator while nobody says there was contact."""
    match = replace(a_match(BOTH), coordinators=(COORDINATOR,))

    def told(one: KeptMatch) -> list[tuple[str, str, NoticeKind, str]]:
        notices = notices_of(one, ids=IDS)
        assert all(note.id == IDS.of(note.kind.value, note.organisation, note.team, one.id) for note in notices)
        return [(note.organisation, note.team, note.kind, note.about) for note in notices]

    to_side = (GI, "team-1", NoticeKind.MATCH, "m")
    to_coordinator = (SCHOOL, "coordinators", NoticeKind.COORDINATED, "m")
    assert told(match) == [to_side, to_coordinator]
    assert told(replace(match, coordinators=())) == [to_side]
    assert told(replace(match, older_side=replace(match.older_side, told=False))) == [to_coordinator]
    muted = replace(match, older_side=replace(match.older_side, state=MatchState.TOGETHER))
    assert told(muted) == []
    other = replace(match, newer_side=replace(match.newer_side, state=MatchState.TOGETHER))
    assert told(other) == [to_side]
