"""The migrated schema is the one of the models; the token index can be distributed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from broker.domain.errors import SchemaNotMigratedError
from broker.ports import StampKey, StampKind
from broker.store import migrations
from broker.store.connection import open_connection
from broker.store.models import TOKEN_INDEX_TABLES, Table
from broker.store.schema import SCHEMA_VERSION, administration, migrate

IDX = "idx"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A migrated database."""
    path = tmp_path / "broker.sqlite"
    migrate(path)
    return path


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection to it."""
    with closing(open_connection(database)) as opened:
        yield opened


def unique_keys(connection: sqlite3.Connection, table: str) -> list[list[str]]:
    """Return the columns of the primary key and of every unique index of a table."""
    primary = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
    unique = [row[1] for row in connection.execute(f"PRAGMA index_list({table})") if row[2]]
    return [primary, *([row[2] for row in connection.execute(f"PRAGMA index_info({name})")] for name in unique)]


def test_the_migrated_schema_is_that_of_the_models(database: Path) -> None:
    """Alembic finds nothing to add, drop or change, the log's own tables apart."""
    options = {
        "compare_type": True,
        "include_object": lambda _object, name, _kind, _reflected, _other: not (name or "").startswith("log_"),
    }
    with administration(database) as opened:
        context = MigrationContext.configure(opened, opts=options)
        assert compare_metadata(context, Table.metadata) == []


def test_migrating_twice_changes_nothing(database: Path) -> None:
    """The newest schema stays as it is."""
    before = database.stat().st_size
    migrate(database)
    with closing(open_connection(database)) as opened:
        assert opened.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA_VERSION,)]
    assert database.stat().st_size == before


def test_the_newest_migration_is_the_schemas_version() -> None:
    """The version the store asks for is that of the last file."""
    versions = sorted((Path(next(iter(migrations.__path__))) / "versions").glob("v[0-9]*.py"))
    assert versions[-1].name.startswith(f"v{SCHEMA_VERSION}_")


def test_every_key_of_the_token_index_holds_the_index(connection: sqlite3.Connection) -> None:
    """The distribution column is part of the primary key and of every unique key of the family (D14)."""
    for table in TOKEN_INDEX_TABLES:
        keys = unique_keys(connection, table)
        assert keys[0]
        assert all(IDX in key for key in keys)


def test_the_store_refuses_another_schema(tmp_path: Path, database: Path) -> None:
    """A database that was never migrated, or by another release, is not opened."""
    with pytest.raises(SchemaNotMigratedError):
        open_connection(tmp_path / "empty.sqlite")
    for version in ("DELETE FROM alembic_version", "INSERT INTO alembic_version VALUES ('9999')"):
        with closing(sqlite3.connect(database)) as opened, opened:
            opened.execute(version)
        with pytest.raises(SchemaNotMigratedError):
            open_connection(database)


def test_the_connection_keeps_what_it_promises(connection: sqlite3.Connection) -> None:
    """WAL, a real fsync at each commit, foreign keys, and erased keys overwritten (security-ux P8)."""
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "recursive_triggers": 1,
    }
    assert {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted


def test_a_failed_administration_leaves_nothing(database: Path) -> None:
    """An exception inside takes back everything that was written."""

    def fail() -> None:
        with administration(database) as opened:
            opened.exec_driver_sql("INSERT INTO version_stamps VALUES ('policy', x'00', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with administration(database) as opened:
        assert opened.exec_driver_sql("SELECT count(*) FROM version_stamps").scalar() == 0


def test_a_stamp_never_shows_its_key() -> None:
    """The key can be a token index, which stands in no log."""
    assert "secret" not in repr(StampKey(kind=StampKind.TOKEN, key=b"secret"))
