"""The log writer's ticks: gathered, durable together, each proposal by itself, told together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from audit.receipt import Receipt
from broker.domain.changes import EndSignal, RenewSignal, TicketId
from broker.domain.errors import (
    AlreadyAnsweredError,
    LogUnavailableError,
    StaleDecisionError,
    StorageError,
    TicketSpentError,
)
from broker.domain.signals import SignalState
from broker.ports import Committed, Proposal, Stamp, StampKey, StampKind
from broker.store.log_writer import Cosignature, Ledger, LogWriter, SealedProposal, Witnesses, Written
from tests.simulators.broker_memory import MemoryBroker, NoWitnesses
from tests.simulators.broker_world import STORES, a_database
from tests.simulators.clock import SeededRandomness, TestClock
from tests.simulators.proposals import an_index, committed, storing

TICK_MS = 200


@pytest.fixture(params=STORES)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    """A founded, empty ledger."""
    randomness = SeededRandomness()
    if request.param == "memory":
        yield MemoryBroker(randomness=randomness)
        return
    async with a_database(request.param, tmp_path, randomness=randomness) as stores:
        yield stores["ledger"]


@asynccontextmanager
async def writing(
    ledger: Ledger, *, clock: TestClock | None = None, witnesses: Witnesses | None = None, tick_ms: int = TICK_MS
) -> AsyncIterator[LogWriter]:
    """Give a running writer."""
    writer = LogWriter(
        ledger=ledger,
        witnesses=witnesses or NoWitnesses(),
        clock=clock or TestClock(),
        randomness=SeededRandomness(7),
        tick_ms=tick_ms,
    )
    async with writer:
        yield writer


async def outcomes(log: LogWriter, *proposals: Proposal) -> list[Committed | BaseException]:
    """Commit these at the same time and return what each came to."""
    return await asyncio.gather(*(committed(log, proposal) for proposal in proposals), return_exceptions=True)


class Watching:
    """Witnesses that answer as told, and note the deadline they were given."""

    heard = True

    def __init__(self, *, enough: bool, lines: Sequence[str] = (), fails: bool = False) -> None:
        self.enough, self.lines, self.fails = enough, lines, fails
        self.deadlines: list[float] = []

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Answer."""
        del note
        self.deadlines.append(deadline_s)
        if self.fails:
            raise OSError
        return tuple(Cosignature(witness=f"w{at}", line=line) for at, line in enumerate(self.lines))

    def quorum_met(self, cosignatures: Sequence[Cosignature]) -> bool:
        """Say what was told."""
        del cosignatures
        return self.enough


class Refusing:
    """A ledger that does not store cosignatures; everything else is the ledger's behind it."""

    def __init__(self, inner: Ledger) -> None:
        self._inner = inner

    async def write(self, batch: Sequence[SealedProposal], *, at: int) -> Written:
        """Write."""
        return await self._inner.write(batch, at=at)

    async def store_cosignatures(self, size: int, cosignatures: Sequence[Cosignature]) -> None:
        """Refuse."""
        del size, cosignatures
        raise StorageError

    async def uncosigned_since(self, *, heard: bool) -> int | None:
        """Ask."""
        return await self._inner.uncosigned_since(heard=heard)


async def test_a_tick_is_one_checkpoint_for_all(ledger: Ledger) -> None:
    """What gathers in one tick gets consecutive indexes under one and the same signed checkpoint."""
    async with writing(ledger) as log:
        answers = await outcomes(log, *(storing(f"signal {at}") for at in range(5)))
    written = [answer for answer in answers if isinstance(answer, Committed)]
    assert [one.index for one in written] == [0, 1, 2, 3, 4]
    assert len({Receipt.from_wire(dict(one.receipt)).proof.note for one in written}) == 1


async def test_answers_leave_on_slot_boundaries_only(ledger: Ledger) -> None:
    """Accepted and spent alike are told at the same moment: the end of a slot."""
    clock = TestClock()
    ticket = TicketId(custodian="a", id="1", expires_at=0)
    told: list[float] = []

    async def ask(log: LogWriter, proposal: Proposal) -> None:
        await asyncio.gather(committed(log, proposal), return_exceptions=True)
        told.append(clock.monotonic())

    async with writing(ledger, clock=clock) as log:
        await asyncio.gather(
            ask(log, storing("first", tickets=(ticket,))),
            ask(log, storing("second", tickets=(ticket,))),
            ask(log, storing("third")),
        )
    assert len(set(told)) == 1
    assert told[0] / (TICK_MS / 1000) == pytest.approx(round(told[0] / (TICK_MS / 1000)))


