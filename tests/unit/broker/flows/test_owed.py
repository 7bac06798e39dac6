"""What follows from acts and is still to be done: told to whom it is for, ended once, and nothing of it to others."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from broker.domain.changes import FinishOwed, Task
from broker.domain.errors import (
    NotDoneError,
    NotFoundError,
    RoleNotAllowedError,
    StaleDecisionError,
    WithdrawalNeedsReviewError,
)
from broker.flows.owing import TEXTS
from broker.flows.policy import PolicyInForce
from broker.ports import Proposal
from broker.protocol.owed_messages import OWED_PER_PAGE
from broker.protocol.roster import Worker
from tests.simulators.asking import household
from tests.simulators.broker_world import STORES, World, a_world, exclude, log_size
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM, Enrolled, worker_id
from tests.simulators.following_up import who
from tests.simulators.owing import found_in, kinds_of, owed_done, owed_of
from tests.simulators.proposals import committed
from tests.unit.broker.flows.test_unwatched import Away

CHILD = household(subject="child")
DUE = date(2026, 12, 1)
INFORM = "informeer_betrokkene"
ROLES = ("worker", "approver", "privacyfunctionaris", "fg")
BOTH = pytest.mark.parametrize("world", STORES[:2], indirect=True)
"""In memory and on SQLite; the same queries run on PostgreSQL where pages are read and a task is ended."""
TEAMS = {"one": ("team-1",), "two": ("team-2",)}


async def owing(world: World, *tasks: Task) -> None:
    """These tasks follow from an act."""
    await committed(world.log, Proposal(kind="signal", payloads={"meta": {"schema": "entry-meta/v1"}}, tasks=tasks))


def task(kind: str = INFORM, *, of: str = WIJKTEAM, due_on: date = DUE, signal_id: str | None = None) -> Task:
    """Return a task of an organisation."""
    return Task(kind=kind, organisation=of, due_on=due_on, signal_id=signal_id)


async def a_signal(world: World) -> str:
    """Return the id of a signal of the wijkteam, of its first team."""
    told = await world.register(world.asker(WIJKTEAM, seed="a signal"), CHILD)
    return str(told.result["signalId"])


def with_teams(world: World) -> None:
    """The wijkteam has a worker in each of two teams."""
    others = tuple(
        Worker(sub=sub, roles=frozenset({"worker"}), broker_sub=None, teams=frozenset(teams))
        for sub, teams in TEAMS.items()
    )
    enrolled = Enrolled(others={WIJKTEAM: others}, teams=("team-1", "team-2"))
    world.documents.rosters = enrolled.rosters()


@BOTH
@pytest.mark.parametrize("role", ROLES)
async def test_each_kind_is_told_to_whom_it_is_for(world: World, role: str) -> None:
    """Duties to who works here and who approves, reviews to who reviews, the FG's to the FG; nobody reads all."""
    await owing(world, *(task(kind) for kind in TEXTS))
    expected = {
        "worker": {kind for kind in TEXTS if not kind.startswith(("fg-", "review-", "disclosed-"))},
        "approver": {kind for kind in TEXTS if not kind.startswith(("fg-", "disclosed-"))},
        "privacyfunctionaris": {"review-exception", "review-withdrawal", "review-named-oneself"},
        "fg": {"fg-erasure-proposed", "fg-erased", "disclosed-unwatched"},
    }[role]
    first = await owed_of(world, who(world, WIJKTEAM, role=role))
    found, more = found_in(first), first.result["moreAfter"]
    if more is not None:
        found += found_in(await owed_of(world, who(world, WIJKTEAM, role=role), after=str(more)))
    assert {one["kind"] for one in found} == expected
    assert {one["text"]["id"] for one in found} == {TEXTS[kind] for kind in expected}
    assert await kinds_of(world, SCHOOL, role=role) == []


@BOTH
async def test_a_coordinator_has_none(world: World) -> None:
    """Who sees that teams contact each other is nobody's colleague in this: refused, and nothing is recorded."""
    before = await log_size(world)
    with pytest.raises(RoleNotAllowedError):
        await owed_of(world, who(world, WIJKTEAM, role="matchcoordinator"))
    with pytest.raises(RoleNotAllowedError):
        await owed_done(world, who(world, WIJKTEAM, role="matchcoordinator"), "0" * 32)
    assert await log_size(world) == before


