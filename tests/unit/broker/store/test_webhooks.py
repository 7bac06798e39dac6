"""Sending events: to the very address that was judged, signed, retried, given up, and never anywhere else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import httpx
import pytest

from broker.api.webhook_clock import WebhookClock
from broker.domain.errors import StorageError
from broker.domain.webhooks import MAX_TRIES, Delivery, SetWebhook, WebhookUrl, parse_webhook_url
from broker.protocol.errors import RequestTokenError
from broker.protocol.party_signing import verify_party_request
from broker.protocol.request_signing import Target
from broker.protocol.signing_keys import SigningKey
from broker.store import webhook_sending
from broker.store.connection import SingleWriter, open_reader
from broker.store.webhook_sending import HttpWebhooks, webhook_client
from broker.store.webhooks import StoredWebhooks, dead_letters, set_webhook
from tests.simulators.broker_world import documents
from tests.simulators.clock import SeededRandomness, TestClock
from tests.simulators.databases import DATABASES, Database, databases
from tests.simulators.enrolled import GI, VEILIG_THUIS, Enrolled

PUBLIC = "145.21.1.1"
KEY = SigningKey.from_seed(bytes(32))
HOOK = "https://hook.example.org/sluis"


class Names:
    """A resolver that says what it is told, one answer after another; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the next answer."""
        del host, port
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not answer:
            raise OSError
        return answer


class Receivers(httpx.AsyncBaseTransport):
    """The network: notes every connection, and answers with a status."""

    def __init__(self, status: int = 204, location: str = "") -> None:
        self.status, self.location = status, location
        self.requests: list[tuple[httpx.Request, bytes]] = []
        self.came = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Note it and answer."""
        self.requests.append((request, await request.aread()))
        self.came.set()
        return httpx.Response(self.status, headers={"Location": self.location} if self.location else {})


def sending(names: Names, network: Receivers) -> HttpWebhooks:
    """Return what posts over this network."""
    return HttpWebhooks(resolver=names, client=httpx.AsyncClient(transport=network, trust_env=False))


def hook() -> WebhookUrl:
    """Return where events go."""
    to = parse_webhook_url(HOOK)
    assert to is not None
    return to


async def test_a_name_is_looked_up_once_and_that_address_is_connected_to() -> None:
    """The connection goes to the address that was judged, with the name for the certificate: no second look-up."""
    names, network = Names([PUBLIC], ["127.0.0.1"]), Receivers()
    assert await sending(names, network).post(hook(), body=b"{}", authorization="Sluis x")
    ((request, _),) = network.requests
    assert (names.asked, request.url.host, request.headers["host"]) == (1, PUBLIC, "hook.example.org")
    assert request.extensions["sni_hostname"] == "hook.example.org"


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:10.0.0.1"], [PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], []],
)
async def test_a_name_that_leads_inside_is_never_connected_to(addresses: list[str]) -> None:
    """One address that is not public spoils a name, whatever stands beside it; and no name is no connection."""
    network = Receivers()
    assert not await sending(Names(addresses), network).post(hook(), body=b"{}", authorization="Sluis x")
    assert network.requests == []


