"""The tables of the oproep, as SQLModel; `calls.py` speaks SQL to the driver."""

from sqlalchemy import Column, ForeignKey, Index
from sqlmodel import Field

from broker.store.models import NUMBER, Table


class CallRow(Table, table=True):
    """An oproep as it was sent; whom it reached stands in `call_rings` alone."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_organisation", "organisation", "id"),)

    id: str = Field(primary_key=True)
    organisation: str
    controller: str
    team: str
    worker: str
    purpose: str
    case_ref: str | None = None
    sent_at: int = Field(sa_type=NUMBER)
    asked_until: str


class CallRingRow(Table, table=True):
    """An oproep at one holder: the team that is asked, and what it did."""

    __tablename__ = "call_rings"
    __table_args__ = (Index("ix_call_rings_organisation", "organisation", "id"),)

    id: str = Field(primary_key=True)
    call_id: str = Field(sa_column=Column(ForeignKey("calls.id"), nullable=False, index=True))
    organisation: str
    team: str
    signal_id: str = Field(sa_column=Column(ForeignKey("signals.id"), nullable=False, index=True))
    state: str
    answered_by: str | None = None
    answered_at: int | None = Field(default=None, sa_type=NUMBER)
