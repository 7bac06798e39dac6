"""Keys are renewed by the month, destroyed only when nothing needs them, and an erasure is carried out once."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from audit.seal import seal_entry
from broker.domain.changes import ErasePayloads, StoreErasure
from broker.domain.erasures import EntryRange, Erasure
from broker.domain.errors import LogUnavailableError, NotRecordedError
from broker.ports import Proposal
from broker.store import erasing
from broker.store.log_writer import SealedProposal
from broker.store.rotation import RENEWED_AFTER_S
from tests.fault.test_erasing_faults import Erasing
from tests.simulators.clock import NOON
from tests.simulators.databases import DATABASES

RANGE = EntryRange(first=0, last=0, groups=("hits",))
ERASURE = Erasure(
    id="a" * 32, organisation="1" * 20, controller="1" * 20, proposed_by="one", proposed_at=NOON,
    ground="AVG-17.1.d", decision_ref="b" * 64, ranges=(RANGE,),
)  # fmt: skip


def _sealed(*changes: StoreErasure | ErasePayloads) -> SealedProposal:
    proposal = Proposal(kind="erasure", payloads={}, changes=changes)
    return SealedProposal(proposal=proposal, entry=seal_entry(proposal.kind, proposal.payloads))


@pytest.fixture(params=DATABASES)
async def process(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Erasing]:
    """A broker's ledger with three entries."""
    running = Erasing(tmp_path, request.param)
    await running.ledger.open()
    await running.write("one", "two", "three")
    yield running
    running.stop()


async def test_a_key_wraps_for_a_month(process: Erasing) -> None:
    """A month after it was made another one takes over; the older one still opens what it wrapped."""
    path = process.kek_path / "1.key"
    os.utime(path, (NOON, NOON - RENEWED_AFTER_S + 1))
    assert not await process.rotation.renew_when_old()
    os.utime(path, (NOON, NOON - RENEWED_AFTER_S))
    assert await process.rotation.renew_when_old()
    os.utime(process.kek_path / "2.key", (NOON, NOON))
    assert (process.keys.epochs, await process.rotation.renew_when_old()) == ((1, 2), False)
    assert await process.rotation.finish() == 0
    assert all(process.opens().values())


async def test_a_proposal_is_carried_out_once(process: Erasing) -> None:
    """Confirmed twice in one tick, the second is stale and undone as a whole."""
    erasing_it = ErasePayloads(ranges=(RANGE,), erasure=ERASURE, decided_by="two")
    other = replace(erasing_it, ranges=(replace(RANGE, first=1, last=1),))
    await process.ledger.write([_sealed(StoreErasure(erasure=ERASURE))], at=NOON)
    written = await process.ledger.write([_sealed(erasing_it), _sealed(other)], at=NOON)
    assert [type(verdict).__name__ for verdict in written.verdicts] == ["int", "StaleDecisionError"]
    await process.rotation.finish()
    assert [place for place, opens in process.opens().items() if not opens] == [(0, "hits")]


async def test_a_term_that_ended_waits_until_an_epoch_is_nearly_empty(
    process: Erasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep wraps no month of keys anew for every entry that it erases: few must be left."""
    monkeypatch.setattr(erasing, "FEW_ROWS", 13)
    await process.ledger.write([_sealed(ErasePayloads(ranges=(RANGE,)))], at=NOON)
    assert await process.rotation.finish() == 0
    monkeypatch.setattr(erasing, "FEW_ROWS", 18)
    await process.ledger.write([_sealed(ErasePayloads(ranges=(replace(RANGE, first=1, last=1),)))], at=NOON)
    assert (await process.rotation.finish(), process.keys.epochs) == (1, (2,))


async def test_a_key_that_something_still_needs_is_not_destroyed(
    process: Erasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever went wrong before, the last look decides: a key under which a row stands stays."""
    await process.ledger.write([_sealed(ErasePayloads(ranges=(RANGE,)))], at=NOON)
    with monkeypatch.context() as broken:
        broken.setattr(process.rotation, "_wrap_some_anew", lambda *_: False)
        with pytest.raises(NotRecordedError):
            await process.rotation.finish()
    assert 1 in process.keys.epochs
    assert await process.rotation.finish() == 1
    assert process.keys.epochs == (2,)


async def test_a_log_that_has_stopped_destroys_nothing(process: Erasing) -> None:
    """After a failed fsync nothing is done until the process is started again, rotating included."""
    await process.ledger.write([_sealed(ErasePayloads(ranges=(RANGE,)))], at=NOON)
    process.writer.durability.lost = "the disk failed"
    with pytest.raises(LogUnavailableError):
        await process.rotation.finish()
    assert process.keys.epochs == (1,)
