"""Matches: both sides are told after a decision for each, follow up by their own steps, and see only their own."""

from typing import Any

import pytest

from broker.domain.errors import NotFoundError, RefusedError, RoleNotAllowedError, WithdrawalNeedsReviewError
from broker.domain.signals import Exclusion
from broker.flows import list_matches as matches_listed
from broker.protocol.roster import Worker
from tests.simulators.asking import household
from tests.simulators.broker_world import World, documents, log_size, shield
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import (
    appointed,
    followed_up,
    listed,
    matches_of_side,
    notices_of,
    opened,
    who,
)

CHILD = household(subject="child", parents=["mother"])
SISTER = household(subject="sister", parents=["mother"])


async def met(world: World, first: str = GI, then: str = WIJKTEAM) -> str:
    """Two organisations registered the same child; return the id of their match."""
    await world.register(who(world, first), CHILD)
    await world.register(who(world, then), CHILD)
    (match,) = await matches_of_side(world, first)
    return str(match["matchId"])


async def test_both_sides_are_told_of_each_other(world: World) -> None:
    """Who registered first gets a notice, both see the other's team and card, and nothing about household or reason."""
    match_id = await met(world)
    assert await notices_of(world, GI) == [("match", match_id)]
    assert await notices_of(world, WIJKTEAM) == []
    for oin, other in ((GI, WIJKTEAM), (WIJKTEAM, GI)):
        (match,) = await matches_of_side(world, oin)
        assert match["matchId"] == match_id
        assert match["involved"]["holder"]["oin"] == other
        assert match["involved"]["holder"]["contact"]["phone"]
        assert match["state"] == "nieuw"
        assert set(match) == {
            "matchId", "team", "signals", "involved", "state", "changedOn", "madeOn", "dueOn", "casusregisseur",
            "otherCasusregisseur",
        }  # fmt: skip


async def test_contact_is_due_after_five_working_days(world: World) -> None:
    """A match of Sunday 22 November is due on Friday 27 November."""
    await met(world)
    (match,) = await matches_of_side(world, GI)
    assert (match["madeOn"], match["dueOn"]) == ("2026-11-22", "2026-11-27")


async def test_opening_is_reading(world: World) -> None:
    """A match that one side opened is read by that side, and new for the other."""
    match_id = await met(world)
    await opened(world, who(world, GI), match_id)
    assert [match["state"] for match in await matches_of_side(world, GI)] == ["gelezen"]
    assert [match["state"] for match in await matches_of_side(world, WIJKTEAM)] == ["nieuw"]
    await followed_up(world, who(world, GI), match_id, "contact_gehad")
    await opened(world, who(world, GI), match_id)
    assert [match["state"] for match in await matches_of_side(world, GI)] == ["contact_gehad"]


async def test_a_state_is_kept_and_ends_with_klaar(world: World) -> None:
    """Each step is kept; what is klaar cannot be changed, which is refused openly and recorded."""
    match_id, gi = await met(world), who(world, GI)
    for state in ("contact_gehad", "afspraken_gemaakt", "klaar"):
        answer = await followed_up(world, gi, match_id, state)
        assert answer.result["state"] == state
    before = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await followed_up(world, gi, match_id, "contact_gehad")
    assert refused.value.document["type"] == "urn:sluis:problem:match-closed"
    assert await log_size(world) == before + 1
    assert [match["state"] for match in await matches_of_side(world, GI)] == ["klaar"]


@pytest.mark.parametrize("first", ["nieuw", "gelezen"])
async def test_klaar_before_any_contact_is_refused(world: World, first: str) -> None:
    """Nobody closes a match unread or merely read, whatever the other side said: recorded, and nothing changed."""
    match_id, gi = await met(world), who(world, GI)
    if first == "gelezen":
        await opened(world, gi, match_id)
    await followed_up(world, who(world, WIJKTEAM), match_id, "contact_gehad")
    before = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await followed_up(world, gi, match_id, "klaar")
    assert refused.value.document["type"] == "urn:sluis:problem:match-no-contact"
    assert await log_size(world) == before + 1
    assert [match["state"] for match in await matches_of_side(world, GI)] == [first]


