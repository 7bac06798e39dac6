"""The tables of a custodian's store: numbered steps, each applied once, in order."""

from audit.schema import SQLITE_DDL

STEPS: tuple[tuple[str, ...], ...] = (
    (
        # What the registrars state. Every number that was in force stays, as evidence.
        """CREATE TABLE register (
            number INTEGER PRIMARY KEY, document BLOB NOT NULL, imported_at INTEGER NOT NULL
        ) STRICT""",
        # The custodian's own act: without it, an organisation of the register is unknown here.
        "CREATE TABLE enrolment (oin TEXT PRIMARY KEY, enrolled_at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        """CREATE TABLE roster (
            oin TEXT PRIMARY KEY REFERENCES enrolment (oin), number INTEGER NOT NULL, document BLOB NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE spent_request (
            issuer TEXT NOT NULL, jti TEXT NOT NULL, expires_at INTEGER NOT NULL, spent_at_us INTEGER NOT NULL,
            PRIMARY KEY (issuer, jti)
        ) STRICT, WITHOUT ROWID""",
        # `worker` is empty for the organisation's own bucket. `level` is in points times microseconds of a day.
        """CREATE TABLE bucket (
            organisation TEXT NOT NULL, worker TEXT NOT NULL, budget_class TEXT NOT NULL,
            level INTEGER NOT NULL CHECK (level >= 0), at_us INTEGER NOT NULL,
            PRIMARY KEY (organisation, worker, budget_class)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE batch (
            organisation TEXT NOT NULL, id TEXT NOT NULL, worker TEXT NOT NULL, body_sha256 TEXT NOT NULL,
            ticket_id TEXT NOT NULL, charged_at INTEGER NOT NULL, PRIMARY KEY (organisation, id)
        ) STRICT, WITHOUT ROWID""",
        # Single numbers: trust_revision, jti_floor, budget_time_us, wall_mark_us.
        "CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        # Import grants that this custodian accepted by its own act, and what is left of each; none is ever added to.
        """CREATE TABLE import_grant (
            organisation TEXT NOT NULL, id TEXT NOT NULL, document BLOB NOT NULL, accepted_at INTEGER NOT NULL,
            revoked_at INTEGER, PRIMARY KEY (organisation, id)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE grant_left (
            organisation TEXT NOT NULL, grant_id TEXT NOT NULL, family TEXT NOT NULL,
            elements INTEGER NOT NULL CHECK (elements >= 0), PRIMARY KEY (organisation, grant_id, family),
            FOREIGN KEY (organisation, grant_id) REFERENCES import_grant (organisation, id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID""",
        # A batch of a grant is answered again as long as its grant holds: a crash must not use up an exact size.
        "ALTER TABLE batch ADD COLUMN grant_expires_at INTEGER",
    ),
    (
        # 1 after a restore: a floor for its number, and nobody on it is served until the organisation confirms it.
        "ALTER TABLE roster ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0",
    ),
    (
        # In budget time, as `spent_request.spent_at_us`: a wall clock set forward forgets no batch early.
        "ALTER TABLE batch ADD COLUMN charged_at_us INTEGER NOT NULL DEFAULT 0",
    ),
    (
        # Every ticket that was handed out, and the one entry of the broker's log that cites it.
        """CREATE TABLE issued (
            ticket TEXT PRIMARY KEY, organisation TEXT NOT NULL, worker TEXT NOT NULL, operation TEXT NOT NULL,
            purpose TEXT NOT NULL, epoch INTEGER NOT NULL, counts TEXT NOT NULL, batch TEXT NOT NULL,
            body_sha256 TEXT NOT NULL, grant_id TEXT, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
            entry_index INTEGER, entry_time INTEGER, reported INTEGER NOT NULL DEFAULT 0, log_index INTEGER
        ) STRICT""",
        "CREATE INDEX issued_open ON issued (expires_at) WHERE entry_index IS NULL AND NOT reported",
        "CREATE INDEX issued_unlogged ON issued (issued_at) WHERE log_index IS NULL",
        "CREATE INDEX issued_of ON issued (organisation, issued_at)",
        # The broker's tree as this custodian saw it: its nodes, and the signed notes it was shown.
        """CREATE TABLE followed_node (
            level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32),
            PRIMARY KEY (level, idx)
        ) STRICT, WITHOUT ROWID""",
        "CREATE TABLE followed_note (size INTEGER PRIMARY KEY, note TEXT NOT NULL, seen_at INTEGER NOT NULL) STRICT",
        # What stops handing out tickets until a person has looked at it; never deleted.
        """CREATE TABLE alarm (
            number INTEGER PRIMARY KEY, kind TEXT NOT NULL, raised_at INTEGER NOT NULL, evidence TEXT NOT NULL,
            cleared_at INTEGER, because TEXT
        ) STRICT""",
        """CREATE TABLE finding (
            number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, organisation TEXT NOT NULL,
            found_at INTEGER NOT NULL, ticket TEXT, worker TEXT, operation TEXT, purpose TEXT, issued_at INTEGER,
            entry_index INTEGER, entry_time INTEGER, told_by TEXT, proof TEXT
        ) STRICT""",
        """CREATE UNIQUE INDEX finding_once ON finding (
            kind, organisation, coalesce(ticket, ''), coalesce(entry_index, -1), coalesce(proof, '')
        )""",
        # What the other custodian found, by its numbers.
        """CREATE TABLE peer_finding (
            peer TEXT NOT NULL, number INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (peer, number)
        ) STRICT, WITHOUT ROWID""",
        # This custodian's own log.
        *SQLITE_DDL,
        # Tickets of before this version are not known.
        """INSERT INTO state (name, value)
            SELECT 'unknown_before', CAST(strftime('%s', 'now') AS INTEGER) WHERE EXISTS (SELECT 1 FROM batch)""",
    ),
    (
        # Findings are numbered within one store: a peer that was restored has another, and begins again.
        """CREATE TABLE peer_store (
            peer TEXT PRIMARY KEY, store INTEGER NOT NULL, newest INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE found_by_peer (
            peer TEXT NOT NULL, store INTEGER NOT NULL, number INTEGER NOT NULL, document TEXT NOT NULL,
            PRIMARY KEY (peer, store, number)
        ) STRICT, WITHOUT ROWID""",
        "INSERT INTO found_by_peer SELECT peer, 0, number, document FROM peer_finding",
        "DROP TABLE peer_finding",
        "ALTER TABLE found_by_peer RENAME TO peer_finding",
        # Whoever says often that one probe was missed is told once.
        """DELETE FROM finding WHERE number NOT IN (
            SELECT min(number) FROM finding
            GROUP BY kind, organisation, coalesce(ticket, ''), coalesce(entry_index, -1), coalesce(told_by, '')
        )""",
        "DROP INDEX finding_once",
        """CREATE UNIQUE INDEX finding_once ON finding (
            kind, organisation, coalesce(ticket, ''), coalesce(entry_index, -1), coalesce(told_by, '')
        )""",
    ),
    (
        # Entries whose `actor` was not opened, until an entry says that it was erased or the log was seen to its end.
        """CREATE TABLE withheld (
            entry_index INTEGER PRIMARY KEY, entry_time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
