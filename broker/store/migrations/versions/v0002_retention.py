"""What housekeeping looks for is found without walking every signal and every ticket."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Signals are found by state and last day, spent tickets by their end."""
    op.create_index("ix_signals_state_ends_on", "signals", ["state", "ends_on"])
    op.create_index("ix_spent_tickets_expires_at", "spent_tickets", ["expires_at"])