async def test_one_click_mutes_repeats_for_that_pair_and_household(world: World) -> None:
    """After "we werken al samen" a further match with that team on this household gives that side no notice."""
    match_id = await met(world)
    await followed_up(world, who(world, GI), match_id, "werken_al_samen")
    await world.inbox(who(world, GI), had=[one["id"] for one in await _notices(world, GI)])
    await world.register(who(world, WIJKTEAM), SISTER)
    assert await notices_of(world, GI) == []
    states = {match["matchId"]: match["state"] for match in await matches_of_side(world, GI)}
    assert sorted(states.values()) == ["werken_al_samen", "werken_al_samen"]
    # Another team on this household, and the same team on another household, are told as ever.
    await world.register(who(world, VEILIG_THUIS), CHILD)
    assert len(await notices_of(world, GI)) == 1
    await world.register(who(world, GI), household(subject="stranger"))
    await world.register(who(world, WIJKTEAM), household(subject="stranger"))
    assert len(await notices_of(world, GI)) == 2


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_signal_that_one_may_not_see_mutes_nothing(world: World, hidden: bool) -> None:  # noqa: FBT001 - of a table
    """Two households of which only a shielded child of both would tell that they are one: each is told as ever."""
    await world.register(who(world, GI), household(subject="c1", parents=["p1"]))
    if hidden:
        both = await world.register(who(world, GI), household(subject="c3", parents=["p1", "p2"]))
        await shield(world, str(both.result["signalId"]))
    await world.register(who(world, WIJKTEAM), household(subject="c1", parents=["p1"]))
    (match,) = await matches_of_side(world, WIJKTEAM)
    await followed_up(world, who(world, WIJKTEAM), match["matchId"], "werken_al_samen")
    await world.register(who(world, GI), household(subject="c2", parents=["p2"]))
    await world.register(who(world, WIJKTEAM), household(subject="c2", parents=["p2"]))
    states = sorted(one["state"] for one in await matches_of_side(world, WIJKTEAM))
    assert states == ["nieuw", "werken_al_samen"]


async def test_muting_is_of_one_side_alone(world: World) -> None:
    """The other side, which did not say so, goes on being told."""
    match_id = await met(world)
    await followed_up(world, who(world, WIJKTEAM), match_id, "werken_al_samen")
    await world.register(who(world, WIJKTEAM), SISTER)
    assert len(await notices_of(world, GI)) == 2


async def _notices(world: World, oin: str) -> list[dict[str, Any]]:
    answer = await world.inbox(who(world, oin))
    notices: Any = answer.result["notices"]
    return list(notices)


async def test_anothers_match_is_an_unknown_one(world: World) -> None:
    """Whoever is no side of a match reads and changes nothing of it, and learns not even that it is there."""
    match_id, school = await met(world), who(world, SCHOOL)
    before = await log_size(world)
    for one in (match_id, "f" * 32):
        with pytest.raises(NotFoundError):
            await opened(world, school, one)
        with pytest.raises(NotFoundError):
            await followed_up(world, school, one, "klaar")
        with pytest.raises(NotFoundError):
            await appointed(world, school, one, GI)
    assert await log_size(world) == before
    assert await matches_of_side(world, SCHOOL) == []
    assert [match["state"] for match in await matches_of_side(world, GI)] == ["nieuw"]


