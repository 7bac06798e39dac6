"""Wire models of phone mode: who calls whom about what, the belcode that proves it, and that it was answered orally."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command, Contact, Grounds, StatutoryProof, Telling, WireReceipt
from broker.protocol.request_messages import Categories, Instant, Level, Party
from broker.protocol.wire_types import Id, Message, Oin, Word

PHONE_CALLS_PER_PAGE = 50
"""Phone calls in one answer at most, the newest."""
SCHEMA_PHONE = "phone-calls/v1"
Statement = Annotated[str, Field(max_length=2048, pattern=r"^[\w-]+\.[\w-]+\.[\w-]+$")]
"""What a calling organisation signed of a call; held by the called party, never by the broker."""
Belcode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class StartPhoneCall(Command):
    """I call now: the record of a letter, and a belcode to say on the phone. The call's id is the idempotency key.

    It asks, or it tells; `match_id`, `consent_id` and `exception_id` are own ones that it rests on, as those of a
    letter are. An exception is for what is told only.
    """

    purpose: Word
    grounds: Grounds
    team: Word
    to: Oin
    to_team: Word
    signal_id: Id | None
    categories: Categories
    level: Level
    proof: StatutoryProof | None
    statement: Statement | None = None
    kind: Literal["request", "telling"] = "request"
    match_id: Id | None = None
    consent_id: Id | None = None
    exception_id: Id | None = None


class VerifyCaller(Command):
    """Somebody calls me, and says this code."""

    code: Belcode


class NoteOralAnswer(Command):
    """I answered orally: in which categories, up to which level, on which ground; never what was said."""

    categories: Categories
    level: Level
    grounds: Grounds
    signal_id: Id | None
    proof: StatutoryProof | None
    consent_id: Id | None = None
    exception_id: Id | None = None


class OralAnswer(Message):
    """That somebody answered orally, and in what."""

    categories: list[Word]
    level: int
    grounds: list[Word]
    at: Instant


class PhoneCallShown(Message):
    """A phone call as either side reads it; `code` is there while it counts, `contact` is the caller's team.

    `statement` is the caller's own: without one that holds the called party believes neither. Where it is `withheld`
    what it rests on has changed: a call is then told without what it is about and without its code, to who was called
    and did not verify it before, and an oral answer not at all to who called.
    """

    call_id: Id
    side: Literal["made", "received"]
    caller: Party
    receiver: Party
    contact: Contact | None
    purpose: Word | None
    grounds: list[Word]
    categories: list[Word]
    level: int
    made_at: Instant
    code: Belcode | None
    code_until: Instant
    verified_at: Instant | None
    oral: OralAnswer | None
    statement: Statement | None = None
    kind: Literal["request", "telling"] = "request"
    withheld: bool = False


class PhoneCallsResult(Telling):
    """What is told of phone calls."""

    schema_: Literal["phone-calls/v1"] = Field(alias="schema")
    phone_calls: Annotated[list[PhoneCallShown], Field(max_length=PHONE_CALLS_PER_PAGE)]


class PhoneCallsAnswer(Message):
    """The whole body of an answer about phone calls."""

    result: PhoneCallsResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
