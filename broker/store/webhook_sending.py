"""Sending events: the name is looked up once, and the connection goes to that very address, or nowhere."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Protocol

import httpx

from broker.domain.webhooks import MEDIA_TYPE, WebhookUrl, is_public

TIMEOUT_S = 10.0
"""Seconds that one event may take in all, from the look-up of the name to the status: a receiver that answers drop by
drop takes no longer than one that is silent."""
AT_ONCE = 32
"""Events on the network at a time; waiting for a place is no failure of the receiver."""
_OK = range(200, 300)
_LOOPBACK = "127.0.0.1"


class Resolver(Protocol):
    """Looks names up."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return every IP address that a name has now. Raises OSError: it has none."""


def webhook_client(*, trust: Path | None = None) -> httpx.AsyncClient:
    """Return a client that knows no proxy and keeps no connection: one that was made for a name serves no other.

    Args:
        trust: the certificates (PEM) that receivers' certificates must lead to; the usual authorities where none.
    """
    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        verify=True if trust is None else ssl.create_default_context(cafile=str(trust)),
    )


class SystemResolver:
    """`Resolver` by the machine's own way of looking up."""

    def __init__(self) -> None:
        """Look up nothing yet."""
        self._running: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return every IP address that a name has now. See `Resolver.addresses`.

        Each name has a thread of its own while it is looked up, and one only, however often it is asked for: a slow
        server of names holds up its own organisation and nobody else, and the process ends without waiting for it.
        """
        name = (host, port)
        if name not in self._running:
            self._running[name] = asyncio.get_running_loop().create_future()
            Thread(target=self._look_up, args=(name, self._running[name]), daemon=True, name="sluis-names").start()
        return await asyncio.shield(self._running[name])

    def _look_up(self, name: tuple[str, int], waiting: "asyncio.Future[Sequence[str]]") -> None:
        found: Sequence[str] | OSError | UnicodeError
        try:
            listed = socket.getaddrinfo(*name, type=socket.SOCK_STREAM)
            found = tuple(dict.fromkeys(str(address[0]) for *_, address in listed))
        except (OSError, UnicodeError) as error:
            found = error
        with suppress(RuntimeError):  # the broker has stopped meanwhile
            waiting.get_loop().call_soon_threadsafe(self._found, name, waiting, found)

    def _found(
        self,
        name: tuple[str, int],
        waiting: "asyncio.Future[Sequence[str]]",
        found: Sequence[str] | OSError | UnicodeError,
    ) -> None:
        del self._running[name]
        if isinstance(found, OSError | UnicodeError):
            waiting.set_exception(found)
            # Whoever asked may have given up; that it is not fetched is then no fault.
            waiting.exception()
        else:
            waiting.set_result(found)


class HttpWebhooks:
    """Posts events, each over a connection of its own to an address that was judged before."""

    def __init__(
        self, *, resolver: Resolver, client: httpx.AsyncClient, insecure_loopback: bool = False
    ) -> None:  # fmt: skip
        """Post with this client, which follows no redirect and knows no proxy; the caller closes it.

        Args:
            insecure_loopback: connect to the own machine where the address names it; for tests and demonstration.
        """
        self._resolver = resolver
        self._client = client
        self._insecure_loopback = insecure_loopback
        self._places = asyncio.Semaphore(AT_ONCE)

    async def post(self, to: WebhookUrl, *, body: bytes, authorization: str) -> bool:
        """Return whether the receiver took the event in time; whatever it answers besides is not read."""
        async with self._places:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    return await self._posted(to, body=body, authorization=authorization)
            except (OSError, httpx.HTTPError, UnicodeError):
                return False

    async def _posted(self, to: WebhookUrl, *, body: bytes, authorization: str) -> bool:
        # (1) Looked up once; one address that is not public spoils the name: somebody plays with it.
        address = await self._address(to)
        if address is None:
            return False
        # (2) Connected to that address, and not to the name again; the certificate is still the name's.
        request = self._client.build_request(
            "POST",
            _pinned(to, address),
            content=body,
            headers={"Host": _host(to), "Content-Type": MEDIA_TYPE, "Authorization": authorization},
            extensions={"sni_hostname": to.host},
            timeout=httpx.Timeout(TIMEOUT_S, pool=None),
        )
        # (3) No redirect is followed: it would be another address, which nobody judged.
        answer = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            return answer.status_code in _OK
        finally:
            await answer.aclose()

    async def _address(self, to: WebhookUrl) -> str | None:
        if self._insecure_loopback and to.host == _LOOPBACK:
            return _LOOPBACK
        found = await self._resolver.addresses(to.host, to.port)
        return found[0] if found and all(is_public(address) for address in found) else None


def _pinned(to: WebhookUrl, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{to.scheme}://{host}:{to.port}{to.path}"


def _host(to: WebhookUrl) -> str:
    return to.url.removeprefix(f"{to.scheme}://").removesuffix(to.path)