async def test_another_teams_match_is_not_closed(world: World) -> None:
    """Who is in another team by the roster may not act on it: refused openly, recorded, and nothing has changed."""
    match_id = await met(world)
    other = Worker(sub="elsewhere", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-2"}))
    mine = Worker(sub="here", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-1", "team-2"}))
    world.documents.rosters = documents(Enrolled(others={GI: (other, mine)})).rosters
    await followed_up(world, who(world, GI), match_id, "contact_gehad", worker="here")
    before = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await followed_up(world, who(world, GI), match_id, "klaar", worker="elsewhere")
    assert refused.value.document["type"] == "urn:sluis:problem:match-of-another-team"
    assert await log_size(world) == before + 1
    assert [match["state"] for match in await matches_of_side(world, GI)] == ["contact_gehad"]
    await followed_up(world, who(world, GI), match_id, "klaar", worker="here")
    assert [match["state"] for match in await matches_of_side(world, GI)] == ["klaar"]


async def test_another_team_that_opens_a_match_does_not_read_it_away(world: World) -> None:
    """The team that is to call, and the coordinator, see that none of it looked yet; who acts for the team reads it."""
    match_id = await met(world)
    other = Worker(sub="elsewhere", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-2"}))
    mine = Worker(sub="here", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-1"}))
    world.documents.rosters = documents(Enrolled(others={GI: (other, mine)})).rosters
    for worker, state in (("elsewhere", "nieuw"), ("here", "gelezen")):
        await opened(world, who(world, GI), match_id, worker=worker)
        assert [match["state"] for match in await matches_of_side(world, GI)] == [state]


async def test_without_a_roster_nobody_is_of_another_team(world: World) -> None:
    """An organisation that states no teams lets every worker act."""
    match_id = await met(world)
    world.documents.rosters = {}
    await followed_up(world, who(world, GI), match_id, "contact_gehad")
    (match,) = await matches_of_side(world, GI)
    assert match["state"] == "contact_gehad"
    assert match["involved"]["holder"]["contact"] is None


async def test_only_a_worker_follows_up(world: World) -> None:
    """Who reviews or approves does not act on matches."""
    await met(world)
    with pytest.raises(RoleNotAllowedError):
        await listed(world, who(world, GI, role="fg"))


@pytest.mark.parametrize("whose", [GI, WIJKTEAM])
async def test_a_withdrawn_signal_takes_its_match_along(world: World, whose: str) -> None:
    """From the commit of a withdrawal on neither side is shown the match, nor told of it by a notice that waits."""
    gi, wijkteam = who(world, GI), who(world, WIJKTEAM)
    first = await world.register(gi, CHILD)
    second = await world.register(wijkteam, CHILD)
    (match,) = await matches_of_side(world, GI)
    world.clock.move(20 * 86_400)
    own = {GI: first, WIJKTEAM: second}[whose]
    await world.withdraw(who(world, whose), str(own.result["signalId"]), reason="no_longer_needed")
    for oin in (GI, WIJKTEAM):
        assert await matches_of_side(world, oin) == []
        assert await notices_of(world, oin) == []
        with pytest.raises(NotFoundError):
            await opened(world, who(world, oin), match["matchId"])


async def test_a_shield_takes_the_match_from_the_other_side_only(world: World) -> None:
    """Who shields his signal is not seen from then on, and still sees who is involved: no child is lost."""
    first = await world.register(who(world, GI), CHILD)
    await world.register(who(world, WIJKTEAM), CHILD)
    await shield(world, str(first.result["signalId"]))
    assert await matches_of_side(world, WIJKTEAM) == []
    assert len(await matches_of_side(world, GI)) == 1


async def test_who_shields_is_told_who_registers(world: World) -> None:
    """A new signal on a household with a shielded one tells its holder, and the registering side nothing at all."""
    first = await world.register(who(world, GI), CHILD)
    await shield(world, str(first.result["signalId"]))
    answer = await world.register(who(world, WIJKTEAM), CHILD)
    assert answer.result["outcome"] == "nothing"
    (match,) = await matches_of_side(world, GI)
    assert await notices_of(world, GI) == [("match", match["matchId"])]
    assert await matches_of_side(world, WIJKTEAM) == []
    with pytest.raises(NotFoundError):
        await opened(world, who(world, WIJKTEAM), match["matchId"])


async def test_an_address_alone_makes_no_match(world: World) -> None:
    """A flat is no household: its neighbours are not told of each other, and owe each other no contact."""
    await world.register(who(world, GI), household(subject="child", address="flat"))
    answer = await world.register(who(world, WIJKTEAM), household(subject="neighbour", address="flat"))
    assert answer.result["outcome"] == "shown"
    assert await matches_of_side(world, GI) == await matches_of_side(world, WIJKTEAM) == []
    assert await notices_of(world, GI) == []


@pytest.mark.parametrize("batch", [5, 40])
async def test_pages_go_on_after_the_last_that_was_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Twenty-six matches come in pages of twenty, each once, however many are read at a time."""
    monkeypatch.setattr(matches_listed, "BATCH", batch)
    for number in range(26):
        child = household(subject=f"child {number}")
        await world.register(who(world, GI), child)
        await world.register(who(world, WIJKTEAM), child)
    pages: list[list[str]] = []
    after: Any = None
    while True:
        answer = await listed(world, who(world, GI), after=after)
        found: Any = answer.result["found"]
        pages.append([one["matchId"] for one in found])
        after = answer.result["moreAfter"]
        if after is None:
            break
    assert [len(page) for page in pages] == [20, 6]
    ids = [one for page in pages for one in page]
    assert ids == sorted(set(ids))


def test_an_exclusion_of_a_worker_is_not_one_of_his_team() -> None:
    """That one worker must not see a signal does not keep it from his colleagues' notice."""
    exclusion = Exclusion(organisation=GI, worker="one")
    assert not exclusion.concerns(GI, "")
    assert exclusion.concerns(GI, "one")


async def test_who_may_not_see_by_the_rules_is_not_told(world: World) -> None:
    """A school, to which a GI never shows itself, gets no notice of its signal and no match; the GI sees the school."""
    details: dict[str, Any] = {
        "ageQuarter": "2040-01-01",
        "assessment": {"on": "2026-11-20", "by": "worker"},
        "informing": {"state": "informed", "reason": None, "reviewOn": None},
        "endsOn": "2027-06-01",
    }
    school, gi = (who(world, oin, purpose="verwijsindex", ground="JW-7.1.4.1") for oin in (SCHOOL, GI))
    await world.register(school, CHILD, **details)
    answer = await world.register(gi, CHILD, **details)
    assert answer.result["outcome"] == "shown"
    assert await notices_of(world, SCHOOL) == []
    assert await matches_of_side(world, SCHOOL) == []
    assert [match["involved"]["holder"]["oin"] for match in await matches_of_side(world, GI)] == [SCHOOL]


async def test_a_signal_by_which_somebody_was_told_is_not_withdrawn_without_a_review(world: World) -> None:
    """Put there to hear who comes, and gone as soon as he came: a reviewer looks first, on both sides (D5)."""
    parked = await world.register(who(world, GI), CHILD)
    await world.register(who(world, WIJKTEAM), CHILD)
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(who(world, GI), str(parked.result["signalId"]))
