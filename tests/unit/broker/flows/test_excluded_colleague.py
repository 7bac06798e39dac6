"""A colleague who is kept from a signal of his own organisation reads the same with it and without it.

A relative who works at the holder is who such a signal is most to be kept from.
"""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.changes import HandOver
from broker.domain.errors import NotFoundError, RefusedError
from broker.domain.signals import SignalState
from broker.ports import Proposal
from tests.simulators.asking import household
from tests.simulators.broker_world import World, exclude, shield, signals_of, tasks_of
from tests.simulators.consenting import HUISARTS, adult, answer, caring, involved, listed, record, recorded, send_record
from tests.simulators.enrolled import WIJKTEAM, worker_id
from tests.simulators.proposals import committed

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


async def test_a_no_that_he_records_takes_nothing_away(world: World) -> None:
    """No proof is asked of a no: who is kept from a signal does not end it by one, its team is asked to look."""
    doctor = await involved(caring(world), HUISARTS)
    (mine,) = signals_of(await world.list(doctor))
    signal_id = str(mine["signalId"])
    await exclude(world, signal_id, organisation=HUISARTS, worker=worker_id(HUISARTS, "worker"))
    said_no = replace(doctor, seed="his no")
    await send_record(world, said_no, record(said_no, answer(said="refused"), parties=[WIJKTEAM]))
    own = await world.signals.own(organisation=HUISARTS, signal_id=signal_id)
    assert own is not None
    assert own.signal.state is SignalState.ACTIVE
    assert [task.kind for task in tasks_of(world) if task.signal_id == signal_id][-1] == "signal-consent-no"
    # The team is told so in its inbox, and he who is kept from the signal reads nothing of it there.
    for worker, told in (("", []), ("a-colleague", [("consent_refused", signal_id)])):
        inbox: Any = (await world.inbox(adult(world, HUISARTS, seed=f"inbox {worker}"), worker=worker)).result
        assert [(one["kind"], one["about"]) for one in inbox["notices"]] == told
    # Nor does a yes of his make it last longer or shorter.
    said_yes = replace(doctor, seed="his yes")
    await send_record(world, said_yes, record(said_yes, answer(until="2026-11-23"), parties=[WIJKTEAM]))
    after = await world.signals.own(organisation=HUISARTS, signal_id=signal_id)
    assert after is not None
    assert after.signal == own.signal


async def test_a_no_by_a_colleague_of_the_owner_ends_it_and_is_reviewed(world: World) -> None:
    """A resident's no works at once whoever records it; where that is not who sees to the signal, a reviewer looks."""
    doctor = await involved(caring(world), HUISARTS)
    (mine,) = signals_of(await world.list(doctor))
    change = HandOver(organisation=HUISARTS, ids=(str(mine["signalId"]),), to="somebody-else")
    await committed(world.log, Proposal(kind="admin", payloads={}, changes=(change,)))
    await recorded(world, replace(doctor, seed="a no"), answer(said="refused"), parties=[WIJKTEAM])
    kinds = [task.kind for task in tasks_of(world) if task.signal_id == mine["signalId"]]
    assert {"signal-ended", "review-withdrawal"} <= set(kinds)
