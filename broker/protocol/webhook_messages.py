"""Wire models of webhooks: where an organisation wants to hear that it is time to fetch its inbox."""

from typing import Annotated

from pydantic import Field

from broker.protocol.messages import Command


class SetWebhook(Command):
    """Send events to this address from now on, or nowhere: they say that it is time, never that something waits."""

    url: Annotated[str, Field(min_length=1, max_length=2048)] | None
