"""An erasure killed at each of its steps: all of it or nothing, and a start finishes what was begun."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.entry import GROUPS
from audit.errors import SealError
from audit.key_ring import KeyRing
from audit.seal import open_group, seal_entry
from audit.stored_log import StoredLog
from broker.domain.changes import ErasePayloads
from broker.domain.erasures import EntryRange
from broker.domain.errors import NotRecordedError
from broker.ports import Proposal
from broker.store.log_writer import SealedProposal
from broker.store.rotation import Rotation
from tests.fault.test_log_writer_database import Process, a_fault, on_each_store
from tests.simulators.clock import NOON, TestClock
from tests.simulators.databases import databases
from tests.simulators.faulty_database import Fault
from tests.simulators.proposals import storing

ERASED = ("actor", "hits")
RANGE = EntryRange(first=0, last=1, groups=ERASED)
STEPS = ("rename", "pwrite", "fsync", "unlink")
PLACES = {(index, group) for index in (0, 1) for group in ERASED}
STRIDE = {"sqlite": 1, "postgresql": 4}


def _erasing() -> SealedProposal:
    payloads = {"meta": {"schema": "entry-retention/v1", "erased": [RANGE.document()]}}
    proposal = Proposal(kind="retention", payloads=payloads, changes=(ErasePayloads(ranges=(RANGE,)),))
    return SealedProposal(proposal=proposal, entry=seal_entry(proposal.kind, proposal.payloads))


class Erasing(Process):
    """A run of a broker's ledger with its folder of keys and its rotation."""

    def __init__(self, folder: Path, kind: str) -> None:
        super().__init__(folder, kind)
        self.keys = KeyRing.open(self.kek_path)
        self.ledger._keys = self.keys
        self.rotation = Rotation(ledger=self.ledger, keys=self.keys, clock=TestClock())

    async def erase(self) -> None:
        """Erase, and destroy the keys."""
        written = await self.ledger.write([_erasing()], at=NOON)
        assert written.verdicts == (0,)
        await self.rotation.finish()

    def opens(self) -> dict[tuple[int, str], bool]:
        """Return of every stored group whether a key that exists opens it."""
        log = StoredLog(self.disk)
        rows = {(index, group): log.sealed_row(index, group) for index in range(log.size()) for group in GROUPS}
        return {place: row is not None and self._opens(row) for place, row in rows.items()}

    def _opens(self, row: Any) -> bool:  # noqa: ANN401 - a stored row
        try:
            key = self.keys.unwrap(row.wrapped_key, epoch=row.epoch, index=row.index, group=row.group)
            open_group(group=row.group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
        except SealError:
            return False
        return True


def _fill(folder: Path, kind: str) -> bytes:
    """Fill a new log with three entries; the bytes of its key are returned."""
    process = Erasing(folder, kind)

    async def filling() -> None:
        await process.ledger.open()
        await process.write("one", "two", "three")

    asyncio.run(filling())
    process.stop()
    return (process.kek_path / "1.key").read_bytes()


def _dying_at(step: int, process: Erasing) -> None:
    """The process kills itself before its step of this number: a statement, or a call that changes the key folder."""
    passed = iter(range(1_000_000))

    def counting(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever is wrapped
            if next(passed) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counted

    for name in ("execute", "executemany"):
        setattr(process.disk, name, counting(getattr(process.disk, name)))
    for name in STEPS:
        setattr(os, name, counting(getattr(os, name)))


def _killed(folder: Path, kind: str, step: int) -> bool:
    """Return whether an erasure in a process of its own was killed at a step; not, when it has fewer."""
    child = os.fork()
    if child == 0:
        try:
            process = Erasing(folder, kind)
            asyncio.run(process.ledger.open())
            _dying_at(step, process)
            asyncio.run(process.erase())
        except BaseException:  # noqa: BLE001 - a child of a test says only whether it came to its end
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _restarted(folder: Path, kind: str, secret: bytes) -> bool:
    """Start again and finish; hold only if all or nothing is erased. Returned is which."""
    process = Erasing(folder, kind)

    async def starting() -> None:
        await process.ledger.open()
        await process.rotation.finish()

    asyncio.run(starting())
    opens = process.opens()
    closed = {place for place, does in opens.items() if not does}
    left = b"".join(path.read_bytes() for path in process.kek_path.iterdir())
    doomed = process.disk.execute("SELECT count(*) FROM doomed_epochs").fetchone()[0]
    again = KeyRing.open(process.kek_path)
    process.stop()
    assert closed in (set(), PLACES)
    assert (len(opens) // len(GROUPS), doomed, len(again.epochs)) == (4 if closed else 3, 0, 1)
    assert (secret in left) is not bool(closed)
    return bool(closed)


@on_each_store
def test_an_erasure_killed_at_any_step_is_whole_after_a_start(tmp_path: Path, kind: str) -> None:
    """Before the commit nothing is erased, after it everything is, and the old key is gone when a start is done."""
    ended: list[bool] = []
    step, killed = 0, True
    while killed:
        folder = tmp_path / str(step)
        folder.mkdir()
        secret = _fill(folder, kind)
        killed = _killed(folder, kind, step)
        ended.append(_restarted(folder, kind, secret))
        databases.give_back()
        step += STRIDE[kind]
    assert ended[-1]
    assert ended == sorted(ended), "once it is done nothing undoes it"
    assert len(ended) > 30 // STRIDE[kind]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM log_payload_keys", "DELETE FROM log_payloads", "INSERT INTO log_erased",
                  "INSERT INTO doomed_epochs", "UPDATE log_payload_keys", "DELETE FROM doomed_epochs"]
)  # fmt: skip
@on_each_store
async def test_a_failing_statement_erases_all_or_nothing(
    tmp_path: Path,
    kind: str,
    statement: str,
    after: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Whatever the database refuses, erased groups and their entry stand together, and trying again ends it."""
    process = Erasing(tmp_path, kind)
    await process.ledger.open()
    await process.write("one", "two", "three")
    process.disk.faults.append(Fault(fragment=statement, error=a_fault(kind, "full"), after=after))
    with pytest.raises(NotRecordedError):
        await process.erase()
    closed = {place for place, does in process.opens().items() if not does}
    assert closed in (set(), PLACES)
    await process.rotation.finish()
    if not closed:
        await process.erase()
    opens = process.opens()
    epochs = process.keys.epochs
    process.stop()
    assert {place for place, does in opens.items() if not does} == PLACES
    assert len(epochs) == 1


@on_each_store
async def test_a_key_that_was_altered_stops_no_erasure(tmp_path: Path, kind: str) -> None:
    """A wrapped key that opens under no key stays an alarm, and the old key is destroyed all the same."""
    process = Erasing(tmp_path, kind)
    await process.ledger.open()
    await process.write("one", "two", "three")
    process.database.write("UPDATE log_payload_keys SET wrapped = ? WHERE idx = 2 AND grp = 'meta'", bytes(72))
    await process.erase()
    opens, epochs = process.opens(), process.keys.epochs
    process.stop()
    assert {place for place, does in opens.items() if not does} == {*PLACES, (2, "meta")}
    assert epochs == (2,)


@on_each_store
async def test_one_erasure_that_does_not_hold_takes_no_other_with_it(tmp_path: Path, kind: str) -> None:
    """What is to be erased and is not there makes its own proposal stale; the rest of the tick is written."""
    process = Erasing(tmp_path, kind)
    await process.ledger.open()
    await process.write("one")
    good = storing("two")
    sealed = SealedProposal(proposal=good, entry=seal_entry(good.kind, good.payloads))
    written = await process.ledger.write([_erasing(), sealed], at=NOON)
    process.stop()
    assert [type(verdict).__name__ for verdict in written.verdicts] == ["StaleDecisionError", "int"]
