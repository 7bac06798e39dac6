"""Until when what stands beside the log is kept, and no match of a signal that has ended."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DAYS = {
    "information_requests": ("open_until", "box_until"),
    "request_answers": ("box_until",),
    "calls": ("rings_until",),
    "consents": ("lapses_on", "keep_until"),
    "exceptions": ("keep_until",),
}
_INDEXES = (
    ("information_requests", "expires_on"),
    ("information_requests", "consent_id"),
    ("request_answers", "id"),
    ("request_answers", "consent_id"),
    ("calls", "asked_until"),
    ("calls", "idx"),
    ("phone_calls", "made_at"),
    ("consents", "idx"),
    ("exceptions", "idx"),
    ("notices", "read_at"),
)
_FILLED = (
    "UPDATE information_requests SET box_until = expires_on",
    "UPDATE information_requests SET open_until = expires_on WHERE kind = 'request' AND state IN ('sent', 'forwarded')",
    "UPDATE request_answers SET box_until = expires_on WHERE box IS NOT NULL",
    "UPDATE calls SET rings_until = asked_until",
)
_GONE = "SELECT id FROM signals WHERE state IN ('withdrawn', 'ended')"
_UNMATCHED = f"""SELECT id FROM matches WHERE newer_signal IN ({_GONE})
    OR id NOT IN (SELECT match_id FROM match_signals)"""  # noqa: S608 - no value in it
_FORGOTTEN = (
    f"DELETE FROM match_signals WHERE signal_id IN ({_GONE})",  # noqa: S608 - as above
    f"DELETE FROM notices WHERE about IN ({_UNMATCHED})",  # noqa: S608 - as above
    f"DELETE FROM match_sides WHERE match_id IN ({_UNMATCHED})",  # noqa: S608 - as above
    "DELETE FROM match_signals WHERE match_id NOT IN (SELECT match_id FROM match_sides)",
    "DELETE FROM matches WHERE id NOT IN (SELECT match_id FROM match_sides)",
)
CONSENT_DAYS, ACUTE_DAYS = 3 * 366, 5 * 366
"""What was recorded before says nowhere when it is over: it is kept as long as any of its kind is at most."""


def upgrade() -> None:
    """Every row says how long it is kept; what nobody can see any more is gone."""
    for table in ("calls", "consents"):
        op.add_column(table, sa.Column("idx", NUMBER, nullable=True))
    op.add_column("notices", sa.Column("told_at", NUMBER, nullable=True))
    for table, names in _DAYS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.String(), nullable=True))
            op.create_index(f"ix_{table}_{name}", table, [name])
    for table, name in _INDEXES:
        op.create_index(f"ix_{table}_{name}", table, [name])
    for statement in (*_FILLED, *_FORGOTTEN):
        op.execute(statement)
    for table, days in (("consents", CONSENT_DAYS), ("exceptions", ACUTE_DAYS)):
        until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        op.execute(sa.text(f"UPDATE {table} SET keep_until = :until").bindparams(until=until))  # noqa: S608 - names of ours
