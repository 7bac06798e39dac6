"""Making and checking the schema. The store runs on a migrated database only."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event

from audit.database import DATABASE_ERRORS
from audit.database import Connection as Session
from broker.domain.errors import SchemaNotMigratedError
from broker.store.address import DatabaseAddress, PostgresServer, SqliteFile
from broker.store.roles import grant_service

SCHEMA_VERSION = "0029"
"""The newest migration; a test compares it with the files."""


def migrate(address: DatabaseAddress, *, service: str | None = None) -> None:
    """The database has the newest schema; a file is made when it is not there.

    Each step is one transaction: a step that fails leaves nothing of itself.

    Args:
        address: of a server, as a role that owns the schema.
        service: the role of a server that the broker serves as; it gets the rights it needs and no more.
    """
    from alembic import command  # noqa: PLC0415 - loaded where a database is made, and never to import a document
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with administration(address) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if service is not None:
            grant_service(connection, service)


def check_migrated(connection: Session) -> None:
    """Hold only on the newest schema. Raises SchemaNotMigratedError: run the migration first."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except DATABASE_ERRORS:
        raise SchemaNotMigratedError from None
    if row is None or row[0] != SCHEMA_VERSION:
        raise SchemaNotMigratedError


def engine_of(address: DatabaseAddress) -> Engine:
    """Return an engine for administration: real transactions, foreign keys, durable commits."""
    return _file_engine(address) if isinstance(address, SqliteFile) else _server_engine(address)


def _file_engine(address: SqliteFile) -> Engine:
    engine = create_engine(f"sqlite:///{address.path}")

    @event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _server_engine(address: PostgresServer) -> Engine:
    from audit.postgres import driver_connection  # noqa: PLC0415 - the driver is loaded only where a server is used

    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: driver_connection(address.url, for_administration=True),
        isolation_level="SERIALIZABLE",
    )


@contextmanager
def administration(address: DatabaseAddress) -> Iterator[Connection]:
    """Give one connection in one write transaction, committed at the end or rolled back by an exception."""
    engine = engine_of(address)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
