"""Wire models of the oproep: holders are asked whether they want to call, and the asker always reads the same (D5)."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import CheckHousehold, Command, Contact, Telling, WireReceipt
from broker.protocol.wire_types import Day, Id, Message, Oin, Sha256, Word

CALLS_PER_PAGE = 50
"""Calls, or rings, in one answer at most; who gets as many asks on after the last."""
SCHEMA_CALLS = "calls/v1"
SCHEMA_RINGS = "rings/v1"


class CallHolders(CheckHousehold):
    """Ask whoever is involved with a household, and may be asked, whether he wants to call: the members of a check."""


class OwnCall(Message):
    """An oproep as its asker reads it, the same from the moment it was sent: whom it reached is never told.

    `asked_until` is the last day on which holders are asked.
    """

    call_id: Id
    purpose: Word
    team: Word
    case_ref: Sha256 | None
    asked_until: Day


class CallsResult(Telling):
    """What the asker is told of the oproep he sends, or of those his organisation has sent."""

    schema_: Literal["calls/v1"] = Field(alias="schema")
    calls: Annotated[list[OwnCall], Field(max_length=CALLS_PER_PAGE)]


class CallsAnswer(Message):
    """The whole body of an answer about own calls, as long on the wire whatever was found."""

    result: CallsResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]


class AnswerRing(Command):
    """What a holder does with an oproep; `team` is the one that is asked instead, and only named to forward."""

    answer: Literal["accept", "decline", "forward"]
    team: Word | None


class Caller(Message):
    """Who asks; the contact card of his team stands there once the holder has said that he will call."""

    oin: Oin
    name: str
    contact: Contact | None


class Ring(Message):
    """An oproep as its holder reads it: about which own signal, asked by whom, until which day.

    `purpose` says for what, once the holder has said that he will call.
    """

    ring_id: Id
    signal_id: Id
    team: Word
    purpose: Word | None
    state: Literal["waiting", "accepted", "declined"]
    asked_until: Day
    caller: Caller


class RingsResult(Telling):
    """What asks the holder's teams to call."""

    schema_: Literal["rings/v1"] = Field(alias="schema")
    rings: Annotated[list[Ring], Field(max_length=CALLS_PER_PAGE)]


class RingsAnswer(Message):
    """The whole body of an answer about an organisation's rings, as long on the wire whatever waits."""

    result: RingsResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
