"""Wire models of who sees to a signal: hand over all of one's signals in one act, find those that nobody sees to."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command, Telling, WireReceipt
from broker.protocol.wire_types import SIGNALS_PER_PAGE, Day, Id, Message, Word


class HandOverSignals(Command):
    """From now on `to` sees to every signal of `of`; without an `of`, to every signal without an active owner.

    Both are workers' ids at the broker.
    """

    of: Word | None
    to: Word


class OwnerlessSignal(Message):
    """A signal to which nobody on the roster sees; `owner` is who did, where that is known."""

    signal_id: Id
    team: Word
    purpose: Word
    ends_on: Day
    owner: Word | None


class OwnersResult(Telling):
    """Signals without an active owner, or how many were handed over."""

    schema_: Literal["owners/v1"] = Field(alias="schema")
    found: Annotated[list[OwnerlessSignal], Field(max_length=SIGNALS_PER_PAGE)]
    handed_over: Annotated[int, Field(ge=0)] | None
    more_after: Id | None


class OwnersAnswer(Message):
    """The whole body of an answer about owners."""

    result: OwnersResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
