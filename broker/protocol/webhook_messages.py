"""Wire models of webhooks: where an organisation wants to hear that it is time to fetch its inbox."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command, Telling, WireReceipt
from broker.protocol.request_messages import Instant
from broker.protocol.wire_types import Id, Message

DEAD_LETTERS_SHOWN = 50
"""Events in one answer at most: half a day of them."""
SCHEMA_WEBHOOK = "webhook/v1"


class SetWebhook(Command):
    """Send events to this address from now on, or nowhere: they say that it is time, never that something waits."""

    url: Annotated[str, Field(min_length=1, max_length=2048)] | None


class DeadLetter(Message):
    """An event that the own address did not take however often it was tried; `made_at` in unix seconds."""

    event_id: Id
    made_at: Instant
    tries: int


class WebhookResult(Telling):
    """Where the own organisation's events go, and the newest of them that were given up."""

    schema_: Literal["webhook/v1"] = Field(alias="schema")
    url: str | None
    dead: Annotated[list[DeadLetter], Field(max_length=DEAD_LETTERS_SHOWN)]


class WebhookAnswer(Message):
    """The whole body of an answer about the own webhook."""

    result: WebhookResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
