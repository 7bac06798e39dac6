"""R9-9: what a reviewer is to look at really reaches one, and he ends it; who did it himself does not."""

from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import RefusedError
from broker.flows.policy import PolicyInForce
from tests.simulators.asking import household
from tests.simulators.broker_world import STORES, World, a_world
from tests.simulators.consenting import adult, answer, caring, involved, listed, recorded, withdrawn
from tests.simulators.enrolled import WIJKTEAM, worker_id
from tests.simulators.following_up import who
from tests.simulators.owing import found_in, kinds_of, owed_done, owed_of
from tests.simulators.requesting import HUISARTS, Desk, problem_of

LOOK = household(subject="trudy", members=())
BOTH = pytest.mark.parametrize("world", STORES[:2], indirect=True)
PF = "privacyfunctionaris"


async def only_another_ends_it(world: World, kind: str, *, maker: str) -> dict[str, Any]:
    """The one task of these reviewers is of this kind, and it is ended by another than its maker."""
    (task,) = found_in(await owed_of(world, who(world, HUISARTS, role=PF)))
    assert task["kind"] == kind
    with pytest.raises(RefusedError) as refused:
        await owed_done(world, who(world, HUISARTS, role=PF), task["taskId"], worker=maker)
    assert problem_of(refused.value) == "approver-is-requester"
    await owed_done(world, who(world, HUISARTS, role=PF), task["taskId"])
    assert await kinds_of(world, HUISARTS, role=PF) == []
    return task


async def test_who_named_himself_reaches_a_reviewer(tmp_path: Path, policy: PolicyInForce) -> None:
    """He opened a question for a named professional by naming himself: a reviewer has it, with its last day."""
    own = worker_id(HUISARTS, "worker")
    async with a_world("sqlite", tmp_path, policy=policy) as world:
        desk = Desk(world)
        await desk.forward(await desk.sent(to=HUISARTS), by=HUISARTS, who=own)
        task = await only_another_ends_it(world, "review-named-oneself", maker=own)
        assert (task["since"], task["dueOn"], task["signalId"]) == ("2026-11-22", "2026-11-27", None)


@BOTH
async def test_a_no_that_ended_a_signal_that_looked_reaches_a_reviewer(world: World) -> None:
    """Her right to take it back waits for nobody; that it was looked with shortly before is looked at afterwards."""
    asker = await involved(caring(world), HUISARTS)
    (mine,) = await listed(world, asker)
    await world.check(adult(world, HUISARTS, seed="looks by it"), LOOK)
    await withdrawn(world, asker, mine["consentId"])
    task = await only_another_ends_it(world, "review-withdrawal", maker=worker_id(HUISARTS, "worker"))
    assert (task["state"], task["signalId"] is None) == ("vandaag", False)


@BOTH
async def test_a_yes_that_ended_by_its_day_reaches_a_reviewer_too(world: World) -> None:
    """Housekeeping made it: whose signal looked does not say of his own look that it was reviewed."""
    await involved(caring(world), HUISARTS)
    await world.check(adult(world, HUISARTS, seed="looks by it"), LOOK)
    await recorded(world, adult(world, HUISARTS, seed="shorter"), answer(until="2026-11-22"), parties=[WIJKTEAM])
    world.clock.move(86_400)
    assert (await world.sweep()).consent == 1
    await only_another_ends_it(world, "review-withdrawal", maker=worker_id(HUISARTS, "worker"))
