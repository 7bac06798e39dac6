"""What the role may do that the broker serves as, on a server: never rewrite the log, never change the schema."""

from collections.abc import Mapping

from audit.database import POSTGRESQL, Connection
from broker.domain.errors import RightsTooWideError

_APPEND = "SELECT, INSERT"
_CHANGE = "SELECT, INSERT, UPDATE"
_DROP = "SELECT, INSERT, DELETE"
_FORGET = "SELECT, INSERT, UPDATE, DELETE"

RIGHTS: Mapping[str, str] = {
    "alembic_version": "SELECT",
    "signals": _CHANGE,
    "signal_tokens": _APPEND,
    "sealed_tokens": _APPEND,
    "signal_exclusions": _APPEND,
    "version_stamps": _CHANGE,
    "spent_tickets": _DROP,
    "request_jti": _FORGET,
    "answers": _APPEND,
    "tasks": _CHANGE,
    "registers": _APPEND,
    "rosters": _APPEND,
    "epochs": _CHANGE,
    "bundles": _APPEND,
    "log_entries": _APPEND,
    "log_nodes": _APPEND,
    "log_checkpoints": _APPEND,
    "log_cosignatures": _APPEND,
    "log_payloads": _APPEND,
    "log_payload_keys": _APPEND,
}
"""Per table; a test asks a line for each table of the schema. What stands in no line is not allowed."""

LOG_TABLES = tuple(name for name in RIGHTS if name.startswith("log_"))
NEVER = ("UPDATE", "DELETE", "TRUNCATE")
"""What no role may do to the log that a broker serves as."""


def check_rights(connection: Connection) -> None:
    """Hold only if the role of this session can neither rewrite the log nor change the schema.

    A file of SQLite knows no roles: whoever can write it can change it, and only witnesses notice.

    Raises:
        RightsTooWideError: the role owns the schema, is a superuser, or was given more than it needs.
    """
    if connection.dialect is not POSTGRESQL:
        return
    for table in LOG_TABLES:
        for right in NEVER:
            (may,) = connection.execute("SELECT has_table_privilege(current_user, ?, ?)", (table, right)).fetchone()
            if may:
                raise RightsTooWideError
    (may,) = connection.execute("SELECT has_schema_privilege(current_user, 'public', 'CREATE')").fetchone()
    if may:
        raise RightsTooWideError
