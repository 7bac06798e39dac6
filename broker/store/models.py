"""The tables, as SQLModel: for the schema and for administration. The hot path speaks SQL to the driver.

Only the token index distributes, later, over machines: in `signal_tokens` and `sealed_tokens` the 32-byte index is
therefore part of every key (D14). The log's own tables are `audit.schema`'s.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

TOKEN_INDEX_TABLES = ("signal_tokens", "sealed_tokens", "consent_tokens", "exception_tokens")
NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""Whole numbers: unix seconds and sizes outgrow PostgreSQL's integer, and SQLite has one kind."""


def _partial(name: str, *columns: str, unique: bool = False, where: str) -> Index:
    """Return an index that holds only rows of which this is so, on each database."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Table(SQLModel, registry=registry()):
    """The root of the broker's tables, with a metadata of their own."""


class SignalRow(Table, table=True):
    """One organisation's involvement; `handle` is the random search handle of log entries, erased with the row."""

    __tablename__ = "signals"

    id: str = Field(primary_key=True)
    handle: str = Field(unique=True)
    organisation: str = Field(index=True)
    controller: str
    parent_org: str | None = None
    team: str
    purpose: str
    ground: str
    epoch: int = Field(sa_type=NUMBER)
    case_ref: str | None = None
    registered_on: str
    ends_on: str = Field(index=True)
    age_quarter: str | None = None
    assessed_on: str | None = None
    assessed_by: str | None = None
    informing_state: str | None = None
    informing_reason: str | None = None
    informing_review_on: str | None = None
    state: str
    withdrawal_reason: str | None = None
    shielded: bool
    last_standing_on: str | None = None
    owner: str | None = None
    consent_until: str | None = None


class SignalTokenRow(Table, table=True):
    """Token index family: under which index, in which role, a signal is found."""

    __tablename__ = "signal_tokens"
    __table_args__ = (Index("ix_signal_tokens_signal_id", "signal_id"),)

    idx: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    signal_id: str = Field(sa_column=Column(ForeignKey("signals.id"), primary_key=True))
    role: str = Field(primary_key=True)
    family: str
    epoch: int = Field(sa_type=NUMBER)
    source: str | None = None


class SealedTokenRow(Table, table=True):
    """Token index family: the token itself, sealed to a key that is offline, for re-keying only."""

    __tablename__ = "sealed_tokens"

    idx: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    signal_id: str = Field(sa_column=Column(ForeignKey("signals.id"), primary_key=True))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SignalExclusionRow(Table, table=True):
    """Who must not see a signal: an organisation (`worker` empty) or one of its workers."""

    __tablename__ = "signal_exclusions"

    signal_id: str = Field(sa_column=Column(ForeignKey("signals.id"), primary_key=True))
    organisation: str = Field(primary_key=True)
    worker: str = Field(primary_key=True)


class VersionStampRow(Table, table=True):
    """How often something that decisions rely on has changed."""

    __tablename__ = "version_stamps"

    kind: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    version: int = Field(sa_type=NUMBER)


class SpentTicketRow(Table, table=True):
    """A ticket that stands in an entry. Kept beyond its end: a custodian can issue the same ticket anew."""

    __tablename__ = "spent_tickets"

    custodian: str = Field(primary_key=True)
    ticket_id: str = Field(primary_key=True)
    expires_at: int = Field(sa_type=NUMBER, index=True)


class RequestJtiRow(Table, table=True):
    """A request id that was used; of no use once the request itself has expired."""

    __tablename__ = "request_jti"

    issuer: str = Field(primary_key=True)
    jti: str = Field(primary_key=True)
    expires_at: int = Field(sa_type=NUMBER, index=True)


