"""What somebody else has to look at is never ended by whoever did it, approved it, or was consulted about it."""

import re
from typing import Any

import pytest

from broker.domain.changes import Task
from broker.domain.errors import RefusedError, WithdrawalNeedsReviewError
from broker.domain.owed import takes_another
from broker.flows.owing import TEXTS
from tests.simulators.asking import household
from tests.simulators.broker_world import STORES, World, log_size, tasks_of
from tests.simulators.enrolled import WIJKTEAM, worker_id
from tests.simulators.following_up import who
from tests.simulators.owing import found_in, owed_done, owed_of
from tests.unit.broker.flows.test_owed import DUE, owing

CHILD = household(subject="child")
MAKER = worker_id(WIJKTEAM, "worker")
BOTH = pytest.mark.parametrize("world", STORES[:2], indirect=True)
JUDGED = {kind for kind in TEXTS if re.match("review-|fg-|beoordeel_|bevestig_afscherming|disclosed-unwatched", kind)}


def of_role(kind: str) -> str:
    """Return the role in which a task of this kind is seen."""
    if kind.startswith("review-"):
        return "privacyfunctionaris"
    return "fg" if kind.startswith(("fg-", "disclosed-")) else "worker"


async def all_of(world: World, *, role: str, worker: str) -> list[dict[str, Any]]:
    """Return every task that this person is told of, page after page."""
    found, after = [], None
    while True:
        told = await owed_of(world, who(world, WIJKTEAM, role=role), worker=worker, after=after)
        found += found_in(told)
        if told.result["moreAfter"] is None:
            return found
        after = str(told.result["moreAfter"])


async def refused_by(world: World, asker_role: str, task_id: str, *, worker: str) -> RefusedError:
    """Return how ending this was refused, as one entry and without any other effect."""
    before, asker = await log_size(world), who(world, WIJKTEAM, role=asker_role)
    with pytest.raises(RefusedError) as refused:
        await owed_done(world, asker, task_id, worker=worker)
    assert await log_size(world) == before + 1
    return refused.value


async def test_whoever_looked_does_not_say_that_his_withdrawal_was_reviewed(world: World) -> None:
    """With both roles he reads the task, marked as his own act, and is refused; a colleague ends it."""
    told = await world.register(world.asker(WIJKTEAM, seed="a signal"), CHILD)
    await world.check(world.asker(WIJKTEAM, seed="looks"), household(subject="child", members=()))
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(world.asker(WIJKTEAM, seed="withdraws"), str(told.result["signalId"]))
    reviewer = who(world, WIJKTEAM, role="privacyfunctionaris")
    (mine,) = found_in(await owed_of(world, reviewer, worker=MAKER))
    assert mine["ownAct"] is True
    refused = await refused_by(world, "privacyfunctionaris", mine["taskId"], worker=MAKER)
    assert (refused.document["type"], refused.document["status"], refused.document["textId"]) == (
        "urn:sluis:problem:approver-is-requester",
        403,
        "review.own_act",
    )
    (theirs,) = found_in(await owed_of(world, reviewer))
    assert theirs == {**mine, "ownAct": False}
    await owed_done(world, reviewer, mine["taskId"])
    assert found_in(await owed_of(world, reviewer)) == []


@BOTH
async def test_of_every_kind_the_maker_ends_what_is_his_to_do(world: World) -> None:
    """Duties he does himself he ends himself; what judges his act, or takes a second person, is another's."""
    makers = frozenset({MAKER, "second"})
    await owing(world, *(Task(kind=kind, organisation=WIJKTEAM, due_on=DUE, makers=makers) for kind in sorted(TEXTS)))
    assert {kind for kind in TEXTS if takes_another(kind)} == JUDGED
    for kind in sorted(TEXTS):
        role = of_role(kind)
        (found,) = [one for one in await all_of(world, role=role, worker=MAKER) if one["kind"] == kind]
        assert found["ownAct"] is (kind in JUDGED)
        if kind in JUDGED:
            for worker in makers:
                await refused_by(world, role, found["taskId"], worker=worker)
        await owed_done(world, who(world, WIJKTEAM, role=role), found["taskId"],
                        worker="colleague" if kind in JUDGED else MAKER)  # fmt: skip


@BOTH
async def test_what_no_person_made_is_ended_by_whoever_sees_it(world: World) -> None:
    """A task of before, or of housekeeping, has no maker: nobody is kept from it."""
    task = Task(kind="review-withdrawal", organisation=WIJKTEAM, due_on=DUE)
    await owing(world, task)
    (kept,) = await world.following.owed.open_after(organisation=WIJKTEAM, role="approver", after="", at_most=2)
    assert kept.task.makers == frozenset()
    await owed_done(world, who(world, WIJKTEAM, role="approver"), kept.id, worker=MAKER)


@BOTH
async def test_the_signals_own_worker_is_a_maker_too(world: World) -> None:
    """A colleague withdraws what its owner looked with: neither of them says that it was reviewed."""
    told = await world.register(world.asker(WIJKTEAM, seed="a signal"), CHILD)
    await world.check(world.asker(WIJKTEAM, seed="looks"), household(subject="child", members=()))
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(world.asker(WIJKTEAM, seed="withdraws"), str(told.result["signalId"]), worker="colleague")
    assert [task.kind for task in tasks_of(world)].count("review-withdrawal") == 1
    found = await world.following.owed.open_after(organisation=WIJKTEAM, role="approver", after="", at_most=9)
    (review,) = [one for one in found if one.task.kind == "review-withdrawal"]
    assert review.task.makers == {MAKER, "colleague"}
