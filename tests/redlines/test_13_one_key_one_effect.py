"""Red line 13: one idempotency key = one effect; another body is a conflict."""

import asyncio
from pathlib import Path

import pytest

from broker.domain.errors import KeyReusedError, NotRecordedError, StorageError
from broker.flows.policy import PolicyInForce
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import STORES, a_world, held_in, log_size, signals_of
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.unit.broker.flows.conftest import policy

__all__ = ["policy"]

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


@pytest.mark.parametrize("store", STORES)
async def test_fifty_at_once_have_one_effect(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """Fifty identical requests in flight together: one signal, one leaf, fifty times the same answer."""
    async with a_world(store, tmp_path, policy=policy, tick_ms=200) as world:
        asker = world.asker(GI)
        body = asker.registration(CHILD)
        answers = await asyncio.gather(*(world.send_registration(asker, body) for _ in range(50)))
        assert all(answer.result == answers[0].result for answer in answers)
        assert await log_size(world) == 1
        assert len(signals_of(await world.list(asker))) == 1


@pytest.mark.parametrize("store", STORES)
async def test_fifty_bodies_under_one_key_have_one_effect(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:  # fmt: skip
    """Of fifty different requests under one key exactly one is done; every other is told that the key is used."""
    async with a_world(store, tmp_path, policy=policy, tick_ms=200) as world:
        asker = world.asker(GI)
        key = asker.id()
        bodies = [
            asker.registration(household(subject=f"child {at}"), idempotencyKey=key) for at in range(50)
        ]  # fmt: skip
        answers = await asyncio.gather(
            *(world.send_registration(asker, body) for body in bodies), return_exceptions=True
        )
        assert sum(isinstance(answer, KeyReusedError) for answer in answers) == 49
        assert len(signals_of(await world.list(asker))) == 1


@pytest.mark.parametrize("store", STORES)
async def test_a_check_again_is_no_second_check(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """A repeated check adds no leaf and spends no ticket, and another body under its key is a conflict."""
    async with a_world(store, tmp_path, policy=policy) as world:
        asker = world.asker(WIJKTEAM)
        await world.register(asker, CHILD)
        body = asker.check(LOOK)
        first = await world.send_check(asker, body)
        size = await log_size(world)
        assert (await world.send_check(asker, body)).result == first.result
        with pytest.raises(KeyReusedError):
            await world.send_check(asker, {**body, "caseRef": "cd" * 32})
        assert await log_size(world) == size


async def test_a_key_whose_request_was_not_done_is_still_free(tmp_path: Path, policy: PolicyInForce) -> None:
    """An outage spends neither key nor ticket: the same request succeeds afterwards."""
    async with a_world("memory", tmp_path, policy=policy) as world:
        memory, asker = world.ledger, world.asker(GI)
        assert isinstance(memory, MemoryBroker)
        body = asker.registration(CHILD)
        memory.fails_with = StorageError
        with pytest.raises(NotRecordedError):
            await world.send_registration(asker, body)
        memory.fails_with = None
        assert (await world.send_registration(asker, body)).result["signalId"]


@pytest.mark.parametrize("store", DATABASES)
async def test_the_kept_answer_is_sealed(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """What is kept for a replay does not stand readable in the database."""
    async with a_world(store, tmp_path, policy=policy) as world:
        await world.register(world.asker(GI), CHILD)
        await world.register(world.asker(WIJKTEAM), CHILD)
        sealed = [bytes(row[0]) for row in held_in(world).rows("SELECT sealed FROM answers")]
    assert len(sealed) == 2
    assert len({len(one) for one in sealed}) == 1
    assert not any(word in one for one in sealed for word in (b"026 000", b"matches", b"signalId", GI.encode()))
