"""Request ids, the clock and randomness: the small ports, on the machine and in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.domain.errors import StorageError
from broker.ports import RequestSpending
from broker.store.connection import SingleWriter
from broker.store.request_ids import StoredRequestIds
from broker.store.system import NETHERLANDS, SystemClock, SystemRandomness
from tests.simulators.broker_memory import MemoryRequestIds
from tests.simulators.broker_world import STORES
from tests.simulators.clock import NOON, TestClock
from tests.simulators.databases import Database, databases
from tests.simulators.enrolled import GI, WIJKTEAM


@pytest.fixture(params=STORES)
async def spending(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RequestSpending]:
    """Request ids, none of them used."""
    clock = TestClock()
    if request.param == "memory":
        yield MemoryRequestIds(clock)
        return
    with closing(SingleWriter(databases.new(request.param, tmp_path).address)) as writer:
        yield StoredRequestIds(writer=writer, clock=clock)


async def test_a_request_id_is_used_once_per_issuer(spending: RequestSpending) -> None:
    """Of a hundred at once one is the first; another organisation's same id is another."""
    uses = await asyncio.gather(
        *(spending.spend(issuer=GI, jti="a" * 32, expires_at=NOON + 300) for _ in range(100))
    )  # fmt: skip
    assert sum(uses) == 1
    assert await spending.spend(issuer=WIJKTEAM, jti="a" * 32, expires_at=NOON + 300)
    assert await spending.spend(issuer=GI, jti="b" * 32, expires_at=NOON + 300)


async def test_a_used_id_survives_a_restart_and_is_kept_only_while_its_request_could_hold(database: Database) -> None:
    """While a request could still be valid its id stays used and noted; later it is not noted, and still not unused."""
    clock = TestClock()
    for at, first, kept in ((0, True, 1), (300, False, 1), (359, False, 1), (421, False, 0)):
        writer = SingleWriter(database.address)
        clock.move(NOON + at - clock.now())
        spent = StoredRequestIds(writer=writer, clock=clock)
        assert await spent.spend(issuer=GI, jti="a" * 32, expires_at=NOON + 300) is first
        noted = writer.connection.execute("SELECT count(*) FROM request_jti WHERE jti = ?", ("a" * 32,)).fetchone()
        assert noted == (kept,)
        writer.close()


async def test_a_clock_that_went_forward_and_back_revives_no_request(database: Database) -> None:
    """After ids were forgotten too early, what expires no later is refused, of that organisation alone."""
    clock = TestClock()
    writer = SingleWriter(database.address)
    spent = StoredRequestIds(writer=writer, clock=clock)
    for jti, expires_at in (("a" * 32, NOON + 300), ("b" * 32, NOON + 200)):
        assert await spent.spend(issuer=GI, jti=jti, expires_at=expires_at)
    clock.move(10 * 365 * 86_400)
    assert await spent.spend(issuer=WIJKTEAM, jti="c" * 32, expires_at=clock.now() + 300)
    clock.move(-10 * 365 * 86_400)
    for jti, expires_at in (("a" * 32, NOON + 300), ("b" * 32, NOON + 200), ("d" * 32, NOON + 300)):
        assert not await spent.spend(issuer=GI, jti=jti, expires_at=expires_at)
    assert await spent.spend(issuer=GI, jti="d" * 32, expires_at=NOON + 301)
    assert await spent.spend(issuer=WIJKTEAM, jti="a" * 32, expires_at=NOON + 300)
    writer.close()


async def test_an_id_that_cannot_be_noted_is_an_outage(database: Database) -> None:
    """Without its note a request is not accepted, and the writer works on."""
    writer = SingleWriter(database.address)
    spent = StoredRequestIds(writer=writer, clock=TestClock())
    database.write("ALTER TABLE request_jti RENAME TO elsewhere")
    with pytest.raises(StorageError):
        await spent.spend(issuer=GI, jti="a" * 32, expires_at=NOON)
    database.write("ALTER TABLE elsewhere RENAME TO request_jti")
    assert await spent.spend(issuer=GI, jti="a" * 32, expires_at=NOON)
    writer.close()


async def test_an_id_is_an_outage_while_the_database_is_held(database: Database) -> None:
    """When not even a transaction begins there is nothing to undo, and it is told."""
    patience = {"sqlite": "PRAGMA busy_timeout=1", "postgresql": "SET lock_timeout = '1ms'"}
    holding = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "LOCK TABLE request_jti"}
    with closing(SingleWriter(database.address)) as writer, database.session() as other:
        kind = writer.connection.dialect.name
        writer.connection.execute(patience[kind])
        if kind == "postgresql":
            other.execute("BEGIN")
        other.execute(holding[kind])
        spent = StoredRequestIds(writer=writer, clock=TestClock())
        with pytest.raises(StorageError):
            await spent.spend(issuer=GI, jti="a" * 32, expires_at=NOON)
        other.execute("ROLLBACK")
        assert await spent.spend(issuer=GI, jti="a" * 32, expires_at=NOON)


async def test_the_machines_clock_tells_dutch_days() -> None:
    """The day changes at midnight in the Netherlands, in winter and in summer."""
    clock = SystemClock()
    before, today, after = clock.now(), clock.today(), clock.now()
    days = [datetime.fromtimestamp(at, UTC).astimezone(NETHERLANDS).date() for at in (before, after)]
    assert today in days
    assert datetime(2026, 7, 1, 22, 30, tzinfo=UTC).astimezone(NETHERLANDS).day == 2
    assert datetime(2026, 12, 1, 22, 30, tzinfo=UTC).astimezone(NETHERLANDS).day == 1
    began = clock.monotonic()
    await clock.sleep(-1)
    assert clock.monotonic() >= began


def test_the_machines_randomness_does_not_repeat() -> None:
    """Two draws differ, each of the size asked."""
    draws = {SystemRandomness().bytes(16) for _ in range(100)}
    assert len(draws) == 100
    assert {len(draw) for draw in draws} == {16}