class AnswerRow(Table, table=True):
    """What was answered, sealed, for the same request asked again; its receipt comes from the log."""

    __tablename__ = "answers"

    organisation: str = Field(primary_key=True)
    idempotency_key: str = Field(primary_key=True)
    worker: str
    target: str
    body_sha256: str
    status: str
    entry_index: int = Field(sa_type=NUMBER, index=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    rests_on: str
    valid_until: str | None = None
    signal_id: str | None = None
    created_at: int = Field(sa_type=NUMBER)


class TaskRow(Table, table=True):
    """Something a person has to do, written with its cause.

    `shown_id` is what those who owe it know it by, in the order in which they are due; `made_by` whose act it follows
    from, as JSON. `entry` is the index of that act, and `actor` who did it, where one of the same organisation did.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        _partial("ix_tasks_open", "organisation", "shown_id", unique=True, where="done_at IS NULL"),
        _partial("ix_tasks_entry", "entry", "organisation", where="done_at IS NULL"),
        _partial("ix_tasks_done_at", "done_at", where="done_at IS NOT NULL"),
        _partial("ix_tasks_signal_id", "signal_id", where="signal_id IS NOT NULL"),
    )

    id: int | None = Field(default=None, sa_type=NUMBER, primary_key=True)
    kind: str
    organisation: str
    signal_id: str | None = None
    due_on: str
    created_at: int = Field(sa_type=NUMBER)
    done_at: int | None = Field(default=None, sa_type=NUMBER)
    shown_id: str | None = None
    made_by: str | None = None
    entry: int | None = Field(default=None, sa_type=NUMBER)
    actor: str | None = None


class ActRow(Table, table=True):
    """An entry of the log as a review finds it; erased with the groups it points at."""

    __tablename__ = "acts"
    __table_args__ = (
        Index("ix_acts_organisation_at", "organisation", "at"),
        Index("ix_acts_controller_at", "controller", "at"),
    )

    idx: int = Field(sa_type=NUMBER, primary_key=True)
    organisation: str
    controller: str
    kind: str
    at: int = Field(sa_type=NUMBER)


class ActHandleRow(Table, table=True):
    """Which signals an entry wrote, stood on or hit, by their random search handles; erasable, rebuilt from the log."""

    __tablename__ = "act_handles"
    __table_args__ = (Index("ix_act_handles_idx", "idx"),)

    handle: str = Field(primary_key=True)
    idx: int = Field(sa_type=NUMBER, primary_key=True)


class ReviewNoteRow(Table, table=True):
    """What a reviewer stated, beside the entry that records it: a verdict, a threshold, a sample, a log check."""

    __tablename__ = "review_notes"
    __table_args__ = (Index("ix_review_notes_about", "organisation", "kind", "about"),)

    idx: int = Field(sa_type=NUMBER, primary_key=True)
    organisation: str
    worker: str
    kind: str
    about: str
    body: str
    at: int = Field(sa_type=NUMBER)


class RegisterRow(Table, table=True):
    """A register document that this broker verified."""

    __tablename__ = "registers"

    number: int = Field(sa_type=NUMBER, primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    imported_at: int = Field(sa_type=NUMBER)


class RosterRow(Table, table=True):
    """A roster that an organisation signed for this broker."""

    __tablename__ = "rosters"

    oin: str = Field(primary_key=True)
    number: int = Field(sa_type=NUMBER, primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    imported_at: int = Field(sa_type=NUMBER)


class EpochRow(Table, table=True):
    """An epoch document that both custodians signed."""

    __tablename__ = "epochs"

    epoch: int = Field(sa_type=NUMBER, primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    imported_at: int = Field(sa_type=NUMBER)


class BundleRow(Table, table=True):
    """A policy bundle that was in force; the newest row is the present one."""

    __tablename__ = "bundles"

    number: int | None = Field(default=None, sa_type=NUMBER, primary_key=True)
    sha256: str
    activated_at: int = Field(sa_type=NUMBER)
    mark: str
    statement: str | None = None
    registered_on: str | None = None


class ErasureRow(Table, table=True):
    """A proposal to erase groups of own entries, and what a second person decided about it."""

    __tablename__ = "erasures"

    organisation: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    controller: str
    proposed_by: str
    proposed_at: int = Field(sa_type=NUMBER)
    ground: str
    decision_ref: str
    ranges: str
    state: str
    decided_by: str | None = None
    entry_index: int | None = Field(default=None, sa_type=NUMBER)


class DoomedEpochRow(Table, table=True):
    """An epoch that wrapped keys which were erased: its key-encryption key is destroyed once nothing needs it."""

    __tablename__ = "doomed_epochs"

    epoch: int = Field(sa_column=Column(NUMBER, primary_key=True, autoincrement=False))
    entry_index: int = Field(sa_type=NUMBER)
