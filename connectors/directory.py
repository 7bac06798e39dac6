"""The directory of contact cards, as the broker hands it out to everybody who may ask."""

from pydantic import ValidationError

from broker.protocol import strict_json
from broker.protocol.directory_messages import Directory
from broker.protocol.errors import MalformedError
from connectors.desk import Desk
from connectors.errors import NotDoneError
from connectors.exchange import MAX_ANSWER

_OK = 200


async def directory(desk: Desk) -> Directory:
    """Return the directory. Raises NotDoneError: it could not be had."""
    broker = desk.folder.settings.broker
    reply = await desk.exchange.send(
        broker, "/v1/organisations", method="GET", body=b"", worker=desk.composer.worker
    )  # fmt: skip
    if reply.status != _OK:
        raise NotDoneError("not-done", party=broker.id)
    try:
        members = strict_json.load_object(reply.body, max_bytes=MAX_ANSWER)
        return Directory.model_validate(members, by_alias=True, by_name=False)
    except (MalformedError, ValidationError):
        raise NotDoneError("not-done", party=broker.id) from None
