"""The log's tables for SQLite. Triggers are a guard rail against mistakes; the tree and the witnesses are the proof.

`INSERT OR REPLACE` deletes without firing a DELETE trigger, so each append-only table also refuses, before the
insert, any row that is not the next one. The broker's migration runs these statements as they are.
"""

import sqlite3

_TABLES = (
    """CREATE TABLE log_entries (
        idx INTEGER PRIMARY KEY,
        leaf BLOB NOT NULL CHECK (length(leaf) BETWEEN 1 AND 65535)
    ) STRICT""",
    """CREATE TABLE log_nodes (
        level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 63),
        idx INTEGER NOT NULL,
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (level, idx)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE log_checkpoints (
        size INTEGER PRIMARY KEY CHECK (size >= 0),
        note TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE log_cosignatures (
        size INTEGER NOT NULL REFERENCES log_checkpoints (size),
        witness TEXT NOT NULL,
        line TEXT NOT NULL,
        PRIMARY KEY (size, witness)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE log_payloads (
        idx INTEGER NOT NULL REFERENCES log_entries (idx),
        grp TEXT NOT NULL CHECK (grp IN ('meta', 'actor', 'subject', 'hits', 'shielded')),
        nonce BLOB NOT NULL CHECK (length(nonce) = 24),
        ciphertext BLOB NOT NULL,
        PRIMARY KEY (idx, grp)
    ) STRICT""",
    """CREATE TABLE log_payload_keys (
        idx INTEGER NOT NULL REFERENCES log_entries (idx),
        grp TEXT NOT NULL CHECK (grp IN ('meta', 'actor', 'subject', 'hits', 'shielded')),
        epoch INTEGER NOT NULL CHECK (epoch >= 1),
        wrapped BLOB NOT NULL,
        PRIMARY KEY (idx, grp)
    ) STRICT""",
)

_APPEND_ONLY = ("log_entries", "log_nodes", "log_checkpoints", "log_cosignatures")

_NEXT_ROW_TRIGGERS = (
    """CREATE TRIGGER log_entries_next BEFORE INSERT ON log_entries
    WHEN new.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM log_entries)
    BEGIN SELECT RAISE(ABORT, 'log_entries: not the next index'); END""",
    """CREATE TRIGGER log_nodes_next BEFORE INSERT ON log_nodes
    WHEN new.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM log_nodes WHERE level = new.level)
    BEGIN SELECT RAISE(ABORT, 'log_nodes: not the next index of its level'); END""",
    """CREATE TRIGGER log_checkpoints_next BEFORE INSERT ON log_checkpoints
    WHEN new.size IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM log_entries)
        OR new.size <= (SELECT coalesce(max(size), -1) FROM log_checkpoints)
    BEGIN SELECT RAISE(ABORT, 'log_checkpoints: not a new checkpoint of the whole log'); END""",
    """CREATE TRIGGER log_cosignatures_once BEFORE INSERT ON log_cosignatures
    WHEN EXISTS (SELECT 1 FROM log_cosignatures WHERE size = new.size AND witness = new.witness)
    BEGIN SELECT RAISE(ABORT, 'log_cosignatures: this witness has cosigned this size'); END""",
)


def _refuse(event: str, table: str) -> str:
    return f"""CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table}
    BEGIN SELECT RAISE(ABORT, '{table}: append only'); END"""


SQLITE_DDL: tuple[str, ...] = (
    *_TABLES,
    *_NEXT_ROW_TRIGGERS,
    *(_refuse(event, table) for table in _APPEND_ONLY for event in ("UPDATE", "DELETE")),
    """CREATE TRIGGER log_payloads_no_update BEFORE UPDATE ON log_payloads
    BEGIN SELECT RAISE(ABORT, 'log_payloads: a payload is erased, never changed'); END""",
)

ERASURE_DDL: tuple[str, ...] = (
    """CREATE TABLE log_erased (
        grp TEXT NOT NULL CHECK (grp IN ('meta', 'actor', 'subject', 'hits', 'shielded')),
        first_idx INTEGER NOT NULL CHECK (first_idx >= 0),
        last_idx INTEGER NOT NULL CHECK (last_idx >= first_idx),
        erased_by INTEGER NOT NULL CHECK (erased_by > last_idx),
        PRIMARY KEY (grp, first_idx)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER log_erased_once BEFORE INSERT ON log_erased
    WHEN EXISTS (SELECT 1 FROM log_erased
        WHERE grp = new.grp AND first_idx <= new.last_idx AND last_idx >= new.first_idx)
    BEGIN SELECT RAISE(ABORT, 'log_erased: erased before'); END""",
    *(_refuse(event, "log_erased") for event in ("UPDATE", "DELETE")),
    "CREATE INDEX ix_log_payload_keys_epoch ON log_payload_keys (epoch)",
    "CREATE INDEX ix_log_payloads_shielded ON log_payloads (idx) WHERE grp = 'shielded'",
)
"""What was erased by which entry, so that it need not be searched; the entries themselves are the proof."""


def create_tables(connection: sqlite3.Connection) -> None:
    """The database holds the log's empty tables and their triggers.

    Raises:
        sqlite3.OperationalError: a table exists already.

    """
    for statement in (*SQLITE_DDL, *ERASURE_DDL):
        connection.execute(statement)
