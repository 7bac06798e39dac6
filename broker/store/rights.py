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
    "signals": _FORGET,
    "signal_tokens": _DROP,
    "sealed_tokens": _DROP,
    "signal_exclusions": _DROP,
    "version_stamps": _CHANGE,
    "spent_tickets": _DROP,
    "request_jti": _FORGET,
    "answers": _DROP,
    "erasures": _CHANGE,
    "doomed_epochs": _DROP,
    "tasks": _FORGET,
    "acts": _DROP,
    "act_handles": _DROP,
    "review_notes": _DROP,
    "notices": _FORGET,
    "calls": _FORGET,
    "phone_calls": _FORGET,
    "belcode_tries": _DROP,
    "webhooks": _FORGET,
    "webhook_deliveries": _FORGET,
    "call_rings": _FORGET,
    "team_tasks": _FORGET,
    "unmet_signals": _DROP,
    "matches": _FORGET,
    "match_sides": _FORGET,
    "match_signals": _DROP,
    "information_requests": _FORGET,
    "request_answers": _FORGET,
    "letter_chunks": _FORGET,
    "consents": _FORGET,
    "exceptions": _FORGET,
    "consent_events": _DROP,
    "consent_tokens": _DROP,
    "exception_tokens": _DROP,
    "registers": _APPEND,
    "rosters": _APPEND,
    "epochs": _CHANGE,
    "bundles": _APPEND,
    "log_entries": _APPEND,
    "log_nodes": _APPEND,
    "log_checkpoints": _APPEND,
    "log_cosignatures": _APPEND,
    "log_erased": _APPEND,
    "log_payloads": _DROP,
    "log_payload_keys": _FORGET,
}
"""Per table; a test asks a line for each table of the schema. What stands in no line is not allowed."""

ERASABLE = ("log_payloads", "log_payload_keys")
LOG_TABLES = tuple(name for name in RIGHTS if name.startswith("log_") and name not in ERASABLE)
_REWRITES = """SELECT bool_or(
        has_any_column_privilege(current_user, c.oid, 'UPDATE') OR has_table_privilege(current_user, c.oid, 'DELETE')
        OR has_table_privilege(current_user, c.oid, 'TRUNCATE') OR has_table_privilege(current_user, c.oid, 'TRIGGER')
        OR pg_has_role(current_user, c.relowner, 'MEMBER'))
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND starts_with(c.relname, 'log_')
        AND c.relname NOT IN ('log_payloads', 'log_payload_keys')"""
"""Payloads and their keys are erasable; that one is gone without an entry is an alarm of `verify`, and no right."""
_OWNS = """SELECT has_schema_privilege(current_user, n.oid, 'CREATE') OR pg_has_role(current_user, n.nspowner, 'MEMBER')
        OR pg_has_role(current_user, d.datdba, 'MEMBER')
    FROM pg_namespace n, pg_database d WHERE n.nspname = 'public' AND d.datname = current_database()"""
_RULES = """SELECT bool_or(r.rolsuper OR r.rolcreaterole OR r.rolreplication)
    FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER')"""
_REACHES = """SELECT bool_or(pg_has_role(current_user, r.oid, 'MEMBER')) FROM pg_roles r
    WHERE r.rolname IN ('pg_write_server_files', 'pg_execute_server_program', 'pg_write_all_data')"""
_TOO_MUCH = (_REWRITES, _OWNS, _RULES, _REACHES)
"""Each asks for one way to rewrite the log, also by becoming somebody else first; none of them may hold."""


def check_rights(connection: Connection) -> None:
    """Hold only if the role of this session can neither rewrite the log nor change the schema.

    A file of SQLite knows no roles: whoever can write it can change it, and only witnesses notice.

    Raises:
        RightsTooWideError: the role owns the schema, is a superuser, or was given more than it needs.
    """
    if connection.dialect is not POSTGRESQL:
        return
    if any(connection.execute(question).fetchone() != (False,) for question in _TOO_MUCH):
        raise RightsTooWideError
