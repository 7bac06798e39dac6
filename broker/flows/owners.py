"""Who sees to a signal: somebody on the roster, or nobody, which its organisation must know (ADR 30); and who may."""

from collections.abc import Collection

from broker.domain.requests import WORKER, Requester
from broker.domain.signals import Signal
from broker.ports import SignalStore
from broker.protocol.messages import TextRef
from broker.protocol.owner_messages import OwnerlessSignal, OwnersResult
from broker.protocol.roster import Roster
from broker.protocol.wire_types import SIGNALS_PER_PAGE


def active_workers(roster: Roster | None) -> frozenset[str]:
    """Return the ids of who works here now."""
    workers = {} if roster is None else roster.workers
    return frozenset(sub for sub, worker in workers.items() if WORKER in worker.roles)


def is_ownerless(signal: Signal, active: Collection[str]) -> bool:
    """Return whether nobody who works here sees to a signal that is held."""
    return signal.is_held and signal.owner not in active


async def known_page(requester: Requester, *, after: str | None, signals: SignalStore) -> tuple[Signal, ...]:
    """Return the next page of what this worker may know of; a page is full where there is more."""
    known: list[Signal] = []
    page: tuple[Signal, ...] | None = None
    while page is None or (len(page) == SIGNALS_PER_PAGE and len(known) < SIGNALS_PER_PAGE):
        last = after if not page else page[-1].id
        page = tuple(
            await signals.list_own(organisation=requester.organisation, after=last, at_most=SIGNALS_PER_PAGE)
        )  # fmt: skip
        known += [signal for signal in page if not signal.hidden_from(requester.worker)]
    return tuple(known[:SIGNALS_PER_PAGE])


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
