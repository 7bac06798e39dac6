"""Everything that waits in the outbox is brought to its end, as far as that goes; one that fails stops no other."""

from connectors.conclusions import Resumed, Unfinished
from connectors.delivery import CONSENT, Delivery
from connectors.errors import ConnectorError, EndedElsewhereError
from connectors.handing_over import Hand
from connectors.outbox import Outbox, persons_in


async def resume_all(outbox: Outbox, delivery: Delivery, hand: Hand, *, effect: str | None = None) -> Resumed:
    """Return what became of every command that waits, in the order they were made; imported rows go on in this hand.

    What was said of a consent comes first: nothing that rests on one overtakes its withdrawal.
    What another run ended meanwhile is told there. A look at an imported household is told by the look-later list.
    With `effect` only commands with that effect are brought to their end.
    """
    outcomes, unfinished, waiting = [], [], outbox.waiting()
    waiting = [parts for parts in waiting if effect in (None, parts[0].effect)]
    waiting.sort(key=lambda parts: parts[0].kind != CONSENT)
    for parts in waiting:
        looks = parts[0].effect == "check" and parts[0].local.get("look") is not None
        try:
            outcome = await delivery.resume(parts, hand)
        except EndedElsewhereError:
            continue
        except ConnectorError as error:
            row = parts[0].local.get("row") or ""
            unfinished.append(Unfinished(row=row, error=error, person=parts[0].person))
        else:
            outcomes += [] if looks else [outcome]
    return Resumed(outcomes=tuple(outcomes), unfinished=tuple(unfinished), persons=persons_in(waiting))
