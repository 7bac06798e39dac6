"""What the oproep and phone mode need of the world, as Protocols (architecture section 3, D15)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from broker.domain.calls import Call, Ring
from broker.domain.phone_calls import PhoneCall, WrongCodes
from broker.domain.webhooks import OwnWebhook
from broker.ports import StampKey, StampKind
from broker.task_ports import ReferenceReader


def calls_key(organisation: str, purpose: str) -> StampKey:
    """Return the key that moves with every oproep of this organisation for this purpose, whomever it reached."""
    return StampKey(kind=StampKind.CALL, key=f"{organisation} {purpose}".encode("ascii"))


def order_key(organisation: str, reference: str) -> StampKey:
    """Return the key that moves when this organisation records that an exclusion order was lifted."""
    return StampKey(kind=StampKind.ORDER, key=f"{organisation} {reference}".encode("ascii"))


class CallReader(ReferenceReader, Protocol):
    """The oproepen that were sent and whom they reached, as committed. An asker reads calls, a holder rings.

    With the tasks of the asker about the order that an oproep was sent on, for who judges a ring.
    """

    async def calls(self, *, organisation: str, after: str, at_most: int) -> tuple[Call, ...]:
        """Return what this organisation sent, in the order of ids, those after an id, so many at most."""

    async def rings(self, *, organisation: str, day: date, after: str, at_most: int) -> tuple[Ring, ...]:
        """Return what asks this organisation's teams on this day and was not declined, in the order of ids."""

    async def asked_by(
        self, *, organisation: str, purpose: str, day: date, signals: Collection[str]
    ) -> tuple[Ring, ...]:
        """Return what its oproepen of this purpose ask about these signals on this day, declined or not."""

    async def ring(self, *, organisation: str, ring_id: str) -> Ring | None:
        """Return this organisation's own ring; None for another's and for none at all."""


class OwnPhoneCalls(Protocol):
    """A phone call of one of its sides, as committed."""

    async def phone_call(self, *, organisation: str, call_id: str) -> PhoneCall | None:
        """Return a call that this organisation made or gets; None for others' and for none at all."""


class PhoneCallReader(OwnPhoneCalls, Protocol):
    """The phone calls that were announced, as committed."""

    async def phone_calls(self, *, organisation: str, now: int, at_most: int) -> tuple[PhoneCall, ...]:
        """Return calls that this organisation made or gets: those whose code counts, then the newest of the others."""

    async def received(self, *, organisation: str, since: int) -> tuple[PhoneCall, ...]:
        """Return the calls to this organisation since this second, the newest first."""

    async def wrong_codes(self, *, organisation: str, worker: str, now: int) -> WrongCodes:
        """Return how many wrong codes this worker, and everybody of his organisation, said of late by this time.

        What was said by a clock that was further ahead than a code counts is none of them.
        """

    async def recorded_until(self) -> int:
        """Return the time of the newest act that is recorded, 0 before any: a clock before it was set back."""

    async def received_call(self, *, organisation: str, call_id: str) -> PhoneCall | None:
        """Return a call to this organisation; None for one that it made, for others' and for none at all."""


class WebhookReader(Protocol):
    """Where events go, as committed."""

    async def webhook_of(self, *, organisation: str, at_most: int) -> OwnWebhook:
        """Return this organisation's own webhook, with so many events that were given up at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """Everything of this, as one group: edge and wiring have one line for it."""

    calls: CallReader
    phone: PhoneCallReader
    webhooks: WebhookReader
