"""A custodian's own log: an entry for each batch it evaluated, under checkpoints that witnesses cosign (D2)."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from audit.entry import Leaf
from audit.errors import NotDurableError
from audit.schema import SQLITE_DDL
from audit.seal import open_group
from audit.stored_log import StoredLog
from audit.verify import verify_checkpoint
from broker.custodian import folder
from broker.custodian.errors import FolderError, StoreError, WatchError
from broker.custodian.evaluation_log import have_cosigned, record_evaluations
from broker.custodian.log_keys import LOG_KEY, create_keys
from broker.custodian.monitor_folder import open_monitor
from tests.simulators.custodian import CUSTODIANS, batch
from tests.simulators.faulty_database import Fault, FaultyConnection, sqlite_error
from tests.simulators.watched_broker import WatchedWorld, watched_pair


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Hold two custodians that watch one log."""
    with watched_pair(tmp_path) as made:
        yield made


def own(world: WatchedWorld) -> StoredLog:
    """Return a reader of the first custodian's own log."""
    return StoredLog(world.monitors[0].log.connection)


async def test_each_batch_becomes_one_entry_that_witnesses_cosigned(world: WatchedWorld) -> None:
    """Three batches, one of them asked twice, are three entries; the newest checkpoint has its quorum."""
    body = batch()
    for asked in (body, body, batch(), batch(operation="register", budget_class="register")):
        world.tickets(body=asked)
    await world.look()
    assert own(world).size() == 3
    verified = verify_checkpoint(own(world).latest_note(), world.monitors[0].log.policy)
    assert (verified.quorum_met, verified.checkpoint.origin) == (True, f"{CUSTODIANS[0]}/log")


async def test_an_entry_says_what_was_evaluated_for_whom_and_hides_it(world: WatchedWorld) -> None:
    """The leaf is a commitment; opened, it names organisation, worker, ticket, counts and the request's hash."""
    ((custodian, ticket), _) = world.tickets(real=3)
    await world.look()
    log, index = world.monitors[0].log, 0
    (text,) = own(world).entries(0, 1)
    assert Leaf.parse(text).kind == "key"
    assert ticket not in text.decode()
    opened = {}
    for group in ("meta", "actor"):
        row = own(world).sealed_row(index, group)
        assert row is not None
        key = log.payload_key.unwrap(row.wrapped_key, index=index, group=group)
        opening = open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
        assert opening.commitment("key", group) == Leaf.parse(text).commitment(group)
        opened[group] = json.loads(opening.payload)
    assert opened["actor"]["ticket"] == {"custodian": custodian, "id": ticket}
    assert (opened["meta"]["operation"], json.loads(opened["meta"]["counts"])) == ("check", {"nlbsn": 3})


async def test_its_times_never_go_back(world: WatchedWorld) -> None:
    """A clock that was set back is waited out at the newest entry's time, as in the broker's log."""
    log, later = world.monitors[0].log, world.clock.now + 4000
    for now in (later, later - 3600):
        world.tickets()
        assert record_evaluations(log, now=now) == 1
    assert [Leaf.parse(text).time for text in own(world).entries(0, 2)] == [later, later]


async def test_witnesses_that_were_away_cosign_later(world: WatchedWorld) -> None:
    """The log goes on without them, and the next look has its newest checkpoint cosigned."""
    world.broker.witness_down = True
    world.tickets()
    await world.look()
    policy = world.monitors[0].log.policy
    assert not verify_checkpoint(own(world).latest_note(), policy).quorum_met
    world.broker.witness_down = False
    await world.look()
    await world.look()
    assert verify_checkpoint(own(world).latest_note(), policy).quorum_met


