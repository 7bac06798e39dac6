"""Where the broker's database is: a file of SQLite, or a server of PostgreSQL (D14)."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

POSTGRESQL = "postgresql://"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """The embedded default: one file, one machine."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A database on a server: libpq's `postgresql://ROLE@HOST/NAME`, without a password."""

    url: str

    @property
    def role(self) -> str:
        """The role that this address signs in as."""
        return unquote(urlsplit(self.url).username or "")


DatabaseAddress = SqliteFile | PostgresServer


def address_of(text: str, *, folder: Path) -> DatabaseAddress:
    """Return the address that a setting states; a file is relative to the broker's folder."""
    return PostgresServer(url=text) if text.startswith(POSTGRESQL) else SqliteFile(path=folder / text)
