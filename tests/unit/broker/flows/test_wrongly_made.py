"""What was wrong is told to who was told of it, and to nobody else; any other end, and a shield, tells nothing."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.signals import Exclusion
from broker.flows.policy import PolicyInForce
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, a_world, held_in, log_size, shield
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM, worker_id
from tests.simulators.following_up import followed_up, found_in, listed, matches_of_side, notices_of, who

CHILD = household(subject="child", parents=("mother",))
SISTER = household(subject="sister", parents=("mother",))


async def signal(world: World, oin: str, look: dict[str, Any] = CHILD, **changed: Any) -> str:  # noqa: ANN401 - members of a body
    """Return the id of a new signal."""
    return str((await world.register(who(world, oin), look, **changed)).result["signalId"])


async def withdraw(world: World, oin: str, signal_id: str, reason: str = "mistake") -> None:
    """Withdraw a signal, past the days in which that is reviewed."""
    await world.withdraw(who(world, oin), signal_id, reason=reason)


async def told_of(world: World, oin: str) -> list[str]:
    """Return the own signals by which an organisation is told that something was wrong."""
    return [about for kind, about in await notices_of(world, oin) if kind == "wrongly_made"]


@pytest.mark.parametrize("whose", [GI, WIJKTEAM])
async def test_the_other_side_of_a_match_is_told(world: World, whose: str) -> None:
    """Whichever of the two was wrong, the other is told by his own signal, once, in the entry of the withdrawal."""
    own = {GI: await signal(world, GI), WIJKTEAM: await signal(world, WIJKTEAM)}
    (other,) = {GI, WIJKTEAM} - {whose}
    world.clock.move(20 * 86_400)
    size = await log_size(world)
    await withdraw(world, whose, own[whose])
    assert await log_size(world) == size + 1
    assert await told_of(world, other) == [own[other]]
    assert await told_of(world, whose) == []
    assert await matches_of_side(world, other) == []


async def test_a_match_stays_while_it_rests_on_another_signal(world: World) -> None:
    """Of two signals of a team the wrong one alone is told of; by the other the two teams still find each other."""
    wrong, _ = await signal(world, GI), await signal(world, GI, SISTER)
    own = await signal(world, WIJKTEAM)
    world.clock.move(20 * 86_400)
    await withdraw(world, GI, wrong)
    assert await told_of(world, WIJKTEAM) == [own]
    assert [len(await matches_of_side(world, oin)) for oin in (GI, WIJKTEAM)] == [1, 1]


async def test_what_is_needed_no_more_is_not_told(world: World) -> None:
    """Whoever was right and is done is simply not there any more."""
    theirs = await signal(world, GI)
    await signal(world, WIJKTEAM)
    world.clock.move(20 * 86_400)
    await withdraw(world, GI, theirs, "no_longer_needed")
    assert await notices_of(world, WIJKTEAM) == []


async def test_who_sees_it_no_more_is_not_told(world: World) -> None:
    """After a shield it had gone for the other side: that it was wrong is not told, as it would tell that it was."""
    theirs = await signal(world, GI)
    await signal(world, WIJKTEAM)
    await shield(world, theirs)
    world.clock.move(20 * 86_400)
    await withdraw(world, GI, theirs)
    assert await notices_of(world, WIJKTEAM) == []


async def test_who_is_kept_from_the_own_signal_is_not_told(world: World) -> None:
    """A colleague from whom the own signal is kept reads nothing of what became of those that it met."""
    theirs, own = await signal(world, GI), await signal(world, WIJKTEAM)
    world.clock.move(20 * 86_400)
    await withdraw(world, GI, theirs)
    assert await told_of(world, WIJKTEAM) == [own]
    worker = worker_id(WIJKTEAM, "worker")
    if isinstance(world.ledger, MemoryBroker):
        held = world.ledger.state.signals
        held[own] = replace(held[own], exclusions=frozenset({Exclusion(organisation=WIJKTEAM, worker=worker)}))
    else:
        statement = "INSERT INTO signal_exclusions (signal_id, organisation, worker) VALUES (?, ?, ?)"
        held_in(world).write(statement, own, WIJKTEAM, worker)
    assert await told_of(world, WIJKTEAM) == []


async def test_who_was_never_told_hears_nothing(world: World) -> None:
    """Who met nobody, and who is on another household, has no notice."""
    theirs = await signal(world, GI)
    await signal(world, SCHOOL, household(subject="stranger"))
    world.clock.move(20 * 86_400)
    await withdraw(world, GI, theirs)
    assert await notices_of(world, SCHOOL) == []


@pytest.mark.parametrize("how", ["shield", "withdrawal", "end"])
async def test_every_other_end_reads_alike(world: World, how: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """Shielded, needed no more, or past its last day: the other side reads the same, now and at the next signal."""

    async def seen(running: World, way: str) -> list[object]:
        day = running.clock.today()
        theirs = await signal(running, GI, endsOn=(day + datetime.timedelta(days=20)).isoformat())
        await signal(running, WIJKTEAM)
        (match,) = await matches_of_side(running, WIJKTEAM)
        await followed_up(running, who(running, WIJKTEAM), match["matchId"], "werken_al_samen")
        running.clock.move(20 * 86_400)
        if way == "shield":
            await shield(running, theirs)
        elif way == "withdrawal":
            await withdraw(running, GI, theirs, "no_longer_needed")
        else:
            running.clock.move(86_400)
        read: list[object] = [
            found_in(await listed(running, who(running, WIJKTEAM))),
            await notices_of(running, WIJKTEAM),
        ]
        await signal(running, GI, SISTER)
        states = [one["state"] for one in await matches_of_side(running, WIJKTEAM)]
        return [*read, states, [kind for kind, _ in await notices_of(running, WIJKTEAM)]]

    async with a_world("memory", tmp_path / "other", policy=policy) as other:
        assert await seen(world, how) == await seen(other, "shield") == [[], [], ["nieuw"], ["match"]]


async def test_who_meets_it_in_the_same_tick_is_told_too(world: World) -> None:
    """What a withdrawal relies on moves with every new signal on that person, so that it is decided again."""
    theirs = await signal(world, GI)
    relied_on = (await world.following.matches.touching({theirs})).stamps
    await signal(world, WIJKTEAM, household(subject="stranger"))
    assert await world.signals.stamps([stamp.of for stamp in relied_on]) == relied_on
    await signal(world, WIJKTEAM)
    assert await world.signals.stamps([stamp.of for stamp in relied_on]) != relied_on
