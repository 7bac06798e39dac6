"""A signal that rests on consent ends with it; an exception names about whom it is."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_UNTIL = """UPDATE signals SET consent_until = coalesce((
    SELECT max(c.lapses_on) FROM consents c JOIN consent_tokens p ON p.consent_id = c.id
    JOIN signal_tokens t ON t.idx = p.idx AND t.role = 'subject'
    WHERE t.signal_id = signals.id AND c.organisation = signals.organisation
    AND c.body LIKE '%"purpose": "' || signals.purpose || '"%'), registered_on)
    WHERE ground = 'TOEST' AND state IN ('active', 'frozen')"""
"""Where nobody's yes is known to hold any more it ended the day after it was registered: then it is swept."""


def upgrade() -> None:
    """Signals of before rest on the last of what stands as a yes; what was invoked before is about nobody."""
    op.add_column("signals", sa.Column("consent_until", sa.String(), nullable=True))
    op.execute(_UNTIL)
    op.create_table(
        "exception_tokens",
        sa.Column("idx", sa.LargeBinary(), primary_key=True),
        sa.Column("exception_id", sa.String(), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_exception_tokens_exception_id", "exception_tokens", ["exception_id"])
