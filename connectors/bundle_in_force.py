"""What is bound to the policy in force: made for the bundle that the broker names, and once more if that changes."""

from collections.abc import Awaitable, Callable

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from connectors.answers import Outcome
from connectors.desk import Desk
from connectors.errors import NotDoneError, ReceiptError, RefusedError

_CHANGED = "bundle-not-in-force"
_READY = "/health/ready"


async def bound_to_bundle(desk: Desk, send: Callable[[str], Awaitable[Outcome]]) -> Outcome:
    """Return the outcome of what is bound to the bundle in force; made anew once, if that changed meanwhile.

    Raises:
        ReceiptError: its entry names another bundle than the broker did before.
    """
    bundle = await _bundle(desk)
    try:
        outcome = await send(bundle)
    except RefusedError as refusal:
        if refusal.problem.id != _CHANGED:
            raise
        bundle = await _bundle(desk)
        outcome = await send(bundle)
    if any(entry.bundle_sha256 not in (None, bundle) for entry in outcome.receipts):
        raise ReceiptError("the policy it was bound to")
    return outcome


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
