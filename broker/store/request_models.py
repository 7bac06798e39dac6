"""The tables of information requests, as SQLModel; `information_requests.py` speaks SQL to the driver."""

from sqlalchemy import Column, LargeBinary, String
from sqlmodel import Field

from broker.store.models import NUMBER, Table


class InformationRequestRow(Table, table=True):
    """A letter from one organisation to another: codes, and a box that only its receiver opens.

    `open_until` is the last day on which it waits for an answer, none once that is over; `box_until` the last on which
    the box is kept, none once it is gone.
    """

    __tablename__ = "information_requests"

    id: str = Field(primary_key=True)
    kind: str
    sender: str = Field(index=True)
    sender_team: str
    sender_worker: str
    sender_role: str
    controller: str
    receiver: str = Field(index=True)
    receiver_team: str
    receiver_worker: str | None = None
    personal: int = Field(sa_type=NUMBER)
    purpose: str
    grounds: str
    categories: str
    level: int = Field(sa_type=NUMBER)
    proof: str | None = None
    signal_id: str | None = None
    approved: int = Field(sa_type=NUMBER)
    bundle: str
    sent_at: int = Field(sa_type=NUMBER)
    expires_on: str = Field(index=True)
    open_until: str | None = Field(default=None, index=True)
    box_until: str | None = Field(default=None, index=True)
    rests_on: str
    match_id: str | None = None
    asked_team: str | None = None
    consent_id: str | None = Field(default=None, index=True)
    exception_id: str | None = Field(default=None, index=True)
    about_signals: str = Field(sa_column=Column(String, nullable=False, server_default="[]"))
    state: str
    delivery: str
    fetched_by: str | None = None
    chunks: str
    box: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class RequestAnswerRow(Table, table=True):
    """The one answer to a request; `box` is empty for what was answered orally or not shared."""

    __tablename__ = "request_answers"

    request_id: str = Field(primary_key=True)
    id: str = Field(index=True)
    worker: str
    kind: str
    reason: str | None = None
    categories: str
    level: int = Field(sa_type=NUMBER)
    grounds: str
    proof: str | None = None
    signal_id: str | None = None
    approved: int = Field(sa_type=NUMBER)
    bundle: str
    answered_at: int = Field(sa_type=NUMBER)
    expires_on: str
    box_until: str | None = Field(default=None, index=True)
    rests_on: str
    consent_id: str | None = Field(default=None, index=True)
    exception_id: str | None = Field(default=None, index=True)
    controller: str | None = None
    delivery: str
    fetched_by: str | None = None
    chunks: str
    box: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class LetterChunkRow(Table, table=True):
    """One sealed chunk that an organisation left; `named` once a letter names it, gone after `keep_until`."""

    __tablename__ = "letter_chunks"

    organisation: str = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    named: int = Field(sa_type=NUMBER)
    keep_until: str = Field(index=True)
    chunk: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
