"""The broker's core over each store, with a clock that runs: what benches measure flows on."""

import asyncio
import time
import warnings
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from audit.database import SQLITE, Connection
from broker.domain.changes import StoreSignal
from broker.flows.policy import PolicyInForce
from broker.store.log_writer import LogWriter
from broker.store.state_changes import apply_change
from policies import InsecureTestBundleWarning, load_bundle
from tests.bench.households import known
from tests.bench.seeding import store_all, store_on_server, strangers
from tests.simulators.broker_memory import NoWitnesses
from tests.simulators.broker_world import World, a_database, documents, indexer
from tests.simulators.clock import SeededRandomness, TestClock
from tests.simulators.databases import DATABASES, databases

STORES = DATABASES


class RunningClock(TestClock):
    """The calendar of the tests, and a sleep that lets nobody else run longer than it must."""

    def monotonic(self) -> float:
        """Return the machine's own."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep as the machine does."""
        await asyncio.sleep(seconds)


def bench_policy() -> PolicyInForce:
    """Return the test bundle, in which every kind of match may be seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return PolicyInForce.of(load_bundle(insecure_test_bundle=True))


def make_large(store: str, folder: Path, *, signals: int, households: int) -> None:
    """A new folder holds a database of this kind with so many signals, and those on known households besides."""
    folder.mkdir()
    with databases.new(store, folder).session() as connection:
        if connection.dialect is SQLITE:
            fill(connection, known(households, indexer()), strangers(signals, seed=1))
            return
        store_each(connection, known(households, indexer()))
        store_on_server(connection, signals)


@asynccontextmanager
async def a_core(store: str, folder: Path) -> AsyncIterator[World]:
    """Give a broker's core without ticks over the database of this kind in a folder."""
    clock, randomness = RunningClock(), SeededRandomness()
    async with a_database(store, folder, randomness=randomness) as stores:
        writer = LogWriter(
            ledger=stores["ledger"], witnesses=NoWitnesses(), clock=clock, randomness=randomness, tick_ms=0
        )
        async with writer as log:
            yield World(
                policy=bench_policy(), clock=clock, randomness=randomness, tokens=indexer(), documents=documents(),
                log=log, **stores,
            )  # fmt: skip


def fill(connection: Connection, shared: Iterable[StoreSignal], alone: Iterable[StoreSignal]) -> None:
    """The SQLite database, which nobody else has open, holds these signals; those in `alone` share no index."""
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
        connection.execute(f"PRAGMA {pragma}")  # of this connection alone
    store_each(connection, shared)
    store_all(connection, alone)


def store_each(connection: Connection, changes: Iterable[StoreSignal]) -> None:
    """The database holds these signals, as the log writer would have stored them."""
    connection.execute("BEGIN")
    for change in changes:
        apply_change(connection, change, now=0, index=0)
    connection.execute("COMMIT")
