"""The log in PostgreSQL: the same reader and writer as on SQLite, and guard rails for the owner of the schema too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit.cli import app
from audit.errors import DatabaseError, LogStoreError
from audit.log import append, found_log
from audit.merkle import Node, inclusion_proof
from audit.postgres import open_postgres, open_postgres_read_only
from audit.seal import KeyEncryptionKey
from audit.signer import LocalSigner
from audit.stored_log import StoredLog, StoredLogTransaction
from broker.store.address import PostgresServer
from tests.simulators.databases import Database, databases
from tests.unit.audit.log_simulator import NOW, ORIGIN, plain_leaf, policy_text, sealed

INSERTS = {
    "log_entries": "INTO log_entries (idx, leaf) VALUES ({}, 'x')",
    "log_nodes": "INTO log_nodes (level, idx, hash) VALUES (0, {}, decode(repeat('00', 32), 'hex'))",
    "log_checkpoints": "INTO log_checkpoints (size, note) VALUES ({}, 'note')",
    "log_cosignatures": "INTO log_cosignatures (size, witness, line) VALUES ({}, 'w', 'line')",
}
COLUMNS = {"log_entries": "leaf", "log_nodes": "hash", "log_checkpoints": "note", "log_cosignatures": "line"}


class Log:
    """A log of three entries, seen by the owner of the schema."""

    def __init__(self, folder: Path, database: Database) -> None:
        assert isinstance(database.owner, PostgresServer)
        self.url = database.owner.url
        self.connection = open_postgres(self.url)
        self.verifier = LocalSigner.create(folder / "log.key", ORIGIN)
        kek = KeyEncryptionKey.create(folder / "kek")
        with LocalSigner.open(folder / "log.key") as signer:
            self.connection.execute(self.connection.dialect.begin_write)
            found_log(StoredLogTransaction(self.connection), signer=signer)
            transaction = StoredLogTransaction(self.connection)
            append(transaction, [sealed()] * 3, at=NOW, signer=signer, key_encryption_key=kek)
            self.connection.execute("COMMIT")

    @property
    def reader(self) -> StoredLog:
        """A reader over its connection."""
        return StoredLog(self.connection)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log on a server."""
    made = Log(tmp_path, databases.new("postgresql", tmp_path))
    yield made
    made.connection.close()


@pytest.fixture
def filled(log: Log) -> Log:
    """The same with one cosignature."""
    log.connection.execute("BEGIN")
    StoredLogTransaction(log.connection).insert_cosignature(3, "w", "— w AAAA\n")
    log.connection.execute("COMMIT")
    return log


@pytest.mark.parametrize("table", INSERTS)
def test_rows_are_never_changed_or_deleted(filled: Log, table: str) -> None:
    """UPDATE, DELETE, TRUNCATE and UPSERT fail on every append-only table, for the owner too (23514 or 23505)."""
    connection, column = filled.connection, COLUMNS[table]
    everything = f"SELECT * FROM {table} ORDER BY 1, 2"  # noqa: S608 - a table of the list above
    before = connection.execute(everything).fetchall()
    insert = INSERTS[table].format(3 if table in {"log_checkpoints", "log_cosignatures"} else 2)
    for statement in (
        f"UPDATE {table} SET {column} = {column}",  # noqa: S608 - a table of the list above
        f"DELETE FROM {table}",  # noqa: S608 - a table of the list above
        f"TRUNCATE {table} CASCADE",
        f"INSERT {insert}",
    ):
        with pytest.raises(DatabaseError) as refused:
            connection.execute(statement)
        assert refused.value.sqlstate in {"23514", "23505"}
    assert connection.execute(everything).fetchall() == before


@pytest.mark.parametrize(("table", "value"), [("log_entries", 4), ("log_entries", -1), ("log_nodes", 5)])
def test_gaps_are_refused(filled: Log, table: str, value: int) -> None:
    """Indexes are consecutive."""
    with pytest.raises(DatabaseError):
        filled.connection.execute("INSERT " + INSERTS[table].format(value))


@pytest.mark.parametrize("size", [2, 4, 5])
def test_a_checkpoint_covers_the_whole_log(filled: Log, size: int) -> None:
    """A checkpoint's size is the log's size at that moment."""
    with pytest.raises(DatabaseError):
        filled.connection.execute("INSERT " + INSERTS["log_checkpoints"].format(size))


def test_payloads_can_be_erased_but_not_changed(filled: Log) -> None:
    """Erasure is a lawful act, of the owner and never of the service; alteration is not."""
    with pytest.raises(DatabaseError):
        filled.connection.execute("UPDATE log_payloads SET ciphertext = ''")
    filled.connection.execute("DELETE FROM log_payload_keys WHERE idx = 0 AND grp = 'meta'")
    assert filled.reader.sealed_row(0, "meta") is None
    assert filled.reader.sealed_row(0, "actor") is not None


