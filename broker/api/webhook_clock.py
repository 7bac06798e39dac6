"""The clock of the webhooks: every quarter of an hour one event to everybody who wants them, whatever waits (D8)."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from broker.domain.webhooks import EVERY_S, Delivery, event_body, parse_webhook_url
from broker.ports import Clock, Randomness, RegisterReader
from broker.protocol.party_signing import SCHEME, sign_party_request
from broker.protocol.request_signing import Target
from broker.protocol.signing_keys import SigningKey
from broker.store.webhook_sending import HttpWebhooks
from broker.store.webhooks import StoredWebhooks

LOOK_S = 15.0
"""Seconds between two looks for what is to be tried."""
_log = logging.getLogger("sluis.webhooks")


class WebhookClock:
    """Begins events at the pace, and tries what is due; a receiver that fails holds nobody up."""

    def __init__(
        self, *, party: str, key: SigningKey, store: StoredWebhooks, sending: HttpWebhooks, clock: Clock,
        randomness: Randomness, registers: RegisterReader, insecure_loopback: bool = False,
    ) -> None:  # fmt: skip
        """Sign as `party` with this key, for who takes part by the register."""
        self._registers = registers
        self._party = party
        self._key = key
        self._store = store
        self._sending = sending
        self._clock = clock
        self._randomness = randomness
        self._insecure_loopback = insecure_loopback

    async def begin(self) -> None:
        """An event is on its way to everybody who wants them and takes part. Raises StorageError."""
        register = await self._registers.register()
        active = frozenset(oin for oin, one in register.organisations.items() if one.active)
        await self._store.begin(active, new_id=self._new_id, now=self._clock.now())

    def _new_id(self) -> str:
        return uuid.UUID(bytes=self._randomness.bytes(16), version=4).hex

    async def try_due(self) -> None:
        """Everything that is due was tried once, and is noted as each ends. Raises StorageError: of some it is not."""
        due = await self._store.due(now=self._clock.now())
        ended = await asyncio.gather(*(self._tried(delivery) for delivery in due), return_exceptions=True)
        failed = next((one for one in ended if one is not None), None)
        if failed is not None:
            raise failed

    async def _tried(self, delivery: Delivery) -> None:
        taken = await self._try(delivery)
        await self._store.tried(delivery, taken=taken, now=self._clock.now())

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep to the clock meanwhile."""
        tasks = [
            # The first soon after a start: a broker that is started anew more often than that would never send one.
            asyncio.create_task(self._at(EVERY_S, self.begin, first=LOOK_S)),
            asyncio.create_task(self._at(LOOK_S, self.try_due, first=LOOK_S)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _try(self, delivery: Delivery) -> bool:
        """Return whether it was taken. What was once stored is judged again: the rules may have become stricter."""
        to = parse_webhook_url(delivery.url, insecure_loopback=self._insecure_loopback)
        if to is None:
            return False
        body = event_body(source=self._party, event_id=delivery.id, at=delivery.made_at)
        target = Target(audience=delivery.organisation, method="POST", url=to.url)
        jti = self._randomness.bytes(16).hex()
        signed = sign_party_request(
            self._key, party=self._party, target=target, body=body, jti=jti, now=self._clock.now()
        )  # fmt: skip
        return await self._sending.post(to, body=body, authorization=SCHEME + signed)

    async def _at(self, seconds: float, act: Callable[[], Awaitable[None]], *, first: float) -> None:
        # The sleeps are the clock itself: events go at a fixed pace, so that when one goes tells nothing.
        await asyncio.sleep(first)
        while True:
            try:
                await act()
            except Exception as error:  # noqa: BLE001 - whatever failed, the next one is tried: serving goes on
                _log.error("webhooks failed: %s", type(error).__name__)
            await asyncio.sleep(seconds)
