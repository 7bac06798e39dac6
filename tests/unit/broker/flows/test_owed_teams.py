"""What follows from an act is for who did it, his team and the approvers: to others it is as if it were not there."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from broker.domain.changes import Task
from broker.domain.errors import NotFoundError
from broker.flows.policy import PolicyInForce
from broker.protocol.owed_messages import OWED_PER_PAGE
from broker.protocol.roster import Worker
from tests.simulators.broker_world import STORES, World, a_world, log_size
from tests.simulators.enrolled import WIJKTEAM, Enrolled
from tests.simulators.following_up import who
from tests.simulators.owing import found_in, kinds_of, owed_done, owed_of
from tests.unit.broker.flows.test_owed import DUE, INFORM, owing

BOTH = pytest.mark.parametrize("world", STORES[:2], indirect=True)
TEAMS = {"maker": ("team-1",), "mate": ("team-1",), "other": ("team-2",), "everywhere": ()}


def enrol(world: World, *names: str, without: frozenset[str] = frozenset()) -> None:
    """These work here, each in his team; `without` are roles that nobody has."""
    others = tuple(
        Worker(sub=sub, roles=frozenset({"worker"}), broker_sub=None, teams=frozenset(TEAMS[sub])) for sub in names
    )
    enrolled = Enrolled(others={WIJKTEAM: others}, teams=("team-1", "team-2"), without=without)
    world.documents.rosters = enrolled.rosters()


def duty(actor: str | None = "maker") -> Task:
    """Return a duty after an act of this worker."""
    return Task(kind=INFORM, organisation=WIJKTEAM, due_on=DUE, actor=actor)


async def seen_by(world: World) -> set[str]:
    """Return who among these workers is told of a duty, each in the role `worker`."""
    return {sub for sub in TEAMS if await kinds_of(world, WIJKTEAM, worker=sub)}


@BOTH
async def test_a_duty_is_for_its_maker_his_team_and_the_approvers(world: World) -> None:
    """Another team's worker reads nothing of it and cannot end it; a mate does, for the family is told once."""
    enrol(world, *TEAMS)
    await owing(world, duty())
    assert await seen_by(world) == {"maker", "mate", "everywhere"}
    assert await kinds_of(world, WIJKTEAM, role="approver") == [INFORM]
    (task,) = found_in(await owed_of(world, who(world, WIJKTEAM), worker="mate"))
    before = await log_size(world)
    with pytest.raises(NotFoundError):
        await owed_done(world, who(world, WIJKTEAM), task["taskId"], worker="other")
    assert await log_size(world) == before
    await owed_done(world, who(world, WIJKTEAM), task["taskId"], worker="mate")
    assert await seen_by(world) == set()


@BOTH
async def test_of_before_it_is_everybodys(world: World) -> None:
    """Whose act it follows from is not known: as before, whoever works here sees to it, and is told of no act."""
    enrol(world, *TEAMS)
    await owing(world, duty(None))
    assert await seen_by(world) == set(TEAMS)
    (task,) = found_in(await owed_of(world, who(world, WIJKTEAM), worker="other"))
    assert (task["act"], task["byVerdict"]) == (None, False)


@BOTH
async def test_it_is_never_nobodys(world: World) -> None:
    """Who left has no team: approvers have it then, or everybody where there are none; as of who works in no team."""
    enrol(world, "mate", "other")
    await owing(world, duty())
    assert await seen_by(world) == {"maker", "everywhere"}
    assert await kinds_of(world, WIJKTEAM, role="approver") == [INFORM]
    enrol(world, "mate", "other", without=frozenset({"approver"}))
    assert await seen_by(world) == set(TEAMS)
    enrol(world, "mate", "other", "maker")
    roster = world.documents.rosters[WIJKTEAM]
    nowhere = replace(roster.workers["maker"], teams=frozenset())
    changed = replace(roster, workers={**roster.workers, "maker": nowhere})
    world.documents.rosters = {**world.documents.rosters, WIJKTEAM: changed}
    assert await seen_by(world) == set(TEAMS)


async def _read_by_another(world: World, *, others: int) -> list[Any]:
    """Return what another team's worker reads, page by page, with so many duties of the maker's among his own."""
    enrol(world, *TEAMS)
    own = [Task(kind=INFORM, organisation=WIJKTEAM, due_on=date(2026, 12, 2), actor="other")] * (OWED_PER_PAGE + 2)
    await owing(world, *own, *[replace(duty(), kind="zoek_gezag_uit", due_on=date(2026, 12, 2))] * others)
    first = await owed_of(world, who(world, WIJKTEAM), worker="other")
    after = str(first.result["moreAfter"])
    second = await owed_of(world, who(world, WIJKTEAM), worker="other", after=after)
    done = await owed_done(world, who(world, WIJKTEAM), after, worker="other")
    return [first.result, second.result, done.result, await log_size(world)]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_another_teams_duties_change_nothing(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """Sixty duties of others among his own: the same pages, ids and entries as without them."""
    read = []
    for others in (60, 0):
        (tmp_path / str(others)).mkdir()
        async with a_world(store, tmp_path / str(others), policy=policy) as world:
            read.append(await _read_by_another(world, others=others))
    assert read[0] == read[1]
    assert [len(page["found"]) for page in read[0][:2]] == [OWED_PER_PAGE, 2]