def test_what_the_reader_gives_is_what_was_written(filled: Log) -> None:
    """Notes come with their cosignatures; sizes, nodes and entries are those of the append."""
    reader = filled.reader
    assert reader.latest_note().endswith("— w AAAA\n")
    assert reader.checkpoint_sizes(0, 9) == [0, 3]
    assert (reader.cosigned_size("w"), reader.cosigned_size("v")) == (3, 0)
    assert (len(reader.entries(0, 3)), len(reader.nodes(1, 0, 1)), reader.size()) == (3, 1, 3)


@pytest.mark.parametrize("gap", [True, False])
def test_a_refused_insert_is_an_error_of_the_log(filled: Log, gap: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """The writer sees one error type and nothing of the rows."""
    filled.connection.execute("BEGIN")
    transaction = StoredLogTransaction(filled.connection)

    def insert() -> None:
        if gap:
            transaction.insert_entries(7, [plain_leaf(7)])
        transaction.insert_nodes([Node(level=0, index=0, hash=bytes(32))])

    with pytest.raises(LogStoreError) as refused:
        insert()
    assert "VALUES" not in str(refused.value)
    filled.connection.execute("ROLLBACK")


@pytest.mark.parametrize("warns", [True, False])
def test_a_commit_that_is_none_is_never_taken_for_one(filled: Log, warns: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """One that only rolled back, or came with a warning (no standby has it), ends the session: nothing is known."""
    connection = filled.connection
    connection.execute("BEGIN")
    if warns:
        connection.execute("CREATE TEMPORARY TABLE warner (id integer)")
        connection.execute(
            "CREATE FUNCTION pg_temp.warn() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE WARNING 'not everywhere'; RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON warner DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.warn()"
        )
        connection.execute("INSERT INTO warner VALUES (1)")
    else:
        with pytest.raises(DatabaseError):
            connection.execute("SELECT 1 / 0")
    with pytest.raises(DatabaseError) as unknown:
        connection.execute("COMMIT")
    assert unknown.value.lost
    assert connection.lost


def test_a_value_that_never_leaves_is_the_proposals_own_fault(filled: Log) -> None:
    """A text that PostgreSQL cannot hold is refused by the driver, and counts as a refused value."""
    with pytest.raises(DatabaseError) as refused:
        filled.connection.execute("SELECT ?", ("a\x00b",))
    assert refused.value.is_of_values


def test_an_error_never_quotes_a_value(filled: Log) -> None:
    """What the server says in words, with the value in it, goes no further than the driver's module."""
    with pytest.raises(DatabaseError) as refused:
        filled.connection.execute("SELECT CAST(? AS integer)", ("not 999990019",))
    chain = [refused.value, refused.value.__cause__]
    assert all("999990019" not in str(one) for one in chain)
    assert refused.value.sqlstate == "22P02"
    assert refused.value.is_of_values


def test_a_publisher_reads_one_state_and_cannot_write(log: Log, tmp_path: Path) -> None:
    """`sluis-audit publish` takes a server's address as it takes a file; what it publishes verifies."""
    with open_postgres_read_only(log.url) as connection:
        assert StoredLog(connection).size() == 3
        with pytest.raises(DatabaseError):
            connection.execute("DELETE FROM log_payload_keys")
    policy = tmp_path / "policy"
    policy.write_text(policy_text(log.verifier, quorum="none"), encoding="utf-8")
    told = CliRunner().invoke(
        app, ["publish", str(tmp_path / "log"), "--database", log.url, "--policy", str(policy)]
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "log"), "--policy", str(policy)]).exit_code == 0


def test_a_server_that_is_not_there_is_told_without_its_words(tmp_path: Path) -> None:
    """No answer is an error of ours, with no text of the driver."""
    with pytest.raises(DatabaseError, match="no answer"):
        open_postgres(f"postgresql://nobody@/none?host={tmp_path}")
    policy = tmp_path / "policy"
    policy.write_text(policy_text(LocalSigner.create(tmp_path / "log.key", ORIGIN), quorum="none"), encoding="utf-8")
    address = f"postgresql://nobody@/none?host={tmp_path}"
    told = CliRunner().invoke(app, ["publish", str(tmp_path / "log"), "--database", address, "--policy", str(policy)])
    assert told.exit_code == 2


def test_a_proof_is_read_in_one_statement_as_on_sqlite(log: Log) -> None:
    """The statement that names all nodes of a proof finds on a server what one statement for each would."""
    for index in range(3):
        assert log.reader.inclusion_proof(index, 3) == inclusion_proof(log.reader, index=index, size=3)
