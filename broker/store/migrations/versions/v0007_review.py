"""What a review finds entries by, and what reviewers stated. Entries of before this step are not found by a review."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The database has the tables of the review, empty."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = [sa.Column(name, sa.String(), nullable=False) for name in ("organisation", "controller", "kind")]
    op.create_table("acts", sa.Column("idx", number, primary_key=True), *text, sa.Column("at", number, nullable=False))
    op.create_index("ix_acts_organisation_at", "acts", ["organisation", "at"])
    op.create_index("ix_acts_controller_at", "acts", ["controller", "at"])
    op.create_table(
        "act_handles",
        sa.Column("handle", sa.String(), primary_key=True),
        sa.Column("idx", number, primary_key=True),
    )
    op.create_index("ix_act_handles_idx", "act_handles", ["idx"])
    op.create_table(
        "review_notes",
        sa.Column("idx", number, primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("organisation", "worker", "kind", "about", "body")),
        sa.Column("at", number, nullable=False),
    )
    op.create_index("ix_review_notes_about", "review_notes", ["organisation", "kind", "about"])