async def test_who_gathers_during_a_tick_starts_where_it_ends(ledger: Ledger) -> None:
    """With work waiting no slot stays empty: an answer takes two slots at most, however busy the broker is."""
    clock, told = TestClock(), list[float]()

    async def ask(log: LogWriter, proposal: Proposal) -> None:
        await committed(log, proposal)
        told.append(clock.monotonic())

    async with writing(ledger, clock=clock) as log, asyncio.TaskGroup() as asking, log.turn() as turn:
        # The tick has started and waits for this turn; the others come while it is under way.
        began = clock.monotonic()
        for name in ("second", "third"):
            asking.create_task(ask(log, storing(name)))
        await asyncio.sleep(0)
        await turn.commit(storing("first"))
    assert told == [pytest.approx(began + 2 * TICK_MS / 1000)] * 2


async def test_a_bad_proposal_fails_alone(ledger: Ledger) -> None:
    """One that the database refuses, is stale, or spends a spent ticket takes no other with it."""
    ticket = TicketId(custodian="a", id="1", expires_at=0)
    seen = Stamp(of=StampKey(kind=StampKind.TOKEN, key=an_index("child").reveal()), version=0)
    first = storing("first", subject="child", relies_on=(seen,), tickets=(ticket,))
    twice = Proposal(kind="signal", payloads={}, changes=first.changes)
    async with writing(ledger) as log:
        answers = await outcomes(
            log,
            first,
            twice,
            first,
            storing("second", subject="child", relies_on=(seen,)),
            storing("third", tickets=(ticket,)),
            storing("fourth"),
        )
        kinds = [type(answer) for answer in answers]
        assert kinds == [
            Committed, StorageError, AlreadyAnsweredError, StaleDecisionError, TicketSpentError, Committed
        ]  # fmt: skip
        (only,) = await outcomes(log, storing("third", tickets=(ticket,)))
        assert isinstance(only, TicketSpentError)


async def test_a_tick_of_only_bad_proposals_writes_no_entry(ledger: Ledger) -> None:
    """Without a proposal that holds there is no checkpoint and no change."""
    stale = Stamp(of=StampKey(kind=StampKind.TOKEN, key=b"key"), version=5)
    async with writing(ledger) as log:
        assert isinstance((await outcomes(log, storing("a", relies_on=(stale,))))[0], StaleDecisionError)
        after = await committed(log, storing("a"))
    assert after.index == 0


async def test_a_payload_that_does_not_fit_is_not_written(ledger: Ledger) -> None:
    """An entry that cannot be sealed fails before the tick."""
    too_large = Proposal(kind="read", payloads={"meta": {"text": "x" * 5000}})
    async with writing(ledger) as log:
        with pytest.raises(StorageError):
            await committed(log, too_large)


async def test_the_writer_writes_what_waits_and_then_refuses(ledger: Ledger) -> None:
    """Closing loses nothing that was accepted; after it nothing is accepted, and before it neither."""
    idle = LogWriter(
        ledger=ledger, witnesses=NoWitnesses(), clock=TestClock(), randomness=SeededRandomness(), tick_ms=TICK_MS
    )
    with pytest.raises(LogUnavailableError):
        await committed(idle, storing("early"))
    await idle.__aexit__(None, None, None)
    async with idle as log:
        waiting = asyncio.create_task(committed(log, storing("last")))
        await asyncio.sleep(0)
    assert (await waiting).index == 0
    with pytest.raises(LogUnavailableError):
        await committed(log, storing("late"))


