"""What housekeeping looks for is found without walking every signal and every ticket."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Signals are found by their last day, spent tickets by their end."""
    # The day alone: led by the state, a look-up would rather walk every active signal than the few tokens it asks for.
    op.create_index("ix_signals_ends_on", "signals", ["ends_on"])
    op.create_index("ix_spent_tickets_expires_at", "spent_tickets", ["expires_at"])
