"""Looking up the names of receivers: a slow server of names holds up its own organisation, and nobody else."""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from threading import Event
from threading import enumerate as running_threads
from typing import Any

import pytest

from broker.store.webhook_sending import AT_ONCE, SystemResolver

PUBLIC = "145.21.1.1"
SLOW = tuple(f"slow-{number}.example.org" for number in range(2 * AT_ONCE))


class Servers:
    """Servers of names of which the slow ones answer when they are let, and one says that there is no such name."""

    def __init__(self) -> None:
        """None was asked yet."""
        self.asked: Counter[str] = Counter()
        self.let = Event()

    def getaddrinfo(self, host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        """Return the addresses of a name, as the system does."""
        self.asked[host] += 1
        if host in SLOW:
            self.let.wait()
        if host == "gone.example.org":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(0, 0, 0, "", (PUBLIC, port))] * 2


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """The machine asks these; nothing waits when the test is over."""
    made = Servers()
    monkeypatch.setattr("broker.store.webhook_sending.socket.getaddrinfo", made.getaddrinfo)
    yield made
    made.let.set()


async def test_what_is_an_address_already_is_that_address() -> None:
    """By the look-up of the machine itself, once."""
    assert await SystemResolver().addresses("192.0.2.1", 443) == ("192.0.2.1",)


async def test_any_number_of_slow_names_holds_up_no_other(servers: Servers) -> None:
    """Twice as many hang as events go out at a time; one more is looked up at once, and so is one that is not there."""
    resolver = SystemResolver()
    hanging = [asyncio.create_task(resolver.addresses(host, 443)) for host in SLOW]
    await asyncio.sleep(0)
    assert await resolver.addresses("quick.example.org", 443) == (PUBLIC,)
    with pytest.raises(socket.gaierror):
        await resolver.addresses("gone.example.org", 443)
    assert not any(one.done() for one in hanging)
    servers.let.set()
    assert await asyncio.gather(*hanging) == [(PUBLIC,)] * len(SLOW)


async def test_a_name_that_hangs_is_looked_up_once_however_often_it_is_asked_for(servers: Servers) -> None:
    """Who gave up and asks again waits for the same look-up; once it came, the name is looked up anew."""
    resolver, host = SystemResolver(), SLOW[0]
    first = asyncio.create_task(resolver.addresses(host, 443))
    await asyncio.sleep(0)
    first.cancel()
    again = [asyncio.create_task(resolver.addresses(host, 443)) for _ in range(3)]
    await asyncio.sleep(0)
    servers.let.set()
    assert await asyncio.gather(*again) == [(PUBLIC,)] * 3
    assert servers.asked[host] == 1
    await resolver.addresses(host, 443)
    assert servers.asked[host] == 2


async def test_the_broker_ends_without_waiting_for_a_name(servers: Servers) -> None:
    """A look-up that hangs is on a thread that ends with the process."""
    task = asyncio.create_task(SystemResolver().addresses(SLOW[0], 443))
    await asyncio.sleep(0)
    names = [thread for thread in running_threads() if thread.name == "sluis-names"]
    assert names
    assert all(thread.daemon for thread in names)
    servers.let.set()
    assert await task == (PUBLIC,)
