"""The first schema: signals and their token index, administration, answers, tasks, and the log."""

import sqlalchemy as sa
from alembic import op

from audit.schema import SQLITE_DDL
from audit.schema_postgres import POSTGRES_DDL

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The database holds all tables of the first release, empty."""
    _signals()
    _deciding()
    _answering()
    _documents()
    for statement in POSTGRES_DDL if op.get_bind().dialect.name == "postgresql" else SQLITE_DDL:
        op.execute(statement)


def _text(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=key, nullable=optional)


def _number(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[int]:
    # Unix seconds outgrow PostgreSQL's integer; SQLite has one kind, and counts up only in a column of that name.
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, primary_key=key, nullable=optional)


def _bytes(name: str, *, key: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), primary_key=key, nullable=False)


def _signal_id() -> sa.Column[str]:
    return sa.Column("signal_id", sa.String(), sa.ForeignKey("signals.id"), primary_key=True)


def _signals() -> None:
    op.create_table(
        "signals",
        _text("id", key=True),
        _text("handle"),
        *(_text(name) for name in ("organisation", "controller")),
        _text("parent_org", optional=True),
        *(_text(name) for name in ("team", "purpose", "ground")),
        _number("epoch"),
        _text("case_ref", optional=True),
        *(_text(name) for name in ("registered_on", "ends_on")),
        *(_text(name, optional=True) for name in ("age_quarter", "assessed_on", "assessed_by")),
        *(_text(f"informing_{name}", optional=True) for name in ("state", "reason", "review_on")),
        _text("state"),
        _text("withdrawal_reason", optional=True),
        sa.Column("shielded", sa.Boolean(), nullable=False),
        _text("last_standing_on", optional=True),
        sa.UniqueConstraint("handle"),
    )
    op.create_index("ix_signals_organisation", "signals", ["organisation"])
    op.create_table(
        "signal_tokens",
        _bytes("idx", key=True),
        _signal_id(),
        _text("role", key=True),
        _text("family"),
        _number("epoch"),
        _text("source", optional=True),
    )
    op.create_index("ix_signal_tokens_signal_id", "signal_tokens", ["signal_id"])
    op.create_table("sealed_tokens", _bytes("idx", key=True), _signal_id(), _bytes("sealed"))
    op.create_table(
        "signal_exclusions", _signal_id(), _text("organisation", key=True), _text("worker", key=True)
    )  # fmt: skip


def _deciding() -> None:
    op.create_table("version_stamps", _text("kind", key=True), _bytes("key", key=True), _number("version"))
    op.create_table(
        "spent_tickets", _text("custodian", key=True), _text("ticket_id", key=True), _number("expires_at")
    )  # fmt: skip
    op.create_table("request_jti", _text("issuer", key=True), _text("jti", key=True), _number("expires_at"))
    op.create_index("ix_request_jti_expires_at", "request_jti", ["expires_at"])


def _answering() -> None:
    op.create_table(
        "answers",
        _text("organisation", key=True),
        _text("idempotency_key", key=True),
        *(_text(name) for name in ("worker", "target", "body_sha256", "status")),
        _number("entry_index"),
        _bytes("sealed"),
        _text("rests_on"),
        *(_text(name, optional=True) for name in ("valid_until", "signal_id")),
        _number("created_at"),
    )
    op.create_table(
        "tasks",
        _number("id", key=True),
        _text("kind"),
        _text("organisation"),
        _text("signal_id", optional=True),
        _text("due_on"),
        _number("created_at"),
        _number("done_at", optional=True),
    )
    op.create_index("ix_tasks_organisation", "tasks", ["organisation"])


def _documents() -> None:
    op.create_table("registers", _number("number", key=True), _bytes("document"), _number("imported_at"))
    op.create_table(
        "rosters", _text("oin", key=True), _number("number", key=True), _bytes("document"), _number("imported_at")
    )
    op.create_table("epochs", _number("epoch", key=True), _bytes("document"), _number("imported_at"))
    op.create_table("bundles", _number("number", key=True), _text("sha256"), _number("activated_at"))
