"""What follows a match: who is told, how far they are, what waits in an inbox, and who owns a signal."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """The database knows notices and matches, none yet, and no signal of before has an owner."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("signals", sa.Column("owner", sa.String(), nullable=True))
    _notices(number)
    _matches()


def _notices(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "notices",
        sa.Column("seq", number, primary_key=True),
        sa.Column("id", sa.String(), nullable=False, unique=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("organisation", "team", "kind", "about")),
        sa.Column("created_at", number, nullable=False),
        sa.Column("read_at", number, nullable=True),
    )
    op.create_index("ix_notices_waiting", "notices", ["organisation", "read_at", "seq"])
    op.create_index("ix_notices_about", "notices", ["about"])


def _matches() -> None:
    op.create_table(
        "matches",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("newer_signal", sa.String(), sa.ForeignKey("signals.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("coordinator", "coordinator_team")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("made_on", "due_on")),
        *(
            sa.Column(name, sa.String(), nullable=True)
            for name in ("overdue_on", "casusregisseur_organisation", "casusregisseur_team")
        ),
    )
    for column in ("newer_signal", "coordinator", "due_on"):
        op.create_index(f"ix_matches_{column}", "matches", [column])
    op.create_table(
        "match_sides",
        sa.Column("match_id", sa.String(), sa.ForeignKey("matches.id"), primary_key=True),
        sa.Column("organisation", sa.String(), primary_key=True),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("state", "changed_on")),
    )
    op.create_index("ix_match_sides_organisation", "match_sides", ["organisation", "match_id"])
    op.create_table(
        "match_signals",
        sa.Column("match_id", sa.String(), sa.ForeignKey("matches.id"), primary_key=True),
        sa.Column("signal_id", sa.String(), sa.ForeignKey("signals.id"), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("shown", "tells")),
    )
    op.create_index("ix_match_signals_signal_id", "match_signals", ["signal_id"])
