"""Who is told of a match, at the edges: nobody that may not act, and nothing that is not in the entry."""

from broker.domain.households import MatchKind
from broker.domain.matches import KeptMatch, Link, MatchSide, MatchState, TeamOf
from broker.flows.entry_payloads import HITS_SCHEMA
from broker.flows.judging import Judged, Recorded
from broker.flows.meeting import Told, beside
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import seen_of
from tests.simulators.asking import household
from tests.simulators.broker_world import World, documents
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled
from tests.simulators.following_up import matches_of_side, who
from tests.simulators.proposals import a_signal

CHILD = household(subject="child")


def told(level: int, name: str) -> Told:
    """Return a decision for the holder of the signal of this name."""
    judged = Judged(hits=(), shielded=False, permitted=level > 0, level=level, record={"rule": name})
    return Told(by=a_signal(name), kind=MatchKind.PERSON, judged=judged)


def group() -> Recorded:
    """Return a group of an entry without a decision."""
    return Recorded(payload={"schema": HITS_SCHEMA, "decisions": []}, kept=(), omitted=0)


def test_what_does_not_fit_its_entry_is_not_told() -> None:
    """Decisions that tell come first; those without room stand as a count and a hash, and tell nobody."""
    many = [told(0, "nothing"), *(told(2, f"signal {number}") for number in range(20))]
    recorded, kept = beside(group(), many, room=1_000)
    assert 0 < len(kept) < len(many)
    assert all(one.judged.level for one in kept)
    omitted = recorded.payload["told_omitted"]
    assert isinstance(omitted, dict)
    assert omitted["count"] == len(many) - len(kept)
    everything, all_of_them = beside(group(), many, room=100_000)
    assert len(all_of_them) == len(many)
    assert "told_omitted" not in everything.payload


def test_nothing_to_tell_leaves_no_trace() -> None:
    """A registration that met nobody has an entry as it ever was."""
    recorded, kept = beside(group(), [], room=1_000)
    assert (dict(recorded.payload), kept) == ({"schema": HITS_SCHEMA, "decisions": []}, [])


async def test_a_suspended_holder_is_not_told(world: World) -> None:
    """Who may not act here gets no match made for him; the other side sees what the policy shows it."""
    await world.register(who(world, GI), CHILD)
    world.documents = documents(Enrolled(suspended=frozenset({GI})))
    await world.register(who(world, WIJKTEAM), CHILD)
    assert [match["involved"]["holder"]["oin"] for match in await matches_of_side(world, WIJKTEAM)] == [GI]
    world.documents = documents()
    assert await matches_of_side(world, GI) == []


async def test_a_holder_who_left_the_register_is_not_told(world: World) -> None:
    """A signal of an organisation that nobody knows any more is shown to nobody, and makes no match."""
    await world.register(who(world, GI), CHILD)
    enrolled = Enrolled()
    names = {oin: name for oin, name in enrolled.names.items() if oin != GI}
    world.documents.in_force = Enrolled(names=names).register()
    answer = await world.register(who(world, WIJKTEAM), CHILD)
    assert answer.result["outcome"] == "nothing"
    assert await matches_of_side(world, WIJKTEAM) == []


def test_a_purpose_without_an_agreement_has_no_region(policy: PolicyInForce) -> None:
    """Nobody coordinates where no document says who is party."""
    day = a_signal("a").registered_on
    assert policy.region_of("elders", [], day=day) is None
    assert policy.coordinator_of(None) is None
    assert policy.region_of("proefregio", [(GI, "gi"), (WIJKTEAM, "wijkteam")], day=day) == "proefregio"


def test_a_side_that_was_not_told_sees_nothing(policy: PolicyInForce) -> None:
    """Whatever may be seen now: what was not told when the match was made is not told later."""
    own, other = a_signal("own"), a_signal("other", organisation=WIJKTEAM)
    sides = [
        MatchSide(
            of=TeamOf(organisation=oin, team="team-1"), told=told, state=MatchState.NEW, changed_on=own.registered_on
        )
        for oin, told in ((GI, True), (WIJKTEAM, False))
    ]
    match = KeptMatch(
        id="0" * 32,
        newer=own,
        links=(Link(signal=other, kind=MatchKind.PERSON, shown=True, tells=True),),
        newer_side=sides[0],
        older_side=sides[1],
        made_on=own.registered_on,
        due_on=own.registered_on,
    )
    register, day = Enrolled().register(), own.registered_on
    seen = [seen_of(match, side, policy=policy, register=register, worker="", day=day)[0] for side in match.sides]
    assert seen == [(MatchKind.PERSON,), ()]
