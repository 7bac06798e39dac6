"""Making and checking the schema. The store runs on a migrated database only."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event

from broker.domain.errors import SchemaNotMigratedError

SCHEMA_VERSION = "0001"
"""The newest migration; a test compares it with the files."""


def migrate(path: Path) -> None:
    """The database at `path` has the newest schema; it is made when it is not there.

    Each step is one transaction: a step that fails leaves nothing of itself.
    """
    from alembic import command  # noqa: PLC0415 - loaded where a database is made, and never to import a document
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with administration(path) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_migrated(connection: sqlite3.Connection) -> None:
    """Hold only on the newest schema. Raises SchemaNotMigratedError: run the migration first."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        raise SchemaNotMigratedError from None
    if row is None or row[0] != SCHEMA_VERSION:
        raise SchemaNotMigratedError


def engine_of(path: Path) -> Engine:
    """Return an engine for administration: real transactions, foreign keys, durable commits."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def administration(path: Path) -> Iterator[Connection]:
    """Give one connection in one write transaction, committed at the end or rolled back by an exception."""
    engine = engine_of(path)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
