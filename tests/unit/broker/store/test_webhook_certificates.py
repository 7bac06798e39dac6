"""An event reaches a receiver whose certificate is the name's and still holds, over a real connection, and no other."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from broker.api.webhook_clock import WebhookClock
from broker.domain.webhooks import MAX_TRIES, SetWebhook, WebhookUrl
from broker.protocol.signing_keys import SigningKey
from broker.store import webhook_sending
from broker.store.connection import SingleWriter, open_reader
from broker.store.webhook_sending import HttpWebhooks, webhook_client
from broker.store.webhooks import StoredWebhooks, dead_letters, set_webhook
from tests.simulators.broker_world import documents
from tests.simulators.clock import SeededRandomness, TestClock
from tests.simulators.databases import databases
from tests.simulators.enrolled import GI
from tests.simulators.https_receiver import Certified, https_receiver

NAME = "hook.example.org"


class OwnMachine:
    """A resolver by which every name is the own machine."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the own machine."""
        del host, port
        return ("127.0.0.1",)


@pytest.fixture(autouse=True)
def the_own_machine_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that is not as in service: the receiver runs here, where no event would go."""
    monkeypatch.setattr(webhook_sending, "is_public", lambda address: address == "127.0.0.1")


def where(port: int) -> WebhookUrl:
    """Return the address of the receiver by its name."""
    return WebhookUrl(scheme="https", host=NAME, port=port, path="/sluis")


@asynccontextmanager
async def posting(trust: Path | None) -> AsyncIterator[HttpWebhooks]:
    """Hold what posts to receivers whose certificates lead to these."""
    async with webhook_client(trust=trust) as client:
        yield HttpWebhooks(resolver=OwnMachine(), client=client)


async def test_an_event_arrives_at_the_name_it_was_meant_for(tmp_path: Path) -> None:
    """Connected to the address that was judged, greeted by its name, with a certificate of an authority that is set."""
    certified = Certified.for_name(NAME, tmp_path)
    async with https_receiver(certified) as (port, taken), posting(certified.authority) as webhooks:
        assert await webhooks.post(where(port), body=b"{}", authorization="Sluis x")
    (event,) = taken
    assert event.startswith(b"POST /sluis HTTP/1.1\r\n")
    assert f"Host: {NAME}:{port}".encode() in event
    assert event.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(
    ("name", "days", "own_authority"),
    [("other.example.org", 30, True), (NAME, -1, True), (NAME, 30, False)],
    ids=["of another name", "that has ended", "of nobody's authority"],
)
async def test_a_certificate_that_does_not_hold_gets_nothing(
    tmp_path: Path, name: str, days: int, own_authority: object
) -> None:
    """Not a byte of the event is sent, and it counts as not taken."""
    certified = Certified.for_name(name, tmp_path, days=days)
    trust = certified.authority if own_authority else None
    async with https_receiver(certified) as (port, taken), posting(trust) as webhooks:
        assert not await webhooks.post(where(port), body=b"{}", authorization="Sluis x")
    assert taken == []


async def test_what_such_a_receiver_did_not_get_is_a_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last try the operator sees organisation and event, and nothing was ever sent."""
    certified = Certified.for_name("other.example.org", tmp_path)
    database, clock = databases.new("sqlite", tmp_path), TestClock()
    async with https_receiver(certified) as (port, taken), posting(certified.authority) as webhooks:
        monkeypatch.setattr("broker.api.webhook_clock.parse_webhook_url", lambda _, **__: where(port))
        with closing(SingleWriter(database.address)) as writer:
            change = SetWebhook(organisation=GI, url=f"https://{NAME}/sluis", at=0)
            await writer.run(lambda connection: set_webhook(connection, change))
            strokes = WebhookClock(
                party="broker.test", key=SigningKey.from_seed(bytes(32)), store=StoredWebhooks(writer),
                sending=webhooks, clock=clock, randomness=SeededRandomness(1), registers=documents(),
            )  # fmt: skip
            await strokes.begin()
            for tries in range(MAX_TRIES):
                await strokes.try_due()
                clock.move(60 * 4**tries)
    with closing(open_reader(database.address)) as reader:
        assert [(one.organisation, one.tries) for one in await dead_letters(reader)] == [(GI, MAX_TRIES)]
    assert taken == []


def test_a_file_without_certificates_is_no_trust(tmp_path: Path) -> None:
    """A broker does not start with it: else no event would ever arrive."""
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises(OSError, match="certificate"):
        webhook_client(trust=empty)
