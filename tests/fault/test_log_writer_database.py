"""The ledger when its database fails, at each statement, before and after its effect; one oracle over the whole.

After every fault the broker is "started again" and the oracle must hold: signals, answers and entries are the same in
number, the newest checkpoint covers every entry, the signer settles, and nothing that was acknowledged is missing.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import DatabaseError, ForkError, SignerError
from audit.key_ring import KeyRing
from audit.merkle import TreeHead, leaf_hash, root_of
from audit.note import parse_note
from audit.seal import seal_entry
from audit.signer import LocalSigner, Signer, Successor
from audit.stored_log import StoredLog
from broker.domain.errors import BrokerError, LogUnavailableError, NotRecordedError, StorageError, WriterHeldError
from broker.ports import Proposal
from broker.store.address import PostgresServer
from broker.store.connection import SingleWriter
from broker.store.ledger import TRIES, StoredLedger
from broker.store.log_writer import Cosignature, SealedProposal, Written
from broker.store.request_ids import StoredRequestIds
from tests.simulators.broker_world import LOG_NAME, log_policy
from tests.simulators.clock import NOON, SeededRandomness, TestClock
from tests.simulators.databases import DATABASES, Database, databases
from tests.simulators.enrolled import GI
from tests.simulators.faulty_database import Fault, FaultyConnection, sqlite_error
from tests.simulators.proposals import storing

STATEMENTS = (
    "BEGIN",
    "SAVEPOINT",
    "SELECT 1 FROM answers",
    "INSERT INTO signals",
    "INSERT INTO signal_tokens",
    "INSERT INTO version_stamps",
    "INSERT INTO answers",
    "RELEASE",
    "INSERT INTO log_entries",
    "INSERT INTO log_nodes",
    "INSERT INTO log_payloads",
    "INSERT INTO log_payload_keys",
    "INSERT INTO log_checkpoints",
    "COMMIT",
)


on_each_store = pytest.mark.parametrize("kind", DATABASES)


class Process:
    """One run of a broker's ledger over the database that belongs to a folder, with a faulty disk."""

    def __init__(self, folder: Path, kind: str = "sqlite") -> None:
        self.path, key_path, self.kek_path = folder / "broker.sqlite", folder / "log.key", folder / "kek"
        if not key_path.exists():
            LocalSigner.create(key_path, LOG_NAME)
            KeyRing.create(self.kek_path)
        self.database = databases.new(kind, folder)
        self.writer = SingleWriter(self.database.address)
        self.disk = FaultyConnection(self.writer.connection)
        self.writer.connection = self.disk
        self.signer = LocalSigner.open(key_path)
        self.ledger = self.over(self.signer)

    def over(self, signer: Signer) -> StoredLedger:
        """Return a ledger with this signer."""
        return StoredLedger(
            writer=self.writer,
            signer=signer,
            keys=KeyRing.open(self.kek_path),
            policy=log_policy(signer.vkey),
            randomness=SeededRandomness(3),
        )

    def stop(self) -> None:
        """End the process."""
        self.writer.close()
        self.signer.close()

    async def write(self, *names: str) -> Written:
        """Write one tick that stores these signals."""
        return await self.ledger.write([sealed(storing(name)) for name in names], at=NOON)


def sealed(proposal: Proposal) -> SealedProposal:
    """Return the proposal, sealed."""
    return SealedProposal(proposal=proposal, entry=seal_entry(proposal.kind, proposal.payloads))


def check_whole(database: Database, acknowledged: Sequence[str]) -> int:
    """Hold only when log and state are whole and hold everything acknowledged; the number of entries is returned."""
    with database.session() as connection:
        reader = StoredLog(connection)
        size = reader.size()
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - table names of this test
            for table in ("signals", "answers", "signal_tokens", "sealed_tokens")
        ]
        head = Checkpoint.parse(parse_note(reader.latest_note().encode()).text).head
        leaves = reader.entries(0, size)
        stored = {row[0] for row in connection.execute("SELECT id FROM signals")}
    assert counts == [size] * 4
    assert head == TreeHead(size=size, root=root_of([leaf_hash(leaf) for leaf in leaves]))
    for name in acknowledged:
        (change,) = storing(name).changes
        assert change.signal.id in stored  # type: ignore[union-attr]  # a StoreSignal
    return size


