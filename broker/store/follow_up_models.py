"""The tables of what follows a match, as SQLModel; `matches.py` and `notices.py` speak SQL to the driver."""

from sqlalchemy import Column, ForeignKey, Index
from sqlmodel import Field

from broker.store.models import NUMBER, Table


class NoticeRow(Table, table=True):
    """That something waits for a team. `seq` orders and is never told: its gaps would tell of others' notices."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_waiting", "organisation", "read_at", "seq"),)

    seq: int | None = Field(default=None, sa_type=NUMBER, primary_key=True)
    id: str = Field(unique=True)
    organisation: str
    team: str
    kind: str
    about: str = Field(index=True)
    created_at: int = Field(sa_type=NUMBER)
    told_at: int | None = Field(default=None, sa_type=NUMBER)
    read_at: int | None = Field(default=None, sa_type=NUMBER, index=True)
    set_aside_at: int | None = Field(default=None, sa_type=NUMBER)


class UnmetSignalRow(Table, table=True):
    """A signal that came with an import, for which nobody was looked up yet; `seq` orders those of one organisation."""

    __tablename__ = "unmet_signals"
    __table_args__ = (Index("ix_unmet_signals_organisation", "organisation", "seq"),)

    seq: int | None = Field(default=None, sa_type=NUMBER, primary_key=True)
    signal_id: str = Field(
        sa_column=Column(ForeignKey("signals.id", ondelete="CASCADE"), nullable=False, unique=True)
    )  # fmt: skip
    organisation: str


class MatchRow(Table, table=True):
    """One new signal that met signals of one other team; `due_on` is by when the two are to have had contact."""

    __tablename__ = "matches"

    id: str = Field(primary_key=True)
    newer_signal: str = Field(sa_column=Column(ForeignKey("signals.id"), nullable=False, index=True))
    coordinator: str | None = Field(default=None, index=True)
    coordinator_team: str | None = None
    coordinator_beside: str | None = Field(default=None, index=True)
    """Of the other side's municipality, where that has another; never without the first."""
    coordinator_beside_team: str | None = None
    made_on: str
    due_on: str = Field(index=True)
    overdue_on: str | None = None
    casusregisseur_organisation: str | None = None
    casusregisseur_team: str | None = None
    casusregisseur_entry: int | None = Field(default=None, sa_type=NUMBER)
    """The entry in which that team was named."""
    casusregisseur_over: str | None = None
    """The entries of the names that it replaced, as JSON; null of one of before 0027, which replaced all others."""


class MatchSideRow(Table, table=True):
    """One of the two teams of a match; `told` says whether it may know of it at all."""

    __tablename__ = "match_sides"
    __table_args__ = (Index("ix_match_sides_organisation", "organisation", "match_id"),)

    match_id: str = Field(sa_column=Column(ForeignKey("matches.id"), primary_key=True))
    organisation: str = Field(primary_key=True)
    team: str
    told: bool
    state: str
    changed_on: str


class TeamTaskRow(Table, table=True):
    """A term that runs for a team; `about` is a match, or what its own organisation called a report or order."""

    __tablename__ = "team_tasks"
    __table_args__ = (Index("ix_team_tasks_organisation", "organisation", "id"),)

    id: str = Field(primary_key=True)
    organisation: str
    team: str
    kind: str
    about: str = Field(index=True)
    started_on: str
    due_on: str = Field(index=True)
    statutory_on: str | None = None
    regional_on: str | None = None
    done_on: str | None = None
    told_on: str | None = None


class MatchSignalRow(Table, table=True):
    """A signal of the older side of a match: whether the newer side may see it, and whether it tells its holder."""

    __tablename__ = "match_signals"
    __table_args__ = (Index("ix_match_signals_signal_id", "signal_id"),)

    match_id: str = Field(sa_column=Column(ForeignKey("matches.id"), primary_key=True))
    signal_id: str = Field(sa_column=Column(ForeignKey("signals.id"), primary_key=True))
    kind: str
    shown: bool
    tells: bool
