"""What the broker hands out to whoever may ask, the same for everybody: no answer is no such document."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from connectors.desk import Desk
from connectors.errors import NotDoneError
from connectors.exchange import MAX_ANSWER

Model = TypeVar("Model", bound=BaseModel)
_OK = 200


async def handed_out(desk: Desk, path: str, model: type[Model], *, role: str) -> Model:
    """Return the document at this address. Raises NotDoneError: it could not be had."""
    broker = desk.folder.settings.broker
    reply = await desk.exchange.send(broker, path, method="GET", body=b"", worker=desk.composer.worker, role=role)
    if reply.status != _OK:
        raise NotDoneError("not-done", party=broker.id)
    try:
        members = strict_json.load_object(reply.body, max_bytes=MAX_ANSWER)
        return model.model_validate(members, by_alias=True, by_name=False)
    except (MalformedError, ValidationError):
        raise NotDoneError("not-done", party=broker.id) from None
