"""How the log stands with its witnesses: since when it lacks them, and that they are asked again (ADR 24)."""

import asyncio
import logging

import httpx
import pytest

from broker.domain.errors import StorageError
from broker.store import witnessing
from broker.store.cosigning import Cosigning
from broker.store.witnessing import HttpWitnesses, ask_again, asked_again
from tests.simulators.broker_memory import NoWitnesses
from tests.simulators.clock import NOON, TestClock
from tests.unit.broker.store.test_witnessing import Head, InMemory, answering, policy


class Outage(Head):
    """A log that is uncosigned until its head was kept with a cosignature; `fails` makes reading fail."""

    def __init__(self) -> None:
        super().__init__(cosigned=0)
        self.reading_fails = False
        self.asked_heard: list[bool] = []
        self.read = asyncio.Event()

    async def uncosigned_since(self, *, heard: bool) -> int | None:
        """Say since when, by what is kept."""
        self.asked_heard.append(heard)
        self.read.set()
        if self.reading_fails:
            raise StorageError
        return None if self.kept else NOON


def cosigning_of(log: Outage, clock: TestClock) -> Cosigning:
    """Return how this log stands, with an hour as its limit."""
    return Cosigning(ledger=log, witnesses=NoWitnesses(), clock=clock, max_uncosigned_s=3600)


async def test_a_restart_forgets_no_outage() -> None:
    """What the database says counts from the start on, and an hour later it has lasted too long."""
    log, clock = Outage(), TestClock()
    cosigning = cosigning_of(log, clock)
    assert not cosigning.too_long
    await cosigning.read()
    clock.move(3600)
    assert (cosigning.since, cosigning.too_long) == (NOON, False)
    clock.move(1)
    assert cosigning.too_long


async def test_witnesses_that_are_back_are_asked_again_on_a_quiet_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask something first: the head is shown again, and disclosures go on."""
    monkeypatch.setattr(witnessing, "AGAIN_S", 0.0)
    log = Outage()
    cosigning = cosigning_of(log, TestClock())
    await cosigning.read()
    log.read.clear()
    async with httpx.AsyncClient(transport=InMemory(answering)) as client:
        witnesses = HttpWitnesses(client=client, policy=policy(), proofs=log)
        async with asked_again(log, witnesses, cosigning):
            await log.read.wait()
    assert (log.kept, cosigning.since) == ([(3, 1)], None)


async def test_a_log_that_has_its_quorum_is_not_shown_again() -> None:
    """Nothing is asked without a reason: it has its quorum, and heard so from the witnesses themselves."""
    log = Outage()
    async with httpx.AsyncClient(transport=InMemory(answering)) as client:
        witnesses = HttpWitnesses(client=client, policy=policy(), proofs=log)
        assert await witnesses.ask(await log.newest_note(), deadline_s=5)
        await ask_again(log, witnesses, cosigning_of(log, TestClock()))
    assert log.kept == []


async def test_witnesses_that_were_not_heard_since_the_start_are_asked_although_all_is_cosigned() -> None:
    """What stands in the database may be of an older copy: only an answer to this process says that it is newest."""
    log = Outage()
    log.kept.append((3, 1))
    cosigning = cosigning_of(log, TestClock())
    async with httpx.AsyncClient(transport=InMemory(answering)) as client:
        witnesses = HttpWitnesses(client=client, policy=policy(), proofs=log)
        await ask_again(log, witnesses, cosigning)
        assert witnesses.heard
    assert log.kept == [(3, 1), (3, 1)]


async def test_a_failure_to_ask_again_is_reported_and_the_outage_stands(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails, nothing is taken for watched, and the broker serves on."""
    log = Outage()
    cosigning = cosigning_of(log, TestClock())
    await cosigning.read()
    log.reading_fails = True
    async with httpx.AsyncClient(transport=InMemory(answering)) as client:
        with caplog.at_level(logging.ERROR):
            await ask_again(log, HttpWitnesses(client=client, policy=policy(), proofs=log), cosigning)
    assert cosigning.since == NOON
    assert "StorageError" in caplog.text


async def test_a_tick_that_was_witnessed_meanwhile_knows_better() -> None:
    """A reading that began before a tick was witnessed does not undo what that tick found."""
    clock = TestClock()

    class Slow(Outage):
        async def uncosigned_since(self, *, heard: bool) -> int | None:
            """Read, and be overtaken by a tick."""
            del heard
            cosigning._asked += 2
            cosigning._since = 17
            return None

    log = Slow()
    cosigning = cosigning_of(log, clock)
    await cosigning.read_again()
    assert cosigning.since == 17
