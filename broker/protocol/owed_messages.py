"""Wire models of what follows from acts and is still to be done (docs/formats.md section 6)."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command, Telling, TextRef, WireReceipt
from broker.protocol.review_messages import Index
from broker.protocol.wire_types import Day, Id, Message, Word

SCHEMA_OWED = "owed-tasks/v1"
OWED_PER_PAGE = 20
"""Tasks in one answer at most; who gets as many asks on after `moreAfter`."""


class FinishOwedTask(Command):
    """Say that what followed from an act is done."""


class ShownOwed(Message):
    """What is still to be done: about an own signal by its id, or about none; never a person.

    `text` says it in Dutch; `since` is the day of the act that it follows from. `state` says whether it is due today,
    or late: the last day itself is in time. `own_act` says that somebody else ends it, for who asks had a part in that
    act. `act` is the index of that act's entry where one of the own organisation did it; `by_verdict` says that it ends
    by the verdict on that act, and not by saying so.
    """

    task_id: Id
    kind: Word
    text: TextRef
    signal_id: Id | None
    since: Day
    due_on: Day
    state: Literal["open", "vandaag", "te_laat"]
    own_act: bool
    act: Index | None
    by_verdict: bool


class OwedResult(Telling):
    """What is still to be done, the first that is due first; `more_after` goes on from there."""

    schema_: Literal["owed-tasks/v1"] = Field(alias="schema")
    found: Annotated[list[ShownOwed], Field(max_length=OWED_PER_PAGE)]
    more_after: Id | None


class OwedAnswer(Message):
    """The whole body of an answer that shows what is still to be done."""

    result: OwedResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
