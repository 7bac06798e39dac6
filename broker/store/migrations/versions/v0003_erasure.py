"""What was erased from the log by whose decision, and which key-encryption keys must be destroyed for it."""

import sqlalchemy as sa
from alembic import op

from audit.schema import ERASURE_DDL
from audit.schema_postgres import POSTGRES_ERASURE_DDL

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The database knows proposals to erase, what was erased, and which keys are doomed."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "erasures",
        sa.Column("organisation", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("controller", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", number, nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("decision_ref", sa.String(), nullable=False),
        sa.Column("ranges", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("entry_index", number, nullable=True),
    )
    op.create_table(
        "doomed_epochs",
        sa.Column("epoch", number, primary_key=True, autoincrement=False),
        sa.Column("entry_index", number, nullable=False),
    )
    op.create_index("ix_answers_entry_index", "answers", ["entry_index"])
    for statement in POSTGRES_ERASURE_DDL if op.get_bind().dialect.name == "postgresql" else ERASURE_DDL:
        op.execute(statement)
