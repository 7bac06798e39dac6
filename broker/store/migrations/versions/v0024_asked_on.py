"""An oproep keeps what it was sent on, a ring how it came about, a phone call what the clock said when it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Oproepen of before are judged by what was kept of them; they are over within five working days.

    The belcodes of before count by the time of the log alone.
    """
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("phone_calls", sa.Column("clocked_at", number, nullable=True))
    op.add_column("calls", sa.Column("asked_on", sa.String(), nullable=True))
    op.add_column("call_rings", sa.Column("found_as", sa.String(), nullable=True))