async def test_a_name_that_is_turned_inside_later_is_judged_anew() -> None:
    """A rebinding name is judged by what it stands for now: the first event leaves, the second goes nowhere."""
    network = Receivers()
    webhooks = sending(Names([PUBLIC], ["169.254.169.254"]), network)
    assert await webhooks.post(hook(), body=b"{}", authorization="Sluis x")
    assert not await webhooks.post(hook(), body=b"{}", authorization="Sluis x")
    assert len(network.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(status: int) -> None:
    """Where a receiver points to was never judged."""
    network = Receivers(status, "http://169.254.169.254/latest/meta-data/")
    assert not await sending(Names([PUBLIC]), network).post(hook(), body=b"{}", authorization="Sluis x")
    assert len(network.requests) == 1


async def test_the_client_that_serves_keeps_no_connection_and_knows_no_proxy() -> None:
    """A connection that was made for one name is never used for another one at the same address."""
    async with webhook_client() as client:
        assert not client.follow_redirects
        assert not client.trust_env


@pytest.fixture(params=DATABASES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[StoredWebhooks, Database]]:
    """The webhooks of two organisations in a database."""
    database = databases.new(request.param, tmp_path)
    with closing(SingleWriter(database.address)) as writer:
        for oin in (GI, VEILIG_THUIS):
            change = SetWebhook(organisation=oin, url=HOOK, at=0)
            await writer.run(lambda connection, change=change: set_webhook(connection, change))  # type: ignore[misc]  # bound at once
        yield StoredWebhooks(writer), database


@asynccontextmanager
async def a_clock(
    store: StoredWebhooks, network: Receivers, *, suspended: frozenset[str] = frozenset()
) -> AsyncIterator[tuple[WebhookClock, TestClock]]:
    """The clock of the webhooks over this store and this network."""
    clock = TestClock()
    yield (
        WebhookClock(
            party="broker.test", key=KEY, store=store, sending=sending(Names([PUBLIC]), network), clock=clock,
            randomness=SeededRandomness(1), registers=documents(Enrolled(suspended=suspended)),
        ),
        clock,
    )  # fmt: skip


async def test_everybody_gets_an_event_at_each_stroke_signed_for_him(
    store: tuple[StoredWebhooks, Database],
) -> None:
    """Whether or not something waits, each organisation gets one event, of one length, that only holds for it."""
    network = Receivers()
    async with a_clock(store[0], network) as (webhooks, clock):
        await webhooks.begin()
        await webhooks.try_due()
        await webhooks.try_due()
    assert len(network.requests) == 2
    assert len({len(body) for _, body in network.requests}) == 1
    for oin, (request, body) in zip(sorted((GI, VEILIG_THUIS)), _by_organisation(network, clock.now()), strict=True):
        target = Target(audience=oin, method="POST", url=HOOK)
        stated = verify_party_request(
            request.headers["authorization"],
            keys={"broker.test": KEY.public},
            target=target,
            body=body,
            now=clock.now(),
        )
        assert stated.party == "broker.test"


def _by_organisation(network: Receivers, now: int) -> list[tuple[httpx.Request, bytes]]:
    """Return the events in the order of whom they hold for."""
    return sorted(network.requests, key=lambda item: _holder(item, now))


async def test_what_nobody_takes_is_tried_again_later_and_then_shown_as_dead(
    store: tuple[StoredWebhooks, Database],
) -> None:
    """Each try waits longer than the one before; after the last the operator sees organisation and event."""
    webhooks_store, database = store
    network = Receivers(500)
    async with a_clock(webhooks_store, network) as (webhooks, clock):
        await webhooks.begin()
        for tries in range(1, MAX_TRIES + 1):
            await webhooks.try_due()
            assert len(network.requests) == 2 * tries
            await webhooks.try_due()
            assert len(network.requests) == 2 * tries
            clock.move(60 * 4 ** (tries - 1))
        await webhooks.try_due()
    assert len(network.requests) == 2 * MAX_TRIES
    with closing(open_reader(database.address)) as reader:
        assert {one.organisation for one in await dead_letters(reader)} == {GI, VEILIG_THUIS}


async def test_who_wants_no_events_gets_none(store: tuple[StoredWebhooks, Database]) -> None:
    """After an organisation has turned it off nothing of it is on its way any more."""
    network = Receivers()
    async with a_clock(store[0], network) as (webhooks, _):
        await webhooks.begin()
        writer = store[0]._writer
        await writer.run(
            lambda connection: set_webhook(connection, SetWebhook(organisation=GI, url=None, at=1))
        )  # fmt: skip
        await webhooks.try_due()
    assert len(network.requests) == 1


async def test_who_takes_part_no_more_gets_no_event(store: tuple[StoredWebhooks, Database]) -> None:
    """Once the registrars suspended an organisation nothing new is sent to it, nor what was still on its way."""
    network = Receivers(500)
    async with a_clock(store[0], network) as (webhooks, _):
        await webhooks.begin()
        await webhooks.try_due()
    network = Receivers()
    async with a_clock(store[0], network, suspended=frozenset({GI})) as (webhooks, clock):
        clock.move(900)
        await webhooks.begin()
        await webhooks.try_due()
    assert sorted({_holder(one, clock.now()) for one in network.requests}) == [VEILIG_THUIS]


def _holder(item: tuple[httpx.Request, bytes], now: int) -> str:
    """Return for whom an event holds."""
    for oin in (GI, VEILIG_THUIS):
        with suppress(RequestTokenError):
            verify_party_request(
                item[0].headers["authorization"], keys={"broker.test": KEY.public},
                target=Target(audience=oin, method="POST", url=HOOK), body=item[1], now=now,
            )  # fmt: skip
            return oin
    return ""


async def test_one_that_cannot_be_noted_holds_up_no_other(
    store: tuple[StoredWebhooks, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each delivery is noted as it ends: a failure is told, and what the others took is not sent to them again."""
    network, noted = Receivers(), StoredWebhooks.tried

    async def some(self: StoredWebhooks, delivery: Delivery, *, taken: bool, now: int) -> None:
        if delivery.organisation == GI:
            raise StorageError
        await noted(self, delivery, taken=taken, now=now)

    async with a_clock(store[0], network) as (webhooks, _):
        await webhooks.begin()
        monkeypatch.setattr(StoredWebhooks, "tried", some)
        with pytest.raises(StorageError):
            await webhooks.try_due()
        left = await store[0].due(now=2**40)
    assert [one.organisation for one in left] == [GI]


class Slow(httpx.AsyncBaseTransport):
    """A network on which every receiver takes as long as it is let; `at_once` is how many it held at most."""

    def __init__(self) -> None:
        self.let, self.full = asyncio.Event(), asyncio.Event()
        self.held, self.at_once = 0, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hold it, then take it."""
        await request.aread()
        self.held += 1
        self.at_once = max(self.at_once, self.held)
        if self.held >= webhook_sending.AT_ONCE:
            self.full.set()
        await self.let.wait()
        self.held -= 1
        return httpx.Response(204)


async def test_a_receiver_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of one event has one limit, whatever a receiver dribbles meanwhile: it is not taken."""
    monkeypatch.setattr(webhook_sending, "TIMEOUT_S", 0.05)
    client = httpx.AsyncClient(transport=Slow(), trust_env=False)
    webhooks = HttpWebhooks(resolver=Names([PUBLIC]), client=client)
    assert not await webhooks.post(hook(), body=b"{}", authorization="Sluis x")


async def test_who_waits_for_a_place_has_not_failed() -> None:
    """However many events are due at once, no more than so many are on the network, and every one of them arrives."""
    network = Slow()
    webhooks = HttpWebhooks(
        resolver=Names([PUBLIC]), client=httpx.AsyncClient(transport=network, trust_env=False)
    )  # fmt: skip
    posts = [
        asyncio.create_task(webhooks.post(hook(), body=b"{}", authorization="Sluis x"))
        for _ in range(webhook_sending.AT_ONCE + 8)
    ]
    async with asyncio.timeout(120):
        await network.full.wait()
    network.let.set()
    assert await asyncio.gather(*posts) == [True] * len(posts)
    assert network.at_once == webhook_sending.AT_ONCE


async def test_the_clock_strikes_while_the_broker_serves(
    store: tuple[StoredWebhooks, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of one stroke is noted and the next one comes."""
    monkeypatch.setattr("broker.api.webhook_clock.EVERY_S", 0)
    monkeypatch.setattr("broker.api.webhook_clock.LOOK_S", 0)
    network = Receivers()
    async with a_clock(store[0], network) as (webhooks, _), webhooks.kept():
        async with asyncio.timeout(120):
            await network.came.wait()
    assert network.requests
