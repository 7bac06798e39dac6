"""The tables of the oproep, of phone mode and of webhooks, as SQLModel; others speak SQL to the driver."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String
from sqlmodel import Field

from broker.store.models import NUMBER, Table


class CallRow(Table, table=True):
    """An oproep as it was sent; whom it reached stands in `call_rings` alone, up to and with `rings_until`."""

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
    asked_until: str = Field(index=True)
    asked_on: str | None = None
    rings_until: str | None = Field(default=None, index=True)
    idx: int | None = Field(default=None, sa_type=NUMBER, index=True)


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
    rests_on: str = Field(sa_column=Column(String, nullable=False, server_default="[]"))
    valid_until: str | None = None
    found_as: str | None = None


class PhoneCallRow(Table, table=True):
    """A call of one team to another. `code_key` makes its belcode; `tries` is of before `BelcodeTryRow`."""

    __tablename__ = "phone_calls"
    __table_args__ = (
        Index("ix_phone_calls_caller", "caller", "made_at"),
        Index("ix_phone_calls_receiver", "receiver", "made_at"),
    )

    id: str = Field(primary_key=True)
    caller: str
    caller_team: str
    worker: str
    controller: str
    receiver: str
    receiver_team: str
    purpose: str
    grounds: str
    categories: str
    level: int = Field(sa_type=NUMBER)
    made_at: int = Field(sa_type=NUMBER, index=True)
    clocked_at: int | None = Field(default=None, sa_type=NUMBER)
    code_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    tries: int = Field(sa_type=NUMBER)
    told_at: int | None = Field(default=None, sa_type=NUMBER)
    verified_at: int | None = Field(default=None, sa_type=NUMBER)
    verified_by: str | None = None
    answered_at: int | None = Field(default=None, sa_type=NUMBER)
    answer: str | None = None
    proof: str | None = None
    statement: str | None = None
    kind: str = Field(sa_column=Column(String, nullable=False, server_default="request"))
    consent_id: str | None = Field(default=None, index=True)
    exception_id: str | None = Field(default=None, index=True)
    rests_on: str = Field(sa_column=Column(String, nullable=False, server_default="[]"))
    role: str = Field(sa_column=Column(String, nullable=False, server_default="worker"))
    approved: int = Field(sa_column=Column(NUMBER, nullable=False, server_default="0"))
    signal_id: str | None = None
    match_id: str | None = None
    answer_consent_id: str | None = Field(default=None, index=True)
    answer_exception_id: str | None = Field(default=None, index=True)
    about_signals: str = Field(sa_column=Column(String, nullable=False, server_default="[]"))


class BelcodeTryRow(Table, table=True):
    """A worker of the called organisation said a wrong belcode; forgotten once it counts no more."""

    __tablename__ = "belcode_tries"
    __table_args__ = (Index("ix_belcode_tries_organisation", "organisation", "at"),)

    seq: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    organisation: str
    worker: str
    at: int = Field(sa_type=NUMBER)


class WebhookRow(Table, table=True):
    """Where an organisation hears that it is time to fetch its inbox."""

    __tablename__ = "webhooks"

    organisation: str = Field(primary_key=True)
    url: str
    since: int = Field(sa_type=NUMBER)


class WebhookDeliveryRow(Table, table=True):
    """One event on its way; `next_at` is none once it was given up."""

    __tablename__ = "webhook_deliveries"

    id: str = Field(primary_key=True)
    organisation: str = Field(index=True)
    url: str
    made_at: int = Field(sa_type=NUMBER)
    tries: int = Field(sa_type=NUMBER)
    next_at: int | None = Field(default=None, sa_type=NUMBER, index=True)
