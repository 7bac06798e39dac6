"""A colleague who is kept from a signal of his own organisation reads the same with it and without it.

A relative who works at the holder is who such a signal is most to be kept from.
"""

from typing import Any

import pytest

from broker.domain.errors import NotFoundError, RefusedError
from tests.simulators.asking import household
from tests.simulators.broker_world import World, exclude, shield
from tests.simulators.consenting import HUISARTS, adult, answer, caring, involved, listed, recorded
from tests.simulators.enrolled import WIJKTEAM, worker_id

CHILD = household(subject="child")
RELATIVE = worker_id(WIJKTEAM, "worker")


async def hidden_signal(world: World) -> str:
    """Return the id of a shielded signal of the wijkteam, which its only worker must not know of."""
    told = await world.register(world.asker(WIJKTEAM, seed="before he came"), CHILD)
    signal_id = str(told.result["signalId"])
    await shield(world, signal_id)
    await exclude(world, signal_id, organisation=WIJKTEAM, worker=RELATIVE)
    return signal_id


async def reads(world: World) -> list[Any]:
    """Return what he reads who looks at the child, lists what is his, and then registers the child himself."""
    with pytest.raises(RefusedError) as refused:
        await world.check(world.asker(WIJKTEAM, seed="looks"), household(subject="child", members=()))
    mine: Any = (await world.list(world.asker(WIJKTEAM, seed="lists"))).result["signals"]
    told = await world.register(world.asker(WIJKTEAM, seed="registers"), CHILD)
    return [refused.value.document["textId"], mine, {**told.result, "signalId": None}]


async def test_he_reads_the_same_in_both_worlds(world: World) -> None:
    """Whether it is there: the check is refused for want of a signal, nothing is listed, and his own is registered."""
    signal_id = await hidden_signal(world)
    there = await reads(world)
    assert there[:2] == ["vraag.no-standing", []]
    assert there[2]["outcome"] == "nothing"
    with pytest.raises(NotFoundError):
        await world.renew(world.asker(WIJKTEAM, seed="renews"), signal_id, "2027-05-01")
    with pytest.raises(NotFoundError):
        await world.withdraw(world.asker(WIJKTEAM, seed="withdraws"), signal_id)


async def test_a_record_of_consent_tells_him_of_no_shield(world: World) -> None:
    """His own record about somebody reads the same whether a colleague shields her; who shields her reads `unsafe`."""
    await involved(caring(world), HUISARTS)
    asker = adult(world, HUISARTS, seed="shields")
    mine: Any = (await world.list(asker)).result["signals"]
    await recorded(world, asker, answer(), parties=[WIJKTEAM])
    await shield(world, str(mine[0]["signalId"]))
    assert {one["confirmation"] for one in await listed(world, asker)} == {"unsafe"}
    other = adult(world, HUISARTS, seed="a colleague")
    assert {one["confirmation"] for one in await listed(world, other, worker="a-colleague")} == {"given"}