@BOTH
async def test_a_refused_withdrawal_waits_for_a_reviewer_who_ends_it(world: World) -> None:
    """What the broker promised when it refused is found by a reviewer, and after his word it is on no list."""
    signal_id = await a_signal(world)
    await world.check(world.asker(WIJKTEAM, seed="looks"), household(subject="child", members=()))
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(world.asker(WIJKTEAM, seed="withdraws"), signal_id)
    assert "review-withdrawal" not in await kinds_of(world, WIJKTEAM)
    reviewer = who(world, WIJKTEAM, role="privacyfunctionaris")
    (found,) = found_in(await owed_of(world, reviewer))
    assert (found["kind"], found["signalId"], found["since"], found["dueOn"]) == (
        "review-withdrawal", signal_id, "2026-11-22", "2026-12-06",
    )  # fmt: skip
    before = await log_size(world)
    told = await owed_done(world, reviewer, found["taskId"])
    assert (told.result["text"], found_in(told)) == ({"id": "owed.done", "params": {}}, [found])
    assert await log_size(world) == before + 1
    assert await kinds_of(world, WIJKTEAM, role="privacyfunctionaris") == []


@BOTH
async def test_what_nobody_may_end_is_no_id(world: World) -> None:
    """Done already, another organisation's, for another role, or none at all: not found, and nothing is recorded."""
    await owing(world, task(), task("fg-erased"), task(of=GI))
    (mine,) = found_in(await owed_of(world, who(world, WIJKTEAM)))
    (theirs,) = found_in(await owed_of(world, who(world, GI)))
    (of_fg,) = found_in(await owed_of(world, who(world, WIJKTEAM, role="fg")))
    await owed_done(world, who(world, WIJKTEAM), mine["taskId"])
    before = await log_size(world)
    for task_id in (mine["taskId"], theirs["taskId"], of_fg["taskId"], "0" * 32, "f" * 32, "-"):
        with pytest.raises(NotFoundError):
            await owed_done(world, who(world, WIJKTEAM), task_id)
    assert await log_size(world) == before
    assert (await kinds_of(world, WIJKTEAM), await kinds_of(world, GI)) == ([], [INFORM])


@BOTH
async def test_of_what_is_alike_each_is_ended_by_itself(world: World) -> None:
    """Two people are to be told on one day, after one act: the other stays, under the id that it had."""
    await owing(world, task(), task())
    first, second = found_in(await owed_of(world, who(world, WIJKTEAM)))
    await owed_done(world, who(world, WIJKTEAM), first["taskId"])
    assert found_in(await owed_of(world, who(world, WIJKTEAM))) == [second]


async def test_it_is_done_once_even_in_one_tick(world: World) -> None:
    """Who decided on what was open, and comes second, decides again and finds nothing."""
    await owing(world, task())
    (kept,) = await world.following.owed.open_after(organisation=WIJKTEAM, role="approver", after="", at_most=2)
    done = Proposal(kind="admin", payloads={"meta": {"schema": "x"}}, changes=(FinishOwed(number=kept.number),))
    await committed(world.log, done)
    with pytest.raises(StaleDecisionError):
        await committed(world.log, done)


async def test_pages_go_on_where_they_ended(world: World) -> None:
    """The first that is due comes first; what was done in between, on whatever page, skips nothing and repeats none."""
    days = [date(2026, 12, 1 + at % 20) for at in range(OWED_PER_PAGE * 2 + 3)]
    await owing(world, *(task(due_on=day) for day in days))
    first = await owed_of(world, who(world, WIJKTEAM))
    last = str(first.result["moreAfter"])
    assert last == found_in(first)[-1]["taskId"]
    await owed_done(world, who(world, WIJKTEAM), last)
    found = found_in(first)
    more: str | None = last
    while more is not None:
        page: Any = (await owed_of(world, who(world, WIJKTEAM), after=more)).result
        found, more = found + page["found"], page["moreAfter"]
    assert [one["dueOn"] for one in found] == sorted(day.isoformat() for day in days)
    assert len({one["taskId"] for one in found}) == len(days)
    assert found_in(await owed_of(world, who(world, WIJKTEAM), after="f" * 32)) == []
    from_the_first = found_in(await owed_of(world, who(world, WIJKTEAM), after="0" * 32))
    assert from_the_first == found[: OWED_PER_PAGE - 1] + found[OWED_PER_PAGE : OWED_PER_PAGE + 1]


