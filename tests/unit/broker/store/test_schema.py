"""The migrated schema is the one of the models on each database; the token index can be distributed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from audit.database import DATABASE_ERRORS
from audit.errors import DatabaseError
from broker.domain.errors import RightsTooWideError, SchemaNotMigratedError, StorageError
from broker.ports import StampKey, StampKind
from broker.store import (
    call_models,  # noqa: F401 - its tables are of the same metadata
    consent_models,  # noqa: F401 - as above
    follow_up_models,  # noqa: F401 - as above
    migrations,
    request_models,  # noqa: F401 - as above
)
from broker.store.address import SqliteFile
from broker.store.connection import SingleWriter, open_connection, open_reader
from broker.store.models import TOKEN_INDEX_TABLES, Table
from broker.store.rights import LOG_TABLES, RIGHTS, check_rights
from broker.store.schema import SCHEMA_VERSION, administration, migrate
from tests.simulators.databases import Database, databases
from tests.simulators.postgres_cluster import OWNER, SERVICE

IDX = "idx"


def keys_without_the_index(database: Database) -> list[str]:
    """Return each primary key, unique key and unique index of the token index family that lacks its index column."""
    faults = []
    with administration(database.owner) as opened:
        found = inspect(opened)
        for table in TOKEN_INDEX_TABLES:
            keys: list[list[str | None]] = [[*found.get_pk_constraint(table)["constrained_columns"]]]
            keys += [[*one["column_names"]] for one in found.get_unique_constraints(table)]
            keys += [one["column_names"] for one in found.get_indexes(table) if one["unique"]]
            faults += [f"{table}: {', '.join(map(str, key))}" for key in keys if IDX not in key]
    return faults


def test_the_migrated_schema_is_that_of_the_models(database: Database) -> None:
    """Alembic finds nothing to add, drop or change, the log's own tables apart."""
    options = {
        "compare_type": True,
        "include_object": lambda _object, name, _kind, _reflected, _other: not (name or "").startswith("log_"),
    }
    with administration(database.owner) as opened:
        context = MigrationContext.configure(opened, opts=options)
        assert compare_metadata(context, Table.metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    """The newest schema stays as it is."""
    migrate(database.owner)
    assert database.rows("SELECT version_num FROM alembic_version") == [(SCHEMA_VERSION,)]
    with administration(database.owner) as opened:
        assert {*inspect(opened).get_table_names()} == set(RIGHTS)


def test_the_newest_migration_is_the_schemas_version() -> None:
    """The version the store asks for is that of the last file."""
    versions = sorted((Path(next(iter(migrations.__path__))) / "versions").glob("v[0-9]*.py"))
    assert versions[-1].name.startswith(f"v{SCHEMA_VERSION}_")


def test_every_key_of_the_token_index_holds_the_index(database: Database) -> None:
    """The distribution column is part of the primary key and of every unique key of the family (D14)."""
    assert keys_without_the_index(database) == []


@pytest.mark.parametrize(
    "step",
    [
        "CREATE UNIQUE INDEX by_signal ON signal_tokens (signal_id, role, family)",
        "CREATE UNIQUE INDEX by_sealed ON sealed_tokens (sealed)",
    ],
)
def test_a_migration_that_breaks_the_distribution_is_refused(database: Database, step: str) -> None:
    """A step that makes anything of the family unique without its index column is found by the test above."""
    database.write(step)
    assert len(keys_without_the_index(database)) == 1


def test_the_store_refuses_another_schema(tmp_path: Path, database: Database) -> None:
    """A database that was never migrated, or by another release, is not opened."""
    with pytest.raises(SchemaNotMigratedError):
        open_connection(SqliteFile(path=tmp_path / "none.sqlite"))
    sqlite3.connect(tmp_path / "empty.sqlite").close()
    with pytest.raises(SchemaNotMigratedError):
        open_connection(SqliteFile(path=tmp_path / "empty.sqlite"))
    for version in ("DELETE FROM alembic_version", "INSERT INTO alembic_version VALUES ('9999')"):
        database.write(version)
        with pytest.raises(SchemaNotMigratedError):
            open_connection(database.address)


def test_a_file_keeps_what_it_promises(tmp_path: Path) -> None:
    """WAL, a real fsync at each commit, foreign keys, and erased keys overwritten (security-ux P8)."""
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "recursive_triggers": 1,
    }
    with closing(open_connection(databases.new("sqlite", tmp_path).address)) as connection:
        assert {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted


@pytest.mark.parametrize("forgets", ["synchronous_commit = off", "synchronous_commit = local"])
def test_a_server_that_forgets_what_it_acknowledged_is_refused(tmp_path: Path, forgets: str) -> None:
    """A commit that is not on disk when it is acknowledged is none: such a server is not used."""
    database = databases.new("postgresql", tmp_path)
    name = database.rows("SELECT current_database()")[0][0]
    database.write(f"ALTER DATABASE {name} SET {forgets}")
    with pytest.raises(DatabaseError):
        open_connection(database.address)


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize("act", ["UPDATE {} SET idx = idx", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
def test_the_service_cannot_rewrite_the_log(tmp_path: Path, table: str, act: str) -> None:
    """On a server the role that serves may add to the log and read it, and nothing else (42501, or no such owner)."""
    column = {"log_checkpoints": "size", "log_cosignatures": "size", "log_erased": "grp"}.get(table, "idx")
    with closing(open_connection(databases.new("postgresql", tmp_path).address)) as connection:
        with pytest.raises(DatabaseError) as refused:
            connection.execute(act.format(table).replace("idx", column))
        assert refused.value.sqlstate == "42501"


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE log_payloads SET ciphertext = ''",
        "TRUNCATE log_payloads",
        "TRUNCATE log_payload_keys",
        "DROP TABLE log_payload_keys",
        "ALTER TABLE log_payloads DISABLE TRIGGER ALL",
    ],
)
def test_the_service_erases_payloads_and_never_changes_one(tmp_path: Path, act: str) -> None:
    """Of what is erasable it may delete rows and wrap keys anew, and nothing besides."""
    with closing(open_connection(databases.new("postgresql", tmp_path).address)) as connection:
        with pytest.raises(DatabaseError) as refused:
            connection.execute(act)
        assert refused.value.sqlstate == "42501"
        connection.execute("DELETE FROM log_payload_keys")
        connection.execute("UPDATE log_payload_keys SET epoch = 2, wrapped = wrapped")


@pytest.mark.parametrize(
    "act",
    [
        "CREATE TABLE elsewhere (id integer)",
        "ALTER TABLE signals ADD COLUMN note text",
        "DROP TRIGGER log_entries_no_update ON log_entries",
        "ALTER TABLE log_entries DISABLE TRIGGER ALL",
        "TRUNCATE signals CASCADE",
        "UPDATE signal_tokens SET role = role",
        "UPDATE registers SET document = ''",
        "UPDATE spent_tickets SET expires_at = 0",
        "INSERT INTO alembic_version VALUES ('9999')",
        "CREATE OR REPLACE FUNCTION log_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)
def test_the_service_cannot_change_the_schema_or_what_is_settled(tmp_path: Path, act: str) -> None:
    """What the role that serves does not need, it cannot do."""
    with closing(open_connection(databases.new("postgresql", tmp_path).address)) as connection:
        with pytest.raises(DatabaseError) as refused:
            connection.execute(act)
        assert refused.value.sqlstate == "42501"


@pytest.mark.parametrize(
    "right",
    [
        "UPDATE, DELETE ON log_entries",
        "UPDATE (leaf) ON log_entries",
        "TRUNCATE ON log_nodes",
        "TRIGGER ON log_checkpoints",
        "CREATE ON SCHEMA public",
    ],
)
def test_a_broker_with_too_many_rights_does_not_start(tmp_path: Path, right: str) -> None:
    """A role that could rewrite the log, and the owner of the schema, are refused at the start."""
    database = databases.new("postgresql", tmp_path)
    for address, refused in ((database.address, False), (database.owner, True)):
        with closing(open_connection(address)) as connection:
            if refused:
                with pytest.raises(RightsTooWideError):
                    check_rights(connection)
            else:
                check_rights(connection)
    database.write(f"GRANT {right} TO {SERVICE}")
    with closing(open_connection(database.address)) as connection, pytest.raises(RightsTooWideError):
        check_rights(connection)
    migrate(database.owner, service=SERVICE)
    with closing(open_connection(database.address)) as connection:
        check_rights(connection)


@pytest.mark.parametrize(
    ("gives", "takes"),
    [
        ("GRANT {owner} TO {service}", "REVOKE {owner} FROM {service}"),
        ("ALTER ROLE {service} NOINHERIT; GRANT {owner} TO {service}", "REVOKE {owner} FROM {service}"),
        ("ALTER ROLE {service} CREATEROLE", "ALTER ROLE {service} NOCREATEROLE"),
        ("ALTER ROLE {service} REPLICATION", "ALTER ROLE {service} NOREPLICATION"),
        ("ALTER ROLE {service} SUPERUSER", "ALTER ROLE {service} NOSUPERUSER"),
        ("GRANT pg_write_server_files TO {service}", "REVOKE pg_write_server_files FROM {service}"),
        ("ALTER DATABASE {name} OWNER TO {service}", "ALTER DATABASE {name} OWNER TO {owner}"),
    ],
)
def test_a_role_that_could_become_somebody_else_does_not_serve(tmp_path: Path, gives: str, takes: str) -> None:
    """Rights that a role can give itself are rights: membership, making roles, files of the server, the database."""
    database = databases.new("postgresql", tmp_path)
    names = {"owner": OWNER, "service": SERVICE, "name": database.rows("SELECT current_database()")[0][0]}
    try:
        for statement in gives.split(";"):
            databases.cluster.administer(statement.format(**names))
        with pytest.raises(RightsTooWideError):
            SingleWriter(database.address)
    finally:
        databases.cluster.administer(takes.format(**names))
        databases.cluster.administer(f"ALTER ROLE {SERVICE} INHERIT")
    SingleWriter(database.address).close()


def test_what_everybody_was_given_is_taken_back(tmp_path: Path) -> None:
    """A right of PUBLIC is a right of the service: `migrate` takes it away."""
    database = databases.new("postgresql", tmp_path)
    database.write("GRANT UPDATE ON log_entries TO PUBLIC")
    with pytest.raises(RightsTooWideError):
        SingleWriter(database.address)
    migrate(database.owner, service=SERVICE)
    SingleWriter(database.address).close()


def test_a_failed_administration_leaves_nothing(database: Database) -> None:
    """An exception inside takes back everything that was written."""

    def fail() -> None:
        with administration(database.owner) as opened:
            opened.exec_driver_sql("INSERT INTO version_stamps VALUES ('policy', '', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert database.rows("SELECT count(*) FROM version_stamps") == [(0,)]


async def test_a_reader_survives_a_server_that_was_started_anew(tmp_path: Path) -> None:
    """A reading is repeated once on a new session; while there is no server it is an outage."""
    database = databases.new("postgresql", tmp_path)
    with closing(open_reader(database.address)) as reader:
        asked = "SELECT count(*) FROM signals"
        assert await reader.run(lambda connection: connection.execute(asked).fetchone()) == (0,)
        databases.cluster.kill()
        with pytest.raises(StorageError):
            await reader.run(lambda connection: connection.execute(asked).fetchone())
        databases.cluster.start()
        assert await reader.run(lambda connection: connection.execute(asked).fetchone()) == (0,)


def test_a_stamp_never_shows_its_key() -> None:
    """The key can be a token index, which stands in no log."""
    assert "secret" not in repr(StampKey(kind=StampKind.TOKEN, key=b"secret"))


@pytest.mark.parametrize(
    "act",
    [
        "INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES ('hits', 2, 4, 6)",
        "INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES ('hits', 0, 9, 20)",
        "INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES ('meta', 3, 3, 3)",
        "INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES ('meta', 3, 2, 9)",
        "UPDATE log_erased SET erased_by = 7",
        "DELETE FROM log_erased",
    ],
)
def test_what_was_erased_is_noted_once_and_for_ever(database: Database, act: str) -> None:
    """No place is erased twice, none by an entry before it, and a note is never changed, not by the owner either."""
    database.write("INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES ('hits', 0, 2, 5)")
    with pytest.raises(DATABASE_ERRORS):
        database.write(act)
    database.write("INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES ('hits', 3, 3, 6)")
    assert len(database.rows("SELECT * FROM log_erased")) == 2
