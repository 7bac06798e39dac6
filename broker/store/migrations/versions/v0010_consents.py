"""Consent as a list of answers, and about whom each record is; and exceptions with what they still owe."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """The database has the tables of consents and exceptions, empty."""
    op.create_table(
        "consents",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(), nullable=False, unique=True),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("signal_id", sa.String()),
        sa.Column("body", sa.String(), nullable=False),
    )
    op.create_index("ix_consents_organisation", "consents", ["organisation"])
    op.create_table(
        "consent_events",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("consent_id", sa.String(), nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
    )
    op.create_index("ix_consent_events_consent_id", "consent_events", ["consent_id"])
    op.create_table(
        "consent_tokens",
        sa.Column("idx", sa.LargeBinary(), primary_key=True),
        sa.Column("consent_id", sa.String(), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_consent_tokens_consent_id", "consent_tokens", ["consent_id"])
    op.create_table(
        "exceptions",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("organisation", "worker", "type")),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("idx", NUMBER, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("rest", sa.String()),
        sa.Column("rest_at", NUMBER),
    )
    op.create_index("ix_exceptions_organisation", "exceptions", ["organisation"])