async def _read_by_excluded(world: World, *, hidden: bool) -> list[Any]:
    """Return what he reads, page by page, who is kept from a signal; with tasks about it among his own, or without."""
    signal_id = await a_signal(world)
    await exclude(world, signal_id, organisation=WIJKTEAM, worker="kept-from-it")
    others = [task(kind="signal-ended", signal_id=signal_id)] * 60 if hidden else []
    await owing(world, *(task(due_on=date(2026, 12, 2)) for _ in range(OWED_PER_PAGE + 2)), *others)
    first = await owed_of(world, who(world, WIJKTEAM), worker="kept-from-it")
    second = await owed_of(world, who(world, WIJKTEAM), worker="kept-from-it", after=str(first.result["moreAfter"]))
    return [first.result, second.result]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_what_is_hidden_changes_nothing(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """Sixty tasks about what he may not know of: his pages are as full, and his ids the same, as without them."""
    read = []
    for at, hidden in enumerate((True, False)):
        (tmp_path / str(at)).mkdir()
        async with a_world(store, tmp_path / str(at), policy=policy) as world:
            read.append(await _read_by_excluded(world, hidden=hidden))
    assert read[0] == read[1]
    assert [len(page["found"]) for page in read[0]] == [OWED_PER_PAGE, 2]


@BOTH
async def test_about_a_signal_it_is_for_who_may_know_of_it(world: World) -> None:
    """Its team, its owner, and whoever approves or reviews: but nobody who is kept from it, whatever he is."""
    signal_id = await a_signal(world)
    with_teams(world)
    await owing(world, task("signal-frozen", signal_id=signal_id), task("review-withdrawal", signal_id=signal_id))
    frozen, review = ["signal-frozen"], ["review-withdrawal"]
    assert await kinds_of(world, WIJKTEAM) == frozen
    assert (await kinds_of(world, WIJKTEAM, worker="one"), await kinds_of(world, WIJKTEAM, worker="two")) == (
        frozen,
        [],
    )
    assert sorted(await kinds_of(world, WIJKTEAM, role="approver", worker="two")) == review + frozen
    assert await kinds_of(world, WIJKTEAM, role="privacyfunctionaris") == review
    (found,) = found_in(await owed_of(world, who(world, WIJKTEAM)))
    for excluded, role in (("one", "worker"), ("two", "approver"), ("reviewer", "privacyfunctionaris")):
        await exclude(world, signal_id, organisation=WIJKTEAM, worker=excluded)
        assert await kinds_of(world, WIJKTEAM, role=role, worker=excluded) == []
    for worker in ("one", "two"):
        with pytest.raises(NotFoundError):
            await owed_done(world, who(world, WIJKTEAM), found["taskId"], worker=worker)
    await owed_done(world, who(world, WIJKTEAM), found["taskId"])


@BOTH
async def test_its_owner_sees_it_whatever_his_team(world: World) -> None:
    """Who moved to another team still sees to the signals that are his."""
    signal_id = await a_signal(world)
    with_teams(world)
    roster = world.documents.rosters[WIJKTEAM]
    owner = worker_id(WIJKTEAM, "worker")
    moved = replace(roster.workers[owner], teams=frozenset({"team-2"}))
    world.documents.rosters = {
        **world.documents.rosters,
        WIJKTEAM: replace(roster, workers={**roster.workers, owner: moved}),
    }
    await owing(world, task("signal-ended", signal_id=signal_id), task("signal-ended", signal_id="0" * 32))
    assert await kinds_of(world, WIJKTEAM) == ["signal-ended"]


@pytest.mark.parametrize("store", STORES[:2])
async def test_nothing_is_told_while_nobody_watches(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """What would say whom a team worked for is not shown then; it is recorded, and waits."""
    witnesses = Away()
    async with a_world(store, tmp_path, policy=policy, witnesses=witnesses) as world:
        await owing(world, task())
        witnesses.up = False
        await owing(world, task())
        world.clock.move(3601)
        with pytest.raises(NotDoneError) as stopped:
            await owed_of(world, who(world, WIJKTEAM))
        assert stopped.value.document["type"] == "urn:sluis:problem:log-uncosigned"
