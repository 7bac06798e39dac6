"""An address with a crowd is mute, and what may not be seen is no part of a crowd."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.signals import Exclusion
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, held_in, matches_of, shield
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM
from tests.unit.broker.flows.noted_log import recorded

LOOK = household(subject="own", address="flat")


async def neighbour(world: World, number: int, holder: str = GI) -> str:
    """Return the id of a signal of another organisation on a child in the same flat."""
    asker = world.asker(holder, seed=f"neighbour {number}")
    return str((await world.register(asker, household(subject=f"n{number}", address="flat"))).result["signalId"])


async def seen(world: World) -> list[str]:
    """Return who the wijkteam is told to be involved."""
    answer = await world.check(world.asker(WIJKTEAM, seed=f"{world.clock.now()}"), {**LOOK, "members": []})
    return [match["holder"]["oin"] for match in matches_of(answer)]


@pytest.mark.parametrize("hidden", ["shielded", "excluded"])
async def test_a_hidden_signal_is_no_part_of_a_crowd(world: World, hidden: str) -> None:
    """A thirteenth signal that the asker may not see changes nothing of what he reads."""
    await world.register(world.asker(WIJKTEAM), LOOK)
    for number in range(12):
        await neighbour(world, number)
    assert await seen(world) == [GI]
    await hide(world, await neighbour(world, 12, VEILIG_THUIS), how=hidden)
    world.clock.move(1)
    assert await seen(world) == [GI]


async def test_own_signals_silence_nobody(world: World) -> None:
    """Who fills a flat with signals of his own still reads of the others there, and they of him as before."""
    await neighbour(world, 0)
    own = world.asker(WIJKTEAM)
    await world.register(own, LOOK)
    for number in range(12):
        await world.register(own, household(subject=f"filler {number}", address="flat"))
    assert await seen(world) == [GI]


async def test_thirteen_visible_signals_are_a_crowd(world: World) -> None:
    """More than twelve signals of others that may be seen: a flat, and the address says nothing."""
    await world.register(world.asker(WIJKTEAM), LOOK)
    for number in range(13):
        await neighbour(world, number)
    assert await seen(world) == []


@pytest.mark.parametrize("above", [1, 4])
async def test_an_operator_may_set_the_crowd_lower(world: World, above: int) -> None:
    """So many visible signals are told of; one more makes the address mute, and only then the entry says so."""
    world.address_mute_above = above
    await world.register(world.asker(WIJKTEAM), LOOK)
    for number in range(above):
        await neighbour(world, number)
    proposals = recorded(world)
    assert await seen(world) == [GI]
    await neighbour(world, above)
    world.clock.move(1)
    assert await seen(world) == []
    hits: list[Any] = [proposal.payloads["hits"] for proposal in proposals if proposal.kind == "check"]
    assert [payload.get("mute") for payload in hits] == [None, True]
    assert [len(payload["decisions"][0]["signals"]) for payload in hits] == [above, above + 1]


async def test_a_mute_address_silences_no_other_kind(world: World) -> None:
    """Who is found as a person too is told of as a person."""
    world.address_mute_above = 1
    await world.register(world.asker(WIJKTEAM), LOOK)
    await world.register(world.asker(VEILIG_THUIS), LOOK)
    for number in range(2):
        await neighbour(world, number)
    assert await seen(world) == [VEILIG_THUIS]


async def hide(world: World, signal_id: str, *, how: str) -> None:
    """Make a signal one that the wijkteam may not see."""
    if how == "shielded":
        await shield(world, signal_id)
    elif isinstance(world.ledger, MemoryBroker):
        signals = world.ledger.state.signals
        excluded = frozenset({Exclusion(organisation=WIJKTEAM, worker=None)})
        signals[signal_id] = replace(signals[signal_id], exclusions=excluded)
    else:
        held_in(world).write("INSERT INTO signal_exclusions VALUES (?, ?, '')", signal_id, WIJKTEAM)