async def test_who_goes_away_before_the_tick_did_nothing(ledger: Ledger) -> None:
    """A caller that leaves before its tick is not decided, and holds nobody up."""
    async with writing(ledger) as log:
        gone = asyncio.create_task(committed(log, storing("gone")))
        stays = asyncio.create_task(committed(log, storing("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).index == 0


async def test_who_goes_away_as_the_tick_begins_holds_nobody_up(ledger: Ledger) -> None:
    """A caller that leaves in the very moment in which its tick begins is not waited for."""
    async with writing(ledger) as log:
        gone = log.turn()
        gone.started.cancel()
        gone.start()
        assert (await committed(log, storing("stays"))).index == 0


async def test_who_goes_away_while_deciding_holds_nobody_up(ledger: Ledger) -> None:
    """A tick waits for those that decide, and no longer for one that failed or left."""

    async def failing(log: LogWriter) -> None:
        async with log.turn():
            raise LookupError

    async with writing(ledger) as log:
        answers = await asyncio.gather(failing(log), committed(log, storing("stays")), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError, Committed]


async def test_who_goes_away_after_deciding_is_recorded_all_the_same(ledger: Ledger) -> None:
    """A caller that stops waiting for its answer changes nothing: its entry stands, and so do the others'."""

    class Leaving(Refusing):
        async def write(self, batch: Sequence[SealedProposal], *, at: int) -> Written:
            gone.cancel()
            return await super().write(batch, at=at)

    async with writing(Leaving(ledger)) as log:
        gone = asyncio.create_task(committed(log, storing("gone")))
        stays = asyncio.create_task(committed(log, storing("stays")))
        assert (await stays).index == 1
    assert gone.cancelled()


async def test_a_stale_decision_is_made_again_within_its_tick(ledger: Ledger) -> None:
    """What moved under a decision costs no further tick: the time of an answer never tells that something moved."""
    clock = TestClock()
    seen = Stamp(of=StampKey(kind=StampKind.TOKEN, key=an_index("child").reveal()), version=0)
    told: list[float] = []

    async def decide(log: LogWriter, name: str) -> int:
        async with log.turn() as turn:
            try:
                answer = await turn.commit(storing(name, subject="child", relies_on=(seen,)))
            except StaleDecisionError:
                answer = await turn.commit(storing(name, subject="child", relies_on=(replace(seen, version=1),)))
        told.append(clock.monotonic())
        return answer.index

    async with writing(ledger, clock=clock) as log:
        assert sorted(await asyncio.gather(decide(log, "first"), decide(log, "second"))) == [0, 1]
    assert len(set(told)) == 1


async def test_without_a_quorum_the_receipt_says_since_when(ledger: Ledger) -> None:
    """Nobody waits for a witness beyond its deadline: the receipt is uncosigned since the first entry without."""
    clock = TestClock()
    silent = Watching(enough=False)
    async with writing(ledger, clock=clock, witnesses=silent) as log:
        first = await committed(log, storing("first"))
        since = log.uncosigned_since
        second = await committed(log, storing("second"))
        silent.enough = True
        third = await committed(log, storing("third"))
    assert since is not None
    assert first.receipt["uncosignedSince"] == second.receipt["uncosignedSince"] == since
    assert third.receipt["uncosignedSince"] is None
    assert all(0 < deadline < TICK_MS / 1000 for deadline in silent.deadlines)


async def test_a_failing_witness_port_leaves_nobody_waiting(ledger: Ledger) -> None:
    """Whatever fails in a tick, who waits is told that the log is not available, and the next tick works."""
    witnesses = Watching(enough=True, fails=True)
    async with writing(ledger, witnesses=witnesses, tick_ms=0) as log:
        with pytest.raises(LogUnavailableError):
            await committed(log, storing("first"))
        witnesses.fails = False
        assert (await committed(log, storing("second"))).index == 1


async def test_cosignatures_are_in_the_receipt_even_when_they_cannot_be_stored(ledger: Ledger) -> None:
    """The answer does not wait for their storing; the asker has them."""
    line = "— witness aGVsbG8=\n"
    async with writing(Refusing(ledger), witnesses=Watching(enough=True, lines=[line])) as log:
        answer = await committed(log, storing("first"))
    assert str(answer.receipt["proof"]).endswith(line)


async def test_a_full_store_is_told_and_recovers() -> None:
    """When the store takes nothing every proposal of the tick is told so; afterwards it goes on."""
    memory = MemoryBroker(randomness=SeededRandomness())
    memory.fails_with = StorageError
    async with writing(memory) as log:
        answers = await outcomes(log, storing("a"), storing("b"))
        assert [type(answer) for answer in answers] == [StorageError, StorageError]
        memory.fails_with = None
        assert (await committed(log, storing("a"))).index == 0


async def test_a_renewal_of_what_is_active_no_more_is_decided_again(ledger: Ledger) -> None:
    """A change to a signal that was ended meanwhile, or was never there, is stale and changes nothing."""
    renewal = RenewSignal(signal_id="0" * 32, ends_on=date(2027, 1, 1))
    ending = EndSignal(signal_id="0" * 32, state=SignalState.WITHDRAWN, reason=None, last_standing_on=None)
    async with writing(ledger) as log:
        answers = await outcomes(
            log, *(Proposal(kind="signal", payloads={}, changes=(change,)) for change in (renewal, ending))
        )
    assert [type(answer) for answer in answers] == [StaleDecisionError, StaleDecisionError]
