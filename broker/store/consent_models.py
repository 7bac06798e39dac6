"""The tables of consents and exceptions, as SQLModel: for the schema."""

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field

from broker.store.models import NUMBER, Table


class ConsentRow(Table, table=True):
    """What one organisation asked about one person; `body` holds codes, OINs and days as JSON, and never changes.

    `lapses_on` is the last day of the first yes to end, none once that was told; `idx` the entry that made it.
    """

    __tablename__ = "consents"

    number: int | None = Field(default=None, sa_type=NUMBER, primary_key=True)
    id: str = Field(unique=True)
    organisation: str = Field(index=True)
    signal_id: str | None = None
    body: str
    idx: int | None = Field(default=None, sa_type=NUMBER, index=True)
    lapses_on: str | None = Field(default=None, index=True)
    keep_until: str | None = Field(default=None, index=True)


class ConsentEventRow(Table, table=True):
    """One answer of one person, in the order of all answers; never changed, and gone with its record."""

    __tablename__ = "consent_events"

    number: int | None = Field(default=None, sa_type=NUMBER, primary_key=True)
    consent_id: str = Field(index=True)
    at: int = Field(sa_type=NUMBER)
    body: str


class ExceptionRow(Table, table=True):
    """An exception and, of an acute one, the rest that came later; `idx` is its entry, on which a verdict is given."""

    __tablename__ = "exceptions"

    id: str = Field(primary_key=True)
    organisation: str = Field(index=True)
    worker: str
    type: str
    at: int = Field(sa_type=NUMBER)
    idx: int = Field(sa_type=NUMBER, index=True)
    body: str
    rest: str | None = None
    rest_at: int | None = Field(default=None, sa_type=NUMBER)
    keep_until: str | None = Field(default=None, index=True)


class ExceptionTokenRow(Table, table=True):
    """Token index family: about whom an exception is, and the token itself, sealed for re-keying only."""

    __tablename__ = "exception_tokens"
    __table_args__ = (Index("ix_exception_tokens_exception_id", "exception_id"),)

    idx: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    exception_id: str = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ConsentTokenRow(Table, table=True):
    """Token index family: about whom a record of consent is, and the token itself, sealed for re-keying only."""

    __tablename__ = "consent_tokens"
    __table_args__ = (Index("ix_consent_tokens_consent_id", "consent_id"),)

    idx: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    consent_id: str = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
