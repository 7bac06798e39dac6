"""Who is kept from a signal by name reviews nothing that was done on it; the FG sees it is there (red line 5)."""

import pytest

from broker.domain.errors import NotFoundError
from tests.simulators.asking import household
from tests.simulators.broker_world import World, exclude
from tests.simulators.enrolled import GI, WIJKTEAM, worker_id
from tests.simulators.reviewing import FG, PF, Reviewers, shown

CHILD = household(subject="child")
OTHER = household(subject="another child")


async def test_a_kept_reviewer_reads_and_judges_nothing_of_it(world: World) -> None:
    """Queue, timeline, household and verdict are as if the signal were not there; another signal's acts stay."""
    review = Reviewers(world)
    await world.register(world.asker(WIJKTEAM), CHILD)
    kept = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    seen = str((await world.register(world.asker(GI, seed="another"), OTHER)).result["signalId"])
    before = await review.acts(GI)
    (hidden,) = [one["index"] for one in before if one["signals"] == [kept]]
    await exclude(world, kept, organisation=GI, worker=worker_id(GI, PF))

    told = await review.acts(GI)
    assert hidden not in {one["index"] for one in told}
    assert {signal for one in told for signal in one["signals"]} == {seen}
    with pytest.raises(NotFoundError):
        await review.household(GI, kept)
    with pytest.raises(NotFoundError):
        await review.judge(GI, hidden, "in_order")
    assert shown(await review.household(GI, seen), "acts")

    supervised = await review.acts(GI, role=FG)
    assert hidden in {one["index"] for one in supervised}
    assert shown(await review.household(GI, kept, role=FG), "acts")


async def test_an_exclusion_of_somebody_else_changes_nothing(world: World) -> None:
    """A colleague who is kept from a signal keeps its reviewer from nothing."""
    review = Reviewers(world)
    signal = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    await exclude(world, signal, organisation=GI, worker=worker_id(GI, "worker"))
    assert [one["signals"] for one in await review.acts(GI) if one["kind"] == "signal"] == [[signal]]
    assert shown(await review.household(GI, signal), "acts")
