"""No disclosure after the commit of a withdrawal: not on a yes either that was stated before it, and arrives after it.

A worker's statement waits at his desk while the broker cannot be reached. Meanwhile the same person says no to a
colleague. What comes in later was said earlier: it is refused openly, recorded, and changes nothing.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.domain.errors import FieldRuleError, RefusedError
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from broker.protocol.request_signing import SKEW_S
from policies import load_bundle
from tests.simulators.broker_world import STORES, World, a_world, log_size
from tests.simulators.consenting import (
    GGZ,
    HUISARTS,
    adult,
    answer,
    answered_too,
    approved,
    caring,
    listed,
    record,
    recorded,
    send_record,
    withdrawn,
)
from tests.simulators.enrolled import WIJKTEAM

NO = answer(said="refused")


@pytest.fixture(params=STORES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core with a wijkteam and a general practitioner, on each store."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running


@pytest.fixture(scope="module")
def policy() -> PolicyInForce:
    """The shipped bundle."""
    return PolicyInForce.of(load_bundle())


async def state(world: World) -> set[str]:
    """Return how the wijkteam's records stand towards the general practitioner."""
    shown = await listed(world, adult(world, WIJKTEAM, seed=f"lists {await log_size(world)}"))
    return {party["state"] for one in shown for party in one["parties"] if party["oin"] == HUISARTS}


async def said(world: World, *, at: int | None, seed: str) -> Answered:
    """A yes arrives now that was stated in this second."""
    asker = adult(world, WIJKTEAM, seed=seed)
    return await send_record(world, asker, record(asker, statedAt=at), approval=approved(asker))


@pytest.mark.parametrize("how", ["refused", "withdrawn"])
async def test_a_yes_that_waited_is_no_answer_to_a_later_no(world: World, how: str) -> None:
    """In a record of its own or after an earlier one: refused and recorded; said after the no, it counts."""
    asker = adult(caring(world), WIJKTEAM)
    mine = await recorded(world, asker, *([NO] if how == "refused" else []))
    stated_at = world.clock.now()
    world.clock.move(3600)
    if how == "withdrawn":
        await withdrawn(world, adult(world, WIJKTEAM, seed="phones"), mine)
    else:
        await answered_too(world, adult(world, WIJKTEAM, seed="again"), mine, NO)
    assert await state(world) == {how}
    before = await log_size(world)
    with pytest.raises(RefusedError) as alone:
        await said(world, at=stated_at, seed="waited")
    with pytest.raises(RefusedError) as added:
        await answered_too(world, adult(world, WIJKTEAM, seed="added"), mine, answer(), stated_at=stated_at)
    for refused in (alone, added):
        assert refused.value.document["type"] == "urn:sluis:problem:consent-said-before"
    assert await log_size(world) == before + 2
    assert await state(world) == {how}
    world.clock.move(1)
    await answered_too(world, adult(world, WIJKTEAM, seed="now"), mine, answer(), stated_at=world.clock.now())
    assert await state(world) == {"given"}


async def test_a_no_to_somebody_else_overtakes_nothing(world: World) -> None:
    """What was said of another organisation is another question; and what lies ahead was said by nobody."""
    asker = adult(caring(world), WIJKTEAM)
    stated_at = world.clock.now()
    world.clock.move(60)
    await recorded(world, asker, NO, parties=[GGZ])
    await said(world, at=stated_at, seed="waited")
    assert await state(world) == {"given"}
    before = await log_size(world)
    with pytest.raises(FieldRuleError):
        await said(world, at=world.clock.now() + SKEW_S + 1, seed="ahead")
    assert await log_size(world) == before
