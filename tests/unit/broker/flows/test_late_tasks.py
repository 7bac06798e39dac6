"""What has passed its term is told at a fixed pace: to the own team, and an answer that stays out to who sees to it."""

from pathlib import Path

import pytest

from broker.flows.policy import PolicyInForce
from broker.flows.sweep_overdue import MAX_MATCHES
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, a_world, log_size, shield
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import appointed, followed_up, matches_of_side, notices_of, told_new_report, who
from tests.simulators.team_tasks import MELDING, closed, melding_body, started, tasks_of
from tests.unit.broker.flows.noted_log import recorded
from tests.unit.broker.flows.test_coordinating import DAY, coordinated, coordinator, noticed, swept

CHILD = household(subject="child")


@pytest.fixture
def region(world: World) -> World:
    """A world in which the municipality that the test region's document names is registered too."""
    known_municipality(world)
    return world


def known_municipality(world: World) -> None:
    """The municipality is in the register, with its people."""
    enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
    world.documents.in_force, world.documents.rosters = enrolled.register(), enrolled.rosters()


async def led(world: World) -> str:
    """The wijkteam leads the plan, in a match with Veilig Thuis in which both agreed; return its id."""
    await world.register(who(world, WIJKTEAM), CHILD)
    await world.register(who(world, VEILIG_THUIS), CHILD)
    (match,) = await matches_of_side(world, VEILIG_THUIS)
    match_id = str(match["matchId"])
    await appointed(world, who(world, WIJKTEAM), match_id, WIJKTEAM)
    for oin in (WIJKTEAM, VEILIG_THUIS):
        await followed_up(world, who(world, oin), match_id, "afspraken_gemaakt")
    return match_id


async def test_the_own_team_is_told_once_that_a_term_has_passed(region: World) -> None:
    """On the day after its last day, by one notice about the task; not again, and not once it is done."""
    await started(region, asker := who(region, VEILIG_THUIS), melding_body(asker))
    region.clock.move(DAY)
    assert await swept(region) == 0
    region.clock.move(DAY)
    assert (await swept(region), await swept(region)) == (1, 0)
    weighing = (await tasks_of(region, VEILIG_THUIS))["weging"]
    assert await notices_of(region, VEILIG_THUIS) == [("task_overdue", weighing["taskId"])]
    assert await notices_of(region, WIJKTEAM) == []
    another = melding_body(who(region, VEILIG_THUIS), proof={**MELDING, "reference": "ef" * 32})
    await started(region, who(region, VEILIG_THUIS), another)
    for task in (await tasks_of(region, VEILIG_THUIS)).values():
        if task["state"] == "open":
            await closed(region, who(region, VEILIG_THUIS), task["taskId"])


async def test_a_casusregisseur_who_does_not_answer_is_told_of_to_the_coordinator(region: World) -> None:
    """Scenario 15: five working days after a new report the coordinator reads that there was no contact, not why."""
    match_id = await led(region)
    await told_new_report(region, who(region, VEILIG_THUIS), match_id)
    region.clock.move(5 * DAY)
    # Veilig Thuis has not weighed the report yet: that is its own notice.
    assert (await swept(region), [one["overdue"] for one in await coordinated(region)]) == (1, [False])
    region.clock.move(DAY)
    assert await swept(region) == 2
    assert await noticed(region) == ["coordinated", "match_overdue"]
    assert [one["overdue"] for one in await coordinated(region)] == [True]
    assert ("follow_up_overdue", match_id) in await notices_of(region, WIJKTEAM)
    # Once he says how far he is, he has answered.
    await followed_up(region, who(region, WIJKTEAM), match_id, "contact_gehad")
    assert [one["overdue"] for one in await coordinated(region)] == [False]


async def test_of_a_match_that_is_seen_no_more_nothing_is_late(region: World) -> None:
    """Veilig Thuis shields itself meanwhile: the wijkteam's evaluations of it are told to nobody, nor its answer."""
    match_id = await led(region)
    await told_new_report(region, who(region, VEILIG_THUIS), match_id)
    (signal,) = (await matches_of_side(region, VEILIG_THUIS))[0]["signals"]
    await shield(region, signal)
    before = await noticed(region)
    region.clock.move(400 * DAY)
    # Its own weighing and investigation, and its own two evaluations.
    await swept(region)
    assert await notices_of(region, WIJKTEAM) == []
    assert await noticed(region) == before == []


async def test_what_cannot_be_told_today_is_told_when_it_can(region: World) -> None:
    """A wijkteam that may not act on that day hears nothing of its evaluation, and does once it may act again."""
    match_id = await led(region)
    register = region.documents.in_force
    region.clock.move(93 * DAY)
    region.documents.in_force = Enrolled(suspended=frozenset({WIJKTEAM})).register()
    assert (await swept(region), await swept(region)) == (1, 0)
    region.documents.in_force = register
    assert await swept(region) == 1
    assert ("follow_up_overdue", match_id) in await notices_of(region, WIJKTEAM)


async def test_more_than_one_pace_can_tell_is_told_at_the_next(tmp_path: Path, policy: PolicyInForce) -> None:
    """Of 26 matches and 26 tasks past their day, 24 each are told at one pace and the rest at the next, none twice."""
    async with a_world("memory", tmp_path, policy=policy) as region:
        known_municipality(region)
        for number in range(MAX_MATCHES + 2):
            child = household(subject=f"child {number}")
            await region.register(who(region, GI), child)
            await region.register(who(region, WIJKTEAM), child)
            proof = {**MELDING, "reference": f"{number:064x}"}
            await started(region, who(region, VEILIG_THUIS), melding_body(who(region, VEILIG_THUIS), proof=proof))
        region.clock.move(10 * DAY)
        before = await log_size(region)
        assert [await swept(region) for _ in range(3)] == [2 * MAX_MATCHES, 4, 0]
        assert await log_size(region) == before + 3
        overdue = [one["overdue"] for page in await pages(region) for one in page]
        assert overdue == [True] * (MAX_MATCHES + 2)


async def pages(world: World) -> list[list[dict[str, object]]]:
    """Return both pages of the coordinator's list."""
    first = await coordinated(world)
    return [first, await coordinated(world, after=str(first[-1]["matchId"]))]


async def test_a_pace_is_one_entry_of_one_form(region: World) -> None:
    """With and without something that is late the entry has the same members; only ids tell them apart."""
    proposals = recorded(region)
    await swept(region)
    await started(region, asker := who(region, VEILIG_THUIS), melding_body(asker))
    region.clock.move(10 * DAY)
    await swept(region)
    nothing, something = (one for one in proposals if one.kind == "retention")
    assert (nothing.payloads["hits"], nothing.payloads["meta"].keys()) == (
        {"schema": "entry-overdue/v1", "tasks": []}, something.payloads["meta"].keys(),
    )  # fmt: skip
    assert len(something.payloads["hits"]["tasks"]) == 1  # type: ignore[arg-type]  # a list, as stated above
    assert isinstance(coordinator(region), Asker)
