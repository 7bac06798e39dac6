"""Wire models of following up a match: whom to call, how far one is, who leads the plan (docs/formats.md section 6)."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command, Match, StatutoryProof, Telling, WireReceipt
from broker.protocol.wire_types import Day, Id, Message, Oin, Word

MATCHES_PER_PAGE = 20
"""Matches in one answer at most; who gets as many asks on after `moreAfter`."""

State = Literal["nieuw", "gelezen", "contact_gehad", "werken_al_samen", "afspraken_gemaakt", "klaar"]


class ChangeMatchState(Command):
    """Say how far one's own side is; `werken_al_samen` mutes what follows with that team on this household."""

    state: Literal["contact_gehad", "werken_al_samen", "afspraken_gemaakt", "klaar"]


class TeamRef(Message):
    """A team of an organisation."""

    organisation: Oin
    team: Word


class AppointCasusregisseur(Command):
    """Say which of the two teams leads the one plan for the household; `was` is whom it replaces, if anybody."""

    organisation: Oin
    team: Word
    was: TeamRef | None


class TellNewReport(Command):
    """Tell the casusregisseur of a match that a new police report came in, and no more; `proof` is that report's."""

    proof: StatutoryProof


class Casusregisseur(TeamRef):
    """The team that leads the plan, with the name of its organisation."""

    name: str


class ShownMatch(Message):
    """A match as one side sees it: its own signals, the other team with its contact card, and how far it is itself."""

    match_id: Id
    team: Word
    signals: list[Id]
    involved: Match
    state: State
    changed_on: Day
    made_on: Day
    due_on: Day
    casusregisseur: Casusregisseur | None
    """Of several the one that was named first."""
    other_casusregisseur: Casusregisseur | None
    """One who was named too, by who did not know of the first: the two are to agree who it is."""


class MatchesResult(Telling):
    """The own matches, in the order of their ids; `more_after` goes on from there."""

    schema_: Literal["matches/v1"] = Field(alias="schema")
    found: Annotated[list[ShownMatch], Field(max_length=MATCHES_PER_PAGE)]
    more_after: Id | None


class MatchChanged(Telling):
    """How far the own side of a match is now."""

    schema_: Literal["match-changed/v1"] = Field(alias="schema")
    match_id: Id
    state: State


class CoordinatedSide(Message):
    """One of the two teams, as the matchcoordinator sees it."""

    organisation: Oin
    name: str
    team: Word
    state: State


class CoordinatedMatch(Message):
    """Who is to contact whom and by when; nothing of the household, and no word of why."""

    match_id: Id
    sides: Annotated[list[CoordinatedSide], Field(min_length=2, max_length=2)]
    made_on: Day
    due_on: Day
    contacted: bool
    overdue: bool
    casusregisseurs: Annotated[int, Field(ge=0)]
    """Teams that lead the plan of this household, in the matches that the coordinator sees: one is meant to be it."""


class CoordinatedResult(Telling):
    """The matches of which both teams know, in the order of their ids; `more_after` goes on from there."""

    schema_: Literal["coordinated/v1"] = Field(alias="schema")
    found: Annotated[list[CoordinatedMatch], Field(max_length=MATCHES_PER_PAGE)]
    more_after: Id | None


class CoordinatedAnswer(Message):
    """The whole body of an answer to a matchcoordinator."""

    result: CoordinatedResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]


class MatchesAnswer(Message):
    """The whole body of an answer that shows matches."""

    result: MatchesResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]


class MatchChangedAnswer(Message):
    """The whole body of an answer to a change of a match."""

    result: MatchChanged
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
