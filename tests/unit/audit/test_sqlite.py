"""The tables refuse whatever would change or skip what stands in the log; the reader refuses to guess."""

import sqlite3
from pathlib import Path

import pytest

from audit.errors import LogStoreError, ProofError
from audit.merkle import Node, inclusion_proof
from audit.sqlite import open_read_only
from audit.stored_log import StoredLog
from tests.unit.audit.log_simulator import LogInFolder, plain_leaf, sealed

INSERTS = {
    "log_entries": "INTO log_entries (idx, leaf) VALUES ({}, x'00')",
    "log_nodes": "INTO log_nodes (level, idx, hash) VALUES (0, {}, zeroblob(32))",
    "log_checkpoints": "INTO log_checkpoints (size, note) VALUES ({}, 'note')",
    "log_cosignatures": "INTO log_cosignatures (size, witness, line) VALUES (3, 'w', '{}')",
}


@pytest.fixture
def filled(log: LogInFolder) -> LogInFolder:
    """A log of three entries with one cosignature."""
    log.tick(sealed(), sealed(), sealed())
    with log.transaction() as transaction:
        transaction.insert_cosignature(3, "w", "— w AAAA\n")
    return log


@pytest.mark.parametrize("table", INSERTS)
@pytest.mark.parametrize("recursive", [0, 1])
def test_rows_are_never_changed_or_deleted(filled: LogInFolder, table: str, recursive: int) -> None:
    """UPDATE, DELETE, REPLACE and UPSERT fail on every append-only table, whatever the connection's settings."""
    connection = filled.connection
    connection.execute(f"PRAGMA recursive_triggers={recursive}")
    column = {"log_entries": "leaf", "log_nodes": "hash", "log_checkpoints": "note", "log_cosignatures": "line"}[table]
    everything = f"SELECT * FROM {table}"  # noqa: S608 - a table of the list above
    before = connection.execute(everything).fetchall()
    existing = 3 if table == "log_checkpoints" else 2
    insert = INSERTS[table].format(existing)
    for statement in (
        f"UPDATE {table} SET {column} = {column}",  # noqa: S608 - a table of the list above
        f"DELETE FROM {table}",  # noqa: S608 - a table of the list above
        f"INSERT OR REPLACE {insert}",
        f"REPLACE {insert}",
        f"INSERT OR IGNORE {insert}",
        f"INSERT {insert} ON CONFLICT DO UPDATE SET {column} = {column}",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    assert connection.execute(everything).fetchall() == before


@pytest.mark.parametrize(("table", "value"), [("log_entries", 4), ("log_entries", -1), ("log_nodes", 5)])
def test_gaps_are_refused(filled: LogInFolder, table: str, value: int) -> None:
    """Indexes are consecutive."""
    with pytest.raises(sqlite3.IntegrityError):
        filled.connection.execute("INSERT " + INSERTS[table].format(value))


@pytest.mark.parametrize("size", [2, 4, 5])
def test_a_checkpoint_covers_the_whole_log(filled: LogInFolder, size: int) -> None:
    """A checkpoint's size is the log's size at that moment."""
    with pytest.raises(sqlite3.IntegrityError):
        filled.connection.execute("INSERT " + INSERTS["log_checkpoints"].format(size))


def test_payloads_can_be_erased_but_not_changed(filled: LogInFolder) -> None:
    """Erasure is a lawful act and alteration is not."""
    with pytest.raises(sqlite3.IntegrityError):
        filled.connection.execute("UPDATE log_payloads SET ciphertext = x'00'")
    filled.connection.execute("DELETE FROM log_payload_keys WHERE idx = 0 AND grp = 'meta'")
    assert filled.reader.sealed_row(0, "meta") is None
    assert filled.reader.sealed_row(0, "actor") is not None


def test_a_refused_insert_is_an_error_of_the_log(filled: LogInFolder) -> None:
    """The writer sees one error type and nothing of the rows."""
    with pytest.raises(LogStoreError), filled.transaction() as transaction:
        transaction.insert_entries(7, [plain_leaf(7)])
    with pytest.raises(LogStoreError), filled.transaction() as transaction:
        transaction.insert_nodes([Node(level=0, index=0, hash=bytes(32))])


def test_missing_rows_are_noticed(filled: LogInFolder) -> None:
    """A reader that lacks a row stops instead of answering with less."""
    reader = filled.reader
    for read in (
        lambda: reader.node(5, 5),
        lambda: reader.nodes(0, 0, 4),
        lambda: reader.entries(2, 5),
        lambda: reader.note(1),
    ):
        with pytest.raises(LogStoreError):
            read()


def test_what_the_reader_gives(filled: LogInFolder) -> None:
    """Notes come with their cosignatures; sizes and cosigned sizes are stated."""
    reader = filled.reader
    assert reader.latest_note().endswith("— w AAAA\n")
    assert reader.checkpoint_sizes(0, 9) == [0, 3]
    assert (reader.cosigned_size("w"), reader.cosigned_size("v")) == (3, 0)
    assert (len(reader.entries(0, 3)), len(reader.nodes(1, 0, 1)), reader.size()) == (3, 1, 3)


def test_reading_only(filled: LogInFolder, tmp_path: Path) -> None:
    """A publisher cannot write, and what is no log is refused."""
    with open_read_only(filled.database) as connection:
        assert StoredLog(connection).head() == filled.reader.head()
    with pytest.raises(LogStoreError), open_read_only(filled.database) as connection:
        connection.execute("DELETE FROM log_payloads")
    with pytest.raises(LogStoreError), open_read_only(tmp_path / "none.sqlite"):
        pass
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    with pytest.raises(LogStoreError), open_read_only(empty) as connection:
        StoredLog(connection).latest_note()


def test_a_log_without_a_checkpoint(filled: LogInFolder) -> None:
    """Before it is founded, a log has nothing to publish."""
    filled.connection.execute("DROP TRIGGER log_checkpoints_no_delete")
    filled.connection.execute("PRAGMA foreign_keys=OFF")
    filled.connection.execute("DELETE FROM log_checkpoints")
    with pytest.raises(LogStoreError):
        filled.reader.latest_note()


def test_a_proof_read_at_once_is_the_one_read_node_by_node(log: LogInFolder) -> None:
    """For every entry at every size one statement finds what many would, and outside the tree nothing is proven."""
    log.tick(*(sealed() for _ in range(11)))
    for size in range(1, 12):
        for index in range(size):
            assert log.reader.inclusion_proof(index, size) == inclusion_proof(log.reader, index=index, size=size)
    with pytest.raises(ProofError):
        log.reader.inclusion_proof(11, 11)


def test_a_proof_without_one_of_its_nodes_is_not_given(log: LogInFolder) -> None:
    """A node that is gone is an error, whichever it is, and never a shorter proof."""
    log.tick(*(sealed() for _ in range(8)))
    log.connection.execute("DROP TRIGGER log_nodes_no_delete")
    log.connection.execute("DELETE FROM log_nodes WHERE level = 1 AND idx = 1")
    with pytest.raises(LogStoreError, match="missing"):
        log.reader.inclusion_proof(0, 8)
