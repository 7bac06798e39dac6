"""The log's tables for PostgreSQL, with the same guard rails as SQLite's; roles keep the service from taking them away.

Texts are compared byte by byte (`COLLATE "C"`), so that the order of cosignatures depends on no server's language.
Functions name the schema: nobody can put a table of his own in front of what they read.
"""

_TABLES = (
    """CREATE TABLE log_entries (
        idx bigint PRIMARY KEY CHECK (idx >= 0),
        leaf bytea NOT NULL CHECK (octet_length(leaf) BETWEEN 1 AND 65535)
    )""",
    """CREATE TABLE log_nodes (
        level integer NOT NULL CHECK (level BETWEEN 0 AND 63),
        idx bigint NOT NULL,
        hash bytea NOT NULL CHECK (octet_length(hash) = 32),
        PRIMARY KEY (level, idx)
    )""",
    """CREATE TABLE log_checkpoints (
        size bigint PRIMARY KEY CHECK (size >= 0),
        note text NOT NULL
    )""",
    """CREATE TABLE log_cosignatures (
        size bigint NOT NULL REFERENCES log_checkpoints (size),
        witness text COLLATE "C" NOT NULL,
        line text NOT NULL,
        PRIMARY KEY (size, witness)
    )""",
    """CREATE TABLE log_payloads (
        idx bigint NOT NULL REFERENCES log_entries (idx),
        grp text NOT NULL CHECK (grp IN ('meta', 'actor', 'subject', 'hits', 'shielded')),
        nonce bytea NOT NULL CHECK (octet_length(nonce) = 24),
        ciphertext bytea NOT NULL,
        PRIMARY KEY (idx, grp)
    )""",
    """CREATE TABLE log_payload_keys (
        idx bigint NOT NULL REFERENCES log_entries (idx),
        grp text NOT NULL CHECK (grp IN ('meta', 'actor', 'subject', 'hits', 'shielded')),
        epoch integer NOT NULL CHECK (epoch >= 1),
        wrapped bytea NOT NULL,
        PRIMARY KEY (idx, grp)
    )""",
)

_APPEND_ONLY = ("log_entries", "log_nodes", "log_checkpoints", "log_cosignatures")


def _next_row(table: str, condition: str, rule: str) -> tuple[str, str]:
    """Return the function and trigger that refuse a row unless the condition holds (23514: a check failed)."""
    return (
        f"""CREATE FUNCTION {table}_next() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT ({condition}) THEN
                RAISE EXCEPTION '{table}: {rule}' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$""",
        f"CREATE TRIGGER {table}_next BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_next()",
    )


_NEXT_ROWS = (
    *_next_row(
        "log_entries",
        "NEW.idx = (SELECT coalesce(max(idx) + 1, 0) FROM public.log_entries)",
        "not the next index",
    ),
    *_next_row(
        "log_nodes",
        "NEW.idx = (SELECT coalesce(max(idx) + 1, 0) FROM public.log_nodes WHERE level = NEW.level)",
        "not the next index of its level",
    ),
    *_next_row(
        "log_checkpoints",
        "NEW.size = (SELECT coalesce(max(idx) + 1, 0) FROM public.log_entries)"
        " AND NEW.size > (SELECT coalesce(max(size), -1) FROM public.log_checkpoints)",
        "not a new checkpoint of the whole log",
    ),
)

_REFUSE = """CREATE FUNCTION log_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%: append only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END $$"""


def _refuse(event: str, table: str) -> str:
    return f"""CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION log_append_only()"""


POSTGRES_DDL: tuple[str, ...] = (
    *_TABLES,
    *_NEXT_ROWS,
    _REFUSE,
    *(_refuse(event, table) for table in _APPEND_ONLY for event in ("UPDATE", "DELETE", "TRUNCATE")),
    *(_refuse(event, "log_payloads") for event in ("UPDATE", "TRUNCATE")),
    _refuse("TRUNCATE", "log_payload_keys"),
)

POSTGRES_ERASURE_DDL: tuple[str, ...] = (
    """CREATE TABLE log_erased (
        grp text NOT NULL CHECK (grp IN ('meta', 'actor', 'subject', 'hits', 'shielded')),
        first_idx bigint NOT NULL CHECK (first_idx >= 0),
        last_idx bigint NOT NULL CHECK (last_idx >= first_idx),
        erased_by bigint NOT NULL CHECK (erased_by > last_idx),
        PRIMARY KEY (grp, first_idx)
    )""",
    *_next_row(
        "log_erased",
        "NOT EXISTS (SELECT 1 FROM public.log_erased e"
        " WHERE e.grp = NEW.grp AND e.first_idx <= NEW.last_idx AND e.last_idx >= NEW.first_idx)",
        "erased before",
    ),
    *(_refuse(event, "log_erased") for event in ("UPDATE", "DELETE", "TRUNCATE")),
    "CREATE INDEX ix_log_payload_keys_epoch ON log_payload_keys (epoch)",
    "CREATE INDEX ix_log_payloads_shielded ON log_payloads (idx) WHERE grp = 'shielded'",
)
"""What was erased by which entry, so that it need not be searched; the entries themselves are the proof."""
