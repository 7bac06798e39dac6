"""How entries are dated when the clock goes back: review and retention rely on times that only rise (ADR 35)."""

import logging
from pathlib import Path

import pytest

from audit.receipt import Receipt
from broker.store.log_writer import LogWriter
from tests.simulators.broker_memory import MemoryBroker, NoWitnesses
from tests.simulators.broker_world import STORES, a_database
from tests.simulators.clock import NOON, SeededRandomness, TestClock
from tests.simulators.proposals import committed, storing

STEPS = (0, 10, -61, 5, 60)
DATED = (0, 10, 10, 10, 14)
"""Seconds after noon that entries state, when the clock moves by these steps before each of them."""


async def dated(ledger: MemoryBroker) -> list[int]:
    """Return the seconds after noon that each of some entries states."""
    clock, times = TestClock(), list[int]()
    log = LogWriter(
        ledger=ledger, witnesses=NoWitnesses(), clock=clock, randomness=SeededRandomness(7), tick_ms=0
    )  # fmt: skip
    async with log:
        for number, step in enumerate(STEPS):
            clock.move(step)
            one = await committed(log, storing(f"signal {number}"))
            times.append(Receipt.from_wire(dict(one.receipt)).leaf.time - NOON)
    return times


@pytest.mark.parametrize("store", STORES)
async def test_no_entry_is_dated_before_the_newest(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A clock that was set back is waited out at the newest entry's time; a step of more than a minute is reported."""
    randomness = SeededRandomness()
    if store == "memory":
        assert await dated(MemoryBroker(randomness=randomness)) == list(DATED)
        return
    async with a_database(store, tmp_path, randomness=randomness) as stores:
        with caplog.at_level(logging.ERROR):
            assert await dated(stores["ledger"]) == list(DATED)
    reports = [record.getMessage() for record in caplog.records if "behind the newest entry" in record.getMessage()]
    assert [report.split()[3] for report in reports] == ["61"]
