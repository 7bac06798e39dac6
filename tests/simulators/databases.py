"""Migrated, empty databases for tests: a file of SQLite or a database on a real server, as one parameter says.

database = databases.new("postgresql", tmp_path)
"""

import functools
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audit.database import Connection
from audit.postgres import open_postgres
from audit.sqlite import open_database
from broker.store.address import DatabaseAddress, PostgresServer, SqliteFile, address_of
from broker.store.schema import migrate
from tests.simulators.postgres_cluster import OWNER, SERVICE, PostgresCluster, running_cluster

DATABASES = ("sqlite", "postgresql")
"""The stores that every test of a store, a flow, the API and the region runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database: `address` as the broker serves with it, `owner` as the role that may do anything with it."""

    address: DatabaseAddress
    owner: DatabaseAddress

    @property
    def setting(self) -> dict[str, str]:
        """How a broker's settings name it."""
        if isinstance(self.address, SqliteFile) or isinstance(self.owner, SqliteFile):
            return {}
        return {"database": self.address.url, "database_owner": self.owner.url}

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Give a session beside the broker's own, as the owner."""
        address = self.owner
        opened = open_database(address.path) if isinstance(address, SqliteFile) else open_postgres(address.url)
        with closing(opened) as connection:
            yield connection

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what stands in it."""
        with self.session() as connection:
            return [tuple(row) for row in connection.execute(query, values).fetchall()]

    def write(self, statement: str, *values: object) -> None:
        """Change it past the broker."""
        with self.session() as connection:
            connection.execute(statement, values)


@functools.cache
def migrated_file() -> bytes:
    """Return an empty SQLite database with the newest schema; migrating once makes many tests fast."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        migrate(SqliteFile(path=path))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
        return path.read_bytes()


@dataclass(slots=True)
class Databases:
    """Where tests get their databases; the server is started by the first that asks one of it."""

    _held: ExitStack = field(default_factory=ExitStack)
    _cluster: PostgresCluster | None = None
    _names: dict[Path, str] = field(default_factory=dict)

    @property
    def cluster(self) -> PostgresCluster:
        """The server that these tests share."""
        if self._cluster is None:
            self._cluster = self._held.enter_context(running_cluster())
        return self._cluster

    def kept(self, kind: str, folder: Path) -> Database:
        """Return a new database that stays until the end of all tests."""
        if kind == "sqlite":
            return self.new(kind, folder)
        return on_server(self.cluster, self.cluster.new_database())

    def copy(self, url: str, folder: Path) -> str:
        """Return the address of a copy of a database on the server, which belongs to this folder."""
        name = _name(url)
        self._names[folder] = self.cluster.new_database(template=name)
        return url.replace(f"/{name}?", f"/{self._names[folder]}?")

    def new(self, kind: str, folder: Path) -> Database:
        """Return the database that belongs to this folder: a new one, or the one it got before."""
        if kind == "sqlite":
            path = folder / "broker.sqlite"
            if not path.exists():
                path.write_bytes(migrated_file())
            return Database(address=SqliteFile(path=path), owner=SqliteFile(path=path))
        if folder not in self._names:
            self._names[folder] = self.cluster.new_database()
        return on_server(self.cluster, self._names[folder])

    def give_back(self) -> None:
        """Every database that was asked of the server is gone from it."""
        while self._names:
            self.cluster.drop_database(self._names.popitem()[1])

    def close(self) -> None:
        """The server is gone."""
        self._held.close()


def at(url_or_path: str, folder: Path) -> Database:
    """Return the database that a broker's settings name."""
    address = address_of(url_or_path, folder=folder)
    if isinstance(address, SqliteFile):
        return Database(address=address, owner=address)
    owner = PostgresServer(url=address.url.replace(f"//{SERVICE}@", f"//{OWNER}@"))
    return Database(address=address, owner=owner)


def _name(url: str) -> str:
    return urlsplit(url).path.strip("/")


def on_server(cluster: PostgresCluster, name: str) -> Database:
    """Return a database of a server."""
    return Database(
        address=PostgresServer(url=cluster.url(name, SERVICE)), owner=PostgresServer(url=cluster.url(name, OWNER))
    )


databases = Databases()
"""The one of this process; `tests/conftest.py` closes it."""
