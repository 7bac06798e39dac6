"""Who sees to a signal: somebody on the roster, or nobody, which its organisation must know (ADR 30)."""

from collections.abc import Collection

from broker.domain.requests import WORKER
from broker.domain.signals import Signal
from broker.protocol.messages import TextRef
from broker.protocol.owner_messages import OwnerlessSignal, OwnersResult
from broker.protocol.roster import Roster


def active_workers(roster: Roster | None) -> frozenset[str]:
    """Return the ids of who works here now."""
    workers = {} if roster is None else roster.workers
    return frozenset(sub for sub, worker in workers.items() if WORKER in worker.roles)


def is_ownerless(signal: Signal, active: Collection[str]) -> bool:
    """Return whether nobody who works here sees to a signal that is held."""
    return signal.is_held and signal.owner not in active


def owners_document(
    text: str, *, found: Collection[Signal] = (), handed_over: int | None = None, more_after: str | None = None
) -> dict[str, object]:
    """Return what is told about owners, in wire form."""
    result = OwnersResult.model_validate(
        {
            "schema": "owners/v1",
            "outcome": "done",
            "text": TextRef(id=text, params={}),
            "found": [
                OwnerlessSignal(
                    signal_id=one.id, team=one.team, purpose=one.purpose, ends_on=one.last_day, owner=one.owner
                )
                for one in found
            ],
            "handed_over": handed_over,
            "more_after": more_after,
        }
    )
    return result.model_dump(mode="json", by_alias=True)
