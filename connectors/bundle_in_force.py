"""What is bound to the policy in force: made for the bundle that the broker names, and once more if that changes."""

from collections.abc import Awaitable, Callable

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from connectors.answers import Outcome
from connectors.desk import Desk
from connectors.errors import NotDoneError, RefusedError

_CHANGED = "bundle-not-in-force"
_READY = "/health/ready"


async def bound_to_bundle(desk: Desk, send: Callable[[str], Awaitable[Outcome]]) -> Outcome:
    """Return the outcome of what is bound to the bundle in force; made anew once, if that changed meanwhile."""
    try:
        return await send(await _bundle(desk))
    except RefusedError as refusal:
        if refusal.problem.id != _CHANGED:
            raise
        return await send(await _bundle(desk))


async def _bundle(desk: Desk) -> str:
    """Return the hash of the policy that the broker says is in force; its receipt must say the same."""
    broker = desk.folder.settings.broker
    text = await desk.exchange.fetch(broker, _READY)
    try:
        stated = strict_json.load_object(text or b"").get("bundleSha256")
    except MalformedError:
        stated = None
    if not isinstance(stated, str):
        raise NotDoneError("not-done", party=broker.id)
    return stated
