"""Wire models of the inbox: that something waits for a team, never what (docs/formats.md section 6)."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command, Telling, WireReceipt
from broker.protocol.wire_types import Id, Message, Word

NOTICES_PER_PAGE = 20
"""Notices in one answer at most, and that may be said to be had in one request."""


class FetchInbox(Command):
    """Ask what waits, and say what one has: `had` are notices that are kept safely, so they are told no more."""

    had: Annotated[list[Id], Field(max_length=NOTICES_PER_PAGE)]


class Notice(Message):
    """That something waits for a team; `about` is the id under which it is read. `at` in unix seconds."""

    id: Id
    kind: Word
    team: Word
    about: Id
    at: Annotated[int, Field(ge=0, le=2**40)]


class InboxResult(Telling):
    """What waits, oldest first; `more` says that another page does."""

    schema_: Literal["inbox/v1"] = Field(alias="schema")
    notices: Annotated[list[Notice], Field(max_length=NOTICES_PER_PAGE)]
    more: bool


class InboxAnswer(Message):
    """The whole body of an answer, as long on the wire whatever waits."""

    result: InboxResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