def put_back(path: Path, older: bytes) -> None:
    """Replace a database and everything beside it by an older copy."""
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    path.write_bytes(older)


@on_each_store
async def test_a_failure_nobody_foresaw_leaves_no_transaction_open(tmp_path: Path, kind: str) -> None:
    """Whatever is raised while a tick is written undoes all of it, locks nobody out, and the next tick is written."""
    process = Process(tmp_path, kind)
    await process.ledger.open()
    broken = replace(storing("broken"), changes=(object(),))  # type: ignore[arg-type]  # no change at all
    with pytest.raises(NotRecordedError):
        await process.ledger.write([sealed(storing("beside")), sealed(broken)], at=NOON)
    assert not process.writer.connection.in_transaction
    await process.write("after")
    process.stop()
    assert check_whole(process.database, ["after"]) == 1


def a_fault(kind: str, name: str) -> Exception:
    """Return the error that the driver raises for this fault."""
    if kind == "sqlite":
        return sqlite_error(SQLITE_FAULTS[name])
    return DatabaseError(POSTGRESQL_FAULTS[name], lost=name == "gone")


SQLITE_FAULTS = {
    "full": sqlite3.SQLITE_FULL,
    "io": sqlite3.SQLITE_IOERR_WRITE,
    "fatal": sqlite3.SQLITE_IOERR_FSYNC,
    "busy": sqlite3.SQLITE_BUSY,
}
POSTGRESQL_FAULTS = {"full": "53100", "fatal": "58030", "busy": "55P03", "gone": None}
"""PostgreSQL, appendix A: disk_full, io_error, lock_not_available, and a session that ended without a word."""
FAULTS = [*(("sqlite", name) for name in SQLITE_FAULTS), *(("postgresql", name) for name in POSTGRESQL_FAULTS)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("kind", "fault"), FAULTS)
@pytest.mark.parametrize("statement", STATEMENTS)
async def test_a_failing_statement_leaves_everything_or_nothing(
    tmp_path: Path, statement: str, kind: str, fault: str, after: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    """Whatever fails, a tick is there as a whole or not at all, and a started-again broker goes on from there."""
    process = Process(tmp_path, kind)
    await process.ledger.open()
    await process.write("before")
    process.disk.faults.append(Fault(fragment=statement, error=a_fault(kind, fault), after=after))
    acknowledged = ["before"]
    with pytest.raises(NotRecordedError):
        await process.write("first", "second")
    if fault == "fatal":
        with pytest.raises(LogUnavailableError):
            await process.write("never")
    process.stop()
    size = check_whole(process.database, acknowledged)
    assert size == (3 if after and statement == "COMMIT" else 1)
    process = Process(tmp_path, kind)
    await process.ledger.open()
    await process.write("later")
    process.stop()
    assert check_whole(process.database, [*acknowledged, "later"]) == size + 1


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_what_a_server_undid_for_another_transaction_is_written_again(tmp_path: Path, statement: str) -> None:
    """A serialisation failure costs nobody an answer: the same tick is written anew, once."""
    process = Process(tmp_path, "postgresql")
    await process.ledger.open()
    for state in ("40001", "40P01"):
        process.disk.faults.append(Fault(fragment=statement, error=DatabaseError(state, lost=False)))
    assert (await process.write("first", "second")).verdicts == (0, 1)
    process.stop()
    assert check_whole(process.database, ["first", "second"]) == 2


async def test_a_server_that_always_undoes_is_told_as_not_done(tmp_path: Path) -> None:
    """After some tries a tick is refused as a whole, and a later one can succeed."""
    process = Process(tmp_path, "postgresql")
    await process.ledger.open()
    for _ in range(TRIES):
        process.disk.faults.append(Fault(fragment="COMMIT", error=DatabaseError("40001", lost=False)))
    with pytest.raises(StorageError):
        await process.write("first")
    await process.write("second")
    process.stop()
    assert check_whole(process.database, ["second"]) == 1


@pytest.mark.parametrize(("statement", "size"), [("INSERT INTO signals", 1), ("COMMIT", 2)])
async def test_a_lost_session_costs_one_tick_and_the_same_process_goes_on(
    tmp_path: Path, statement: str, size: int
) -> None:  # fmt: skip
    """What became of the tick is read from the database, under the writer's lock, before the next one is written."""
    process = Process(tmp_path, "postgresql")
    await process.ledger.open()
    process.disk.faults.append(Fault(fragment=statement, error=DatabaseError(None, lost=True), after=True))
    with pytest.raises(LogUnavailableError):
        await process.write("first")
    await process.write("second")
    process.stop()
    assert check_whole(process.database, ["second"]) == size


@pytest.mark.parametrize("fails", ["session", "signer"])
async def test_nothing_of_a_lost_commit_is_told_before_the_signer_knows_of_it(tmp_path: Path, fails: str) -> None:
    """The next use of the writer settles first, be it only to note a request id: who asks again reads a settled log."""
    process = Process(tmp_path, "postgresql")
    signer = Failing(process.signer)
    process.ledger = process.over(signer)
    await process.ledger.open()
    if fails == "session":
        process.disk.faults.append(Fault(fragment="COMMIT", error=DatabaseError(None, lost=True), after=True))
    else:
        signer.on_settle = [None, SignerError("no room")]
    with pytest.raises(LogUnavailableError):
        await process.write("first")
    assert process.signer.released.size == 0
    await StoredRequestIds(writer=process.writer, clock=TestClock()).spend(issuer=GI, jti="a" * 32, expires_at=NOON)
    assert process.signer.released.size == 1
    process.stop()


async def test_a_standby_that_lags_stops_the_log_after_a_lost_commit(tmp_path: Path) -> None:
    """Put in the place of a server that acknowledged more, an older copy gets no request, no answer and no entry."""
    process = Process(tmp_path, "postgresql")
    await process.ledger.open()
    await process.write("zeroth")
    process.stop()
    assert isinstance(process.database.address, PostgresServer)
    (tmp_path / "older").mkdir()
    older = databases.copy(process.database.address.url, tmp_path / "older")
    process = Process(tmp_path, "postgresql")
    await process.ledger.open()
    await process.write("first")
    process.disk.faults.append(Fault(fragment="BEGIN", error=DatabaseError(None, lost=True)))
    with pytest.raises(NotRecordedError):
        await process.write("never")
    process.writer._address = PostgresServer(url=older)
    spending = StoredRequestIds(writer=process.writer, clock=TestClock())
    for _ in range(2):
        with pytest.raises(LogUnavailableError):
            await spending.spend(issuer=GI, jti="a" * 32, expires_at=NOON)
        with pytest.raises(LogUnavailableError):
            await process.write("second")
    assert not await spending.works()
    process.stop()


async def test_a_second_broker_cannot_write_to_the_same_server(tmp_path: Path) -> None:
    """One writer at a time: a second one waits for the lock, and is refused instead of served beside the first."""
    first = Process(tmp_path, "postgresql")
    with pytest.raises(WriterHeldError):
        SingleWriter(first.database.address)
    first.stop()
    SingleWriter(first.database.address).close()


async def test_a_full_disk_stops_nothing_for_good(tmp_path: Path) -> None:
    """When there is no page left every proposal is told so; with room again the same process goes on."""
    process = Process(tmp_path)
    await process.ledger.open()
    pages = process.disk.execute("PRAGMA page_count").fetchone()[0]
    process.disk.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(StorageError):
        await process.write(*(f"signal {at}" for at in range(20)))
    before = check_whole(process.database, [])
    process.disk.execute("PRAGMA max_page_count = 1000000")
    await process.write("with room")
    process.stop()
    assert check_whole(process.database, ["with room"]) == before + 1


class Failing:
    """A signer that fails as told, and is otherwise the one behind it."""

    def __init__(self, inner: LocalSigner) -> None:
        self._inner = inner
        self.on_sign: Exception | None = None
        self.on_settle: list[Exception | None] = []

    @property
    def name(self) -> str:
        """The name."""
        return self._inner.name

    @property
    def vkey(self) -> str:
        """The public key."""
        return self._inner.vkey

    @property
    def released(self) -> TreeHead:
        """The released head."""
        return self._inner.released

    def sign(self, checkpoint_text: str, proof: tuple[bytes, ...]) -> str:
        """Sign or fail."""
        if self.on_sign is not None:
            error, self.on_sign = self.on_sign, None
            raise error
        return self._inner.sign(checkpoint_text, proof)

    def settle(self, head: TreeHead, successor: Successor | None = None) -> None:
        """Settle or fail."""
        error = self.on_settle.pop(0) if self.on_settle else None
        if error is not None:
            raise error
        self._inner.settle(head, successor)


@on_each_store
async def test_a_signer_that_cannot_write_its_state_costs_one_tick(tmp_path: Path, kind: str) -> None:
    """Nothing was signed, so nothing was written, and the next tick may succeed."""
    process = Process(tmp_path, kind)
    signer = Failing(process.signer)
    process.ledger = process.over(signer)
    await process.ledger.open()
    signer.on_sign = SignerError("no room")
    with pytest.raises(StorageError):
        await process.write("first")
    assert (await process.write("second")).verdicts == (0,)
    process.stop()
    assert check_whole(process.database, ["second"]) == 1


@on_each_store
async def test_a_commit_that_could_not_be_released_is_told_as_unknown(tmp_path: Path, kind: str) -> None:
    """The entry is durable but its checkpoint may not leave yet: who asks again under the same key is told then."""
    process = Process(tmp_path, kind)
    signer = Failing(process.signer)
    process.ledger = process.over(signer)
    await process.ledger.open()
    signer.on_settle = [None, SignerError("no room")]
    with pytest.raises(LogUnavailableError):
        await process.write("first")
    written = await process.write("first", "second")
    assert [type(one) for one in written.verdicts][1] is int
    assert isinstance(written.verdicts[0], BrokerError)
    process.stop()
    assert check_whole(process.database, ["first", "second"]) == 2


async def test_a_database_that_was_put_back_stops_the_log(tmp_path: Path) -> None:
    """An older copy of the database under a signer that knows a later head is a rollback: nothing is written."""
    process = Process(tmp_path)
    await process.ledger.open()
    process.disk.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    older = process.path.read_bytes()
    await process.write("first")
    process.stop()
    put_back(process.path, older)
    process = Process(tmp_path)
    with pytest.raises(LogUnavailableError):
        await process.ledger.open()
    with pytest.raises(LogUnavailableError):
        await process.write("second")
    process.stop()


async def test_a_database_that_cannot_even_be_rolled_back_is_not_trusted(tmp_path: Path) -> None:
    """When undoing fails too, what became of the tick is unknown and said to be."""
    process = Process(tmp_path)
    await process.ledger.open()
    process.disk.faults += [
        Fault(fragment="INSERT INTO signals", error=sqlite_error(sqlite3.SQLITE_FULL)),
        Fault(fragment="ROLLBACK", error=sqlite_error(sqlite3.SQLITE_FULL)),
    ]
    with pytest.raises(LogUnavailableError):
        await process.write("first")
    process.stop()
    assert check_whole(process.database, []) == 0


@on_each_store
async def test_cosignatures_are_stored_once_or_refused(tmp_path: Path, kind: str) -> None:
    """A witness's line belongs to one checkpoint; what the database refuses leaves the log as it was."""
    process = Process(tmp_path, kind)
    await process.ledger.open()
    await process.write("first")
    cosigned = [Cosignature(witness="w1", line="— w1 aGVsbG8=\n")]
    await process.ledger.store_cosignatures(1, cosigned)
    with pytest.raises(StorageError):
        await process.ledger.store_cosignatures(1, cosigned)
    assert await process.ledger.cosigned_size("w1") == 1
    assert await process.ledger.consistency(1, 1) == ()
    assert await process.ledger.uncosigned_since(heard=True) is None
    process.stop()


@on_each_store
async def test_a_fork_that_the_signer_refuses_stops_the_log(tmp_path: Path, kind: str) -> None:
    """A signer that sees a fork is believed for good; only a person starts the log again."""
    process = Process(tmp_path, kind)
    signer = Failing(process.signer)
    process.ledger = process.over(signer)
    await process.ledger.open()
    signer.on_sign = ForkError("fork")
    for _ in range(2):
        with pytest.raises(LogUnavailableError):
            await process.write("first")
    process.stop()
    assert check_whole(process.database, []) == 0