@pytest.mark.parametrize("statement", ["INSERT INTO log_entries", "UPDATE issued", "INSERT INTO log_checkpoints"])
async def test_an_append_that_fails_leaves_nothing_and_is_made_at_the_next_look(
    world: WatchedWorld, statement: str
) -> None:
    """Entries and their marks are one transaction; none is lost, none stands twice."""
    world.tickets()
    log = world.monitors[0].log
    table = statement.rpartition(" ")[2]
    event = statement.split(" ", maxsplit=1)[0]
    log.connection.execute(f"CREATE TRIGGER broken BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'broken'); END")
    with pytest.raises(WatchError):
        record_evaluations(log, now=world.clock.now)
    assert own(world).size() == 0
    log.connection.execute("DROP TRIGGER broken")
    await world.look()
    await world.look()
    assert own(world).size() == 1


async def test_a_log_that_cannot_be_read_or_kept_is_told_and_undone(world: WatchedWorld) -> None:
    """Whatever the database says, the look goes on without the own log, and the next one makes it good."""
    world.tickets()
    log = world.monitors[0].log
    record_evaluations(log, now=world.clock.now)
    log.connection.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON log_cosignatures BEGIN SELECT RAISE(ABORT, 'broken'); END"
    )
    with pytest.raises(WatchError):
        await have_cosigned(log, world.monitors[0].client)
    assert not log.connection.in_transaction
    log.connection.execute("DROP TRIGGER broken")
    assert await have_cosigned(log, world.monitors[0].client)


async def test_a_witness_without_an_address_is_not_asked(world: WatchedWorld) -> None:
    """It counts in the quorum all the same, so the own log stays uncosigned."""
    log = world.monitors[0].log
    nowhere = {name: replace(party, url=None) for name, party in log.policy.witnesses.items()}
    world.tickets()
    record_evaluations(log, now=world.clock.now)
    unasked = replace(log, policy=replace(log.policy, witnesses=nowhere))
    assert not await have_cosigned(unasked, world.monitors[0].client)


def test_a_log_that_was_put_back_is_not_gone_on_with(tmp_path: Path) -> None:
    """A database older than what the signer released refuses to start: that would be a fork."""
    with watched_pair(tmp_path) as world:
        path = world.pair.folders[0]
        world.tickets()
        record_evaluations(world.monitors[0].log, now=world.clock.now)
    tables = ("log_cosignatures", "log_checkpoints", "log_payload_keys", "log_payloads", "log_nodes", "log_entries")
    with closing(sqlite3.connect(path / "custodian.sqlite")) as connection:
        for table in tables:
            connection.execute(f"DROP TABLE {table}")
        for statement in SQLITE_DDL:
            connection.execute(statement)
        connection.commit()
    with (
        folder.open_custodian(path) as custodian,
        pytest.raises(FolderError, match="did not sign"),
        open_monitor(path, custodian),
    ):
        raise AssertionError


def test_keys_are_made_once(tmp_path: Path) -> None:
    """A log's keys are never made anew over old ones: that would be another log under one name."""
    create_keys(tmp_path, name="custodian-a/log")
    assert (tmp_path / LOG_KEY).stat().st_mode & 0o077 == 0
    with pytest.raises(FolderError, match="exists already"):
        create_keys(tmp_path, name="custodian-a/log")


async def test_after_a_sync_that_failed_nothing_more_is_appended(world: WatchedWorld) -> None:
    """The custodian's own log and its store know it together: nothing is charged and nothing logged any more."""
    log, store = world.monitors[0].log, world.pair.custodians[0].store
    world.tickets()
    disk = FaultyConnection(log.connection)
    disk.faults.append(Fault(fragment="COMMIT", error=sqlite_error(sqlite3.SQLITE_IOERR_FSYNC)))
    broken = replace(log, connection=disk)  # type: ignore[arg-type]  # the connection behind it, but for one fault
    for _ in range(2):
        with pytest.raises(WatchError):
            record_evaluations(broken, now=world.clock.now)
    assert own(world).size() == 0
    with pytest.raises(StoreError), store.transaction():
        raise AssertionError
    with pytest.raises(NotDurableError):
        store.durability.check()
